import { text } from "../../strings/transcript.js";
import { colourOf, useMeeting } from "../meeting_context.js";

/** A speaker's name beside their colour; a name of any direction stays by itself. */
export function PersonName({ id }: { id: string }) {
  const person = useMeeting().people.get(id);
  return (
    <span class="person">
      <span class={`swatch ${colourOf(person)}`} />
      <bdi>{person?.alias ?? text.unknownSpeaker}</bdi>
    </span>
  );
}
