import { useCallback, useState } from "preact/hooks";
import { firstOf } from "../server/pages.js";
import type { Beginning, PageRequest } from "../server/pages.js";
import { useAnswer } from "../server/use_answer.js";
import type { Answer } from "../server/use_answer.js";

/** A list of which a part is shown. */
export interface Pages<T> extends Answer<Beginning<T>> {
  readonly showMore: () => void;
}

/** How many more each time. */
const PAGE = 100;

/**
 * Ask for a list page by page, as far as it is shown.
 *
 * @param load gives the page of a token (empty: the first), with the token of the next.
 */
export function usePages<T>(
  load: (page: PageRequest, signal: AbortSignal) => Promise<{ items: readonly T[]; next: string }>,
): Pages<T> {
  const [wanted, setWanted] = useState(PAGE);
  const answer = useAnswer((signal) => firstOf(wanted, (page) => load(page, signal)), [wanted]);
  const showMore = useCallback(() => setWanted((count) => count + PAGE), []);
  return { ...answer, showMore };
}
