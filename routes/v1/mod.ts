/** The v1 API: applications, what-if, batches and the catalogue, with problems in the form of RFC 9457. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { addAnalytics, type AnalyticsOptions } from "./analytics.ts";
import { addApplicationEvents } from "./application_events.ts";
import { addApplications, type ApplicationsOptions } from "./applications.ts";
import { addBatches, type BatchesOptions } from "./batches.ts";
import { addCatalogue, type CatalogueOptions } from "./catalogue.ts";
import { addConsent, type ConsentOptions } from "./consent.ts";
import { addErasure, type ErasureOptions } from "./erasure.ts";
import { addOutcomes, type OutcomesOptions } from "./outcomes.ts";
import { addModels, type ModelsOptions } from "./models.ts";
import { addProblemPages } from "./problem_pages.ts";
import { problemHandler } from "./problems.ts";
import { addSubjects, type SubjectsOptions } from "./subjects.ts";
import { addWebhooks } from "./webhooks.ts";
import { addWhatIf, type WhatIfOptions } from "./what_if.ts";

export interface V1Options
  extends
    AnalyticsOptions,
    ApplicationsOptions,
    BatchesOptions,
    CatalogueOptions,
    ConsentOptions,
    ErasureOptions,
    ModelsOptions,
    OutcomesOptions,
    SubjectsOptions,
    WhatIfOptions {
  /** Told of every failure that is not the client's doing. */
  readonly report: (error: unknown) => void;
}

export function v1Routes(options: V1Options): OpenAPIHono {
  const app = new OpenAPIHono();
  app.onError(problemHandler(options.report));
  addCatalogue(app, options);
  addApplications(app, options);
  addApplicationEvents(app, options);
  addWhatIf(app, options);
  addBatches(app, options);
  addModels(app, options);
  addOutcomes(app, options);
  addAnalytics(app, options);
  addConsent(app, options);
  addErasure(app, options);
  addSubjects(app, options);
  addWebhooks(app);
  addProblemPages(app);
  return app;
}
