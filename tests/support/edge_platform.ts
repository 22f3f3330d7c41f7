/**
 * Makes Deno what an edge platform gives a program; preloaded before it. There are no workers, and a scheduled job runs when
 * the platform says: here, when the process gets SIGUSR1.
 */
Reflect.deleteProperty(globalThis, "Worker");

Object.defineProperty(Deno, "cron", {
  value(_name: string, schedule: string, job: () => Promise<void>) {
    if (schedule !== "* * * * *") throw new Error(`${schedule} must be every minute`);
    Deno.addSignalListener("SIGUSR1", () => void job());
    return Promise.resolve();
  },
});
