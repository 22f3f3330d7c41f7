/**
 * Runs a command of the Python package in `training/`, which is what trains: its arguments, output and status are passed
 * through. Python calls the project's own commands back (features are computed in one place), with this very executable.
 */
import { UsageError } from "./main.ts";

const PROJECT = new URL("../", import.meta.url);
const PACKAGE = "prescore_training";
const INSTALL = "python3.11 -m venv .venv && .venv/bin/pip install -e training";

export async function runTraining(command: string, args: readonly string[]): Promise<never> {
  const python = await findPython();
  const env = { PRESCORE_DENO: Deno.execPath() };
  const found = await run(python, ["-c", `import ${PACKAGE}.__main__`], { env, quiet: true });
  if (!found.success) {
    throw new UsageError(
      `Cannot ${command} with ${python}: it must have the package of training/ and what that needs ` +
        `(${found.reason}). Install it in the project's folder with: ${INSTALL}`,
    );
  }
  const { code } = await run(python, ["-m", PACKAGE, command, ...args], { env, quiet: false });
  Deno.exit(code);
}

/** PRESCORE_PYTHON, else the project's `.venv`, else `python3`. */
async function findPython(): Promise<string> {
  const wanted = Deno.env.get("PRESCORE_PYTHON");
  if (wanted) return wanted;
  const own = new URL(".venv/bin/python", PROJECT);
  return await Deno.stat(own).then(() => own.pathname, () => "python3");
}

async function run(
  program: string,
  args: readonly string[],
  { env, quiet }: { env: Record<string, string>; quiet: boolean },
): Promise<{ success: boolean; code: number; reason: string }> {
  try {
    const child = new Deno.Command(program, {
      args: [...args],
      env,
      stdin: "null",
      stdout: quiet ? "null" : "inherit",
      stderr: quiet ? "piped" : "inherit",
    }).spawn();
    const lines = quiet ? (await new Response(child.stderr).text()).trim().split("\n") : [];
    const { success, code } = await child.status;
    return { success, code, reason: lines.at(-1) ?? "" };
  } catch (error) {
    return { success: false, code: 1, reason: error instanceof Error ? error.message : "" };
  }
}
