/** What a client of the API asks before it asks anything else: which banks there are, and what the questionnaire wants to know. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { banksSchema } from "../../configs/banks.ts";
import type { Banks, Questionnaire } from "../../configs/mod.ts";
import { questionnaireSchema } from "../../configs/questionnaire.ts";
import { permit } from "../access.ts";
import { problemResponses } from "./problem_schema.ts";

const bankSchema = banksSchema.shape.banks.element.pick({ id: true, title: true, products: true })
  .openapi("Bank");
const fieldSchema = questionnaireSchema.shape.fields.element
  .pick({ id: true, type: true, label: true, meaning: true, example: true, role: true })
  .openapi("QuestionnaireField");

export interface CatalogueOptions {
  readonly banks: Banks;
  readonly questionnaire: Questionnaire;
}

export function addCatalogue(
  app: OpenAPIHono,
  { banks, questionnaire }: CatalogueOptions,
): void {
  const bankList = banks.banks.map(({ id, title, products }) => ({ id, title, products }));
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/banks",
      middleware: permit("submit"),
      operationId: "listBanks",
      tags: ["Catalogue"],
      summary: "The banks and their loans",
      responses: {
        200: {
          description: "In the order of every answer",
          content: {
            "application/json": {
              schema: z.object({ banks: z.array(bankSchema) }).openapi("Banks"),
              example: { banks: bankList.slice(0, 1) },
            },
          },
        },
        ...problemResponses(),
      },
    }),
    (c) => c.json({ banks: bankList }, 200),
  );
  const fields = questionnaire.fields
    .map(({ id, type, label, meaning, example, role }) => ({
      ...{ id, type, label, meaning, example },
      ...role !== undefined && { role },
    }));
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/questionnaire",
      middleware: permit("submit"),
      operationId: "getQuestionnaire",
      tags: ["Catalogue"],
      summary: "The fields of an application",
      description: "Every field may be absent or null: the client gave no answer.",
      responses: {
        200: {
          description: "In the order in which they are asked",
          content: {
            "application/json": {
              schema: z.object({ fields: z.array(fieldSchema) }).openapi("Questionnaire"),
              example: { fields: fields.slice(0, 1) },
            },
          },
        },
        ...problemResponses(),
      },
    }),
    (c) => c.json({ fields }, 200),
  );
}
