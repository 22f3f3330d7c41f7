/** What a person agreed to for an application: read, given anew, withdrawn. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { actorOf } from "../../access/mod.ts";
import { type Agreement, type ConsentStore, isInForce, PURPOSES } from "../../consent/mod.ts";
import { storedId } from "../../queue/tenant.ts";
import { callerOf, permit } from "../access.ts";
import type { Limits } from "../limits.ts";
import { applicationIdSchema, noApplication } from "./application_view.ts";
import { readJson } from "./body.ts";
import { problemResponses } from "./problem_schema.ts";
import { consentOf, consentSchema } from "./terms.ts";

export interface ConsentOptions extends Limits {
  readonly consents: Pick<ConsentStore, "read" | "give" | "withdraw">;
}

const EXAMPLE = {
  purpose: "marketing",
  document: "privacy notice/3",
  givenAt: "2026-01-31T09:00:00.000Z",
  expiresAt: "2031-01-31T00:00:00.000Z",
  inForce: true,
} as const;

export const agreementSchema = z.object({
  purpose: z.enum(PURPOSES),
  document: z.string(),
  givenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
  withdrawnAt: z.iso.datetime().optional(),
  inForce: z.boolean().openapi({ description: "Given, and neither run out nor withdrawn" }),
}).openapi("Agreement", { example: EXAMPLE });

export const consentViewSchema = z.object({ agreements: z.array(agreementSchema) }).openapi(
  "Consent",
  { example: { agreements: [EXAMPLE] } },
);

const params = z.object({ id: applicationIdSchema });
const content = { "application/json": { schema: consentViewSchema } };
const PATH = "/v1/applications/{id}/consent";
const ROUTE = "/v1/applications/:id/consent";

export function consentView(
  agreements: readonly Agreement[],
  nowMs: number,
): z.infer<typeof consentViewSchema> {
  return { agreements: agreements.map((agreement) => agreementView(agreement, nowMs)) };
}

export function agreementView(
  agreement: Agreement,
  nowMs: number,
): z.infer<typeof agreementSchema> {
  const { purpose, document, givenAtMs, expiresAtMs, withdrawnAtMs } = agreement;
  return {
    purpose,
    document,
    givenAt: new Date(givenAtMs).toISOString(),
    ...expiresAtMs !== null && { expiresAt: new Date(expiresAtMs).toISOString() },
    ...withdrawnAtMs !== null && { withdrawnAt: new Date(withdrawnAtMs).toISOString() },
    inForce: isInForce(agreement, nowMs),
  };
}

export function addConsent(app: OpenAPIHono, options: ConsentOptions): void {
  addRead(app, options);
  addGive(app, options);
  addWithdraw(app, options);
}

function addRead(app: OpenAPIHono, { consents, now }: ConsentOptions): void {
  const route = createRoute({
    method: "get",
    path: PATH,
    operationId: "getConsent",
    tags: ["Consent"],
    summary: "Read what was agreed to for an application",
    description: "Of each purpose the latest agreement, whether or not it is in force.",
    request: { params },
    responses: {
      200: { description: "What was agreed to", content },
      ...problemResponses("not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.get(ROUTE, permit("submit"), async (c) => {
    const id = c.req.param("id");
    const agreements = await consents.read(storedId(callerOf(c).tenant, id));
    if (agreements === undefined) throw noApplication(id);
    return c.json(consentView(agreements, now()), 200);
  });
}

function addGive(app: OpenAPIHono, options: ConsentOptions): void {
  const { consents, now } = options;
  const route = createRoute({
    method: "put",
    path: PATH,
    operationId: "giveConsent",
    tags: ["Consent"],
    summary: "Put an agreement in the place of what was agreed to",
    description: "Purposes that it does not name are withdrawn.",
    request: {
      params,
      body: { required: true, content: { "application/json": { schema: consentSchema } } },
    },
    responses: {
      200: { description: "It is stored, and on record", content },
      ...problemResponses(
        ...["unreadable-body", "request-timeout", "body-too-large"] as const,
        ...["unsupported-media-type", "invalid-request", "not-found", "unavailable"] as const,
      ),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.put(ROUTE, permit("submit"), async (c) => {
    const caller = callerOf(c);
    const id = storedId(caller.tenant, c.req.param("id"));
    if (await consents.read(id) === undefined) throw noApplication(c.req.param("id"));
    const consent = consentOf(await readJson(c, consentSchema, options));
    const given = await consents.give(consent, { id, actor: actorOf(caller), nowMs: now() });
    const agreements = given ? await consents.read(id) : undefined;
    if (agreements === undefined) throw noApplication(c.req.param("id"));
    return c.json(consentView(agreements, now()), 200);
  });
}

function addWithdraw(app: OpenAPIHono, { consents, now }: ConsentOptions): void {
  const route = createRoute({
    method: "delete",
    path: PATH,
    operationId: "withdrawConsent",
    tags: ["Consent"],
    summary: "Withdraw all that was agreed to for an application",
    description: "The application itself stays: erasing it is a step of its own.",
    request: { params },
    responses: {
      204: { description: "Nothing is in force any more, and that is on record" },
      ...problemResponses("not-found", "unavailable"),
    },
  });
  app.openAPIRegistry.registerPath(route);
  app.delete(ROUTE, permit("submit"), async (c) => {
    const caller = callerOf(c);
    const id = storedId(caller.tenant, c.req.param("id"));
    if (await consents.withdraw({ id, actor: actorOf(caller), nowMs: now() })) {
      return c.body(null, 204);
    }
    throw noApplication(c.req.param("id"));
  });
}
