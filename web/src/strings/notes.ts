/** Texts of action items, decisions and chapters. */
export const text = {
  actionItems: "Action items",
  decisions: "Decisions",
  chapters: "Chapters",
  noActionItems: "Nothing was found that somebody is to do.",
  noDecisions: "No decision was found.",
  due: (date: string) => `By when: ${date}`,
  outdated: "A sentence of this line was corrected after it was written.",
  methods: {
    extractive: "Sentences of the meeting itself, chosen, not rewritten.",
    abstractive: "Written by a language model from the transcript; the times lead to the sentences that it names.",
    rules: "Found by rules of English; some are missed, and some are none.",
    none: "Found in English only.",
  } as Readonly<Record<string, string | undefined>>,
} as const;
