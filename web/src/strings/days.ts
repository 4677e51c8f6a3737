/** Texts of the choice of days. */
export const text = {
  from: "From",
  to: "To",
  hint: "A day in your time zone; the first and the last are included.",
} as const;
