/** Folders of models to change between: version 2 answers for bank_a as version 1 does for bank_b, and the other way round. */
import type { Config } from "../../configs/mod.ts";
import { sha256Of } from "../../wasm/mod.ts";
import { PROJECT, readConfig } from "./service.ts";
import { temporaryFolder } from "./store.ts";

// deno-lint-ignore no-explicit-any -- tests change what they please
type Loose = any;

export interface Versions extends AsyncDisposable {
  readonly path: string;
  readonly config: Config;
  /** The configuration as written there, read again. */
  read(): Config;
  /** Changes a JSON file of a version; `manifest.json` then says the new hash of it. */
  change(version: string, file: string, change: (content: Loose) => void): Promise<void>;
  /** Changes a file of the configuration. */
  configure(file: string, change: (content: Loose) => void): Promise<void>;
}

/** A folder with `configs/` and `models/1`, `2` and the further versions, which are copies of 1. */
export async function copyVersions(further: readonly string[] = []): Promise<Versions> {
  await using resources = new AsyncDisposableStack();
  const { path } = resources.use(await temporaryFolder());
  await copy(new URL("configs/", PROJECT), `${path}/configs`);
  for (const version of ["1", "2", ...further]) {
    await copy(new URL("models/1/", PROJECT), `${path}/models/${version}`);
    await rewrite(`${path}/models/${version}/manifest.json`, (manifest) => {
      manifest.version = version;
    });
  }
  const read = () => readConfig(`file://${path}/configs`);
  const running = resources.move();
  const versions: Versions = {
    path,
    read,
    config: read(),
    async change(version, file, change) {
      await rewrite(`${path}/models/${version}/${file}`, change);
      if (file === "manifest.json") return;
      const bytes = await Deno.readFile(`${path}/models/${version}/${file}`);
      const sha256 = await sha256Of(bytes);
      await rewrite(`${path}/models/${version}/manifest.json`, (manifest) => {
        manifest[file.replace(".json", "")].sha256 = sha256;
      });
    },
    configure: (file, change) => rewrite(`${path}/configs/${file}`, change),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
  await versions.change("2", "manifest.json", ({ models }) => {
    [models.bank_a, models.bank_b] = [models.bank_b, models.bank_a];
  });
  await versions.change("2", "golden.json", ({ probabilities }) => {
    [probabilities.bank_a, probabilities.bank_b] = [probabilities.bank_b, probabilities.bank_a];
  });
  return versions;
}

async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isFile } of Deno.readDir(from)) {
    if (isFile && name !== "report.html") await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}

async function rewrite(path: string, change: (content: Loose) => void): Promise<void> {
  const content = JSON.parse(await Deno.readTextFile(path));
  change(content);
  await Deno.writeTextFile(path, JSON.stringify(content, null, 2));
}
