/** What the console says in its own words, in both languages. What fields, banks and bands are called stands in the configuration. */
import type { Localized } from "../scoring/words.ts";

export const LANGUAGES = ["ru", "en"] as const;
export type Language = typeof LANGUAGES[number];

export const WORDS = {
  title: { ru: "Прескоринг", en: "Prescore" },
  newApplication: { ru: "Новая заявка", en: "New application" },
  api: { ru: "API", en: "API" },
  signOut: { ru: "Выйти", en: "Sign out" },
  skip: { ru: "К содержанию", en: "Skip to content" },
  otherLanguage: { ru: "English", en: "Русский" },
  mainMenu: { ru: "Разделы", en: "Sections" },

  intro: {
    ru:
      "Заполните, что известно: пустое поле — это отсутствующий ответ. Оценка приходит сразу и ничего не обещает: решает банк.",
    en:
      "Fill in what is known: an empty field is a missing answer. The estimate comes at once and promises nothing: the bank decides.",
  },
  fillSample: { ru: "Заполнить примером", en: "Fill in an example" },
  client: { ru: "Клиент", en: "The client" },
  loan: { ru: "Кредит", en: "The loan" },
  months: { ru: "месяцев", en: "months" },
  years: { ru: "лет", en: "years" },
  notStated: { ru: "не указано", en: "not stated" },
  decide: { ru: "Оценить шансы", en: "Estimate the chances" },
  mustBeNumber: {
    ru: "{value} — не число: нужно число, например {example}",
    en: "{value} is not a number: it must be one, such as {example}",
  },
  mustBeWhole: {
    ru: "{value} — не целое число: нужно целое, например {example}",
    en: "{value} is not a whole number: it must be one, such as {example}",
  },
  formHasErrors: {
    ru: "Исправьте отмеченные поля",
    en: "Correct the fields that are marked",
  },

  decisionOf: { ru: "Оценка на {date}", en: "Estimate as of {date}" },
  whatIf: {
    ru: "Вы смотрите другой кредит: {amount} на {term}. Заявка подана на {asked}.",
    en: "You are looking at another loan: {amount} for {term}. The application is for {asked}.",
  },
  waiting: {
    ru: "Заявка принята и ждёт оценки. Страница обновится сама.",
    en: "The application is stored and waits to be scored. The page reloads by itself.",
  },
  failed: { ru: "Оценить заявку не удалось", en: "The application could not be scored" },
  tooMany: {
    ru: "Сейчас ждёт слишком много заявок. Повторите через минуту.",
    en: "Too many applications are waiting. Try again in a minute.",
  },
  probed: {
    ru: "По этому клиенту спрошено слишком много вариантов за час. Повторите позже.",
    en: "Too many variants were asked for this client within an hour. Try again later.",
  },
  noCurves: {
    ru:
      "По этому клиенту спрошено слишком много вариантов за час: кривых по сумме пока нет. Сама оценка — та, что сохранена.",
    en:
      "Too many variants were asked for this client within an hour: the curves over the amount are left out for now. The estimate itself is the stored one.",
  },
  notRecalculated: {
    ru: "Пересчитать не удалось: обновите страницу",
    en: "It could not be recalculated: reload the page",
  },
  notFound: { ru: "Такой страницы или заявки нет", en: "There is no such page or application" },
  back: { ru: "К новой заявке", en: "To a new application" },

  tryLoan: { ru: "Другая сумма и срок", en: "Another amount and term" },
  amount: { ru: "Сумма", en: "Amount" },
  term: { ru: "Срок, месяцев", en: "Term, months" },
  recalculate: { ru: "Пересчитать", en: "Recalculate" },
  asAsked: { ru: "Как в заявке", en: "As applied for" },
  applyWithThis: { ru: "Подать заявку с этим кредитом", en: "Apply with this loan" },

  banks: { ru: "Банки", en: "Banks" },
  chance: { ru: "Шансы", en: "Chance" },
  interval: {
    ru: "{low}–{high} с уверенностью {level}",
    en: "{low} to {high}, {level} sure",
  },
  noEvidence: {
    ru: "Предсказуемость решений этого банка не доказана",
    en: "It was not shown that this bank's decisions can be predicted",
  },
  bankFailed: { ru: "Оценки нет: {cause}", en: "No estimate: {cause}" },
  why: { ru: "Почему", en: "Why" },
  start: { ru: "Без сведений о клиенте", en: "Knowing nothing of the client" },
  leftOut: { ru: "Остальные ответы ({count})", en: "The other answers ({count})" },
  total: { ru: "Итог", en: "Total" },
  approximate: {
    ru: "Вклады оценены приближённо, по выборке.",
    en: "The contributions are approximate, from a sample.",
  },
  contribution: { ru: "Вклад в логарифм шансов", en: "Contribution in log-odds" },
  reason: { ru: "Причина", en: "Reason" },
  curve: { ru: "Шансы и сумма", en: "Chance and amount" },
  curveOf: {
    ru: "{bank}: шансы при сроке {term} в зависимости от суммы",
    en: "{bank}: the chance over the amount, for {term}",
  },
  turnsDown: {
    ru: "До {to} одобрение вероятнее отказа ({before}), от {from} — уже нет ({after})",
    en: "Up to {to} approval is likelier than not ({before}), from {from} it is not ({after})",
  },
  turnsUp: {
    ru: "До {to} отказ вероятнее ({before}), от {from} вероятнее одобрение ({after})",
    en: "Up to {to} refusal is likelier ({before}), from {from} approval is ({after})",
  },
  alwaysLikely: {
    ru: "При любой сумме одобрение вероятнее отказа",
    en: "Approval is likelier than not at every amount",
  },
  neverLikely: {
    ru: "При любой сумме отказ вероятнее одобрения",
    en: "Refusal is likelier at every amount",
  },
  moreTurns: {
    ru: "Переломов {count}; показаны ближайшие к заявке",
    en: "{count} turns; those nearest to the application are shown",
  },
  recourse: { ru: "Что может изменить клиент", en: "What the client could change" },

  offers: { ru: "Лучшие предложения", en: "Best offers" },
  offerChance: { ru: "Шансы {chance} ({interval})", en: "A chance of {chance} ({interval})" },
  aMonth: { ru: "{payment} в месяц", en: "{payment} a month" },
  overpayment: { ru: "переплата {overpayment}", en: "{overpayment} of interest" },
  downPayment: { ru: "первый взнос {amount}", en: "{amount} at once" },
  takeOffer: { ru: "Взять это предложение", en: "Take this offer" },
  forTerm: { ru: "{amount} на {term}", en: "{amount} for {term}" },
  noOffers: {
    ru: "Ни у одного банка нет кредита, шансы на который достигают {target}.",
    en: "No bank has a loan whose chance reaches {target}.",
  },

  plan: { ru: "План подачи", en: "Where to apply" },
  noPlan: {
    ru: "Подавать запрошенный кредит сейчас некуда.",
    en: "There is no bank to ask for this loan now.",
  },
  planOrder: {
    ru: "Сначала первый банк; следующий — только после отказа.",
    en: "The first bank first; the next one only after a refusal.",
  },
  anyApproves: {
    ru: "Хотя бы один одобрит: {chance}; в среднем запросов: {inquiries}",
    en: "At least one approves: {chance}; inquiries on average: {inquiries}",
  },
  againstBest: {
    ru: "Один лучший банк дал бы {single}, все сразу — {all}.",
    en: "The best bank alone would give {single}, all at once {all}.",
  },
  recheck: { ru: "Вернуться к заявке {date}", en: "Look again on {date}" },
  wayBack: { ru: "Что поможет: {text}", en: "What helps: {text}" },
  rules: { ru: "Правила магазина", en: "The shop's rules" },
  answers: { ru: "Ответы анкеты", en: "The questionnaire" },
  print: { ru: "Лист для клиента", en: "Client sheet" },
  receipt: {
    ru: "Модели {model}, правила {policy}; расчёт можно повторить: {sha256}",
    en: "Models {model}, policy {policy}; the estimate can be made again: {sha256}",
  },
  models: { ru: "Модели", en: "Models" },
  modelsIntro: {
    ru:
      "Версия отвечает с того мига, как её включили, без перезапуска; каждый шаг остаётся в журнале.",
    en:
      "A version answers from the moment it is activated, without a restart; every step stays on record.",
  },
  version: { ru: "Версия {version}", en: "Version {version}" },
  stateActive: { ru: "отвечает", en: "answers" },
  stateChallenger: { ru: "на испытании", en: "on trial" },
  statePrevious: { ru: "предыдущая", en: "the one before" },
  stateRegistered: { ru: "на учёте", en: "on record" },
  stateUnregistered: { ru: "не на учёте", en: "not on record" },
  modelCard: { ru: "Карточка модели", en: "Model card" },
  auc: { ru: "AUC {auc} ({low}–{high})", en: "AUC {auc} ({low} to {high})" },
  overridden: {
    ru: "включён решением: {who}, {when}, {why}",
    en: "served because {who} wanted it on {when}: {why}",
  },
  register: { ru: "Поставить на учёт", en: "Put on record" },
  activate: { ru: "Включить", en: "Activate" },
  rollback: { ru: "Откатить на неё", en: "Roll back to it" },
  challenge: { ru: "Испытать", en: "Try it" },
  endTrial: { ru: "Закончить испытание", en: "End the trial" },
  share: { ru: "Доля заявок, %", en: "Share of applications, %" },
  answersShare: {
    ru: "Отвечает на {share} заявок; остальные оценивает рядом",
    en: "Answers {share} of the applications, and scores the others beside",
  },
  trial: {
    ru: "Испытание: {challenger} против {champion}",
    en: "Trial: {challenger} against {champion}",
  },
  trialCounts: {
    ru:
      "Сравнены заявки: {applications}. Оценено рядом: {scored}, пропущено: {dropped}, не удалось: {failed}.",
    en:
      "Applications compared: {applications}. Scored beside: {scored}, left out: {dropped}, failed: {failed}.",
  },
  triedBank: {
    ru:
      "Средние шансы {challenger} против {champion}; PSI {psi}; по одну сторону от {target}: {agreement}; стало хорошими {raised}, перестало {lowered}",
    en:
      "A mean chance of {challenger} against {champion}; PSI {psi}; on the same side of {target}: {agreement}; {raised} became good, {lowered} no longer are",
  },
  scoresOf: {
    ru: "{bank}: распределение оценок обеих версий",
    en: "{bank}: how both versions' scores are spread",
  },
  record: { ru: "Журнал", en: "The record" },
  noRecord: { ru: "Пока ничего не менялось.", en: "Nothing has been changed yet." },
  when: { ru: "Когда (UTC)", en: "When (UTC)" },
  who: { ru: "Кто", en: "Who" },
  what: { ru: "Что", en: "What" },
  about: { ru: "Над чем", en: "About" },
  details: { ru: "Подробности", en: "Details" },
  audit: { ru: "Журнал действий", en: "Audit log" },
  auditIntro: {
    ru:
      "Кто и что сделал с ключами, моделями и заявками. Записи связаны хешами: изменённую или удалённую находит проверка.",
    en:
      "Who did what with keys, models and applications. Entries are chained by hashes: verification finds one that was changed or removed.",
  },
  auditHead: { ru: "Конец журнала", en: "The log's head" },
  auditVerify: {
    ru:
      "Сохраните эту строку там, куда сервис не пишет: deno task audit verify --head СТРОКА сверит с ней весь журнал.",
    en:
      "Keep this line where the service cannot write: deno task audit verify --head LINE holds the whole log against it.",
  },
  keys: { ru: "Ключи", en: "Keys" },
  keysIntro: {
    ru: "Кто может пользоваться сервисом. Хранится только хеш: сам ключ показывается один раз.",
    en: "Who may use the service. Only a hash is kept: the key itself is shown once.",
  },
  keyMade: {
    ru: "Ключ создан. Скопируйте его сейчас: больше он показан не будет.",
    en: "The key is made. Copy it now: it will not be shown again.",
  },
  newKey: { ru: "Новый ключ", en: "A new key" },
  makeKey: { ru: "Создать ключ", en: "Make the key" },
  madeKeys: { ru: "Созданные ключи", en: "Keys that were made" },
  noKeys: { ru: "Ключей пока нет.", en: "There are no keys yet." },
  keyId: { ru: "Номер", en: "Id" },
  keyName: { ru: "Чей", en: "Whose" },
  keyRole: { ru: "Роль", en: "Role" },
  keyTenant: { ru: "Арендатор", en: "Tenant" },
  keyTenantAsked: { ru: "Арендатор (пусто — основной)", en: "Tenant (empty: default)" },
  keyDays: { ru: "Действует дней (пусто — бессрочно)", en: "Days it is valid (empty: for ever)" },
  keyRate: {
    ru: "Запросов в секунду (пусто — как в настройках)",
    en: "Requests a second (empty: as configured)",
  },
  keyState: { ru: "Состояние", en: "State" },
  keyUsed: { ru: "Последний раз", en: "Last used" },
  keyStep: { ru: "Действие", en: "Step" },
  defaultTenant: { ru: "основной", en: "default" },
  neverUsed: { ru: "никогда", en: "never" },
  valid: { ru: "действует", en: "valid" },
  validUntil: { ru: "действует до {day}", en: "valid until {day}" },
  expiredOn: { ru: "истёк {day}", en: "expired {day}" },
  revokedOn: { ru: "отозван {day}", en: "revoked {day}" },
  revoke: { ru: "Отозвать", en: "Revoke" },
  keyGone: {
    ru: "Такого ключа нет, или он уже отозван: {id}",
    en: "There is no such key, or it was revoked before: {id}",
  },
  earlierEntries: { ru: "Более ранние записи", en: "Earlier entries" },
  latestEntries: { ru: "Последние записи", en: "Latest entries" },
  notAllowed: {
    ru: "Роль вашего ключа этого не позволяет",
    en: "The role of your key does not allow it",
  },
  overview: { ru: "Обзор", en: "Overview" },
  overviewIntro: {
    ru:
      "Где заявки выигрываются и теряются. Считается в фоне и может отставать на несколько секунд.",
    en: "Where applications are won and lost. Counted in the background, some seconds behind.",
  },
  lastDays: { ru: "{days} дней", en: "{days} days" },
  byDay: { ru: "Заявки по дням", en: "Applications by day" },
  byDayLabel: {
    ru: "Заявок: {count}, с {from} по {to}",
    en: "{count} applications from {from} to {to}",
  },
  funnel: { ru: "Воронка", en: "Funnel" },
  funnelNote: {
    ru:
      "Отправку, одобрение и выдачу видно настолько, насколько о них сообщили. Отправить могли и того, кого не рекомендовали.",
    en:
      "Sent, approved and funded are as far as it was told. Clients who were not recommended may have been sent all the same.",
  },
  step: { ru: "Шаг", en: "Step" },
  clients: { ru: "Клиентов", en: "Clients" },
  ofApplied: { ru: "От всех заявок", en: "Of all applications" },
  lostHere: { ru: "Потеряно на шаге", en: "Lost at this step" },
  applied: { ru: "Подали заявку", en: "Applied" },
  scored: { ru: "Оценены", en: "Scored" },
  recommended: { ru: "Рекомендованы", en: "Recommended" },
  sentToBank: { ru: "Отправлены в банк", en: "Sent to a bank" },
  approvedByBank: { ru: "Одобрены", en: "Approved" },
  funded: { ru: "Выданы", en: "Funded" },
  expectedAndRealised: { ru: "Ожидали и сбылось", en: "Expected and come true" },
  bank: { ru: "Банк", en: "Bank" },
  rateWithin: { ru: "{rate} ({low}–{high})", en: "{rate} ({low} to {high})" },
  losses: { ru: "Потерянные клиенты по причинам", en: "Lost clients by cause" },
  cause: { ru: "Причина", en: "Cause" },
  nobodyLost: { ru: "Пока никого", en: "Nobody so far" },
  levers: { ru: "Что вернуло бы клиентов", en: "What would win them" },
  leversHow: {
    ru:
      "Скольких из потерянных довело бы до цели предложение или другой ответ. Один клиент может стоять в нескольких строках.",
    en:
      "How many of the lost an offer or another answer would have brought over the target. A client may stand in several rows.",
  },
  lever: { ru: "Рычаг", en: "Lever" },
  expectedApprovals: { ru: "Ожидаемых одобрений", en: "Expected approvals" },
  ledger: { ru: "Сбылось ли", en: "What came true" },
  ledgerIntro: {
    ru:
      "Что обещали оценки и что потом решили банки. Ступень, которая сбывается реже, чем стоит в ней, читается как более низкая.",
    en:
      "What was estimated and what banks then decided. A band that comes true less often than it says is to be read as a lower one.",
  },
  nothingKnown: {
    ru: "Ни одного решения этого банка ещё не сообщили.",
    en: "No decision of this bank has been told yet.",
  },
  ledgerSum: {
    ru:
      "Решений {outcomes}, одобрено {approved}: ожидали {expected}, сбылось {rate} ({low}–{high})",
    en:
      "{outcomes} decisions, {approved} approved: {expected} expected, {rate} came true ({low} to {high})",
  },
  brier: { ru: "ошибка Брайера {brier}", en: "Brier score {brier}" },
  calibrationOf: {
    ru: "{bank}: сбывшаяся доля против ожидаемой по ступеням",
    en: "{bank}: the share that came true over the expected one, by band",
  },
  cohorts: { ru: "Группы", en: "Cohorts" },
  cohortsIntro: {
    ru:
      "Клиенты, которых одобряют заметно реже или чаще остальных: до трёх условий вместе. Найдены среди последних 5 000 заявок; обновляется раз в десять минут.",
    en:
      "Clients who are approved clearly less, or more, than the others: up to three conditions together. Found among the latest 5,000 applications, every ten minutes.",
  },
  byDecisions: { ru: "По решениям банков", en: "By decisions of banks" },
  byEstimates: { ru: "По оценкам", en: "By estimates" },
  cohortsOf: {
    ru: "Клиентов: {clients}, в среднем {mean}",
    en: "{clients} clients, {mean} on average",
  },
  nobodyToTellApart: {
    ru: "Пока не известно ни одного решения",
    en: "No decision is known yet",
  },
  toldApart: { ru: "По ответам на вопрос", en: "By the answers to a question" },
  question: { ru: "Вопрос", en: "Question" },
  approvedLess: { ru: "Реже остальных", en: "Less than the others" },
  approvedMore: { ru: "Чаще остальных", en: "More than the others" },
  noCohort: {
    ru: "Никто не отличается сильнее, чем бывает случайно",
    en: "Nobody differs beyond chance",
  },
  cohort: { ru: "Кто", en: "Who" },
  itsShare: { ru: "У них", en: "Theirs" },
  othersShare: { ru: "У остальных", en: "The others'" },
  upliftByOffers: {
    ru: "Добавят предложения, одобрений",
    en: "Approvals that offers would add",
  },
  cohortsNote: {
    ru:
      "Группы меньше пяти клиентов не показываются. Интервал не учитывает, что группу выбрали. Отличие — не причина: оно может быть от того, чего нет в анкете.",
    en:
      "Fewer than five clients are never shown apart. The interval does not know that the cohort was chosen. A difference is no cause: it may come of what nobody asked.",
  },

  campaign: { ru: "Кому позвонить", en: "Call back" },
  campaignIntro: {
    ru:
      "Клиенты, которым отказали или по которым решения так и нет, но для которых есть предложение с достаточным шансом. " +
      "Только те, кто согласился получать предложения, и каждый по одному разу.",
    en:
      "Clients who were refused, or whom nobody decided on, and for whom there is an offer with a sufficient chance. " +
      "Only those who agreed to be told of offers, each once.",
  },
  whichClients: { ru: "Каких клиентов", en: "Which clients" },
  allClients: { ru: "всех", en: "all" },
  lapsedAfter: {
    ru: "Без решения дольше, дней",
    en: "Without a decision for longer than, days",
  },
  show: { ru: "Показать", en: "Show" },
  campaignSum: {
    ru: "Клиентов: {clients}, ожидаемых одобрений: {expected}",
    en: "{clients} clients, {expected} approvals expected",
  },
  campaignCaveat: {
    ru:
      "Шанс оценён до отказа: тем, кому уже отказали, отказывают чаще. Предложение другого банка, чем отказавший, и по нынешним моделям и правилам.",
    en:
      "The chance was estimated before the refusal: who was refused once is refused more often. The offer is of a bank that has not refused, by the models and rules in service.",
  },
  nobodyToCall: { ru: "Таких клиентов нет", en: "There is no such client" },
  application: { ru: "Заявка", en: "Application" },
  appliedOn: { ru: "Подана", en: "Applied on" },
  whyCalled: { ru: "Почему", en: "Why" },
  wasRefused: { ru: "отказ", en: "refused" },
  hasLapsed: { ru: "нет решения", en: "no decision" },
  amountOffered: { ru: "Сумма", en: "Amount" },
  monthsOffered: { ru: "Срок, мес.", en: "Term, months" },
  asTable: { ru: "Таблица (CSV)", en: "Table (CSV)" },
  offeredLoan: { ru: "Предложение", en: "Offer" },
  offeredTerms: { ru: "{amount} на {term} мес.", en: "{amount} for {term} months" },
  earlierClients: { ru: "Более ранние", en: "Earlier ones" },

  drift: { ru: "Что изменилось", en: "What changed" },
  driftIntro: {
    ru:
      "Когда банк начал решать иначе, чем раньше, и по каким клиентам: по последним 5000 решений каждого банка, о которых сообщили.",
    en:
      "When a bank began to decide otherwise than before, and on whom: by the decisions that were told, the latest 5,000 of each bank.",
  },
  notWatched: {
    ru: "Решений известно: {decisions}. Первые 500 — точка отсчёта; сравнивать ещё не с чем.",
    en:
      "{decisions} decisions are known. The first 500 are the reference; there is nothing to compare yet.",
  },
  watched: {
    ru: "Решений {decisions}; проверены {watched}, первые 500 — точка отсчёта.",
    en: "{decisions} decisions; {watched} were looked at, the first 500 are the reference.",
  },
  noChange: { ru: "Изменений не найдено.", en: "No change was found." },
  changeDetail: {
    ru:
      "Замечено {found}: решений с тех пор {decisions}, одобрено {approved}, а прежде было бы {expected}.",
    en:
      "Found on {found}: of {decisions} decisions {approved} were approved, where {expected} would have been before.",
  },
  downgraded: {
    ru: "Эта ступень у банка завышена: из {outcomes} решений сбылось {rate}. Читать как «{band}».",
    en:
      "This band of the bank is overstated: of {outcomes} decisions {rate} came true. Read it as {band}.",
  },
  band: { ru: "Ступень", en: "Band" },
  decisions: { ru: "Решений", en: "Decisions" },
  expectedShare: { ru: "Ожидали", en: "Expected" },
  cameTrue: { ru: "Сбылось", en: "Came true" },
  verdict: { ru: "Вывод", en: "Verdict" },
  tooFew: { ru: "мало решений", en: "too few" },
  holds: { ru: "держится", en: "holds" },
  overstated: { ru: "завышена", en: "overstated" },
  understated: { ru: "занижена", en: "understated" },
  readAs: { ru: "завышена: читать как «{band}»", en: "overstated: read it as {band}" },
  tell: { ru: "Сообщить решения банков", en: "Tell what banks decided" },
  tellHow: {
    ru:
      "Таблица CSV со столбцами application, bank, decision (sent, approved, refused, funded) и decided_at, а если известно, что банк выдал, — amount и term (месяцев); до 1000 строк. Повторы и поздние отмены не мешают.",
    en:
      "A CSV table with the columns application, bank, decision (sent, approved, refused, funded) and decided_at, and where it is known what the bank gave, amount and term (months); up to 1,000 rows. Repeats and late reversals do no harm.",
  },
  table: { ru: "Файл CSV", en: "CSV file" },
  send: { ru: "Отправить", en: "Send" },
  sentTable: {
    ru: "Строк {received}, новых {recorded}, отвергнуто {rejected}",
    en: "{received} rows, {recorded} of them new, {rejected} rejected",
  },
  rejectedRow: { ru: "строка {row}: {detail}", en: "row {row}: {detail}" },
  advice: {
    ru: "Оценка модели, а не решение банка.",
    en: "A model's estimate, not a bank's decision.",
  },
} as const satisfies Record<string, Localized>;
