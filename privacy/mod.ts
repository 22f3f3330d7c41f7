/** What people may ask of those who keep their answers. */
export { type Erased, Erasure, type ErasureParts } from "./erasure.ts";
export { Retention } from "./retention.ts";
