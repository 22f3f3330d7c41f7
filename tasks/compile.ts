/**
 * `deno task compile [TARGET...]`: one executable with the service and all it needs (configuration, models, WebAssembly,
 * migrations, the documentation page, the worker), for this machine or for each target named. It needs no Deno where it runs;
 * `PRESCORE_CONFIG` and `PRESCORE_DATABASE_URL` point outside it.
 *
 * Known limit: the native library of libSQL is unpacked into the temporary folder at start, which must allow that.
 */
import swaggerUiFolder from "swagger-ui-dist/absolute-path.js";
import { main, readOptions, UsageError } from "./main.ts";

const PROJECT = new URL("../", import.meta.url);

const INCLUDED = [
  "configs",
  "console/assets",
  "models",
  "database/migrations",
  "wasm/engine.wasm",
  "wasm/tract.wasm",
  "wasm/worker.ts",
];

/** Files of the packages it does import that are there for other readers: types, sources, another module system. */
const UNREAD =
  /\.d\.[cm]?ts$|\.map$|\.md$|\/zod\/[^/]+\/(src\/|.*\.cjs$)|\/hono\/[^/]+\/dist\/(cjs|types)\//;

/** What the documentation page is made of, and what must go with it. */
const PAGE =
  /^(absolute-path\.js|favicon-32x32\.png|package\.json|swagger-ui(-bundle\.js|\.css)|LICENSE|NOTICE)$/;

const TARGET = /^[a-z0-9_]+(-[a-z0-9_]+){2,3}$/;

async function compile(target: string | undefined): Promise<void> {
  const unread = await excluded(target ?? Deno.build.target);
  const output = target === undefined ? "dist/prescore" : `dist/prescore-${target}`;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      // Types are checked by `deno task ok`.
      "--no-check",
      // Whoever installs it chooses its address and its folders; what it may do there, systemd or the container says.
      "--permission-set=operate",
      `--output=${output}`,
      ...target === undefined ? [] : [`--target=${target}`],
      ...INCLUDED.map((path) => `--include=${path}`),
      ...unread.map((path) => `--exclude=${path}`),
      "main.ts",
    ],
    cwd: PROJECT,
  }).spawn().status;
  if (code !== 0) throw new UsageError(`Cannot compile ${output}: deno compile ended with ${code}`);
}

/** Files of the package cache that the executable does without: everything in the lock file is packed, and much is not read. */
async function excluded(target: string): Promise<string[]> {
  const page = swaggerUiFolder();
  const packages = page.slice(0, page.lastIndexOf("/swagger-ui-dist/"));
  const imported = await importedPackages();
  const otherLibc = target.endsWith("-musl") ? "gnu" : "musl";
  const natives = ["x64", "arm64"].map((cpu) => `@libsql/linux-${cpu}-${otherLibc}`);
  return (await lockedPackages()).flatMap((id) => {
    const at = id.lastIndexOf("@");
    const name = id.slice(0, at);
    const folder = `${packages}/${name}/${id.slice(at + 1)}`;
    const isUsed = imported.has(id) && !natives.includes(name);
    if (isUsed && folder !== page) return files(folder).filter((path) => UNREAD.test(path));
    const kept = isUsed ? PAGE : /^package\.json$/;
    return entries(folder).filter((path) => !kept.test(path.slice(folder.length + 1)));
  });
}

/** `name@version` of every package in the lock file. */
async function lockedPackages(): Promise<string[]> {
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", PROJECT)));
  // What follows an underscore are the packages that this one was joined with.
  return [...new Set(Object.keys(lock.npm).map((id) => id.replace(/_.*/, "")))];
}

/** `name@version` of every package that the service can reach. */
async function importedPackages(): Promise<ReadonlySet<string>> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: PROJECT,
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new UsageError(`Cannot read the imports: ${decoder.decode(stderr)}`);
  const { modules, npmPackages } = JSON.parse(decoder.decode(stdout)) as ImportGraph;
  const reached = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  // A set goes on with what is added while it is read.
  for (const id of reached) {
    for (const next of npmPackages[id]?.dependencies ?? []) reached.add(next);
  }
  return new Set([...reached].map((id) => id.replace(/_.*/, "")));
}

/** What is used here of the answer of `deno info --json`. */
interface ImportGraph {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, { readonly dependencies: readonly string[] }>>;
}

/** The paths of all files under a folder. */
function files(folder: string): string[] {
  return entries(folder).flatMap((path) => Deno.statSync(path).isDirectory ? files(path) : path);
}

/** The paths in a folder; none where there is no such folder. */
function entries(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => `${folder}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

await main(async () => {
  const { positionals } = readOptions({ allowPositionals: true });
  for (const target of positionals) {
    if (!TARGET.test(target)) {
      throw new UsageError(
        `Cannot compile for ${target}: must be a target such as aarch64-unknown-linux-gnu`,
      );
    }
  }
  for (const target of positionals.length > 0 ? positionals : [undefined]) await compile(target);
});
