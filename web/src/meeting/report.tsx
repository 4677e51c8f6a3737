import type { GetMeetingStatusResponse } from "meetra-client";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Corrections } from "../corrections/corrections.js";
import { Waiting } from "../parts/waiting.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/meeting.js";
import { AudioQuality } from "./glance/audio_quality.js";
import { Emotions } from "./glance/emotions.js";
import { Flow } from "./glance/flow.js";
import { Notes } from "./glance/notes.js";
import { OverTime } from "./glance/over_time.js";
import { People } from "./glance/people.js";
import { Scores } from "./glance/scores.js";
import { Texts } from "./glance/texts.js";
import { Topics } from "./glance/topics.js";
import { MeetingContext, useMeeting } from "./meeting_context.js";
import type { MeetingFacts, Person } from "./meeting_context.js";
import { Player } from "./player/player.js";
import { PlayerDock } from "./player/player_dock.js";
import { sentencesOf } from "./transcript_model.js";
import { Transcript } from "./transcript/transcript.js";

interface ReportProps {
  readonly status: GetMeetingStatusResponse;
  readonly query: URLSearchParams;
  /** The status is to be asked for anew. */
  readonly reload: () => void;
}

const PARTS = ["report", "transcript"] as const;
type Part = (typeof PARTS)[number];

/** A finished meeting: its report, and its transcript beside it. */
export function Report({ status, query, reload }: ReportProps) {
  const fileHash = status.file_hash;
  const [player] = useState(() => new Player());
  const [round, setRound] = useState(0);
  const speakers = useAnswer(
    async (signal) => (await server.listSpeakers({ file_hash: fileHash, include_details: true }, { signal })).speakers,
    [fileHash, round],
  );
  const people = useMemo(
    () => new Map<string, Person>((speakers.value ?? []).map((speaker, index) => [speaker.id, { ...speaker, index }])),
    [speakers.value],
  );
  const at = Number(query.get("at") ?? 0);
  useEffect(() => {
    if (at > 0) player.seek(at);
  }, [at, player]);
  const facts: MeetingFacts = {
    fileHash,
    durationMs: status.duration_ms,
    people,
    player,
    round,
    changed: () => {
      setRound((number) => number + 1);
      reload();
    },
  };
  return (
    <Waiting answer={speakers}>
      {() => (
        <MeetingContext.Provider value={facts}>
          <Loaded search={query.get("q") ?? ""} />
        </MeetingContext.Provider>
      )}
    </Waiting>
  );
}

function Loaded({ search }: { search: string }) {
  const [part, setPart] = useState<Part>("report");
  const { fileHash, round } = useMeeting();
  const quality = useAnswer((signal) => server.getMeetingQuality({ file_hash: fileHash }, { signal }), [fileHash, round]);
  const transcript = useAnswer(
    (signal) => server.getTranscription({ file_hash: fileHash, include_details: true }, { signal }),
    [fileHash, round],
  );
  const audio = useAnswer(
    (signal) => server.getSpeakersAudioQuality({ file_hash: fileHash, include_details: true }, { signal }),
    [fileHash, round],
  );
  const sentences = useMemo(() => (transcript.value ? sentencesOf(transcript.value) : []), [transcript.value]);
  return (
    <>
      <PlayerDock
        fragments={audio.value?.details?.fragments ?? []}
        sentences={sentences}
        topics={quality.value?.context.topics ?? []}
        ready={!audio.loading && !transcript.loading}
      />
      <div class="part-choice screen-only" role="group" aria-label={text.parts}>
        {PARTS.map((name) => (
          <button key={name} type="button" aria-pressed={part === name} onClick={() => setPart(name)}>
            {text.partNames[name]}
          </button>
        ))}
      </div>
      <div class={`report show-${part}`}>
        <div class="report-main">
          <Waiting answer={quality}>
            {(found) => (
              <>
                <Scores quality={found} />
                <Texts context={found.context} />
                {found.context.notes && <Notes notes={found.context.notes} />}
                <People quality={found} />
                <Topics details={found.topic_deep_dive} topics={found.context.topics} />
                <OverTime flow={found.flow} />
                <Emotions group={found.group_dynamics} />
                <Flow flow={found.flow} />
              </>
            )}
          </Waiting>
          <AudioQuality answer={audio} />
          <Corrections />
        </div>
        <div class="report-side">
          <Waiting answer={transcript}>
            {(found) => <Transcript answer={found} sentences={sentences} search={search} />}
          </Waiting>
        </div>
      </div>
    </>
  );
}
