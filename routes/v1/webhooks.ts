/** What the service posts to the configured addresses, for the documentation: the queue sends it. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";

const TYPES = {
  "application.decided": "An application has a decision",
  "application.failed": "An application cannot be decided",
  "batch.finished": "Every row of a batch has its result",
} as const;

const eventSchema = z.object({
  type: z.enum(Object.keys(TYPES) as (keyof typeof TYPES)[]),
  timestamp: z.iso.datetime().openapi({ description: "When it happened" }),
  data: z.object({
    id: z.string().openapi({ description: "Of the application or the batch" }),
    path: z.string().openapi({ description: "Where it can be read" }),
  }),
}).openapi("WebhookEvent");

const headersSchema = z.object({
  "webhook-id": z.string().openapi({
    description: "The event's id, the same each time that it is sent: what was seen can be dropped",
  }),
  "webhook-timestamp": z.string().openapi({ description: "When it was sent, in Unix seconds" }),
  "webhook-signature": z.string().openapi({
    description:
      "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several are apart by spaces",
  }),
});

export function addWebhooks(app: OpenAPIHono): void {
  for (const [type, summary] of Object.entries(TYPES)) {
    const collection = type === "batch.finished" ? "batches" : "applications";
    const id = `${collection === "batches" ? "bat" : "app"}_2c26b46b68ffc68ff99b453c1d304134`;
    app.openAPIRegistry.registerWebhook({
      method: "post",
      path: type,
      operationId: type.replace(".", "_"),
      tags: ["Webhooks"],
      summary,
      description:
        "Signed as Standard Webhooks has it. Sent at least once, and again with growing " +
        "pauses until it is answered 2xx. It holds nothing about the client.",
      request: {
        headers: headersSchema,
        body: {
          required: true,
          content: {
            "application/json": {
              schema: eventSchema,
              example: {
                type,
                timestamp: "2026-01-31T09:00:00.007Z",
                data: { id, path: `/v1/${collection}/${id}` },
              },
            },
          },
        },
      },
      responses: {
        204: { description: "Taken" },
        410: { description: "Unwanted: this event is not sent again" },
      },
    });
  }
}
