/** The alert rules and the dashboard speak of metrics that there are. */
import assert from "node:assert/strict";
import { ServiceMetrics } from "../../telemetry/mod.ts";
import { PROJECT } from "../support/service.ts";

const metrics = new ServiceMetrics(0);
metrics.watchQueue({ read: () => Promise.reject(new Error("nobody asks")) }, () => 0);
const known = new Set(metrics.registry.names);

function metricsOf(text: string): readonly string[] {
  const names = text.match(/\b(prescore|process)_[a-z_]+\b/g) ?? [];
  return names.map((name) => known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ""));
}

for (const file of ["telemetry/alerts.yaml", "telemetry/dashboard.json", "telemetry.md"]) {
  Deno.test(`docs/${file} names metrics that there are`, async () => {
    const names = metricsOf(await Deno.readTextFile(new URL(`docs/${file}`, PROJECT)));
    assert.ok(names.length > 5);
    for (const name of names) assert.ok(known.has(name), name);
  });
}

Deno.test("every metric of the service is documented", async () => {
  const text = await Deno.readTextFile(new URL("docs/telemetry.md", PROJECT));
  for (const name of known) {
    if (name.startsWith("prescore_")) assert.ok(text.includes(`\`${name}\``), name);
  }
});
