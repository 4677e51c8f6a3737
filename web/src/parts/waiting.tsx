import type { ComponentChildren } from "preact";
import type { Answer } from "../server/use_answer.js";
import { errorText } from "../server/error_text.js";
import { text } from "../strings/shared.js";
import { ErrorNotice } from "./error_notice.js";

/** What is made of an answer, once there is one; until then that it is awaited, or why there is none. */
export function Waiting<T>({ answer, children }: { answer: Answer<T>; children: (value: T) => ComponentChildren }) {
  if (answer.value !== undefined) return <>{children(answer.value)}</>;
  if (answer.error !== undefined) {
    return <ErrorNotice message={errorText(answer.error)} action={{ label: text.tryAgain, run: answer.reload }} />;
  }
  return <p role="status">{text.loading}</p>;
}
