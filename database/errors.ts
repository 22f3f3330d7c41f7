/** What a database failed to do, for those who catch it. */

/** The database failed. What was to be written may or may not be there; writing it again comes to the same. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
}

/** Another process holds the database locked, for longer than a write waits for it. */
export class StoreLockedError extends StoreError {
  override readonly name = "StoreLockedError";
}

/** More wait to be stored than may wait: the caller can come again later. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}
