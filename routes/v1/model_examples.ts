/** The examples in the documentation of the models' routes: each fits its schema, or the types say so. */
import type { AuditPage, Comparison, ModelsView, ServingView } from "../../lifecycle/mod.ts";

const sha256 = "8180aea801a7a7f2447cf39ec27c63d867051c0776b3870d088bf22ef63d4026";
const at = "2026-01-31T09:00:00.007Z";

const serving: ServingView = {
  active: "1",
  previous: "0",
  challenger: { version: "2", share: 0.1 },
};

const models: ModelsView = {
  serving,
  versions: [{
    version: "1",
    state: "active",
    registeredAt: at,
    sha256,
    files: { "bank_a.onnx": sha256 },
    card: "Approval models of simulated lenders, version 1",
    banks: [{
      bank: "bank_a",
      model: "bank_a",
      family: "xgboost",
      onnxSha256: sha256,
      evidence: { signal: true, auc: 0.857, low: 0.848, high: 0.865, threshold: 0.52 },
    }],
  }],
};

const distribution = { mean: 0.44, median: 0.42, counts: [12, 20, 31, 18] };
const quality = {
  auc: { value: 0.81, low: 0.78, high: 0.84 },
  brier: { value: 0.17, low: 0.16, high: 0.18 },
};

const comparison: Comparison = {
  champion: "1",
  challenger: "2",
  since: at,
  applications: 5000,
  scored: 12_000,
  dropped: 0,
  failed: 0,
  banks: [{
    bank: "bank_a",
    applications: 5000,
    champion: distribution,
    challenger: distribution,
    psi: 0.02,
    target: 0.5,
    agreement: 0.97,
    raised: 90,
    lowered: 60,
    outcomes: {
      applications: 800,
      approved: 390,
      champion: quality,
      challenger: quality,
      difference: {
        auc: { value: 0.01, low: -0.002, high: 0.022 },
        brier: { value: -0.004, low: -0.009, high: 0.001 },
      },
    },
  }],
  arms: {
    champion: {
      applications: 4500,
      outcomes: 700,
      approved: 340,
      rate: { value: 0.486, low: 0.449, high: 0.523 },
    },
    challenger: {
      applications: 500,
      outcomes: 100,
      approved: 50,
      rate: { value: 0.5, low: 0.404, high: 0.596 },
    },
  },
};

const audit: AuditPage = {
  entries: [{
    sequence: 12,
    at,
    actor: "key:ops-1",
    action: "models.activate",
    subject: "models/2",
    details: { from: "1", sha256 },
    hash: sha256,
  }],
  next: 12,
};

export const MODEL_EXAMPLES = {
  ...{ serving, models, comparison, audit },
  card: "# Approval models of simulated lenders, version 1\n",
};
