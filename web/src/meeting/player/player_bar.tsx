import { useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../../parts/time.js";
import { text } from "../../strings/timeline.js";
import { useMeeting } from "../meeting_context.js";
import { usePlayer } from "./player.js";
import type { Player } from "./player.js";

const STEP_MS = 10_000;
const SPEEDS = [0.75, 1, 1.25, 1.5, 2] as const;
const atSecond = ({ timeMs }: Player): number => Math.floor(timeMs / 1000);
const isPlaying = ({ playing }: Player): boolean => playing;

/** Plays the meeting; the page follows. */
export function PlayerBar({ source }: { source: string }) {
  const { player, durationMs } = useMeeting();
  const audio = useRef<HTMLAudioElement>(null);
  const [failed, setFailed] = useState(false);
  const [speed, setSpeed] = useState(1);
  const second = usePlayer(player, atSecond);
  const playing = usePlayer(player, isPlaying);
  useEffect(() => (audio.current ? player.attach(audio.current) : undefined), [player]);
  useEffect(() => {
    if (audio.current) audio.current.playbackRate = speed;
  }, [speed, source]);
  return (
    <div class="player-bar screen-only">
      <audio ref={audio} src={source} preload="metadata" onError={() => setFailed(true)} onLoadedMetadata={() => setFailed(false)} />
      <button type="button" class="primary" disabled={failed} onClick={() => player.toggle()}>
        {playing ? text.pause : text.play}
      </button>
      <button type="button" aria-label={text.back} title={text.back} onClick={() => player.seek(player.timeMs - STEP_MS)}>
        −10 s
      </button>
      <button type="button" aria-label={text.forward} title={text.forward} onClick={() => player.seek(player.timeMs + STEP_MS)}>
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
      <span class="player-time">{text.positionOf(clock(second * 1000), clock(durationMs))}</span>
      {failed && (
        <span role="alert" class="doubt">
          {text.noAudio}
        </span>
      )}
    </div>
  );
}
