import { openEmptied, openRemoteStore } from "../support/remote_store.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("on a server over Hrana", () => openRemoteStore());

// A real server whose database may be emptied: sqld, or Turso with `?authToken=...`.
const url = Deno.env.get("PRESCORE_TEST_DATABASE_URL");
if (url) storeSuite("on the server of PRESCORE_TEST_DATABASE_URL", () => openEmptied(url));
