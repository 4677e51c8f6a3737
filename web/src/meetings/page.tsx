import type { PageProps } from "../routes.js";
import { text } from "../strings/meetings.js";

/** The page "Meetings". */
export function MeetingsPage(_: PageProps) {
  return <h1>{text.title}</h1>;
}
