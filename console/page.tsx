/** What all pages share: head, menu, language, the form that signs out. */
import type { Child, FC } from "hono/jsx";
import { filled, type Localized } from "../scoring/words.ts";
import { type Language, WORDS } from "./words.ts";

/** Who looks at a page. */
export interface Viewer {
  /** Absent where no key is needed. */
  readonly name?: string;
  /** What a form must carry to be taken. */
  readonly formToken?: { readonly name: string; readonly value: string };
  readonly signOutPath?: string;
  /** Of the whole service, not of one tenant. */
  readonly seesModels: boolean;
  readonly operates: boolean;
  /** Makes and revokes keys. */
  readonly administers: boolean;
}

/** What a page is made with. */
export interface Frame {
  readonly language: Language;
  readonly viewer: Viewer;
  /** The page's path with its query, without the language. */
  readonly here: string;
  /** Paths of the style and the script, which change with their content. */
  readonly assets: { readonly style: string; readonly script: string };
}

/** A text of the page's language. */
export type Say = (
  text: Localized,
  values?: Readonly<Record<string, Localized | string>>,
) => string;

export function sayIn(language: Language): Say {
  return (text, values) => (values ? filled(text, values) : text)[language];
}

export const FormToken: FC<{ viewer: Viewer }> = ({ viewer: { formToken } }) =>
  formToken ? <input type="hidden" name={formToken.name} value={formToken.value} /> : null;

interface PageProps {
  readonly frame: Frame;
  readonly title: string;
  /** Reloads the page after so many seconds. */
  readonly refreshS?: number;
  readonly children?: Child;
}

export const Page: FC<PageProps> = ({ frame, title, refreshS, children }) => {
  const { language, viewer, here, assets } = frame;
  const say = sayIn(language);
  const other: Language = language === "ru" ? "en" : "ru";
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {refreshS === undefined ? null : <meta http-equiv="refresh" content={String(refreshS)} />}
        <title>{`${title} — ${say(WORDS.title)}`}</title>
        <link rel="icon" type="image/png" href="/docs/favicon-32x32.png" />
        <link rel="stylesheet" href={assets.style} />
        <script src={assets.script} defer></script>
      </head>
      <body>
        <a class="skip" href="#main">{say(WORDS.skip)}</a>
        <header>
          <a class="brand" href="/console">{say(WORDS.title)}</a>
          <nav aria-label={say(WORDS.mainMenu)}>
            <a href="/console">{say(WORDS.newApplication)}</a>
            <a href="/console/overview">{say(WORDS.overview)}</a>
            <a href="/console/ledger">{say(WORDS.ledger)}</a>
            <a href="/console/cohorts">{say(WORDS.cohorts)}</a>
            <a href="/console/campaign">{say(WORDS.campaign)}</a>
            <a href="/console/drift">{say(WORDS.drift)}</a>
            {viewer.seesModels ? <a href="/console/models">{say(WORDS.models)}</a> : null}
            {viewer.seesModels && viewer.operates
              ? <a href="/console/audit">{say(WORDS.audit)}</a>
              : null}
            {viewer.seesModels && viewer.administers
              ? <a href="/console/keys">{say(WORDS.keys)}</a>
              : null}
            <a href="/docs">{say(WORDS.api)}</a>
          </nav>
          <div class="aside">
            <a href={withLanguage(here, other)} lang={other} hreflang={other}>
              {say(WORDS.otherLanguage)}
            </a>
            {viewer.signOutPath
              ? (
                <form method="post" action={viewer.signOutPath}>
                  <FormToken viewer={viewer} />
                  <button class="quiet" type="submit">{say(WORDS.signOut)}</button>
                </form>
              )
              : null}
          </div>
        </header>
        <main id="main">{children}</main>
        <footer>
          <p>{say(WORDS.advice)}</p>
        </footer>
      </body>
    </html>
  );
};

function withLanguage(here: string, language: Language): string {
  return `${here}${here.includes("?") ? "&" : "?"}lang=${language}`;
}

/** A page that says one thing. */
export const Notice: FC<{ frame: Frame; title: Localized; detail?: string; refreshS?: number }> = (
  { frame, title, detail, refreshS },
) => {
  const say = sayIn(frame.language);
  return (
    <Page frame={frame} title={say(title)} {...refreshS !== undefined && { refreshS }}>
      <h1>{say(title)}</h1>
      {detail === undefined ? null : <p>{detail}</p>}
      <p>
        <a href="/console">{say(WORDS.back)}</a>
      </p>
    </Page>
  );
};
