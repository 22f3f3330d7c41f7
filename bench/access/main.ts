/**
 * What access control costs, and what it keeps off. Each part is run alone, and writes its figures into bench/results/access.json:
 *
 *     deno task bench-access throughput [--baseline FOLDER] [--rounds 5] [--seconds 2]
 *     deno task bench-access slow
 *     deno task bench-access bodies
 *
 * Known limit: client and server share the processors.
 */
import { parseArgs } from "node:util";
import { PROJECT } from "../../tests/support/service.ts";
import { bodies } from "./bodies.ts";
import { slow } from "./slow.ts";
import { throughput } from "./throughput.ts";

const { values: { baseline, rounds, seconds }, positionals: [part = ""] } = parseArgs({
  options: {
    baseline: { type: "string" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
  },
  allowPositionals: true,
});

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  throughput: () => throughput({ baseline, rounds: Number(rounds), seconds: Number(seconds) }),
  slow,
  bodies,
};
const run = parts[part];
if (run === undefined) throw new Error(`name a part: ${Object.keys(parts).join(", ")}`);
const figures = await run();
console.log(JSON.stringify(figures, null, 1));
const file = new URL("bench/results/access.json", PROJECT);
const before = JSON.parse(await Deno.readTextFile(file).catch(() => "{}"));
const machine = { cores: navigator.hardwareConcurrency, deno: Deno.version.deno };
await Deno.writeTextFile(
  file,
  JSON.stringify({ ...before, ...machine, [part]: figures }, null, 1) + "\n",
);
