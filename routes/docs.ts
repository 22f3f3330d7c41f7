/** The documentation page: Swagger UI from its own package, so that it works with no internet, and the OpenAPI document. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { permit } from "./access.ts";
import swaggerUiFolder from "swagger-ui-dist/absolute-path.js";

const ASSETS = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
} as const;

/** Text rather than a file of the package: its own initializer shows a demonstration from the internet. */
const INITIALIZER = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
`;

const PAGE = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Prescore API</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <noscript>This page needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/initializer.js"></script>
  </body>
</html>
`;

const TAGS = [
  ["Applications", "One application: decided, and read"],
  ["What-if", "What would be decided, at once"],
  ["Batches", "Many applications in one upload"],
  ["Catalogue", "The banks and the questionnaire"],
  ["Outcomes", "What banks decided, beside what was estimated"],
  ["Webhooks", "What the service tells the configured addresses"],
  ["Reference contract", "The three steps of the reference service, to the letter"],
  ["Service", "Whether it is well"],
] as const;

/** What the page may load: its own files; the bundle styles and draws some of its parts itself. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; font-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Adds `/`, `/docs` with its assets, and `/openapi.json` of everything that `app` has. */
export function addDocs(app: OpenAPIHono): void {
  app.get("/", permit("anyone"), (c) => c.redirect("/docs", 307));
  app.get("/docs", permit("anyone"), (c) => {
    c.header("Content-Security-Policy", POLICY);
    return c.html(PAGE);
  });
  app.get(
    "/docs/initializer.js",
    permit("anyone"),
    (c) => c.body(INITIALIZER, 200, { "Content-Type": "text/javascript; charset=utf-8" }),
  );
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(`/docs/${name}`, permit("anyone"), async (c) => {
      const bytes = await Deno.readFile(`${swaggerUiFolder()}/${name}`);
      return c.body(bytes, 200, { "Content-Type": type, "Cache-Control": "public, max-age=86400" });
    });
  }
  app.get("/openapi.json", permit("anyone"));
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Prescore",
      version: "1.0.0",
      description:
        "Prescoring of loan applications: how likely each bank is to approve, why, what " +
        "to ask for instead, and where to ask first.",
    },
    servers: [{ url: "/", description: "The service that this document came from" }],
    // What does not say what it needs needs what nobody has.
    security: [{ apiKey: [] }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
  });
}
