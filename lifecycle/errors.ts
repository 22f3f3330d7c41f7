/** A step was refused; the message says why in one sentence, and nothing was changed. */
export class LifecycleError extends Error {
  override readonly name = "LifecycleError";
}
