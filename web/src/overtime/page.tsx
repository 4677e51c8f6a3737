import type { PageProps } from "../routes.js";
import { text } from "../strings/overtime.js";

/** The page "Over time". */
export function OvertimePage(_: PageProps) {
  return <h1>{text.title}</h1>;
}
