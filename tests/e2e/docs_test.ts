/** The commands of docs/api.md are run as they stand there, in their order, against a fresh service. */
import assert from "node:assert/strict";
import { PROJECT, readConfig, startTestService } from "../support/service.ts";
import { temporaryFolder } from "../support/store.ts";

const START = "deno task start";

/** What the commands are made of; a machine with Node alone may lack them. */
const TOOLS = ["curl", "sha256sum"];

async function haveTools(): Promise<boolean> {
  const { success } = await new Deno.Command("which", { args: TOOLS }).output();
  return success;
}

Deno.test("the commands of docs/api.md run", { ignore: !await haveTools() }, async () => {
  await using folder = await temporaryFolder();
  const databaseUrl = `file:${folder.path}/prescore.db`;
  await using test = await startTestService(readConfig(), { databaseUrl });
  const text = await Deno.readTextFile(new URL("docs/api.md", PROJECT));
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = ""]) => commands);
  assert.ok(blocks.length >= 8);
  const script = blocks.filter((commands) => !commands.startsWith(START)).join(
    "\necho; echo ----\n",
  )
    .replaceAll("http://127.0.0.1:8000", test.service.url)
    .replaceAll(/^deno /gm, `${Deno.execPath()} `);
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-eu", "-o", "pipefail", "-c", script],
    cwd: PROJECT,
    env: { PRESCORE_DATABASE_URL: databaseUrl, NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${output}\n${new TextDecoder().decode(stderr)}`);
  const answers = output.split("\n----\n");
  assert.equal(answers.length, blocks.length - 1);
  assert.match(answers[1] ?? "", /"status":"decided"/);
  assert.match(answers[2] ?? "", /event: decided\n/);
  assert.match(answers[4] ?? "", /"refused":1/);
  const agreed = answers.find((answer) => answer.includes('"agreements"'));
  assert.match(agreed ?? "", /"marketing".*"inForce":true.*"marketing".*"inForce":false/s);
  assert.match(answers.at(-2) ?? "", /"recorded":1.*"outcomes":1.*"funnel":/s);
  assert.match(answers.at(-1) ?? "", /^same\n/);
});
