/** The messages of Hrana over HTTP in JSON, as far as the test server reads and writes them. Names are the protocol's. */

export type Value =
  | { readonly type: "null" }
  | { readonly type: "integer"; readonly value: string }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "blob"; readonly base64: string };

/** A text, or the number under which one was stored. */
export interface SqlText {
  readonly sql?: string | null;
  readonly sql_id?: number | null;
}

export interface Statement extends SqlText {
  readonly args?: readonly Value[];
  readonly named_args?: readonly { readonly name: string; readonly value: Value }[];
  readonly want_rows?: boolean;
}

export type BatchCondition =
  | { readonly type: "ok" | "error"; readonly step: number }
  | { readonly type: "not"; readonly cond: BatchCondition }
  | { readonly type: "and" | "or"; readonly conds: readonly BatchCondition[] }
  | { readonly type: "is_autocommit" };

export interface Batch {
  readonly steps: readonly {
    readonly condition?: BatchCondition | null;
    readonly stmt: Statement;
  }[];
}

export type StreamRequest =
  | { readonly type: "execute"; readonly stmt: Statement }
  | { readonly type: "batch"; readonly batch: Batch }
  | { readonly type: "sequence" | "describe" } & SqlText
  | { readonly type: "store_sql"; readonly sql_id: number; readonly sql: string }
  | { readonly type: "close_sql"; readonly sql_id: number }
  | { readonly type: "close" | "get_autocommit" };

export interface HranaError {
  readonly message: string;
  readonly code: string;
}

export interface StatementResult {
  readonly cols: readonly { readonly name: string; readonly decltype: string | null }[];
  readonly rows: readonly (readonly Value[])[];
  readonly affected_row_count: number;
  readonly last_insert_rowid: string | null;
}

export type StreamResult =
  | { readonly type: "ok"; readonly response: { readonly type: string } }
  | { readonly type: "error"; readonly error: HranaError };

export interface PipelineRequest {
  readonly baton?: string | null;
  readonly requests: readonly StreamRequest[];
}

export interface PipelineAnswer {
  readonly baton: string | null;
  readonly base_url: string | null;
  readonly results: readonly StreamResult[];
}
