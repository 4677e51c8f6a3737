/** Texts of summaries, key points and questions. */
export const text = {
  summary: "Summary",
  summariesOfSpeakers: "By speaker",
  keyPoints: "Key points",
  questions: "Questions",
  noQuestions: "Nobody asked a question that was recognised.",
  nothing: "There is too little to say.",
  reliable: "reliable",
  unreliable: "take it as a hint",
  trust: "Trust",
  confidence: "Mean confidence of words",
  version: "Version of the definition",
  methods: {
    extractive: "Sentences of the meeting itself, chosen, not rewritten.",
    abstractive: "Written by a language model from the transcript.",
    marks: "Found by question marks.",
    rules: "Found by the rules of English, as the recogniser writes no punctuation.",
    none: "Questions cannot be found in this language without punctuation.",
  } as Readonly<Record<string, string | undefined>>,
} as const;
