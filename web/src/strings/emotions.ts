/** Texts of emotions. */
export const text = {
  title: "Emotions",
  share: "Share",
  emotion: "Emotion",
  grid: "By speaker and minute",
  person: "Person",
  minute: (at: string) => `from ${at}`,
  silent: "silent, or nothing to read",
  none: "Emotions were not read in this meeting.",
  basis: "Read from the words, not from the voice.",
  names: {
    happiness: "Happiness",
    neutral: "Neutral",
    anger: "Anger",
    disgust: "Disgust",
    fear: "Fear",
    not_sure: "Not sure",
  } as Readonly<Record<string, string | undefined>>,
  letters: {
    happiness: "H",
    neutral: "·",
    anger: "A",
    disgust: "D",
    fear: "F",
    not_sure: "?",
  } as Readonly<Record<string, string | undefined>>,
} as const;
