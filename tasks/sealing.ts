/**
 * `deno task sealing`: what an operator does to the keys that answers and results are sealed under, beside the running service.
 *
 *     sealing seal      seals what was stored before there were keys; what is at work is left: run it again
 *     sealing rewrap    wraps all keys with the first master key of PRESCORE_MASTER_KEY
 *
 * To change the master key: start every process with `NEW,OLD`, run `sealing rewrap`, then start every process with `NEW`.
 */
import { sealStored } from "../queue/seal_stored.ts";
import { openStores, type Stores } from "../stores.ts";
import { configFromEnvironment } from "./config.ts";
import { chooseCommand, type Command, main, UsageError } from "./main.ts";

async function withStores(work: (stores: Stores) => Promise<void>): Promise<void> {
  const stores = await openStores(configFromEnvironment().service, Date.now());
  try {
    await work(stores);
  } finally {
    stores.store.close();
  }
}

const seal: Command = () =>
  withStores(async (stores) => {
    const { sealed, left } = await sealStored(stores);
    await stores.erasure.finish();
    console.log(`${sealed} tasks sealed, ${left} left in clear`);
  });

const rewrap: Command = () =>
  withStores(async ({ vault }) => {
    console.log(`${await vault.rewrap()} blocks of keys wrapped with the first master key`);
  });

export const sealing: Command = (args) =>
  chooseCommand(
    {
      seal,
      rewrap,
      help: () => Promise.reject(new UsageError("Cannot choose: must be seal or rewrap")),
    },
    "help",
    args,
  )();

if (import.meta.main) await main(() => sealing(Deno.args));
