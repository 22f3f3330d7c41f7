/** How the other version of a trial scores what one of them answered. */
import type { Answered, LiveModels, LoadedVersion, Pair, ScoredBeside } from "./lifecycle/mod.ts";
import { decodePayload, decodeProbabilities } from "./scoring/handler.ts";
import type { Scoring } from "./workers.ts";

interface Beside extends LoadedVersion {
  scoring(): Promise<Pick<Scoring, "scorer">>;
}

/** What one version answered the other scores, with its workers. */
export async function scoreBeside(
  answered: readonly Answered[],
  { pair, live }: { pair: Pair; live: LiveModels<Beside> },
): Promise<(ScoredBeside | undefined)[]> {
  const read = answered.map(({ payload, createdAtMs, result }) => {
    const { model, probabilities } = decodeProbabilities(result);
    return {
      model,
      application: { answers: decodePayload(payload).answers, atMs: createdAtMs },
      scores: pair.banks.map((bank) => probabilities.get(bank) ?? NaN),
    };
  });
  const scored: (ScoredBeside | undefined)[] = new Array(answered.length);
  for (const servedBy of ["champion", "challenger"] as const) {
    const own = read.flatMap((one, at) => one.model === pair[servedBy] ? [{ ...one, at }] : []);
    if (own.length === 0) continue;
    const score = async (version: Beside) =>
      (await version.scoring()).scorer.score(own.map(({ application }) => application));
    const other = servedBy === "champion" ? live.useChallenger(score) : live.useChampion(score);
    const asked = servedBy === "champion" ? pair.challenger : pair.champion;
    for (const [index, { model, probabilities }] of (await other ?? []).entries()) {
      const one = own[index];
      // Another version may have taken its place meanwhile.
      if (one === undefined || model !== asked) continue;
      const beside = pair.banks.map((bank) => probabilities[bank] ?? NaN);
      scored[one.at] = servedBy === "champion"
        ? { servedBy, champion: one.scores, challenger: beside }
        : { servedBy, champion: beside, challenger: one.scores };
    }
  }
  return scored;
}
