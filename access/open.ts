/** Whether whoever reaches the service may use it without a key; and whether it may be reached at all then. */
import { ConfigError, OPEN_TO_EVERYONE, type Service } from "../configs/mod.ts";
import type { Keyring } from "./keyring.ts";

type Asked = Pick<Service, "access" | "host">;

/** Gives the answer for a request without a key: never asked again, on a loopback address, once there was a key. */
export function needsNoKey(
  { access, host }: Asked,
  keyring: Pick<Keyring, "areThereKeys">,
): () => boolean | Promise<boolean> {
  if (access === OPEN_TO_EVERYONE) return () => true;
  if (access === "keys" || !isLoopback(host)) return () => false;
  return () => {
    const there = keyring.areThereKeys();
    return typeof there === "boolean" ? !there : there.then((there) => !there);
  };
}

/** Throws `ConfigError` where others could reach a service that asks for keys which nobody can have. */
export async function refuseToStandOpen(
  { access, host }: Asked,
  keyring: Pick<Keyring, "areThereKeys">,
): Promise<void> {
  if (access === OPEN_TO_EVERYONE || access === undefined && isLoopback(host)) return;
  if (await keyring.areThereKeys()) return;
  throw new ConfigError(
    `Cannot listen on ${host}: others may reach it, and there is no API key yet. Make one with ` +
      "`deno task keys create --name NAME --role admin`, or set PRESCORE_ADMIN_KEY to one from `deno task keys mint`. " +
      `Where it shall need none, set "access" in service.json, or PRESCORE_ACCESS, to "${OPEN_TO_EVERYONE}"`,
  );
}

/** Whether an address or name is this machine's alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
