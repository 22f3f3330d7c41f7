/**
 * What a caller may do. A role is a set of actions, each role having all of the one before it; every route names the action that
 * it needs (`routes/access.ts`), and nothing else decides.
 */

/**
 * - `submit`: send applications and batches, ask what-if, read back what one knows the id of.
 * - `read`: lists, analytics and the console.
 * - `operate`: what changes how the service works: models, the queue.
 * - `administer`: keys.
 */
export type Action = "submit" | "read" | "operate" | "administer";

export const ROLES = {
  submit: ["submit"],
  read: ["submit", "read"],
  operate: ["submit", "read", "operate"],
  admin: ["submit", "read", "operate", "administer"],
} as const satisfies Readonly<Record<string, readonly Action[]>>;

export type Role = keyof typeof ROLES;

export const ROLE_NAMES = ["submit", "read", "operate", "admin"] as const satisfies readonly Role[];

const PERMITTED: Readonly<Record<Role, ReadonlySet<Action>>> = {
  submit: new Set(ROLES.submit),
  read: new Set(ROLES.read),
  operate: new Set(ROLES.operate),
  admin: new Set(ROLES.admin),
};

export function mayDo(role: Role, action: Action): boolean {
  return PERMITTED[role].has(action);
}

/** The role with this name. */
export function roleNamed(text: string): Role | undefined {
  return ROLE_NAMES.find((role) => role === text);
}
