/** Who did what: the audit log, a page at a time, and its head to keep elsewhere. */
import type { FC } from "hono/jsx";
import type { AuditEntryView, AuditPage as Entries } from "../lifecycle/mod.ts";
import { type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

interface AuditProps {
  readonly frame: Frame;
  readonly page: Entries;
  /** Whether this is the end of the log, which has its head. */
  readonly isLatest: boolean;
}

export const AuditPage: FC<AuditProps> = ({ frame, page: { entries, next }, isLatest }) => {
  const say = sayIn(frame.language);
  const [latest] = entries;
  return (
    <Page frame={frame} title={say(WORDS.audit)}>
      <h1 id="record">{say(WORDS.audit)}</h1>
      <p class="lead">{say(WORDS.auditIntro)}</p>
      {isLatest && latest
        ? (
          <section aria-labelledby="head">
            <h2 id="head">{say(WORDS.auditHead)}</h2>
            <p>
              <code>{`${latest.sequence}:${latest.hash}`}</code>
            </p>
            <p class="small">{say(WORDS.auditVerify)}</p>
          </section>
        )
        : null}
      <AuditTable entries={entries} say={say} />
      <p>
        {isLatest ? null : <a href="/console/audit">{say(WORDS.latestEntries)}</a>}{" "}
        {next === undefined
          ? null
          : <a href={`/console/audit?before=${next}`}>{say(WORDS.earlierEntries)}</a>}
      </p>
    </Page>
  );
};

/** Named by the element with the id `record`. */
export const AuditTable: FC<{ entries: readonly AuditEntryView[]; say: Say }> = (
  { entries, say },
) =>
  entries.length === 0
    ? <p>{say(WORDS.noRecord)}</p>
    : (
      <div class="wide" tabindex={0} role="region" aria-labelledby="record">
        <table class="plain">
          <thead>
            <tr>
              {[WORDS.when, WORDS.who, WORDS.what, WORDS.about, WORDS.details].map((text) => (
                <th scope="col">{say(text)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {entries.map(({ at, actor, action, subject, details }) => (
              <tr>
                <td class="number">{at.replace("T", " ").slice(0, 19)}</td>
                <td>{actor}</td>
                <td>{action}</td>
                <td>{subject}</td>
                <td class="small">{detailsText(details)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );

function detailsText(details: AuditEntryView["details"]): string {
  return Object.entries(details).map(([name, value]) =>
    `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`
  ).join("; ");
}
