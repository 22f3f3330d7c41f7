/** The master key of every test, here and in the services that it starts, which take over the environment. */
export const MASTER_KEY = "7a".repeat(32);

Deno.env.set("PRESCORE_MASTER_KEY", MASTER_KEY);
