import { useEffect, useState } from "preact/hooks";
import { Watchers } from "../../parts/watchers.js";

/** Where a meeting is being read or heard: one moment for the audio, the timeline and the transcript. */
export class Player {
  #audio: HTMLAudioElement | undefined;
  #timeMs = 0;
  // Whether somebody wants it to play: where the element is replaced it goes on by itself.
  #wanted = false;
  readonly #watchers = new Watchers();
  /** Call a function whenever the moment or the state changes; returns what ends that. */
  readonly watch = this.#watchers.watch;

  /** The moment, milliseconds. */
  get timeMs(): number {
    return this.#timeMs;
  }

  get playing(): boolean {
    return this.#audio !== undefined && !this.#audio.paused;
  }

  get audible(): boolean {
    return this.#audio !== undefined;
  }

  /** Take the element that plays the audio; return what gives it up. */
  attach(audio: HTMLAudioElement): () => void {
    this.#audio = audio;
    let frame = 0;
    const told = (): void => {
      this.#timeMs = Math.round(audio.currentTime * 1000);
      this.#watchers.tell();
    };
    // `timeupdate` comes four times a second: too seldom for a line that moves.
    const run = (): void => {
      told();
      frame = audio.paused ? 0 : requestAnimationFrame(run);
    };
    const started = (): void => {
      if (!frame) run();
    };
    const ended = (): void => {
      this.#wanted = false;
    };
    if (this.#timeMs) audio.currentTime = this.#timeMs / 1000;
    if (this.#wanted) this.play();
    audio.addEventListener("play", started);
    audio.addEventListener("ended", ended);
    for (const kind of ["pause", "seeked", "timeupdate"]) audio.addEventListener(kind, told);
    this.#watchers.tell();
    return () => {
      cancelAnimationFrame(frame);
      audio.pause();
      audio.removeEventListener("play", started);
      audio.removeEventListener("ended", ended);
      for (const kind of ["pause", "seeked", "timeupdate"]) audio.removeEventListener(kind, told);
      this.#audio = undefined;
      this.#watchers.tell();
    };
  }

  /** Go to a moment; also where there is no audio: the transcript follows. */
  seek(ms: number): void {
    this.#timeMs = Math.max(0, Math.round(ms));
    if (this.#audio) this.#audio.currentTime = this.#timeMs / 1000;
    this.#watchers.tell();
  }

  /** Go to a moment and play from there. */
  playFrom(ms: number): void {
    this.seek(ms);
    this.play();
  }

  play(): void {
    this.#wanted = true;
    // Refused where somebody has not touched the page yet: then it stays paused.
    this.#audio?.play().catch(() => undefined);
  }

  toggle(): void {
    if (this.playing) {
      this.#wanted = false;
      this.#audio?.pause();
    } else {
      this.play();
    }
  }
}

/** What `select` makes of the player; the component is drawn again only when that changes. */
export function usePlayer<T extends string | number | boolean | undefined>(
  player: Player,
  select: (player: Player) => T,
): T {
  const [value, setValue] = useState(() => select(player));
  useEffect(() => {
    const look = (): void => setValue(select(player));
    look();
    return player.watch(look);
  }, [player, select]);
  return value;
}
