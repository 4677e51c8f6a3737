/** Texts of the page "Over time". */
export const text = {
  title: "Over time",
} as const;
