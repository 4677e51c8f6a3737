import type { ListVoicesResponse, MeetingParticipant, MeetingScores } from "meetra-client";
import { Explained } from "../parts/explained.js";
import { score as scoreText } from "../parts/numbers.js";
import { linkTo } from "../route.js";
import { text } from "../strings/overtime.js";
import { voiceName } from "./chosen_meetings.js";
import { mean } from "./scores.js";

/** The people of some meetings who are known by their voices, those in most meetings first. */
export function PeopleTable({ meetings, voices }: { meetings: readonly MeetingScores[]; voices: ListVoicesResponse }) {
  const parts = new Map<string, MeetingParticipant[]>();
  for (const participant of meetings.flatMap(({ participants }) => participants)) {
    if (participant.voice) parts.set(participant.voice, [...(parts.get(participant.voice) ?? []), participant]);
  }
  if (parts.size === 0) return <p>{text.knownPeople.none}</p>;
  return (
    <div class="wide" role="region" aria-label={text.knownPeople.title} tabIndex={0}>
      <table class="side-by-side">
        <thead>
          <tr>
            <th scope="col">{text.knownPeople.person}</th>
            <th scope="col">{text.meetings}</th>
            <th scope="col">
              <Explained metric="meeting_speaking_percentage" name={text.knownPeople.share} />
            </th>
            <th scope="col">
              <Explained metric="words_per_minute" name={text.knownPeople.pace} />
            </th>
          </tr>
        </thead>
        <tbody>
          {[...parts]
            .sort(([, one], [, other]) => other.length - one.length)
            .map(([voice, taken]) => (
              <tr key={voice}>
                <th scope="row">
                  <a href={linkTo("/overtime", { voice })}>
                    <bdi>{voiceName(voices, voice)}</bdi>
                  </a>
                </th>
                <td class="number">{taken.length}</td>
                <td class="number">{meanText(taken, "meeting_speaking_percentage", " %")}</td>
                <td class="number">{meanText(taken, "words_per_minute")}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function meanText(
  parts: readonly MeetingParticipant[],
  name: "meeting_speaking_percentage" | "words_per_minute",
  unit = "",
): string {
  const found = mean(parts.map((part) => part[name]).filter((value) => value !== undefined));
  return found === undefined ? text.notMeasuredLong : `${scoreText(found)}${unit}`;
}
