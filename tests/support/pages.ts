/** What an operator's browser asks of the service, and a client of its read models: every page that the navigation leads to, and on. */

export interface AskedPage {
  readonly name: string;
  readonly path: string;
  /** Of a POST; JSON. */
  readonly body?: unknown;
}

export interface PagesOptions {
  /** An application with a decision, by the tenant's id. */
  readonly application: string;
  /** A sequence in the middle of the audit log. */
  readonly entry: number;
  /** A person's reference, and after which task a later part of the report begins. */
  readonly person: { readonly subject: string; readonly after: number };
}

export function pagesOf({ application, entry, person }: PagesOptions): AskedPage[] {
  const { subject, after } = person;
  return [
    { name: "new application", path: "/console" },
    { name: "application", path: `/console/applications/${application}` },
    {
      name: "application, another loan",
      path: `/console/applications/${application}?amount=60000&term=12`,
    },
    { name: "overview, 7 days", path: "/console/overview?days=7" },
    { name: "overview, 90 days", path: "/console/overview" },
    { name: "overview, 365 days", path: "/console/overview?days=365" },
    { name: "ledger", path: "/console/ledger" },
    { name: "cohorts", path: "/console/cohorts" },
    { name: "cohorts, told apart", path: "/console/cohorts?split=monthprofit" },
    { name: "cohorts, by estimates", path: "/console/cohorts?by=estimated" },
    { name: "call back", path: "/console/campaign" },
    { name: "call back, of a cohort", path: "/console/campaign?cohort=family_status:1&days=0" },
    { name: "drift", path: "/console/drift" },
    { name: "models", path: "/console/models" },
    { name: "model card", path: "/console/models/1/card" },
    { name: "audit", path: "/console/audit" },
    { name: "audit, later page", path: `/console/audit?before=${entry}` },
    { name: "keys", path: "/console/keys" },
    { name: "API: application", path: `/v1/applications/${application}` },
    { name: "API: consent", path: `/v1/applications/${application}/consent` },
    { name: "API: overview, 366 days", path: "/v1/analytics/overview?days=366" },
    { name: "API: ledger", path: "/v1/analytics/ledger" },
    { name: "API: ledger of a cohort", path: "/v1/analytics/ledger?split=family_status&bin=1" },
    { name: "API: drift", path: "/v1/analytics/drift" },
    { name: "API: models", path: "/v1/models" },
    { name: "API: comparison of models", path: "/v1/models/comparison" },
    { name: "API: audit", path: "/v1/audit?limit=100" },
    { name: "API: audit, later page", path: `/v1/audit?limit=100&before=${entry}` },
    { name: "API: report on a person", path: "/v1/subjects/report", body: { subject } },
    {
      name: "API: report on a person, later part",
      path: "/v1/subjects/report",
      body: { subject, after },
    },
    { name: "metrics", path: "/metrics" },
    { name: "health", path: "/health" },
  ];
}

/** As `fetch` takes it. */
export function requestOf(
  { body }: AskedPage,
  headers: Readonly<Record<string, string>> = {},
): RequestInit {
  return body === undefined ? { headers: { ...headers } } : {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}
