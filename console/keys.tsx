/** Who may use the service: its keys, without their secrets; a new one is shown once. */
import type { FC } from "hono/jsx";
import { FormToken, type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

export interface ShownKey {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Empty: the default tenant. */
  readonly tenant: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly isValid: boolean;
}

/** What a form asks for, by field. */
export const KEY_FIELDS = ["name", "role", "tenant", "days", "perSecond"] as const;
export type KeyForm = Partial<Readonly<Record<typeof KEY_FIELDS[number], string>>>;

interface KeysProps {
  readonly frame: Frame;
  readonly keys: readonly ShownKey[];
  readonly roles: readonly string[];
  /** The text of a key that was made just now. */
  readonly made?: string;
  /** Why the last form was refused, and what it asked for. */
  readonly refused?: { readonly why: string; readonly form: KeyForm };
}

export const KeysPage: FC<KeysProps> = ({ frame, keys, roles, made, refused }) => {
  const say = sayIn(frame.language);
  return (
    <Page frame={frame} title={say(WORDS.keys)}>
      <h1>{say(WORDS.keys)}</h1>
      <p class="lead">{say(WORDS.keysIntro)}</p>
      {refused === undefined ? null : <p class="alert" role="alert">{refused.why}</p>}
      {made === undefined ? null : (
        <div class="note" role="status">
          <p>{say(WORDS.keyMade)}</p>
          <p>
            <code id="made">{made}</code>
          </p>
        </div>
      )}
      <NewKeyForm frame={frame} roles={roles} form={refused?.form ?? {}} say={say} />
      <h2 id="keys">{say(WORDS.madeKeys)}</h2>
      {keys.length === 0
        ? <p>{say(WORDS.noKeys)}</p>
        : <KeyTable frame={frame} keys={keys} say={say} />}
    </Page>
  );
};

const NewKeyForm: FC<{ frame: Frame; roles: readonly string[]; form: KeyForm; say: Say }> = (
  { frame, roles, form, say },
) => (
  <form method="post" action="/console/keys" class="questionnaire">
    <FormToken viewer={frame.viewer} />
    <fieldset>
      <legend>{say(WORDS.newKey)}</legend>
      <div class="fields">
        <p class="field">
          <label for="name">{say(WORDS.keyName)}</label>
          <input id="name" name="name" required maxlength={100} value={form.name ?? ""} />
        </p>
        <p class="field">
          <label for="role">{say(WORDS.keyRole)}</label>
          <select id="role" name="role">
            {roles.map((role) => <option selected={role === form.role}>{role}</option>)}
          </select>
        </p>
        <p class="field">
          <label for="tenant">{say(WORDS.keyTenantAsked)}</label>
          <input id="tenant" name="tenant" pattern="[a-z0-9\-]{0,23}" value={form.tenant ?? ""} />
        </p>
        <p class="field">
          <label for="days">{say(WORDS.keyDays)}</label>
          <input id="days" name="days" type="number" min="0" value={form.days ?? ""} />
        </p>
        <p class="field">
          <label for="perSecond">{say(WORDS.keyRate)}</label>
          <input
            id="perSecond"
            name="perSecond"
            type="number"
            min="0"
            value={form.perSecond ?? ""}
          />
        </p>
      </div>
    </fieldset>
    <button type="submit">{say(WORDS.makeKey)}</button>
  </form>
);

const KeyTable: FC<{ frame: Frame; keys: readonly ShownKey[]; say: Say }> = (
  { frame, keys, say },
) => (
  <div class="wide" tabindex={0} role="region" aria-labelledby="keys">
    <table class="plain">
      <thead>
        <tr>
          {[
            WORDS.keyId,
            WORDS.keyName,
            WORDS.keyRole,
            WORDS.keyTenant,
            WORDS.keyState,
            WORDS.keyUsed,
            WORDS.keyStep,
          ].map((text) => <th scope="col">{say(text)}</th>)}
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <tr id={`key-${key.id}`}>
            <td>
              <code>{key.id}</code>
            </td>
            <td>{key.name}</td>
            <td>{key.role}</td>
            <td>{key.tenant === "" ? say(WORDS.defaultTenant) : key.tenant}</td>
            <td>{stateOf(key, say)}</td>
            <td class="number">
              {key.lastUsedAtMs === null ? say(WORDS.neverUsed) : day(key.lastUsedAtMs)}
            </td>
            <td>
              {key.revokedAtMs !== null
                ? null
                : (
                  <form method="post" action={`/console/keys/${key.id}/revoke`}>
                    <FormToken viewer={frame.viewer} />
                    <button
                      type="submit"
                      class="secondary"
                      aria-label={`${say(WORDS.revoke)} ${key.name}`}
                    >
                      {say(WORDS.revoke)}
                    </button>
                  </form>
                )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

function stateOf({ revokedAtMs, expiresAtMs, isValid }: ShownKey, say: Say): string {
  if (revokedAtMs !== null) return say(WORDS.revokedOn, { day: day(revokedAtMs) });
  if (expiresAtMs === null) return say(WORDS.valid);
  return say(isValid ? WORDS.validUntil : WORDS.expiredOn, { day: day(expiresAtMs) });
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
