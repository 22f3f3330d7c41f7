/** What people may ask of those who keep their answers. */
export { type Erased, Erasure, type ErasureParts } from "./erasure.ts";
export { type Report, type StoredApplication, type SubjectErasure, Subjects } from "./subjects.ts";
export { Retention } from "./retention.ts";
