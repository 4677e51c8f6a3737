import type { PageProps } from "../routes.js";
import { text } from "../strings/live.js";

/** The page "Live". */
export function LivePage(_: PageProps) {
  return <h1>{text.title}</h1>;
}
