/** Who asks. */
import type { Role } from "./roles.ts";

/** To whom what is stored belongs; the empty name is the default tenant's, and everyone's where there are no keys. */
export type Tenant = string;

export interface Caller {
  /** Of the key; `undefined` for whoever needs none. */
  readonly keyId: string | undefined;
  readonly role: Role;
  readonly tenant: Tenant;
  /** Requests a second that the key may make; `undefined`: what the configuration says. */
  readonly perSecond: number | undefined;
}

/** Whoever reaches a service that asks for no key. Keys are out of reach even then. */
export const ANYONE: Caller = {
  keyId: undefined,
  role: "operate",
  tenant: "",
  perSecond: undefined,
};

/** As the audit log names one who acts. */
export function actorOf({ keyId }: Caller): string {
  return keyId === undefined ? "anyone" : `key:${keyId}`;
}
