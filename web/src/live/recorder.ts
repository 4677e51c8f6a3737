import { recordMicrophone } from "meetra-client";
import type { LiveMeeting, Recording, TrackConfig } from "meetra-client";
import { useEffect, useState } from "preact/hooks";
import { Watchers } from "../parts/watchers.js";
import { server } from "../server/server.js";
import { session } from "../server/session.js";
import { closeSources, openSources } from "./sources.js";
import type { Source, SourceKind } from "./sources.js";

// For so long what is recorded waits for a server that cannot be reached, or for somebody to sign in again.
const PATIENCE_S = 3600;

/** What a meeting is, that this browser records. */
export interface MeetingPlan {
  readonly name: string;
  /** The name of who alone speaks into the microphone; undefined where several do. */
  readonly me: string | undefined;
  readonly language: string;
  readonly terms: readonly string[];
  readonly consent: readonly string[];
}

/** A sound that is recorded into a track of its own. */
interface Part {
  readonly trackId: string;
  readonly source: Source;
  readonly recording: Recording;
}

/** A meeting that this browser records. It goes on whatever the page shows. */
export class Recorder {
  /** Sounds that have ended in the browser, before the meeting. */
  readonly ended: SourceKind[] = [];
  finishing = false;
  /** Why nothing more can be sent. */
  problem: unknown;
  readonly #plan: MeetingPlan;
  #parts: Part[] = [];
  #tracks = 0;

  private constructor(
    readonly meeting: LiveMeeting,
    plan: MeetingPlan,
  ) {
    this.#plan = plan;
  }

  /** Open a meeting, or the one that this tab recorded before it was loaded again, and record into it. Throws MeetraError. */
  static async begin(sources: readonly Source[], plan: MeetingPlan, before?: Remembered): Promise<Recorder> {
    const named = sources.map((source) => ({
      source,
      trackId: before?.tracks.find(({ kind }) => kind === source.kind)?.trackId ?? source.kind,
    }));
    const tracks = named.map(({ source, trackId }) => trackOf(trackId, source.kind, plan));
    const config = before
      ? // Whoever holds it is this tab, before it was loaded again.
        { session_id: before.sessionId, take_over: true, tracks }
      : {
          name: plan.name,
          language: plan.language,
          key_terms: [...plan.terms],
          consent: [...plan.consent],
          tracks,
        };
    const meeting = await server.live(config, { patienceS: PATIENCE_S });
    const recorder = new Recorder(meeting, plan);
    recorder.#tracks = before?.number ?? tracks.length;
    try {
      for (const { source, trackId } of named) await recorder.#record(trackId, source);
    } catch (thrown) {
      meeting.close();
      throw thrown;
    }
    current = recorder;
    changed();
    return recorder;
  }

  /** Record another sound, into a track that begins now. Throws what `openSources` does, and MeetraError. */
  async add(kind: SourceKind): Promise<void> {
    const sources = await openSources([kind]);
    try {
      for (const source of sources) {
        // A track that has ended stays so: the same sound again is another.
        const trackId = `${kind}-${++this.#tracks}`;
        await this.meeting.addTrack(trackOf(trackId, kind, this.#plan));
        await this.#record(trackId, source);
      }
    } catch (thrown) {
      closeSources(sources);
      throw thrown;
    }
    changed();
  }

  /** What is recorded now. */
  get kinds(): SourceKind[] {
    return this.#parts.map(({ source }) => source.kind);
  }

  get muted(): boolean {
    return this.#parts.every(({ recording }) => recording.muted);
  }

  set muted(muted: boolean) {
    for (const { recording } of this.#parts) recording.muted = muted;
    changed();
  }

  /** Stop recording, and end the meeting; returns once it is analysed. */
  async finish(): Promise<void> {
    this.finishing = true;
    changed();
    try {
      await this.#stop();
      forget();
      await this.meeting.finish();
    } catch (thrown) {
      this.#fail(thrown);
    }
    changed();
  }

  /** Stop recording; the meeting waits for its grace period, and is finished then. */
  async leave(): Promise<void> {
    if (!this.active) return;
    this.finishing = true;
    await this.#stop();
    this.meeting.close();
    if (current === this) current = undefined;
    changed();
  }

  /** Whether it records now. */
  get active(): boolean {
    return !this.finishing && this.problem === undefined;
  }

  async #record(trackId: string, source: Source): Promise<void> {
    const { stream } = source;
    const recording = await recordMicrophone(this.meeting, trackId, { stream, onError: (error) => this.#fail(error) });
    const part = { trackId, source, recording };
    this.#parts.push(part);
    remember(this.meeting.sessionId, this.#parts, this.#tracks, this.#plan);
    for (const track of stream.getAudioTracks()) {
      track.addEventListener("ended", () => void this.#end(part), { once: true });
    }
  }

  /** A sound has ended in the browser: its track ends with it. */
  async #end(part: Part): Promise<void> {
    if (!this.active) return;
    this.#parts = this.#parts.filter((other) => other !== part);
    this.ended.push(part.source.kind);
    remember(this.meeting.sessionId, this.#parts, this.#tracks, this.#plan);
    changed();
    try {
      await part.recording.stop();
      await this.meeting.endTrack(part.trackId);
    } catch (thrown) {
      if (this.active) this.#fail(thrown);
    }
  }

  async #stop(): Promise<void> {
    await Promise.allSettled(this.#parts.map(({ recording }) => recording.stop()));
    closeSources(this.#parts.map(({ source }) => source));
  }

  #fail(error: unknown): void {
    this.problem ??= error;
    void this.#stop();
    changed();
  }
}

function trackOf(track_id: string, kind: SourceKind, plan: MeetingPlan): TrackConfig {
  const encoding = "AUDIO_ENCODING_WEBM_OPUS";
  if (kind === "tab" || plan.me === undefined) return { track_id, kind: "TRACK_KIND_MIXED", encoding };
  return { track_id, kind: "TRACK_KIND_PARTICIPANT", participant_name: plan.me, encoding };
}

// What this browser records, or recorded last: one meeting at a time.
let current: Recorder | undefined;
const { watch, tell: changed } = new Watchers();

/** What this browser records, or recorded last, whenever that changes. */
export function useRecorder(): Recorder | undefined {
  const [, setRound] = useState(0);
  useEffect(() => watch(() => setRound((round) => round + 1)), []);
  return current;
}

session.watch(() => {
  // Nobody is recorded on after they have signed out.
  if (!session.state.signedIn) void current?.leave();
});

addEventListener("beforeunload", (event) => {
  // The browser asks whether to leave, in its own words.
  if (current?.active) event.preventDefault();
});

const KEY = "meetra-live";

/** What a page that is loaded again needs to go on. */
interface Remembered {
  readonly sessionId: string;
  readonly tracks: readonly { readonly trackId: string; readonly kind: SourceKind }[];
  /** How many tracks the meeting has had. */
  readonly number: number;
  readonly plan: MeetingPlan;
}

function remember(sessionId: string, parts: readonly Part[], number: number, plan: MeetingPlan): void {
  const tracks = parts.map(({ trackId, source }) => ({ trackId, kind: source.kind }));
  const remembered: Remembered = { sessionId, tracks, number, plan };
  sessionStorage.setItem(KEY, JSON.stringify(remembered));
}

function forget(): void {
  sessionStorage.removeItem(KEY);
}

/** What this tab recorded into a session before the page was loaded again; undefined for nothing. */
export function remembered(sessionId: string): Remembered | undefined {
  const stored = sessionStorage.getItem(KEY);
  const found = stored ? (JSON.parse(stored) as Remembered) : undefined;
  return found?.sessionId === sessionId ? found : undefined;
}
