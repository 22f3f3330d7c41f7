/**
 * On what terms a person's data came: to which purposes the person agreed, and whose they are. Kept beside the application, in the
 * commit that stores it, so nothing that was acknowledged came without what was said with it.
 */

/** What a person's data may be used for. What is done without consent, by law or by contract, is not the list's to say. */
export const PURPOSES = ["scoring", "bank-transfer", "marketing", "model-training"] as const;

export type Purpose = (typeof PURPOSES)[number];

/** An agreement as it is sent. */
export interface Consent {
  readonly purposes: readonly Purpose[];
  /** The text that was agreed to, with its version. */
  readonly document: string;
  /** Milliseconds since the epoch; absent: when it is stored. */
  readonly givenAtMs?: number | undefined;
  /** Absent: until it is withdrawn. */
  readonly expiresAtMs?: number | undefined;
}

export interface Terms {
  /** By `SubjectHash`; never the reference itself. */
  readonly subject?: string;
  readonly consent?: Consent;
}

/** Terms and who sent them, as the audit log names one who acts. */
export interface SentTerms extends Terms {
  readonly actor: string;
}

/** Terms of a row of a batch. */
export interface RowTerms extends SentTerms {
  /** From 1. */
  readonly row: number;
}

/** What a person agreed to for one purpose, as it stands. */
export interface Agreement {
  readonly purpose: Purpose;
  readonly document: string;
  readonly givenAtMs: number;
  readonly expiresAtMs: number | null;
  readonly withdrawnAtMs: number | null;
}

/** Whether the agreement covers its purpose at that time: given, neither run out nor withdrawn. */
export function isInForce(
  agreement: Omit<Agreement, "purpose" | "document">,
  nowMs: number,
): boolean {
  const { givenAtMs, expiresAtMs, withdrawnAtMs } = agreement;
  return givenAtMs <= nowMs && (expiresAtMs === null || expiresAtMs > nowMs) &&
    withdrawnAtMs === null;
}
