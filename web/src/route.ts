import { useEffect, useState } from "preact/hooks";

/**
 * Where the page is: the part of the address behind `#`, as `/meetings/3f0c...?at=12000`. It stays in the browser:
 * which meeting somebody reads is in no log of a server or proxy.
 */
export interface Place {
  /** The path, with its slash; `/` for none. */
  readonly path: string;
  /** What follows `?`. */
  readonly query: URLSearchParams;
}

/** The place of an address. */
export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  return { path: path.startsWith("/") ? path : `/${path}`, query: new URLSearchParams(query) };
}

/** The link to a place. */
export function linkTo(path: string, query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#${path}${search && `?${search}`}`;
}

/** Go to a place; `replace` leaves no step in the history. */
export function goTo(path: string, query: Readonly<Record<string, string>> = {}, replace = false): void {
  const link = linkTo(path, query);
  if (replace) location.replace(link);
  else location.hash = link;
}

/** The place that the page is at, whenever it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const changed = (): void => setPlace(placeOf(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return place;
}

/**
 * The parameters of a path under a pattern such as `/meetings/:fileHash`; undefined where it does not match. A pattern
 * that ends in `/*` matches whatever is below it.
 */
export function matched(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/").filter(Boolean);
  const given = path.split("/").filter(Boolean);
  const open = wanted.at(-1) === "*";
  if (open) wanted.pop();
  if (open ? given.length < wanted.length : given.length !== wanted.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) found[part.slice(1)] = decoded(value);
    else if (part !== value) return undefined;
  }
  return found;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A damaged link names nothing.
    return part;
  }
}
