/** The configuration that the environment asks for: PRESCORE_CONFIG, else the folder `configs/` of the project. */
import { pathToFileURL } from "node:url";
import { type Config, folderUrl, loadConfig } from "../configs/mod.ts";

export function configFromEnvironment(): Config {
  const folder = Deno.env.get("PRESCORE_CONFIG");
  return loadConfig({
    folder: folder
      ? folderUrl(folder, pathToFileURL(`${Deno.cwd()}/`))
      : new URL("../configs/", import.meta.url),
    env: Deno.env.toObject(),
    readText: (file) => Deno.readTextFileSync(file),
  });
}
