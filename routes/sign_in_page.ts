/**
 * What the console answers where it is not known in which language, or whether anybody is signed in: the page at which an API key is
 * shown, and refusals. In both languages.
 */

type Bilingual = readonly [english: string, russian: string];

const MESSAGES = {
  wrong: ["This is not a valid API key.", "Это не действующий ключ API."],
  forbidden: [
    "The role of this key does not allow it.",
    "Роль этого ключа этого не позволяет.",
  ],
  ended: ["The session has ended: sign in again.", "Сеанс закончился: войдите снова."],
  stale: [
    "The form was not one of this session: go back and load the page again.",
    "Форма не из этого сеанса: вернитесь и загрузите страницу снова.",
  ],
  busy: ["Too many attempts: wait a second.", "Слишком много попыток: подождите секунду."],
} as const satisfies Readonly<Record<string, Bilingual>>;

const REFUSALS = {
  tooMany: [
    "Too many requests with this key: wait a second.",
    "С этим ключом слишком много запросов: подождите секунду.",
  ],
  bodyTooLarge: [
    "What was sent is too large: a table may have 1 MiB.",
    "Отправлено слишком много: таблица может занимать 1 МиБ.",
  ],
  requestTimeout: [
    "What was sent did not come in time: send it again.",
    "Отправленное не пришло вовремя: отправьте снова.",
  ],
  queueFull: [
    "Too many applications are waiting: try again in a minute.",
    "Сейчас ждёт слишком много заявок: повторите через минуту.",
  ],
  unavailable: [
    "The database cannot be written or read now: try again.",
    "База данных сейчас недоступна: повторите.",
  ],
  refused: ["The request was refused.", "Запрос отклонён."],
  internal: ["The service failed.", "Сбой службы."],
} as const satisfies Readonly<Record<string, Bilingual>>;

export function signInPage(message?: keyof typeof MESSAGES): string {
  return page(
    "sign in",
    `${message === undefined ? "" : alert(MESSAGES[message])}
      <form method="post" action="/console/login">
        <p>
          <label for="key">API key / <span lang="ru">Ключ API</span></label><br>
          <input id="key" name="key" type="password" required autocomplete="off" autofocus size="90">
        </p>
        <p><button>Sign in / <span lang="ru">Войти</span></button></p>
      </form>`,
  );
}

/** Why nothing was done, and the way back. */
export function refusalPage(refusal: keyof typeof REFUSALS): string {
  return page(
    "refused",
    `${alert(REFUSALS[refusal])}
      <p><a href="/console">Back / <span lang="ru">Назад</span></a></p>`,
  );
}

function alert([english, russian]: Bilingual): string {
  return `<p role="alert">${english}<br><span lang="ru">${russian}</span></p>`;
}

function page(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Prescore: ${title}</title>
  </head>
  <body>
    <main>
      <h1>Prescore</h1>
      ${body}
    </main>
  </body>
</html>
`;
}
