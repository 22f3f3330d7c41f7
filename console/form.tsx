/** The questionnaire as a form, made from the configuration, and its answers as they come back. */
import type { FC } from "hono/jsx";
import type { Field, Questionnaire } from "../configs/mod.ts";
import { normalise } from "../configs/normalise.ts";
import type { Answers } from "../scoring/answers.ts";
import { currencySign, filled, type Localized } from "../scoring/words.ts";
import { FormToken, type Frame, Page, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

/** The texts in the form's fields, by field id. */
export type FormValues = Readonly<Record<string, string>>;

type FormErrors = Readonly<Record<string, Localized>>;

export type ReadForm =
  | { readonly answers: Answers }
  | { readonly values: FormValues; readonly errors: FormErrors };

/** The answers of a sent form. A field left empty is a missing answer; whatever the form has besides is left alone. */
export function readForm(form: FormData, { fields }: Questionnaire): ReadForm {
  const values: Record<string, string> = {};
  const answers: Record<string, string | number> = {};
  const errors: Record<string, Localized> = {};
  for (const field of fields) {
    const sent = form.get(field.id);
    const text = typeof sent === "string" ? sent.trim() : "";
    values[field.id] = text;
    if (text === "") continue;
    const answer = field.type === "string"
      ? text
      : Number(text.replaceAll(/[\s\u00a0]/g, "").replace(",", "."));
    if (typeof answer === "number" && !Number.isFinite(answer)) {
      errors[field.id] = complaint(WORDS.mustBeNumber, text, field);
    } else if (field.type === "integer" && !Number.isSafeInteger(answer)) {
      errors[field.id] = complaint(WORDS.mustBeWhole, text, field);
    } else answers[field.id] = answer;
  }
  return Object.keys(errors).length > 0 ? { values, errors } : { answers };
}

function complaint(text: Localized, value: string, { example }: Field): Localized {
  return filled(text, { value: value.slice(0, 40), example: String(example) });
}

/** What stands in the form for each field's example. */
export function exampleValues({ fields }: Questionnaire): FormValues {
  return Object.fromEntries(fields.map((field) => [field.id, formText(field, field.example)]));
}

/** An answer as the form's own control writes it. */
function formText({ meaning }: Field, answer: string | number): string {
  const text = String(answer);
  if (meaning.kind === "date") return text.slice(0, 10);
  if (meaning.kind !== "category") return text;
  const found = meaning.values.find(({ value }) => normalise(String(value)) === normalise(text));
  return String(found?.value ?? text);
}

interface FormProps {
  readonly frame: Frame;
  readonly questionnaire: Questionnaire;
  readonly values?: FormValues;
  readonly errors?: FormErrors;
}

export const FormPage: FC<FormProps> = ({ frame, questionnaire, values = {}, errors = {} }) => {
  const say = sayIn(frame.language);
  const ofLoan = questionnaire.fields.filter(({ role }) => role !== undefined);
  const others = questionnaire.fields.filter(({ role }) => role === undefined);
  const controls = (fields: readonly Field[]) =>
    fields.map((field) => (
      <Control
        frame={frame}
        field={field}
        value={values[field.id] ?? ""}
        {...errors[field.id] && { error: errors[field.id] }}
      />
    ));
  return (
    <Page frame={frame} title={say(WORDS.newApplication)}>
      <h1>{say(WORDS.newApplication)}</h1>
      <p class="lead">{say(WORDS.intro)}</p>
      {Object.keys(errors).length > 0
        ? <p class="alert" role="alert">{say(WORDS.formHasErrors)}</p>
        : null}
      <p class="no-print">
        <a href="/console?example=1">{say(WORDS.fillSample)}</a>
      </p>
      <form method="post" action="/console/applications" class="questionnaire">
        <FormToken viewer={frame.viewer} />
        {ofLoan.length > 0
          ? (
            <fieldset>
              <legend>{say(WORDS.loan)}</legend>
              <div class="fields">{controls(ofLoan)}</div>
            </fieldset>
          )
          : null}
        <fieldset>
          <legend>{say(WORDS.client)}</legend>
          <div class="fields">{controls(others)}</div>
        </fieldset>
        <button type="submit">{say(WORDS.decide)}</button>
      </form>
    </Page>
  );
};

/** Nothing for a unit that the label names itself. */
function unitText(unit: string): Localized {
  if (unit === "months" || unit === "years") return WORDS[unit];
  return currencySign(unit);
}

const Control: FC<{ frame: Frame; field: Field; value: string; error?: Localized }> = (
  { frame, field, value, error },
) => {
  const say = sayIn(frame.language);
  const { id, label, meaning, type } = field;
  const common = {
    id: `f-${id}`,
    name: id,
    ...error && { "aria-invalid": "true" as const, "aria-describedby": `e-${id}` },
  };
  const unit = meaning.kind === "quantity" ? say(unitText(meaning.unit)) : "";
  return (
    <div class="field">
      <label for={`f-${id}`}>{[say(label), unit].filter(Boolean).join(", ")}</label>
      {meaning.kind === "category"
        ? (
          <select {...common}>
            <option value="">{say(WORDS.notStated)}</option>
            {meaning.values.map((each) => (
              <option value={String(each.value)} selected={String(each.value) === value}>
                {say(each.label)}
              </option>
            ))}
          </select>
        )
        : (
          <input
            {...common}
            value={value}
            type={meaning.kind === "date" ? "date" : "text"}
            {...type !== "string" && { inputmode: type === "integer" ? "numeric" : "decimal" }}
            autocomplete="off"
          />
        )}
      {error ? <p class="error" id={`e-${id}`}>{say(error)}</p> : null}
    </div>
  );
};
