/** What every command of the project shares: reading its options, and ending on a wrong input with one sentence. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { ConfigError } from "../configs/mod.ts";
import { LifecycleError } from "../lifecycle/mod.ts";
import { TableError } from "../scoring/table.ts";
import { ModelError } from "../wasm/mod.ts";

/** The command line is wrong; the message names the argument, its value and what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const EXPECTED = [UsageError, ConfigError, TableError, ModelError, LifecycleError];

/** Why the service asks for what a permission set gives. */
const REASONS: Readonly<Record<string, string>> = {
  net: "it listens on an address, and asks a database on a server and the addresses of webhooks",
  read:
    "it reads its configuration, models, WebAssembly, migrations, documentation page and database",
  write: "it writes its database",
  env:
    "settings and the first key come from variables, and the database's library reads some of its own",
  ffi: "the database is a native library, and the kernel is asked about slow connections",
  sys: "the database's library asks which machine it runs on",
};

/** One sentence for a permission that was not given; `undefined` for any other failure. */
function missingPermission(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : "";
  const [, kind = "", what = ""] =
    /Requires (\w+) access(?: to (.+?))?, run again/s.exec(message) ?? [];
  const reason = REASONS[kind];
  if (reason === undefined) return undefined;
  const flag = `--allow-${kind}${what && `=${what.replaceAll('"', "")}`}`;
  return `Cannot run without the permission ${flag}: ${reason}`;
}

/** Runs a command; a wrong input prints its sentence and exits 1, without a stack. */
export async function main(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const permission = missingPermission(error);
    if (permission !== undefined) console.error(permission);
    else if (error instanceof Error && EXPECTED.some((kind) => error instanceof kind)) {
      console.error(error.message);
    } else console.error(error);
    Deno.exit(1);
  }
}

/** A command of a program that has several; it is given what stands after its name. */
export type Command = (args: readonly string[]) => Promise<void>;

/** The command that the first argument names, or `fallback` where there is none. */
export function chooseCommand(
  commands: Readonly<Record<string, Command>>,
  fallback: string,
  line: readonly string[] = Deno.args,
): () => Promise<void> {
  return async () => {
    const [name = fallback, ...args] = line[0] === "--" ? line.slice(1) : line;
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) {
      throw new UsageError(
        `Cannot run ${name}: must be one of ${Object.keys(commands).join(", ")}`,
      );
    }
    await command(args);
  };
}

/** A command whose program is loaded when it is run. */
export function whenRun(load: () => Promise<Command>): Command {
  return async (args) => await (await load())(args);
}

/** The options and positional arguments of a command line, with or without `--` before them. Throws `UsageError`. */
export function readOptions<const T extends Omit<ParseArgsConfig, "args">>(
  config: T,
  line: readonly string[] = Deno.args,
) {
  const args = line[0] === "--" ? line.slice(1) : [...line];
  try {
    return parseArgs<T & { args: string[] }>({ ...config, args });
  } catch (error) {
    const known = Object.keys(config.options ?? {}).map((name) => `--${name}`).join(", ");
    throw new UsageError(
      `${error instanceof Error ? error.message : error}. Options: ${known || "none"}`,
    );
  }
}
