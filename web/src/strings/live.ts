/** Texts of the page "Live". */
export const text = {
  title: "Live",
} as const;
