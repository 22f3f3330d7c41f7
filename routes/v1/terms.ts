/** The terms on which an application is sent: whose it is, and to what that person agreed. */
import { z } from "@hono/zod-openapi";
import { type Consent, PURPOSES, type SubjectHash, type Terms } from "../../consent/mod.ts";
import { type FieldError, Problem } from "./problems.ts";

export interface TermsOptions {
  /** Absent where the service has no key for it: then no reference is taken. */
  readonly subjectHash?: SubjectHash | undefined;
}

const DOCUMENT = /^[\p{L}\p{N}][\p{L}\p{N} ._:/№#-]*$/u;
const MOST_REFERENCE = 200;

export const consentSchema = z.strictObject({
  purposes: z.array(z.enum(PURPOSES)).min(1).max(PURPOSES.length).openapi({
    description:
      "scoring: the decision; bank-transfer: being sent to banks; marketing: later offers; model-training: " +
      "teaching models by its outcome",
  }),
  document: z.string().min(1).max(100).refine((text) => DOCUMENT.test(text), {
    error: "must be 1 to 100 letters, digits, spaces and . _ : / - # №, and no personal value",
  }).openapi({
    pattern: DOCUMENT.source,
    description: "The text that was agreed to, with its version; kept in the audit log",
  }),
  givenAt: z.iso.datetime({ offset: true }).optional().openapi({
    description: "Absent: when it is stored",
  }),
  expiresAt: z.iso.datetime({ offset: true }).optional().openapi({
    description: "Absent: until it is withdrawn",
  }),
}).refine(({ givenAt = "", expiresAt = "" }) => !(Date.parse(givenAt) >= Date.parse(expiresAt)), {
  error: "must be after givenAt",
  path: ["expiresAt"],
}).openapi("NewConsent", {
  example: {
    purposes: ["scoring", "marketing"],
    document: "privacy notice/3",
    expiresAt: "2031-01-31T00:00:00Z",
  },
});

export const subjectSchema = z.string().min(1).max(MOST_REFERENCE)
  .refine((text) => text.isWellFormed(), { error: "must be well-formed Unicode" })
  .openapi({
    description:
      "What your system calls the person, the same for all of the person's applications; " +
      "only a keyed hash of it is kept",
    example: "client-4711",
  });

/** What may stand beside the answers. */
export const termsShape = {
  subject: subjectSchema.optional(),
  consent: consentSchema.optional(),
};

interface SentWithTerms {
  readonly subject?: string | undefined;
  readonly consent?: z.infer<typeof consentSchema> | undefined;
}

export type TermsReader = (
  sent: SentWithTerms,
) => Terms | undefined | { readonly error: FieldError };

/** Reads what a tenant sent; `undefined` where nothing was said. */
export function termsReader({ subjectHash }: TermsOptions, tenant: string): TermsReader {
  return ({ subject, consent }) => {
    if (subject === undefined && consent === undefined) return undefined;
    if (subject !== undefined && subjectHash === undefined) return { error: NO_KEY };
    return {
      ...subject !== undefined && subjectHash && { subject: subjectHash(tenant, subject) },
      ...consent && { consent: consentOf(consent) },
    };
  };
}

/** As `termsReader`; throws a `Problem` where a reference cannot be kept. */
export function mustRead(read: TermsReader, sent: SentWithTerms): Terms | undefined {
  const terms = read(sent);
  if (terms && "error" in terms) throw new Problem("invalid-request", { errors: [terms.error] });
  return terms;
}

const NO_KEY: FieldError = {
  pointer: "#/subject",
  detail: "cannot be kept: the service has no PRESCORE_SUBJECT_KEY to hash it with",
};

export function consentOf(
  { purposes, document, givenAt, expiresAt }: z.infer<typeof consentSchema>,
): Consent {
  return {
    purposes: PURPOSES.filter((purpose) => purposes.includes(purpose)),
    document,
    ...givenAt !== undefined && { givenAtMs: Date.parse(givenAt) },
    ...expiresAt !== undefined && { expiresAtMs: Date.parse(expiresAt) },
  };
}
