import type { Metric } from "meetra-client";
import { server } from "./server.js";
import { useAnswer } from "./use_answer.js";
import type { Answer } from "./use_answer.js";

/** Metrics by their names in the REST API. */
export type Metrics = ReadonlyMap<string, Metric>;

let asked: Promise<Metrics> | undefined;

/** The catalogue of metrics, asked for once: it changes only with the server. */
function metrics(): Promise<Metrics> {
  asked ??= server.listMetrics().then(
    ({ metrics: found }) => new Map(found.map((metric) => [metric.name, metric])),
    (error: unknown) => {
      asked = undefined;
      throw error;
    },
  );
  return asked;
}

/** The catalogue of metrics. */
export function useMetrics(): Answer<Metrics> {
  return useAnswer(metrics, []);
}
