/** The least that the same framework can do: the ceiling of every HTTP figure. */
import { Hono } from "hono";

const app = new Hono();
app.get("/", (c) => c.text("hello"));
app.post("/upload_features", (c) => c.text("hello"));
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
console.log(`listens on http://127.0.0.1:${server.addr.port}`);
