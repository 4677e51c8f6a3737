const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** A score: a whole number, as finer ones mean nothing. */
export function score(value: number): string {
  return whole.format(value);
}

/** A number with at most one decimal. */
export function decimal(value: number): string {
  return fine.format(value);
}

/** A share of 0..1 in percent. */
export function percent(share: number): string {
  return `${whole.format(share * 100)}\u00a0%`;
}
