/** `deno task explore -- --data F [--config configs] [--out report.html]`: what a table of applications holds, as one HTML file. */
import { main } from "./main.ts";
import { runTraining } from "./python.ts";

if (import.meta.main) {
  await main(async () => {
    await runTraining("explore", Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args);
  });
}
