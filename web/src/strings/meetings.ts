/** Texts of the page "Meetings". */
export const text = {
  title: "Meetings",
} as const;
