import type { ComponentChildren, ComponentType } from "preact";
import type { Answer } from "../server/use_answer.js";
import { errorText } from "../server/error_text.js";
import { text } from "../strings/shared.js";
import { ErrorNotice } from "./error_notice.js";

/** Why there is no answer, or no newer one. */
export type ProblemProps = Pick<Answer<unknown>, "error" | "reload">;

interface WaitingProps<T> {
  readonly answer: Answer<T>;
  /** What says why there is none, in place of the server's own words. */
  readonly Problem?: ComponentType<ProblemProps>;
  readonly children: (value: T) => ComponentChildren;
}

/**
 * What is made of an answer, once there is one; until then that it is awaited, or why there is none. An answer stays
 * where a newer one was refused, with why.
 */
export function Waiting<T>({ answer, Problem = NoAnswer, children }: WaitingProps<T>) {
  const { value, error, loading, reload } = answer;
  return (
    <>
      {error !== undefined && <Problem error={error} reload={reload} />}
      {value !== undefined ? children(value) : loading && <p role="status">{text.loading}</p>}
    </>
  );
}

function NoAnswer({ error, reload }: ProblemProps) {
  return <ErrorNotice message={errorText(error)} action={{ label: text.tryAgain, run: reload }} />;
}
