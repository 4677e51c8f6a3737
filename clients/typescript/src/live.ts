import { Delivery, positionOf } from "./delivery.js";
import { MeetraError } from "./errors.js";
import type { LiveConfig, LiveEvent, LiveFinished, LiveReady, LiveTrackState, TrackConfig } from "./generated/messages.js";
import { Outbox } from "./outbox.js";
import type { LiveTransport } from "./transport.js";
import { PATIENCE_S, watch } from "./watch.js";
import type { WatchOptions } from "./watch.js";

/** How a meeting is held. */
export interface LiveOptions {
  /** How long to try again without a connection, seconds; 600 if absent. */
  patienceS?: number;
  /** Bytes of a track that may wait to be acknowledged before `send` waits; 16 MiB if absent. */
  bufferBytes?: number;
}

const BUFFER_BYTES = 16 * 1024 * 1024;

/**
 * A live meeting from the sender's side, opened by `Meetra.live`.
 *
 * Audio is numbered and kept until the server has it on disk; what a lost connection swallowed is sent again from where
 * the server stands. Once the meeting cannot go on every method throws why, a MeetraError.
 */
export class LiveMeeting {
  readonly #transport: LiveTransport;
  readonly #options: LiveOptions;
  readonly #outboxes: Map<string, Outbox>;
  readonly #delivery: Delivery;
  readonly #ended = new Set<string>();
  #finishing = false;
  #finished: LiveFinished | undefined;

  private constructor(transport: LiveTransport, outboxes: Outbox[], delivery: Delivery, options: LiveOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#outboxes = new Map(outboxes.map((outbox) => [outbox.trackId, outbox]));
    this.#delivery = delivery;
  }

  /** Open a meeting, or resume that of `config.session_id`; use `Meetra.live`. Throws MeetraError. */
  static async open(transport: LiveTransport, config: LiveConfig, options: LiveOptions = {}): Promise<LiveMeeting> {
    const outboxes = (config.tracks ?? []).map((track) => new Outbox(track));
    const connection = await transport.connect(config);
    const missing = outboxes.find(({ trackId }) => positionOf(connection.ready.tracks, trackId) === undefined);
    if (missing) {
      const error = new TypeError(`the session has no track ${missing.trackId}`);
      connection.drop(error);
      throw error;
    }
    const delivery = new Delivery(transport, outboxes, connection, options.patienceS ?? PATIENCE_S);
    return new LiveMeeting(transport, outboxes, delivery, options);
  }

  /** What the server said last when the meeting was opened or resumed: limits, capabilities of the engine. */
  get ready(): LiveReady {
    return this.#delivery.ready;
  }

  /** Resumes the meeting, also from another page or process. */
  get sessionId(): string {
    return this.ready.session_id;
  }

  /** Names the meeting in every other call, now and after its end. */
  get fileHash(): string {
    return this.ready.file_hash;
  }

  /** How far the turns, that is who speaks, are behind the audio, milliseconds. */
  get lagMs(): number {
    return this.#delivery.lagMs;
  }

  /** How far the words are behind the audio, milliseconds; some seconds are normal. */
  get wordsLagMs(): number {
    return this.#delivery.wordsLagMs;
  }

  /** Whether there is a connection at this moment. */
  get connected(): boolean {
    return this.#delivery.connected;
  }

  /** How often a lost connection was made again. */
  get reconnects(): number {
    return this.#delivery.reconnects;
  }

  /** The position of the next audio of a track; after a resume, where to go on. Throws TypeError. */
  position(trackId: string): number {
    return this.#outbox(trackId).end;
  }

  /** Up to where audio of a track is on the server's disk. Throws TypeError. */
  acknowledged(trackId: string): number {
    return this.#outbox(trackId).acknowledged;
  }

  /**
   * Hand over the next audio of a track: whole samples; for OPUS one packet; for OGG_OPUS and WEBM_OPUS bytes, cut
   * anywhere. It is copied at once, so calls need not be awaited to keep their order. Resolves when there is room for
   * more. Throws MeetraError, TypeError for an unknown track, RangeError for a part of a sample.
   */
  async send(trackId: string, audio: ArrayBuffer | ArrayBufferView): Promise<void> {
    const outbox = this.#outbox(trackId);
    this.#checkOpen();
    if (this.#ended.has(trackId)) throw new MeetraError(`endTrack was called for ${trackId}`, 0, "TRACK_ENDED");
    outbox.append(audio);
    this.#delivery.transmit();
    const most = this.#options.bufferBytes ?? BUFFER_BYTES;
    while (outbox.bytes > most) await this.#change();
  }

  /**
   * Somebody joins: add a track, which begins now unless `start_ms` says otherwise, and return how it is. A track that
   * the meeting has is taken up. Throws MeetraError: `TOO_MANY_TRACKS`, `TRACK_DIFFERS`; the meeting goes on without it.
   */
  async addTrack(track: TrackConfig): Promise<LiveTrackState> {
    this.#checkOpen();
    const outbox = new Outbox(track);
    const state = await this.#delivery.changeTrack({ add_track: track });
    if (!this.#outboxes.has(outbox.trackId)) {
      this.#outboxes.set(outbox.trackId, outbox);
      this.#delivery.add(outbox);
    }
    return state;
  }

  /**
   * Somebody leaves: end a track after all its audio so far, and return once the server has ended it. Who comes back needs
   * another track. Throws MeetraError, TypeError for an unknown track.
   */
  async endTrack(trackId: string): Promise<LiveTrackState> {
    const outbox = this.#outbox(trackId);
    this.#checkOpen();
    this.#ended.add(trackId);
    await this.#drained([outbox]);
    return this.#delivery.changeTrack({ end_track: { track_id: trackId } });
  }

  /**
   * Rename who is on a track, or on a separate channel of it, 1, 2, ...; the last name wins. Throws MeetraError, TypeError
   * for an unknown track.
   */
  async renameTrack(trackId: string, participantName: string, channel = 0): Promise<LiveTrackState> {
    this.#outbox(trackId);
    this.#checkOpen();
    const rename_track = { track_id: trackId, participant_name: participantName, channel };
    return this.#delivery.changeTrack({ rename_track });
  }

  /**
   * Wait until what was sent before the call is acknowledged, and have everything that is on disk by then analysed as if
   * silence followed. Throws MeetraError.
   */
  async flush(): Promise<void> {
    await this.#drained();
    await this.#delivery.control("CONTROL_FLUSH");
  }

  /**
   * Events in their order, each once, up to `finished`; from `afterEventSeq` on. Several may read. Throws MeetraError,
   * also when the meeting is left.
   */
  async *events(options: WatchOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    const { events: log, signal: ended } = this.#delivery;
    const signal = options.signal ? AbortSignal.any([options.signal, ended]) : ended;
    const patienceS = options.patienceS ?? this.#options.patienceS ?? PATIENCE_S;
    const wake = (): void => this.#delivery.changed();
    options.signal?.addEventListener("abort", wake, { once: true });
    let seen = options.afterEventSeq ?? 0;
    try {
      for (;;) {
        this.#delivery.check();
        options.signal?.throwIfAborted();
        // What the connections did not tell, or told too long ago, the server has.
        if (seen < log.start || (this.#delivery.concluded && seen >= log.end)) {
          const stored = watch(this.#transport, this.sessionId, { afterEventSeq: seen, patienceS, signal });
          for await (const event of stored) {
            seen = event.event_seq;
            this.#finished ??= event.finished;
            yield event;
            if (event.finished) return;
            if (seen >= log.start && !this.#delivery.concluded) break;
          }
          // None came after it: it was the last.
          if (this.#delivery.concluded) return;
        }
        const event = log.following(seen);
        if (event) {
          seen = event.event_seq;
          this.#finished ??= event.finished;
          yield event;
          if (event.finished) return;
        } else if (!this.#delivery.concluded) {
          await this.#delivery.change();
        }
      }
    } finally {
      options.signal?.removeEventListener("abort", wake);
    }
  }

  /**
   * End the meeting after all audio, and return its outcome once it is ready, or failed (`status`). Throws MeetraError;
   * `MEETING_OVER` where audio came too late, because the meeting had ended already.
   */
  async finish(): Promise<LiveFinished> {
    this.#finishing = true;
    await this.#drained();
    await this.#delivery.control("CONTROL_FINISH");
    // Where the connection tells none, the last that is known once more: of a meeting that had ended it is `finished`.
    const { start, end } = this.#delivery.events;
    const afterEventSeq = start < end ? start : Math.max(0, Math.max(end, this.ready.last_event_seq) - 1);
    if (!this.#finished) for await (const _ of this.events({ afterEventSeq }));
    if (!this.#finished) throw new MeetraError("the events ended without an outcome", 0, "UNREACHABLE");
    return this.#finished;
  }

  /**
   * Wait until the audio handed over so far is on disk; the session stays open, to be resumed. Audio handed over
   * meanwhile is dropped unless it is acknowledged by then. Throws MeetraError.
   */
  async leave(): Promise<void> {
    await this.#drained();
    this.close();
  }

  /** Stop at once; what is not acknowledged is dropped, and the session waits for its grace period. */
  close(): void {
    this.#delivery.fail(new MeetraError("the meeting was left", 0));
  }

  #outbox(trackId: string): Outbox {
    const outbox = this.#outboxes.get(trackId);
    if (outbox) return outbox;
    throw new TypeError(`unknown track ${trackId}; the tracks are ${[...this.#outboxes.keys()].join(", ")}`);
  }

  #checkOpen(): void {
    this.#delivery.check();
    if (this.#delivery.over) throw this.#delivery.over;
    if (this.#finishing) throw new MeetraError("finish was called: no more audio follows", 0, "MEETING_OVER");
  }

  async #change(): Promise<void> {
    await this.#delivery.change();
    if (this.#delivery.over) throw this.#delivery.over;
  }

  /** Wait until what was handed over before the call is on disk, whatever is handed over meanwhile. */
  async #drained(outboxes = [...this.#outboxes.values()]): Promise<void> {
    this.#delivery.check();
    const ends = outboxes.map((outbox) => ({ outbox, end: outbox.end }));
    const waiting = (): boolean => ends.some(({ outbox, end }) => outbox.acknowledged < end);
    if (waiting() && this.#delivery.over) throw this.#delivery.over;
    while (waiting()) await this.#change();
  }
}
