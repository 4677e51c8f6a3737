/** Texts of charts. */
export const text = {
  asTable: "As a table",
  from: "From",
  none: "not measured",
} as const;
