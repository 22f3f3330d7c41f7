/** What every route is given of the configuration's limits, and the time to keep them by. */
import type { Clock } from "../clock.ts";
import type { Service } from "../configs/mod.ts";

export interface Limits {
  readonly limits: Service["limits"] & Service["v1"] & Service["timeouts"];
  /** Milliseconds since the epoch. */
  readonly now: Clock["now"];
  readonly after: Clock["after"];
}

/** The parts of the configuration that are limits. */
export function limitsOf({ limits, v1, timeouts }: Service): Limits["limits"] {
  return { ...limits, ...v1, ...timeouts };
}
