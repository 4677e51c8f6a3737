/** Texts of what changes during a meeting. */
export const text = {
  title: "During the meeting",
  period: "Periods of",
  seconds: (seconds: number) => (seconds < 60 ? `${seconds} s` : `${seconds / 60} min`),
  dynamics: "Energy, interaction and sentiment",
  energy: "Energy",
  interaction: "Interaction",
  sentiment: "Sentiment",
  perPeriod: "The meeting's formula over each period. Shares and rates over a few seconds are mostly chance.",
  sentimentScale: "Five labels from Negative (0) to Positive (100), from the sentences of each period.",
  balance: "Balance",
  balanceScore: "Balance",
  balanceWindows: "Windows of 150 s, every 30 s.",
} as const;
