import { useEffect } from "preact/hooks";
import type { Answer } from "./use_answer.js";

/**
 * Ask again and again while the page is looked at; never before the last answer has come.
 *
 * @param everyMs between an answer and the next question, milliseconds.
 * @param wanted whether there is something to wait for.
 */
export function useRepeated({ loading, reload }: Pick<Answer<unknown>, "loading" | "reload">, everyMs: number, wanted = true): void {
  useEffect(() => {
    if (loading || !wanted) return undefined;
    const timer = setInterval(() => document.hidden || reload(), everyMs);
    return () => clearInterval(timer);
  }, [loading, reload, everyMs, wanted]);
}
