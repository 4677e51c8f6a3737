/** Texts of the page "Settings". */
export const text = {
  title: "Settings",
} as const;
