import type { MetricError } from "meetra-client";
import type { Metrics } from "../server/metrics.js";

/**
 * The mean absolute error of a metric on real meetings, in its own unit; undefined where none was measured. A difference
 * that is smaller says nothing.
 */
export function knownError(metrics: Metrics | undefined, name: string): number | undefined {
  const metric = metrics?.get(name);
  const found = metric?.errors.find(isMean);
  if (!metric || !found) return undefined;
  if (found.unit === metric.unit) return found.value;
  // Ratios are told of in percent.
  return found.unit === "%" && metric.unit === "ratio" ? found.value / 100 : undefined;
}

/** The same of a part of a metric, in percent of its range; undefined where none was measured. */
export function knownPartError(metrics: Metrics | undefined, name: string, part: string): number | undefined {
  const errors = metrics?.get(name)?.parts.find((other) => other.name === part)?.errors;
  return errors?.find((error) => isMean(error) && error.unit === "%")?.value;
}

function isMean({ measure }: MetricError): boolean {
  return measure === "mean absolute error";
}
