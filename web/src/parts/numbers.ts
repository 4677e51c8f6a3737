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

/** A percentage of 0..100, with at most one decimal. */
export function percentage(value: number): string {
  return `${decimal(value)}\u00a0%`;
}

/** A value as `write` has it; undefined where there is none. */
export function optional(value: number | undefined, write: (value: number) => string): string | undefined {
  return value === undefined ? undefined : write(value);
}
