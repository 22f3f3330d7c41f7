/** The style and the script of the pages, under paths that change with their content, so that browsers may keep them for good. */
import { createHash } from "node:crypto";

export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

const FOLDER = new URL("./assets/", import.meta.url);

/** Throws where a file is not there. */
export function readAssets(): { readonly style: Asset; readonly script: Asset } {
  return {
    style: readAsset("console.css", "text/css; charset=utf-8"),
    script: readAsset("console.js", "text/javascript; charset=utf-8"),
  };
}

function readAsset(name: string, type: string): Asset {
  const text = Deno.readTextFileSync(new URL(name, FOLDER));
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { path: `/console/assets/${hash}/${name}`, type, text };
}
