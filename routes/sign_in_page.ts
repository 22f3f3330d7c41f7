/** The page at which an API key is shown to the console, in both languages: it is not known yet who looks at it. */

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
} as const;

export function signInPage(message?: keyof typeof MESSAGES): string {
  const [english, russian] = message === undefined ? ["", ""] : MESSAGES[message];
  const alert = message === undefined
    ? ""
    : `<p role="alert">${english}<br><span lang="ru">${russian}</span></p>`;
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Prescore: sign in</title>
  </head>
  <body>
    <main>
      <h1>Prescore</h1>
      ${alert}
      <form method="post" action="/console/login">
        <p>
          <label for="key">API key / <span lang="ru">Ключ API</span></label><br>
          <input id="key" name="key" type="password" required autocomplete="off" autofocus size="90">
        </p>
        <p><button>Sign in / <span lang="ru">Войти</span></button></p>
      </form>
    </main>
  </body>
</html>
`;
}
