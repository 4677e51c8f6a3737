import { MeetraError } from "meetra-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../../parts/time.js";
import { errorText } from "../../server/error_text.js";
import { text as shared } from "../../strings/shared.js";
import { text } from "../../strings/timeline.js";
import { useMeeting } from "../meeting_context.js";
import { usePlayer } from "./player.js";
import type { Player } from "./player.js";
import type { Sound } from "./use_sound.js";

const STEP_MS = 10_000;
const SPEEDS = [0.75, 1, 1.25, 1.5, 2] as const;
// What moves by less is not drawn again.
const atTenth = ({ timeMs }: Player): number => Math.floor(timeMs / 100);
const isPlaying = ({ playing }: Player): boolean => playing;

/** Where the meeting is, and what plays it: the page follows. Without sound it is read from there, not heard. */
export function PlayerBar({ sound }: { sound: Sound }) {
  const { player, durationMs } = useMeeting();
  const tenth = usePlayer(player, atTenth);
  const [speed, setSpeed] = useState(1);
  const at = clock(tenth * 100);
  return (
    <div class="player-bar screen-only" role="group" aria-label={text.player}>
      {sound.url !== undefined && (
        <Controls key={sound.link} source={sound.url} renew={sound.renew} speed={speed} setSpeed={setSpeed} />
      )}
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
      {(sound.url === undefined || sound.error !== undefined) && (
        <span class="hint" role="status">
          {sound.error === undefined ? text.making : errorText(sound.error)}
        </span>
      )}
      {sound.error instanceof MeetraError && (sound.url !== undefined || sound.error.passes) && (
        <button type="button" onClick={sound.renew}>
          {shared.tryAgain}
        </button>
      )}
    </div>
  );
}

interface ControlsProps {
  readonly source: string;
  readonly renew: () => void;
  readonly speed: number;
  readonly setSpeed: (speed: number) => void;
}

function Controls({ source, renew, speed, setSpeed }: ControlsProps) {
  const { player } = useMeeting();
  const audio = useRef<HTMLAudioElement>(null);
  const [failed, setFailed] = useState(false);
  const loaded = useRef(false);
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
        // What played before and no longer does has a link that expired: another one goes on where it was.
        onError={() => (loaded.current ? renew() : setFailed(true))}
        onLoadedMetadata={() => {
          loaded.current = true;
        }}
      />
      <button type="button" class="primary" disabled={failed} onClick={() => player.toggle()}>
        {playing ? text.pause : text.play}
      </button>
      <button type="button" onClick={() => player.seek(player.timeMs - STEP_MS)}>
        {text.back}
      </button>
      <button type="button" onClick={() => player.seek(player.timeMs + STEP_MS)}>
        {text.forward}
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
