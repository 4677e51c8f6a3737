/** Texts of correcting a meeting. */
export const text = {
  title: "Corrections",
} as const;
