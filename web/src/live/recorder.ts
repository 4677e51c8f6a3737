import { recordMicrophone } from "meetra-client";
import type { LiveMeeting, Recording, TrackConfig } from "meetra-client";
import { useEffect, useState } from "preact/hooks";
import { server } from "../server/server.js";
import { session } from "../server/session.js";
import { closeSources } from "./sources.js";
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

/** A meeting that this browser records. It goes on whatever the page shows. */
export class Recorder {
  /** Sounds that have ended in the browser, before the meeting. */
  readonly ended: SourceKind[] = [];
  finishing = false;
  /** Why nothing more can be sent. */
  problem: unknown;
  readonly #recordings: Recording[] = [];

  private constructor(
    readonly meeting: LiveMeeting,
    readonly sources: readonly Source[],
  ) {}

  /** Open a meeting, or the one of `sessionId` again, and record into it. Throws MeetraError. */
  static async begin(sources: readonly Source[], plan: MeetingPlan, sessionId?: string): Promise<Recorder> {
    const tracks = sources.map(({ kind }) => trackOf(kind, plan));
    const config = sessionId
      ? // Whoever holds it is this browser, before the page was loaded again.
        { session_id: sessionId, take_over: true, tracks }
      : {
          name: plan.name,
          language: plan.language,
          key_terms: [...plan.terms],
          consent: [...plan.consent],
          tracks,
        };
    const meeting = await server.live(config, { patienceS: PATIENCE_S });
    const recorder = new Recorder(meeting, sources);
    remember(meeting.sessionId, sources, plan);
    try {
      for (const source of sources) await recorder.#record(source);
    } catch (thrown) {
      meeting.close();
      throw thrown;
    }
    current = recorder;
    changed();
    return recorder;
  }

  get muted(): boolean {
    return this.#recordings.every(({ muted }) => muted);
  }

  set muted(muted: boolean) {
    for (const recording of this.#recordings) recording.muted = muted;
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

  async #record({ kind, stream }: Source): Promise<void> {
    const recording = await recordMicrophone(this.meeting, kind, { stream, onError: (error) => this.#fail(error) });
    this.#recordings.push(recording);
    for (const track of stream.getAudioTracks()) {
      track.addEventListener("ended", () => {
        if (this.finishing) return;
        this.ended.push(kind);
        changed();
      });
    }
  }

  async #stop(): Promise<void> {
    await Promise.allSettled(this.#recordings.map((recording) => recording.stop()));
    closeSources(this.sources);
  }

  #fail(error: unknown): void {
    this.problem ??= error;
    void this.#stop();
    changed();
  }
}

function trackOf(kind: SourceKind, plan: MeetingPlan): TrackConfig {
  const encoding = "AUDIO_ENCODING_WEBM_OPUS";
  if (kind === "tab" || plan.me === undefined) return { track_id: kind, kind: "TRACK_KIND_MIXED", encoding };
  return { track_id: kind, kind: "TRACK_KIND_PARTICIPANT", participant_name: plan.me, encoding };
}

// What this browser records, or recorded last: one meeting at a time.
let current: Recorder | undefined;
const watchers = new Set<() => void>();

function changed(): void {
  for (const watcher of watchers) watcher();
}

/** What this browser records, or recorded last, whenever that changes. */
export function useRecorder(): Recorder | undefined {
  const [, setRound] = useState(0);
  useEffect(() => {
    const watcher = (): void => setRound((round) => round + 1);
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
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
  readonly kinds: readonly SourceKind[];
  readonly plan: MeetingPlan;
}

function remember(sessionId: string, sources: readonly Source[], plan: MeetingPlan): void {
  const remembered: Remembered = { sessionId, kinds: sources.map(({ kind }) => kind), plan };
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
