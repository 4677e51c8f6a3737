import { useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../../parts/time.js";
import { text } from "../../strings/timeline.js";
import { useMeeting } from "../meeting_context.js";
import { usePlayer } from "./player.js";
import type { Player } from "./player.js";

const STEP_MS = 10_000;
const SPEEDS = [0.75, 1, 1.25, 1.5, 2] as const;
// What moves by less is not drawn again.
const atTenth = ({ timeMs }: Player): number => Math.floor(timeMs / 100);
const isPlaying = ({ playing }: Player): boolean => playing;

/** Where the meeting is, and what plays it: the page follows. Without a `source` it is read from there, not heard. */
export function PlayerBar({ source }: { source: string | undefined }) {
  const { player, durationMs } = useMeeting();
  const tenth = usePlayer(player, atTenth);
  const at = clock(tenth * 100);
  return (
    <div class="player-bar screen-only" role="group" aria-label={text.player}>
      {source !== undefined && <Sound source={source} />}
      <input
        class="player-slider"
        type="range"
        min={0}
        max={Math.ceil(durationMs / 100)}
        step={10}
        value={tenth}
        aria-label={text.position}
        aria-valuetext={text.positionOf(at, clock(durationMs))}
        onInput={(event) => player.seek(Number(event.currentTarget.value) * 100)}
      />
      <span class="player-time">{text.positionOf(at, clock(durationMs))}</span>
    </div>
  );
}

function Sound({ source }: { source: string }) {
  const { player } = useMeeting();
  const audio = useRef<HTMLAudioElement>(null);
  const [failed, setFailed] = useState(false);
  const [speed, setSpeed] = useState(1);
  const playing = usePlayer(player, isPlaying);
  useEffect(() => (audio.current ? player.attach(audio.current) : undefined), [player]);
  useEffect(() => {
    if (audio.current) audio.current.playbackRate = speed;
  }, [speed, source]);
  return (
    <>
      <audio
        ref={audio}
        src={source}
        preload="metadata"
        onError={() => setFailed(true)}
        onLoadedMetadata={() => setFailed(false)}
      />
      <button type="button" class="primary" disabled={failed} onClick={() => player.toggle()}>
        {playing ? text.pause : text.play}
      </button>
      <button type="button" aria-label={text.back} title={text.back} onClick={() => player.seek(player.timeMs - STEP_MS)}>
        −10 s
      </button>
      <button
        type="button"
        aria-label={text.forward}
        title={text.forward}
        onClick={() => player.seek(player.timeMs + STEP_MS)}
      >
        +10 s
      </button>
      <label>
        <span class="hidden">{text.speed}</span>
        <select value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
          {SPEEDS.map((one) => (
            <option key={one} value={one}>{`${one}×`}</option>
          ))}
        </select>
      </label>
      {failed && (
        <span role="alert" class="doubt">
          {text.noAudio}
        </span>
      )}
    </>
  );
}
