import type { PageProps } from "../routes.js";
import { text } from "../strings/search.js";

/** The page "Search". */
export function SearchPage(_: PageProps) {
  return <h1>{text.title}</h1>;
}
