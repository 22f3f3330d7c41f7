/** Whoever changes one record of the log, in whatever way, is found out: PRESCORE_TAMPERINGS says how many ways are tried. */
import type { InStatement } from "@libsql/client";
import assert from "node:assert/strict";
import { hashOf } from "../../audit/entry.ts";
import { AuditLog, type Entry, type Head, verify } from "../../audit/mod.ts";
import { statement } from "../../database/database.ts";
import { Random } from "../queue/simulation/random.ts";
import { openStore } from "../support/store.ts";

const TAMPERINGS = Number(Deno.env.get("PRESCORE_TAMPERINGS") ?? 500);
const ENTRIES = 25;

const COLUMNS = {
  id: "id",
  at_ms: "atMs",
  actor: "actor",
  action: "action",
  subject: "subject",
  details: "details",
  previous_hash: "previousHash",
  hash: "hash",
} as const;

const INSERT =
  "INSERT INTO audit VALUES (:sequence, :id, :atMs, :actor, :action, :subject, :details, " +
  ":previousHash, :hash)";

/** The text with one of its characters another one. */
function changed(text: string, random: Random): string {
  const at = random.below(text.length);
  const other = text[at] === "7" ? "8" : "7";
  return text.slice(0, at) + other + text.slice(at + 1);
}

/** One column another, with the hash of the new content where whoever did it thought of it. */
function changeColumn(entries: readonly Entry[], random: Random): InStatement[] {
  const entry = random.pick(entries);
  const columns = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
  const column = random.pick(columns);
  const value = column === "at_ms"
    ? entry.atMs + 1 + random.below(1000)
    : column === "details"
    ? `{"n":${entry.sequence}${random.below(1000)}}`
    : changed(entry[COLUMNS[column]], random);
  const statements = [
    statement(`UPDATE audit SET ${column} = :value WHERE sequence = :sequence`, {
      value,
      sequence: entry.sequence,
    }),
  ];
  if (column === "hash" || random.chance(0.5)) return statements;
  const hash = hashOf({ ...entry, [COLUMNS[column]]: value });
  return [
    ...statements,
    statement("UPDATE audit SET hash = :hash WHERE sequence = :sequence", {
      hash,
      sequence: entry.sequence,
    }),
  ];
}

function remove(entries: readonly Entry[], random: Random): InStatement[] {
  const { sequence } = random.pick(entries);
  return [statement("DELETE FROM audit WHERE sequence = :sequence", { sequence })];
}

/** With the gap closed, as if it had never been. */
function removeAndClose(entries: readonly Entry[], random: Random): InStatement[] {
  const { sequence } = random.pick(entries);
  return [
    statement("DELETE FROM audit WHERE sequence = :sequence", { sequence }),
    ...entries.filter((entry) => entry.sequence > sequence).map((entry) =>
      statement("UPDATE audit SET sequence = :to WHERE sequence = :sequence", {
        to: entry.sequence - 1,
        sequence: entry.sequence,
      })
    ),
  ];
}

function swap(entries: readonly Entry[], random: Random): InStatement[] {
  const one = random.pick(entries);
  const other = random.pick(entries.filter((entry) => entry !== one));
  return [
    statement("DELETE FROM audit WHERE sequence IN (:one, :other)", {
      one: one.sequence,
      other: other.sequence,
    }),
    statement(INSERT, { ...one, sequence: other.sequence }),
    statement(INSERT, { ...other, sequence: one.sequence }),
  ];
}

/** A forged entry with a hash that is right for it, before another one; those after it make room. */
function insert(entries: readonly Entry[], random: Random): InStatement[] {
  const before = random.pick(entries);
  const forged = { ...before, id: `forged-${random.below(1e9)}`, actor: "key:forged" };
  return [
    ...entries.filter(({ sequence }) => sequence >= before.sequence).toReversed().map((entry) =>
      statement("UPDATE audit SET sequence = :to WHERE sequence = :sequence", {
        to: entry.sequence + 1,
        sequence: entry.sequence,
      })
    ),
    statement(INSERT, { ...forged, hash: hashOf(forged) }),
  ];
}

function cutTail(entries: readonly Entry[], random: Random): InStatement[] {
  const { sequence } = random.pick(entries);
  return [statement("DELETE FROM audit WHERE sequence >= :sequence", { sequence })];
}

/** Cut, and written on as if it had gone otherwise: a chain without a fault of its own. */
function rewriteTail(entries: readonly Entry[], random: Random): InStatement[] {
  const from = random.pick(entries);
  let previousHash = from.previousHash;
  const rewritten = entries.filter(({ sequence }) => sequence >= from.sequence).map((entry) => {
    const other = { ...entry, previousHash, actor: "key:forged" };
    previousHash = hashOf(other);
    return statement(INSERT, { ...other, hash: previousHash });
  });
  return [...cutTail([from], random), ...rewritten];
}

const WAYS = { changeColumn, remove, removeAndClose, swap, insert, cutTail, rewriteTail };

Deno.test(`${TAMPERINGS} tamperings with one record of the audit log are all found`, async () => {
  using test = await openStore();
  const { connection } = test;
  let atMs = 1_700_000_000_000;
  const log = new AuditLog({
    database: connection,
    now: () => ++atMs,
    newId: crypto.randomUUID.bind(crypto),
  });
  for (let n = 0; n < ENTRIES; n++) {
    await log.append({
      actor: `key:${n % 3}`,
      action: "keys.use",
      subject: `keys/${n}`,
      details: { n },
    });
  }
  const entries = await Array.fromAsync(log.entries());
  const kept: Head = await log.head();
  for (const trigger of ["audit_in_order", "audit_unchanged", "audit_kept"]) {
    await connection.write([`DROP TRIGGER ${trigger}`]);
  }
  const random = new Random(1);
  const counts: Record<string, number> = {};
  for (let tampering = 0; tampering < TAMPERINGS; tampering++) {
    const [name, way] = random.pick(Object.entries(WAYS));
    counts[name] = (counts[name] ?? 0) + 1;
    await connection.write(way(entries, random));
    const { fault } = await verify(log.entries(), kept);
    assert.ok(fault !== undefined, `tampering ${tampering}, ${name}, was not found`);
    await connection.write([
      "DELETE FROM audit",
      ...entries.map((entry) => statement(INSERT, { ...entry })),
    ]);
  }
  assert.equal((await verify(log.entries(), kept)).fault, undefined);
  assert.deepEqual(Object.keys(counts).sort(), Object.keys(WAYS).sort());
});
