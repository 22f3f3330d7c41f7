/** What is said of a bank that began to decide otherwise. */
export const CHANGE_TEXTS = {
  cohort: { ru: "{split}: {bin}", en: "{split}: {bin}" },
  onAll: {
    tightened: {
      ru: "{bank}: с {date} одобряет реже",
      en: "{bank} has tightened since {date}",
    },
    loosened: {
      ru: "{bank}: с {date} одобряет чаще",
      en: "{bank} has loosened since {date}",
    },
  },
  onCohort: {
    tightened: {
      ru: "{bank}: с {date} реже одобряет клиентов «{split}: {bin}»",
      en: "{bank} has tightened on clients with “{split}: {bin}” since {date}",
    },
    loosened: {
      ru: "{bank}: с {date} чаще одобряет клиентов «{split}: {bin}»",
      en: "{bank} has loosened on clients with “{split}: {bin}” since {date}",
    },
  },
} as const;

/** How a condition on clients is read. */
export const COHORT_TEXTS = {
  answer: { ru: "{field}: {answer}", en: "{field}: {answer}" },
  answered: { ru: "есть ответ", en: "answered" },
  amount: {
    atLeast: { ru: "{field}: от {from}", en: "{field}: {from} or more" },
    below: { ru: "{field}: меньше {below}", en: "{field}: less than {below}" },
    between: {
      ru: "{field}: от {from}, меньше {below}",
      en: "{field}: {from} or more, less than {below}",
    },
  },
  ago: {
    atLeast: { ru: "{field}: {from} назад или раньше", en: "{field}: {from} ago or earlier" },
    below: { ru: "{field}: менее чем {below} назад", en: "{field}: less than {below} ago" },
    between: {
      ru: "{field}: {from} назад или раньше, но менее чем {below}",
      en: "{field}: {from} ago or earlier, but less than {below}",
    },
  },
} as const;
