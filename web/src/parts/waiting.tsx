import type { ComponentChildren } from "preact";
import type { Answer } from "../server/use_answer.js";
import { errorText } from "../server/error_text.js";
import { text } from "../strings/shared.js";
import { ErrorNotice } from "./error_notice.js";

/**
 * What is made of an answer, once there is one; until then that it is awaited, or why there is none. An answer stays
 * where a newer one was refused, with why.
 */
export function Waiting<T>({ answer, children }: { answer: Answer<T>; children: (value: T) => ComponentChildren }) {
  const { value, error, loading, reload } = answer;
  return (
    <>
      {error !== undefined && !loading && (
        <ErrorNotice message={errorText(error)} action={{ label: text.tryAgain, run: reload }} />
      )}
      {value !== undefined ? children(value) : loading && <p role="status">{text.loading}</p>}
    </>
  );
}
