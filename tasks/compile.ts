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
  "models",
  "queue/migrations",
  "wasm/engine.wasm",
  "wasm/tract.wasm",
  "wasm/worker.ts",
];

/** Packages of the project that the service does not import. */
const UNUSED = ["@types/node", "@types/ws", "csv-parse", "fast-check", "pure-rand", "undici-types"];

/** What the documentation page is made of, and what must go with it. */
const PAGE =
  /^(absolute-path\.js|favicon-32x32\.png|package\.json|swagger-ui(-bundle\.js|\.css)|LICENSE|NOTICE)$/;

const TARGET = /^[a-z0-9_]+(-[a-z0-9_]+){2,3}$/;

async function compile(target: string | undefined): Promise<void> {
  const output = target === undefined ? "dist/prescore" : `dist/prescore-${target}`;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      // Types are checked by `deno task ok`.
      "--no-check",
      "--permission-set=start",
      `--output=${output}`,
      ...target === undefined ? [] : [`--target=${target}`],
      ...INCLUDED.map((path) => `--include=${path}`),
      ...excluded(target ?? Deno.build.target).map((path) => `--exclude=${path}`),
      "main.ts",
    ],
    cwd: PROJECT,
  }).spawn().status;
  if (code !== 0) throw new UsageError(`Cannot compile ${output}: deno compile ended with ${code}`);
}

/** Files of the package cache that the executable does without. Packages cannot be left out whole, but their files can. */
function excluded(target: string): string[] {
  const page = swaggerUiFolder();
  const packages = page.slice(0, page.lastIndexOf("/swagger-ui-dist/"));
  const otherLibc = target.endsWith("-musl") ? "gnu" : "musl";
  const unused = [...UNUSED, ...["x64", "arm64"].map((cpu) => `@libsql/linux-${cpu}-${otherLibc}`)];
  return [
    ...entries(page).filter((path) => !PAGE.test(path.slice(page.length + 1))),
    ...unused.flatMap((name) => entries(`${packages}/${name}`)).flatMap((version) =>
      entries(version).filter((path) => !path.endsWith("/package.json"))
    ),
  ];
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
