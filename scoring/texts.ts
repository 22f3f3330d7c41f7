/** What the decision layer says in its own words. What a rule, a band or an answer is called stands in the configuration. */
import type { Insufficient, NoOffer } from "./decision.ts";
import type { Localized } from "./words.ts";

export const INSUFFICIENT_TEXTS: Readonly<Record<Insufficient, Localized>> = {
  wide_interval: {
    ru: "Данных мало: оценка слишком неточна",
    en: "Insufficient data: the estimate is too uncertain",
  },
  no_interval: {
    ru: "Данных мало: точность оценки для этого банка не измерена",
    en: "Insufficient data: how far the estimate may be off was not measured for this bank",
  },
  no_evidence: {
    ru: "Данных мало: решения этого банка модель не предсказывает",
    en: "Insufficient data: the model was not shown to predict this bank's decisions",
  },
  too_few_answers: {
    ru: "Данных мало: в анкете слишком мало пригодных ответов",
    en: "Insufficient data: too few questions have a usable answer",
  },
};

export const NO_OFFER_TEXTS: Readonly<Record<NoOffer, Localized>> = {
  no_products: {
    ru: "Продукты этого банка не заданы",
    en: "No products are configured for this bank",
  },
  loan_not_stated: {
    ru: "Сумма или срок кредита не указаны или указаны неверно: менять нечего",
    en: "The loan amount or its term is missing or not usable: there is nothing to change",
  },
  insufficient_data: {
    ru: "Данных мало: обещать, что изменение поможет, нельзя",
    en: "Insufficient data: that a change would help cannot be promised",
  },
  forbidden_by_policy: {
    ru: "Подходящие кредиты исключены правилами",
    en: "Policy rules exclude the loans that would do",
  },
  outside_products: {
    ru: "Банк не выдаёт кредитов, близких к запрошенному",
    en: "The bank gives no loan near the one asked for",
  },
  gain_too_small: {
    ru: "Шансы почти такие, как нужно; другой кредит почти ничего не добавит",
    en: "The chance is nearly what it should be; another loan would add next to nothing",
  },
  target_out_of_reach: {
    ru: "Меньшая сумма и другой срок не поднимают шансы в этом банке до нужного уровня",
    en: "No smaller amount and no other term raises the chance at this bank far enough",
  },
};

export const OFFER_TEXTS = {
  asked: {
    ru: "Кредит как просили: {amount} на {term}, платёж {payment} в месяц, переплата {overpayment}",
    en: "The loan as asked for: {amount} for {term}, {payment} a month, {overpayment} of interest",
  },
  amount: {
    ru: "{amount} на {term}, платёж {payment} в месяц, переплата {overpayment}",
    en: "{amount} for {term}, {payment} a month, {overpayment} of interest",
  },
  downPayment: {
    ru:
      "Первый взнос {down}, кредит {amount} на {term}, платёж {payment} в месяц, переплата {overpayment}",
    en:
      "{down} at once, a loan of {amount} for {term}, {payment} a month, {overpayment} of interest",
  },
} as const;

export const RECOURSE_TEXTS = {
  change: {
    ru: "{label}: {value} вместо {now} — оценка шансов {after} вместо {before}",
    en: "{label}: {value} in place of {now} — an estimated chance of {after}, not {before}",
  },
  wait: {
    ru: "{label}: к {date} пройдёт {value} — оценка шансов {after} вместо {before}",
    en:
      "{label}: {value} will have passed by {date} — an estimated chance of {after}, not {before}",
  },
} as const;

export const RECOMMENDATION_TEXTS = {
  recommended: {
    ru: "Заявку стоит подавать",
    en: "Applying is worth trying",
  },
  uncertain: {
    ru: "Данных мало, чтобы советовать; подать заявку можно",
    en: "There is too little data for advice; the client may apply",
  },
  notRecommended: {
    ru: "Сейчас подавать заявку не советуем; решает клиент",
    en: "We advise against applying now; the decision is the client's",
  },
  lowChances: {
    ru: "Ни в одном банке оценка шансов не достигает {least}",
    en: "At no bank does the estimated chance reach {least}",
  },
  outsideProducts: {
    ru: "Такого кредита не выдаёт ни один банк: сумма или срок вне их условий",
    en: "No bank gives such a loan: its amount or its term is outside their products",
  },
  noAnswer: {
    ru: "Оценки нет ни по одному банку",
    en: "There is no estimate for any bank",
  },
  loan: {
    ru: "{bank}: {offer}",
    en: "{bank}: {offer}",
  },
  answer: {
    ru: "{label}: {value} вместо {now}",
    en: "{label}: {value} in place of {now}",
  },
  wait: {
    ru: "Вернуться к заявке {date}",
    en: "Come back on {date}",
  },
} as const;
