/** The service as a fuzzer is let at it: with a key of each role that no quota ends. */
import { ROLE_NAMES } from "../../access/mod.ts";
import { runTask } from "../support/process.ts";
import { PROJECT } from "../support/service.ts";

/** Per second, and per hour for what-if: as high as the configuration allows. */
const [ENDLESS_RATE, ENDLESS_PROBES] = [1_000_000, 3_600_000];

/** The shipped configuration, with quotas that do not end a run. */
export function writeConfig(folder: string): void {
  for (const name of ["questionnaire.json", "banks.json", "policy.json", "service.json"]) {
    const config = JSON.parse(Deno.readTextFileSync(new URL(`configs/${name}`, PROJECT)));
    if (name === "service.json") {
      config.limits.probesPerKeyAndHour = ENDLESS_PROBES;
      config.limits.probesPerApplicantAndHour = ENDLESS_PROBES;
    }
    if (name === "banks.json") config.models = new URL("models/1", PROJECT).pathname;
    Deno.writeTextFileSync(`${folder}/${name}`, JSON.stringify(config));
  }
}

/** A key of each role, by the role's name. */
export async function makeKeys(env: Record<string, string>): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  for (const role of ROLE_NAMES) {
    const { stdout, stderr } = await runTask([
      ...["-P=generate", "tasks/keys.ts", "create", "--name", role, "--role", role],
      ...["--per-second", String(ENDLESS_RATE)],
    ], { env });
    if (!stdout.startsWith("psk_")) throw new Error(`no key was made: ${stderr}`);
    keys[role] = stdout.trim();
  }
  return keys;
}
