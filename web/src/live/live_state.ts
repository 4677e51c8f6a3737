import type { LiveAlert, LiveEvent, LiveFinished, LiveInsights, LiveTurn } from "meetra-client";
import { text } from "../strings/live.js";

/** Something that was told once: a warning, an alert, somebody who came or left. */
export interface Notice {
  readonly id: string;
  readonly kind: "warning" | "alert" | "note";
  readonly text: string;
  /** Of an alert that is not final. */
  readonly state?: string;
}

/** One score at one moment. */
export interface Sample {
  readonly balance: number;
  readonly interaction: number;
  readonly energy: number;
  readonly sentiment: number | undefined;
}

const KEPT_SAMPLES = 60;
const KEPT_NOTICES = 50;
const UNKNOWN = "00000000-0000-0000-0000-000000000000";

/** What a live meeting looks like after the events so far. */
export class LiveState {
  /** Names by the id of their speaker; the last event that tells one holds for all turns. */
  readonly names = new Map<string, string>();
  readonly samples: Sample[] = [];
  notices: Notice[] = [];
  insights: LiveInsights | undefined;
  finished: LiveFinished | undefined;
  lastEventSeq = 0;
  /** Nobody has spoken since, milliseconds. */
  silentSinceMs: number | undefined;
  /** The turn that settled last, for readers of the screen. */
  settled: LiveTurn | undefined;
  readonly #turns = new Map<number, LiveTurn>();
  readonly #order: string[] = [];
  #sorted: readonly LiveTurn[] | undefined;

  /** The turns in the order of their beginning. */
  get turns(): readonly LiveTurn[] {
    this.#sorted ??= [...this.#turns.values()].sort((a, b) => a.start_ms - b.start_ms || a.segment_id - b.segment_id);
    return this.#sorted;
  }

  /** How far the meeting is told, milliseconds. */
  get throughMs(): number {
    return Math.max(this.insights?.through_ms ?? 0, this.turns.at(-1)?.end_ms ?? 0);
  }

  /** The name of a speaker as it is now. */
  name(turn: { speaker_id: string; alias: string }): string {
    return this.names.get(turn.speaker_id) ?? turn.alias;
  }

  /** The class of a speaker's colour: in the order in which they were first told, grey for whoever is unknown. */
  colour(speakerId: string): string {
    const place = this.#order.indexOf(speakerId);
    return place < 0 ? "live-voice-unknown" : `live-voice-${place % 8}`;
  }

  /** Take the next event. */
  apply(event: LiveEvent): void {
    this.lastEventSeq = event.event_seq;
    if (event.turn) this.#turn(event.turn);
    if (event.insights) this.#insights(event.insights);
    if (event.speakerName) this.#named(event.speakerName.speaker_id, event.speakerName.alias);
    if (event.pause) this.silentSinceMs = event.pause.end_ms === undefined ? event.pause.start_ms : undefined;
    if (event.warning) this.#notice({ id: `w${event.event_seq}`, kind: "warning", text: event.warning.text });
    if (event.alert) this.#alert(event.alert);
    if (event.language) {
      this.#notice({ id: `l${event.event_seq}`, kind: "note", text: text.notices.language(event.language.language) });
    }
    if (event.track) this.#track(event);
    if (event.finished) this.finished = event.finished;
  }

  #turn(turn: LiveTurn): void {
    const known = this.#turns.get(turn.segment_id);
    this.#sorted = undefined;
    if (turn.state === "LIVE_TURN_STATE_RETRACTED") {
      this.#turns.delete(turn.segment_id);
      return;
    }
    this.#turns.set(turn.segment_id, turn);
    this.#named(turn.speaker_id, turn.alias);
    this.silentSinceMs = undefined;
    const settled = turn.state !== "LIVE_TURN_STATE_PARTIAL" && turn.words.length > 0;
    const before = known !== undefined && known.state !== "LIVE_TURN_STATE_PARTIAL";
    if (settled && !before) this.settled = turn;
  }

  #named(speakerId: string, alias: string): void {
    if (!this.#order.includes(speakerId) && speakerId !== UNKNOWN) this.#order.push(speakerId);
    this.names.set(speakerId, alias);
  }

  #insights(insights: LiveInsights): void {
    this.insights = insights;
    for (const { speaker_id, alias } of insights.speakers) this.#named(speaker_id, alias);
    this.samples.push({
      balance: insights.balance_score,
      interaction: insights.interaction_score,
      energy: insights.energy_score,
      sentiment: insights.sentiment_score,
    });
    if (this.samples.length > KEPT_SAMPLES) this.samples.shift();
  }

  /** Told again it replaces what was told before. */
  #alert(alert: LiveAlert): void {
    const id = `a${alert.alert_id}`;
    const state =
      alert.state === "LIVE_ALERT_STATE_WITHDRAWN"
        ? text.notices.withdrawn
        : alert.state === "LIVE_ALERT_STATE_PROVISIONAL"
          ? text.notices.provisional
          : undefined;
    this.#notice({ id, kind: "alert", text: alert.text, ...(state !== undefined && { state }) });
  }

  #track({ event_seq, track }: LiveEvent): void {
    if (!track?.track) return;
    const name = track.track.participant_name || text.notices.aTrack;
    const told = {
      TRACK_CHANGE_ADDED: text.notices.joined(name),
      TRACK_CHANGE_ENDED: text.notices.left(name),
      TRACK_CHANGE_RENAMED: text.notices.renamed(name),
      TRACK_CHANGE_UNSPECIFIED: "",
    }[track.change];
    if (told) this.#notice({ id: `t${event_seq}`, kind: "note", text: told });
  }

  #notice(notice: Notice): void {
    const known = this.notices.some(({ id }) => id === notice.id);
    this.notices = known
      ? this.notices.map((other) => (other.id === notice.id ? notice : other))
      : [...this.notices, notice].slice(-KEPT_NOTICES);
  }
}
