/**
 * The client at work: `deno run --allow-net client/example.ts http://127.0.0.1:8000`. Has an application decided, asks what a smaller
 * loan would change, and scores a batch.
 */
import { type Answers, batchResults, createPrescore, decide, unwrap } from "./mod.ts";

const prescore = createPrescore(Deno.args[0] ?? "http://127.0.0.1:8000");

const answers: Answers = {
  birthdate: "1988-07-21",
  education: "Высшее - специалист",
  monthprofit: 180_000,
  monthexpense: 100_000,
  childcount: 0,
  loan_amount: 137_000,
  loan_term: 18,
  goods_category: "Furniture",
};

const decision = await decide(prescore, answers, { idempotencyKey: crypto.randomUUID() });
for (const bank of decision.banks) {
  console.log(
    bank.status === "decided"
      ? `${bank.title.en}: ${bank.odds.title.en}, ${Math.round(100 * bank.probability)} %`
      : `${bank.title.en} gave no answer: ${bank.cause}`,
  );
}

const smaller = unwrap(
  await prescore.POST("/v1/what-if", { body: { answers: { ...answers, loan_amount: 60_000 } } }),
);
console.log(smaller.decision.recommendation.text.en);

const rows = [50_000, 90_000, 130_000].map((monthprofit) => ({
  answers: { ...answers, monthprofit },
}));
const batch = unwrap(
  await prescore.POST("/v1/batches", {
    params: { header: { "idempotency-key": `"${crypto.randomUUID()}"` } },
    body: rows,
  }),
);
for await (const row of batchResults(prescore, batch.id, { pollMs: 50 })) {
  if (row.status === "scored") console.log(`row ${row.row}: ${JSON.stringify(row.probabilities)}`);
}
