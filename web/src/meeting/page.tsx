import type { PageProps } from "../routes.js";
import { text } from "../strings/meeting.js";

/** One meeting at a glance. */
export function MeetingPage({ parameters }: PageProps) {
  return <h1>{`${text.title} ${parameters["fileHash"] ?? ""}`}</h1>;
}
