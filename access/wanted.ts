/** A key that somebody asks for, as the texts of a form or of a command's options say it. */
import { tenantSchema } from "../configs/service.ts";
import type { NewKey } from "./key_store.ts";
import { ROLE_NAMES, roleNamed } from "./roles.ts";

const DAY_MS = 86_400_000;
const MOST_NAME = 100;
const MOST_NUMBER = 1_000_000;

/** Each as it was written; absent or empty: none. */
export interface WantedKey {
  readonly name?: string | undefined;
  readonly role?: string | undefined;
  readonly tenant?: string | undefined;
  /** How long it is valid. */
  readonly days?: string | undefined;
  readonly perSecond?: string | undefined;
}

/** What is wrong with one field of a wanted key. */
export class WantedKeyError extends Error {
  override readonly name = "WantedKeyError";

  constructor(readonly field: keyof WantedKey, message: string) {
    super(message);
  }
}

/** The key to make. Throws `WantedKeyError` for the first field that is wrong. */
export function readWantedKey(wanted: WantedKey, nowMs: number): NewKey {
  const { name = "", tenant = "" } = wanted;
  if (name.length < 1 || name.length > MOST_NAME) {
    throw new WantedKeyError(
      "name",
      `must be 1 to ${MOST_NAME} characters that say whose key it is`,
    );
  }
  const role = roleNamed(wanted.role ?? "");
  if (role === undefined) {
    throw new WantedKeyError(
      "role",
      `current value is ${wanted.role}, must be one of ${ROLE_NAMES.join(", ")}`,
    );
  }
  const checked = tenantSchema.safeParse(tenant);
  if (!checked.success) {
    throw new WantedKeyError(
      "tenant",
      `current value is ${tenant}, ${checked.error.issues[0]?.message}`,
    );
  }
  const days = wholeNumber("days", wanted.days);
  const perSecond = wholeNumber("perSecond", wanted.perSecond);
  return {
    ...{ name, role, tenant },
    ...perSecond !== undefined && { perSecond },
    ...days !== undefined && { expiresAtMs: nowMs + days * DAY_MS },
  };
}

function wholeNumber(field: keyof WantedKey, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= MOST_NUMBER) return number;
  throw new WantedKeyError(
    field,
    `current value is ${text}, must be a whole number from 0 to ${MOST_NUMBER}`,
  );
}

/** Whether it opens anything now. */
export function isValid(
  { revokedAtMs, expiresAtMs }: {
    readonly revokedAtMs: number | null;
    readonly expiresAtMs: number | null;
  },
  nowMs: number,
): boolean {
  return revokedAtMs === null && (expiresAtMs === null || nowMs < expiresAtMs);
}
