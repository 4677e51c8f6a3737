import type { MeetingScores } from "meetra-client";
import { useState } from "preact/hooks";
import { Explained } from "../parts/explained.js";
import { score as scoreText } from "../parts/numbers.js";
import { duration } from "../parts/time.js";
import { goTo, linkTo } from "../route.js";
import { text } from "../strings/overtime.js";
import { heldText } from "./held.js";
import { driverName, driversOf, reasonOf, SCORES, scoreOf } from "./scores.js";
import type { Score } from "./scores.js";

// What drives a meeting's quality most; all drivers are in its report.
const SHOWN_DRIVERS = 3;

/** Meetings side by side, with the choice of two to compare. */
export function MeetingsTable({ meetings }: { meetings: readonly MeetingScores[] }) {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  // The third replaces the first.
  const choose = (hash: string, wanted: boolean): void =>
    setChosen((before) => (wanted ? [...before, hash].slice(-2) : before.filter((other) => other !== hash)));
  const latest = latestVersions(meetings);
  return (
    <>
      <div class="compare-bar screen-only">
        <button
          type="button"
          class="primary"
          disabled={chosen.length !== 2}
          onClick={() => goTo("/overtime", { compare: chosen.join(",") })}
        >
          {text.compare.open}
        </button>
        <span role="status">{chosen.length < 2 && text.compare.hint(chosen.length)}</span>
      </div>
      <div class="wide" role="region" aria-label={text.meetings} tabIndex={0}>
        <table class="side-by-side">
          <thead>
            <tr>
              <th scope="col" class="screen-only">
                {text.compare.choose}
              </th>
              <th scope="col">{text.meeting}</th>
              {SCORES.map(({ name, label }) => (
                <th key={name} scope="col">
                  <Explained metric={name} name={label} />
                </th>
              ))}
              <th scope="col">{text.raises}</th>
              <th scope="col">{text.lowers}</th>
            </tr>
          </thead>
          <tbody>
            {meetings.map((meeting) => (
              <tr key={meeting.file_hash}>
                <td class="screen-only">
                  <input
                    type="checkbox"
                    aria-label={text.compare.chooseOf(meeting.name)}
                    checked={chosen.includes(meeting.file_hash)}
                    onChange={(event) => choose(meeting.file_hash, event.currentTarget.checked)}
                  />
                </td>
                <th scope="row">
                  <a href={linkTo(`/meetings/${meeting.file_hash}`)}>
                    <bdi>{meeting.name}</bdi>
                  </a>
                  <small>
                    {heldText(meeting)} · {duration(meeting.duration_ms)}
                  </small>
                  <small>
                    {meeting.participants.map(({ id, alias }, index) => (
                      <span key={id}>
                        {index > 0 && ", "}
                        <bdi>{alias}</bdi>
                      </span>
                    ))}
                  </small>
                </th>
                {SCORES.map((score) => (
                  <ScoreCell key={score.name} meeting={meeting} score={score} latest={latest} />
                ))}
                {(["raises", "lowers"] as const).map((effect) => (
                  <td key={effect} class="drivers">
                    {driversOf(meeting, effect)
                      .slice(0, SHOWN_DRIVERS)
                      .map(({ name }) => driverName(name))
                      .join(", ")}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function ScoreCell({ meeting, score, latest }: { meeting: MeetingScores; score: Score; latest: Readonly<Record<string, string>> }) {
  const value = scoreOf(meeting, score);
  if (value === undefined) {
    return (
      <td class="number" title={reasonOf(meeting, score)}>
        <span aria-hidden="true">{text.notMeasured}</span>
        <span class="hidden">{`${text.notMeasuredLong}: ${reasonOf(meeting, score)}`}</span>
      </td>
    );
  }
  const version = score.version && meeting.definition_versions[score.version];
  const older = score.version && version && version !== latest[score.version];
  return (
    <td class="number">
      {scoreText(value)}
      {older && <small class="older">{text.older(version)}</small>}
    </td>
  );
}

/** The latest version of each definition among some meetings. */
export function latestVersions(meetings: readonly MeetingScores[]): Readonly<Record<string, string>> {
  const latest: Record<string, string> = {};
  for (const { definition_versions: versions } of meetings) {
    for (const [name, version] of Object.entries(versions)) {
      if (Number(version) > Number(latest[name] ?? 0)) latest[name] = version;
    }
  }
  return latest;
}
