/**
 * `deno task sbom [--check]`: writes sbom.json, a bill of materials in the form of CycloneDX 1.6, and docs/licences.md, of every package
 * in deno.lock and every crate in wasm/Cargo.lock. `--check` fails where they name other packages or hashes than the lock files.
 *
 * Licences are read from the packages themselves, so writing needs Deno's cache filled and cargo; checking needs neither.
 */
import { main, readOptions, UsageError } from "./main.ts";

const PROJECT = new URL("../", import.meta.url);
const BILL = new URL("sbom.json", PROJECT);
const LIST = new URL("docs/licences.md", PROJECT);

interface Component {
  readonly type: "library";
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly { readonly expression: string }[];
}

interface Bill {
  readonly components: readonly Component[];
}

type Licences = (component: Pick<Component, "name" | "version" | "purl">) => string | undefined;

async function npmPackages(): Promise<Component[]> {
  const { npm } = JSON.parse(await Deno.readTextFile(new URL("deno.lock", PROJECT))) as {
    npm: Record<string, { integrity: string }>;
  };
  // What follows an underscore are the packages that this one was joined with.
  const entries = Object.entries(npm).map(([id, { integrity }]) =>
    [id.replace(/_.*/, ""), integrity] as const
  );
  return [...new Map(entries)].map(([id, integrity]) => {
    const at = id.lastIndexOf("@");
    const [name, version] = [id.slice(0, at), id.slice(at + 1)];
    const [algorithm = "", digest = ""] = integrity.split("-");
    return {
      type: "library",
      ...{ name, version, purl: `pkg:npm/${name.replace("@", "%40")}@${version}` },
      hashes: [{
        alg: algorithm.replace("sha", "SHA-"),
        content: Uint8Array.fromBase64(digest).toHex(),
      }],
    };
  });
}

/** Crates of the registry; those of the workspace are the project's own. */
async function crates(): Promise<Component[]> {
  const text = await Deno.readTextFile(new URL("wasm/Cargo.lock", PROJECT));
  const field = (part: string, key: string) => new RegExp(`^${key} = "(.*)"$`, "m").exec(part)?.[1];
  return text.split("[[package]]").flatMap((part) => {
    const [name, version, checksum] = ["name", "version", "checksum"].map((key) =>
      field(part, key)
    );
    if (name === undefined || version === undefined || checksum === undefined) return [];
    return [{
      type: "library" as const,
      ...{ name, version, purl: `pkg:cargo/${name}@${version}` },
      hashes: [{ alg: "SHA-256", content: checksum }],
    }];
  });
}

async function components(): Promise<Component[]> {
  const all = [...await npmPackages(), ...await crates()];
  return all.sort((a, b) => a.purl < b.purl ? -1 : 1);
}

async function output(command: string, args: readonly string[], cwd = PROJECT): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd })
    .output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new UsageError(`Cannot run ${command} ${args[0]}: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}

/** Licences as the packages state them. */
async function readLicences(): Promise<Licences> {
  const { npmCache } = JSON.parse(await output(Deno.execPath(), ["info", "--json"]));
  const [registry] = Array.from(Deno.readDirSync(npmCache), ({ name }) => name);
  const metadata = JSON.parse(
    await output(
      "cargo",
      ["metadata", "--format-version=1", "--locked"],
      new URL("wasm/", PROJECT),
    ),
  ) as { packages: { name: string; version: string; license: string | null }[] };
  const ofCrates = new Map(metadata.packages.map(({ name, version, license }) => [
    `pkg:cargo/${name}@${version}`,
    license?.replaceAll("/", " OR ") ?? undefined,
  ]));
  return ({ name, version, purl }) => {
    if (purl.startsWith("pkg:cargo/")) return ofCrates.get(purl);
    try {
      const path = `${npmCache}/${registry}/${name}/${version}/package.json`;
      return JSON.parse(Deno.readTextFileSync(path)).license;
    } catch (error) {
      // Of another machine's: named by the lock file and not in the cache.
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
}

async function write(): Promise<void> {
  const licenceOf = await readLicences();
  const before = await readBill();
  const known = new Map(before.components.map((each) => [each.purl, each.licenses]));
  const all = (await components()).map((component): Component => {
    const expression = licenceOf(component);
    const licenses = expression === undefined ? known.get(component.purl) : [{ expression }];
    return { ...component, ...licenses && { licenses } };
  });
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", name: "prescore" } },
    components: all,
  };
  await Deno.writeTextFile(BILL, `${JSON.stringify(bill, null, 2)}\n`);
  await Deno.writeTextFile(LIST, licenceList(all));
}

function licenceList(all: readonly Component[]): string {
  const rows = all.map(({ purl, licenses }) =>
    `- \`${decodeURIComponent(purl.replace("pkg:", ""))}\`: ${
      licenses?.[0]?.expression ?? "not known here"
    }\n`
  );
  return "# Licences\n\nOf every package that the lock files name. Generated by `deno task sbom`.\n\n" +
    rows.join("");
}

async function readBill(): Promise<Bill> {
  try {
    return JSON.parse(await Deno.readTextFile(BILL));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { components: [] };
    throw error;
  }
}

async function check(): Promise<void> {
  const named = ({ purl, hashes }: Component) => `${purl} ${hashes[0]?.content}`;
  const [written, locked] = [(await readBill()).components, await components()]
    .map((all) => new Set(all.map(named)));
  const wrong = [...written?.symmetricDifference(locked ?? new Set()) ?? []];
  if (wrong.length > 0) {
    throw new UsageError(
      `sbom.json must name what the lock files name; it differs in ${
        wrong.slice(0, 5).join(", ")
      }: ` +
        "run deno task sbom",
    );
  }
}

if (import.meta.main) {
  await main(async () => {
    const { values } = readOptions({ options: { check: { type: "boolean", default: false } } });
    await (values.check ? check() : write());
  });
}
