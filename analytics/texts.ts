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
