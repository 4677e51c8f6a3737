import { useCallback, useState } from "preact/hooks";
import { useAnswer } from "../server/use_answer.js";
import type { Answer } from "../server/use_answer.js";

/** A list of which a part is shown. */
export interface Pages<T> extends Answer<{ items: readonly T[]; more: boolean }> {
  readonly showMore: () => void;
}

/** How many more each time. */
const PAGE = 100;
/** The server's limit of a page. */
const MOST = 1000;

/**
 * Ask for a list page by page, as far as it is shown.
 *
 * @param load gives the page of a token (empty: the first), with the token of the next.
 */
export function usePages<T>(
  load: (page: { page_size: number; page_token: string }, signal: AbortSignal) => Promise<{ items: readonly T[]; next: string }>,
): Pages<T> {
  const [wanted, setWanted] = useState(PAGE);
  const answer = useAnswer(
    async (signal) => {
      const items: T[] = [];
      let token = "";
      do {
        const page = await load({ page_size: Math.min(MOST, wanted - items.length), page_token: token }, signal);
        items.push(...page.items);
        token = page.next;
      } while (token && items.length < wanted);
      return { items, more: token !== "" };
    },
    [wanted],
  );
  const showMore = useCallback(() => setWanted((count) => count + PAGE), []);
  return { ...answer, showMore };
}
