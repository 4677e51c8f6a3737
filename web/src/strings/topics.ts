/** Texts of topics. */
export const text = {
  title: "Topics",
  none: "The meeting has no words to find topics in.",
  how: "Boundaries are where the words of the minutes before and after are least alike; a topic is named by its most particular phrase.",
  keywords: "Keywords",
  deep: "How it went",
  people: "Speaking",
  sentiment: "Sentiment",
  energy: "Energy",
  interaction: "Interaction",
  involvement: "Involvement",
  talking: "Talking time",
  emotions: "Emotions",
  notMeasured: "not measured",
} as const;
