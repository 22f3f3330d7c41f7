/** The page that says who may do what, made of what the routes declare. */
import { ROLE_NAMES, ROLES } from "../access/mod.ts";
import type { AppOptions } from "../routes/mod.ts";

const HEAD = `# Roles and routes

Generated from the routes by \`deno task schemas\`; [security.md](security.md) says how keys are made.

A role may do what its actions name, and each role has those of the one before. A route that does
not say what it needs stops the start. What is about the whole service is for keys of the default
tenant alone.
`;

export async function roleTables(options: AppOptions): Promise<string> {
  // Made of the example of a decision, which may have been written just now.
  const { createApp } = await import("../routes/mod.ts");
  const { declaredRoutes, leastRole } = await import("../routes/access.ts");
  const routes = declaredRoutes(createApp(options)).map((route) => [
    `\`${route.method} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}\``,
    route.needed === "anyone" ? "none needed" : leastRole(route),
    route.wholeService ? "default" : "any",
  ]);
  const roles = ROLE_NAMES.map((role) => [`\`${role}\``, ROLES[role].join(", ")]);
  return [
    HEAD,
    table(["role", "actions"], roles),
    table(["route", "least role", "tenant"], routes),
  ].join("\n");
}

/** Aligned as the formatter does. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("");
}
