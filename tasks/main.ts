/** How every command of the project ends: a wrong input prints its one sentence and exits 1, without a stack. */
import { ConfigError } from "../configs/mod.ts";
import { TableError } from "../scoring/table.ts";
import { ModelError } from "../wasm/mod.ts";

/** The command line is wrong; the message names the argument, its value and what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const EXPECTED = [UsageError, ConfigError, TableError, ModelError];

export async function main(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error && EXPECTED.some((kind) => error instanceof kind)) {
      console.error(error.message);
    } else console.error(error);
    Deno.exit(1);
  }
}
