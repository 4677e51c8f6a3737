/** Texts of the page "Search". */
export const text = {
  title: "Search",
} as const;
