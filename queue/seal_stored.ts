/** Seals what was stored before there were keys: some tasks in a commit, so that others can write between, beside running processes. */
import { type Database, statement } from "../database/database.ts";
import { sealBody, type Vault } from "../sealing/mod.ts";

const STEP = 200;

/** What is at work is left: its result is stored as its payload was when it was claimed. */
const CLEAR = `
  SELECT number, id, payloads.body, results.body AS result
  FROM payloads JOIN tasks USING (number) LEFT JOIN results USING (number)
  WHERE number > :after AND key IS NULL AND state <> 'leased' ORDER BY number LIMIT ${STEP}`;

const SEAL_PAYLOAD = `
  UPDATE payloads SET body = 'null', key = :key, sealed = :sealed
  WHERE number = :number AND key IS NULL AND body = :body
    AND EXISTS (SELECT 1 FROM tasks WHERE tasks.number = :number AND state <> 'leased')`;

/** Follows SEAL_PAYLOAD. */
const SEAL_RESULT = `
  UPDATE results SET body = 'null', sealed = :sealed
  WHERE number = :number AND sealed IS NULL AND body = :body
    AND EXISTS (SELECT 1 FROM payloads WHERE payloads.number = :number AND key = :key)`;

export interface SealedStored {
  readonly sealed: number;
  /** Were at work, or changed meanwhile. */
  readonly left: number;
}

export async function sealStored(
  { database, vault }: { readonly database: Database; readonly vault: Pick<Vault, "taken"> },
): Promise<SealedStored> {
  let sealed = 0;
  for (let after = 0;;) {
    const { rows } = await database.read(statement(CLEAR, { after }));
    if (rows.length === 0) break;
    const keys = await vault.taken(rows.length);
    const results = await database.write(rows.flatMap(({ number, id, body, result }, at) => {
      const key = keys[at];
      if (key === undefined) throw new Error(`the vault gave ${keys.length} keys`);
      const common = { number: Number(number), key: key.number };
      const seal = (kind: "payload" | "result", text: unknown) => ({
        ...{ ...common, body: String(text) },
        sealed: sealBody(kind, { id: String(id), text: String(text), key: key.bytes }),
      });
      return [
        statement(SEAL_PAYLOAD, seal("payload", body)),
        ...result === null ? [] : [statement(SEAL_RESULT, seal("result", result))],
      ];
    }));
    // A result goes with its payload, and is not counted.
    let at = 0;
    for (const { result } of rows) {
      sealed += results[at]?.rowsAffected ?? 0;
      at += result === null ? 1 : 2;
    }
    if (rows.length < STEP) break;
    after = Number(rows.at(-1)?.number);
  }
  const { rows: [row] } = await database.read(
    "SELECT count(*) AS count FROM payloads WHERE key IS NULL",
  );
  return { sealed, left: Number(row?.count) };
}
