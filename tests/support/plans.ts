/** What pages ask of the database, and the plans by which it is answered. */
import type { InStatement } from "@libsql/client";
import type { Session } from "../../access/mod.ts";
import type { SubjectHash } from "../../consent/mod.ts";
import type { Database, Rows, WriteOptions } from "../../database/database.ts";
import { openApp, type TestApp } from "./app.ts";
import { type AskedPage, requestOf } from "./pages.ts";

/** How one statement is answered, by SQLite's `EXPLAIN QUERY PLAN`. */
export interface Plan {
  readonly sql: string;
  readonly steps: readonly string[];
}

/** An application that everyone may administer, whose statements are remembered. */
export interface RecordedApp extends AsyncDisposable {
  readonly app: TestApp;
  /** Of every statement that the page asks, once. Throws where the page is not answered with 200. */
  plansOf(page: AskedPage): Promise<Plan[]>;
}

export async function openRecorded(
  { databaseUrl, subjectHash }: {
    readonly databaseUrl: string;
    readonly subjectHash?: SubjectHash | undefined;
  },
): Promise<RecordedApp> {
  const asked = new Map<string, InStatement>();
  let explained: Database | undefined;
  const administrator: Session = {
    caller: { role: "admin", tenant: "", keyId: "plans", perSecond: undefined },
    ...{ csrfToken: "", newToken: undefined },
  };
  const app = await openApp({
    ...{ databaseUrl, expressLanes: 1 },
    watch: (database) => recorded(explained = database, asked),
    options: {
      ...subjectHash && { subjectHash },
      signIn: {
        sessions: {
          open: () => Promise.reject(new Error("nobody signs in here")),
          find: () => Promise.resolve(administrator),
          close: () => Promise.resolve(),
        },
        record: () => Promise.resolve(),
      },
    },
  });
  return {
    app,
    async plansOf(page) {
      asked.clear();
      const headers = { Cookie: "prescore_session=any" };
      const response = await app.request(page.path, requestOf(page, headers));
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${page.path}: ${response.status} ${text}`);
      const plans: Plan[] = [];
      for (const statement of asked.values()) {
        if (explained !== undefined) plans.push(await planOf(statement, explained));
      }
      return plans;
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

function recorded(database: Database, asked: Map<string, InStatement>): Database {
  return {
    read(statement: InStatement): Promise<Rows> {
      asked.set(sqlOf(statement), statement);
      return database.read(statement);
    },
    write(statements: InStatement[], options?: WriteOptions): Promise<readonly Rows[]> {
      for (const statement of statements) asked.set(sqlOf(statement), statement);
      return database.write(statements, options);
    },
    close: () => database.close(),
  };
}

async function planOf(statement: InStatement, database: Database): Promise<Plan> {
  const sql = sqlOf(statement);
  const explain = `EXPLAIN QUERY PLAN ${sql}`;
  const { rows } = await database.read(
    typeof statement === "string" ? explain : { ...statement, sql: explain },
  );
  return {
    sql: sql.replaceAll(/\s+/g, " ").trim(),
    steps: rows.map(({ detail }) => String(detail)),
  };
}

function sqlOf(statement: InStatement): string {
  return typeof statement === "string" ? statement : statement.sql;
}
