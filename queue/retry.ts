/** When a failed attempt is tried again: exponential backoff with full jitter. */

export interface Backoff {
  /** Upper bound of the delay after the first attempt, in milliseconds. */
  readonly base: number;
  /** Upper bound of any delay, in milliseconds. */
  readonly max: number;
}

/**
 * Delay before the next attempt, in whole milliseconds: uniform in [0, min(max, base * 2^(attempt - 1))].
 * `attempt` counts from 1; `random` is in [0, 1). Full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export function backoffMs(
  attempt: number,
  { base, max, random }: Backoff & { readonly random: number },
): number {
  return Math.floor(random * Math.min(max, base * 2 ** (attempt - 1)));
}
