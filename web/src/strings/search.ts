/** Texts of the page "Search". */
export const text = {
  title: "Search",
  form: {
    label: "What to search for",
    query: "Words or a question",
    hint: 'In quotes: as it stands. -word: must not be there.',
    speaker: "Person",
    topic: "Topic",
    language: "Language",
    languageHint: "such as de",
    by: "Found by",
    both: "Words and meaning",
    words: "Words only",
    meaning: "Meaning only",
    search: "Search",
  },
  nothingAsked: "Find what was said in any finished meeting.",
  searching: "Searching …",
  found: (count: number, all: boolean) =>
    count === 0
      ? "Nothing was found. Try other words, or fewer conditions."
      : `${count} ${count === 1 ? "sentence" : "sentences"} found${all ? "" : "; there may be more"}`,
  more: "Show more",
  results: "Sentences that were found",
  unnamed: "Without a name",
  unknownSpeaker: "Unknown speaker",
  byWords: (words: string) => `Words: ${words}`,
  byMeaning: (similarity: string) => `Meaning: ${similarity}`,
  topic: (topic: string) => `Topic: ${topic}`,
  at: (time: string) => `, at ${time}`,
} as const;
