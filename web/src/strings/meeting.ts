/** Texts of a meeting's page. */
export const text = {
  title: "Meeting",
} as const;
