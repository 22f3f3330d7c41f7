import assert from "node:assert/strict";
import { createHash } from "node:crypto";

const WASM = new URL("../../wasm/", import.meta.url);

interface Recorded {
  readonly rustc: string;
  readonly sourcesSha256: string;
  readonly modules: Record<"engine" | "tract", { sha256: string; bytes: number }>;
}

const recorded = JSON.parse(Deno.readTextFileSync(new URL("modules.json", WASM))) as Recorded;

function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Paths of the files that go into the modules, as build.sh lists them. */
function sources(folder = ""): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`./${folder}`, WASM))) {
    const path = `${folder}${name}`;
    if (isDirectory && path !== "target" && path !== "fuzz") found.push(...sources(`${path}/`));
    if (/^(Cargo\.toml|Cargo\.lock|build\.sh)$/.test(name) || /\/src\/.*\.rs$/.test(path)) {
      found.push(path);
    }
  }
  return found;
}

for (const name of ["engine", "tract"] as const) {
  Deno.test(`modules.json: ${name}.wasm is the module that was recorded`, () => {
    const content = Deno.readFileSync(new URL(`${name}.wasm`, WASM));
    assert.deepEqual({ sha256: sha256(content), bytes: content.length }, recorded.modules[name]);
  });
}

Deno.test("modules.json: the modules were built from these sources", () => {
  const lines = sources().map((path) => `./${path}`).sort().map((path) =>
    `${sha256(Deno.readFileSync(new URL(path, WASM)))}  ${path}\n`
  );
  assert.equal(sha256(lines.join("")), recorded.sourcesSha256, "run wasm/build.sh");
});
