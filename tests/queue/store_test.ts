import { openStore } from "../support/store.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("in memory", openStore);
