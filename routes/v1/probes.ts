/**
 * How often what-if may be asked. Whoever may ask as often as he likes can learn the models, or search for the answers that a bank
 * wants to hear; so there is a quota for each key, and one for each applicant of a key, whatever the loan that is asked for.
 */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import type { Rate } from "../../access/mod.ts";
import type { Questionnaire } from "../../configs/mod.ts";
import type { Answers } from "../../scoring/answers.ts";
import { accessOf, callerOf, tooMany } from "../access.ts";
import type { Limits } from "../limits.ts";

const HOUR_S = 3600;

/** The answer to one who has asked too often; `undefined` for one who may go on. Whoever needs no key has no quota. */
export async function refuseProbes(
  c: Context,
  answers: Answers,
  { questionnaire, limits }: Pick<Limits, "limits"> & { readonly questionnaire: Questionnaire },
): Promise<Response | undefined> {
  const { keyId } = callerOf(c);
  if (keyId === undefined) return undefined;
  const { buckets } = accessOf(c);
  const applicant = `${keyId}:${applicantOf(answers, questionnaire)}`;
  for (
    const [id, rate] of [
      [`applicant:${applicant}`, hourly(limits.probesPerApplicantAndHour)],
      [`probes:${keyId}`, hourly(limits.probesPerKeyAndHour)],
    ] as const
  ) {
    const allowance = await buckets.take(id, rate);
    if (allowance.waitMs > 0) return tooMany(c, { policy: "probes", rate, allowance });
  }
  return undefined;
}

function hourly(probes: number): Rate {
  return { perSecond: probes / HOUR_S, burst: probes };
}

/** Names who is asked for, by every answer but those about the loan; says nothing about them. */
function applicantOf(answers: Answers, { fields }: Questionnaire): string {
  const own = fields.filter(({ role }) => role === undefined).map(({ id }) => answers[id] ?? null);
  return createHash("sha256").update(JSON.stringify(own)).digest("hex").slice(0, 32);
}
