/**
 * The service with a hand on its workers: each line on the standard input ends one that is alive, without a word to
 * anyone; the end of the input ends the service.
 */
import { startService } from "../../main.ts";
import { configFromEnvironment } from "../../tasks/config.ts";

const alive: Worker[] = [];

globalThis.Worker = class extends Worker {
  constructor(...parameters: ConstructorParameters<typeof Worker>) {
    super(...parameters);
    alive.push(this);
  }

  override terminate(): void {
    super.terminate();
    const index = alive.indexOf(this);
    if (index >= 0) alive.splice(index, 1);
  }
};

const service = await startService(configFromEnvironment());
console.log(`listens on ${service.url}`);
void service.workers.then((count) => console.log(`${count} workers`));
let stopping: Promise<void> | undefined;
async function stop(): Promise<void> {
  await (stopping ??= service.stop());
  Deno.exit(0);
}
Deno.addSignalListener("SIGTERM", () => void stop());
for await (const _line of Deno.stdin.readable) {
  const worker = alive.at(Math.floor(Math.random() * alive.length));
  worker?.terminate();
  console.log(worker ? "a worker was killed" : "no worker to kill");
}
// Whoever started it is gone.
await stop();
