/** What a call that lists something is asked for; an empty token: the first page. */
export interface PageRequest {
  readonly page_size: number;
  readonly page_token: string;
}

/** The beginning of a list. */
export interface Beginning<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/** The server's limit of a page. */
const MOST = 1000;

/**
 * The first items of a list, over as many pages as it takes.
 *
 * @param load gives a page, with the token of the next.
 */
export async function firstOf<T>(
  wanted: number,
  load: (page: PageRequest) => Promise<{ items: readonly T[]; next: string }>,
): Promise<Beginning<T>> {
  const items: T[] = [];
  let token = "";
  do {
    const page = await load({ page_size: Math.min(MOST, wanted - items.length), page_token: token });
    items.push(...page.items);
    token = page.next;
  } while (token && items.length < wanted);
  return { items, more: token !== "" };
}
