import { Backoff } from "./backoff.js";
import { MeetraError } from "./errors.js";
import type { Control, LiveConfig, LiveEvent, LiveFinished, LiveReady, TrackPosition } from "./generated/messages.js";
import { isPassing } from "./http.js";
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
  readonly #delivering = new Set<Outbox>();
  readonly #closed = new AbortController();
  #ready: LiveReady;
  #lastEventSeq: number;
  #lagMs = 0;
  #reconnects = 0;
  #resuming: Promise<void> | undefined;
  #failure: unknown;
  #finishing = false;
  #finished: LiveFinished | undefined;
  #wake: (() => void)[] = [];

  private constructor(transport: LiveTransport, outboxes: Outbox[], ready: LiveReady, options: LiveOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#outboxes = new Map(outboxes.map((outbox) => [outbox.trackId, outbox]));
    this.#ready = ready;
    this.#lastEventSeq = ready.last_event_seq;
  }

  /** Open a meeting, or resume that of `config.session_id`; use `Meetra.live`. Throws MeetraError. */
  static async open(transport: LiveTransport, config: LiveConfig, options: LiveOptions = {}): Promise<LiveMeeting> {
    const outboxes = (config.tracks ?? []).map((track) => new Outbox(track));
    const ready = await transport.open(config);
    for (const outbox of outboxes) {
      const position = positionOf(ready.tracks, outbox.trackId);
      if (position === undefined) throw new TypeError(`the session has no track ${outbox.trackId}`);
      outbox.begin(position);
    }
    return new LiveMeeting(transport, outboxes, ready, options);
  }

  /** What the server said last when the meeting was opened or resumed: limits, capabilities of the engine. */
  get ready(): LiveReady {
    return this.#ready;
  }

  /** Resumes the meeting, also from another page or process. */
  get sessionId(): string {
    return this.#ready.session_id;
  }

  /** Names the meeting in every other call, now and after its end. */
  get fileHash(): string {
    return this.#ready.file_hash;
  }

  /** How far the turns are behind the audio, milliseconds. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** How often the session was opened again: after a restart of the server. */
  get reconnects(): number {
    return this.#reconnects;
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
    this.#check();
    if (this.#finishing) throw new MeetraError("finish was called: no more audio follows", 0, "MEETING_OVER");
    outbox.append(audio);
    this.#pump(outbox);
    const most = this.#options.bufferBytes ?? BUFFER_BYTES;
    while (outbox.bytes > most) await this.#change();
  }

  /**
   * Have what was sent before the call acknowledged, and everything that is on disk by then analysed as if silence
   * followed. Throws MeetraError.
   */
  async flush(): Promise<void> {
    await this.#drained();
    await this.#control("CONTROL_FLUSH");
  }

  /**
   * Events in their order, each once, up to `finished`; from `afterEventSeq` on. Throws MeetraError, also when the
   * meeting is left.
   */
  async *events(options: WatchOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    const { signal: left } = this.#closed;
    const signal = options.signal ? AbortSignal.any([options.signal, left]) : left;
    const patienceS = options.patienceS ?? this.#options.patienceS ?? PATIENCE_S;
    for await (const event of watch(this.#transport, this.sessionId, { ...options, patienceS, signal })) {
      this.#lastEventSeq = Math.max(this.#lastEventSeq, event.event_seq);
      this.#finished ??= event.finished;
      yield event;
    }
  }

  /**
   * End the meeting after all audio, and return its outcome once it is ready, or failed (`status`). Throws MeetraError;
   * `MEETING_OVER` where audio came too late, because the meeting had ended already.
   */
  async finish(): Promise<LiveFinished> {
    this.#finishing = true;
    await this.#drained();
    await this.#control("CONTROL_FINISH");
    // The last event that is known once more: of a meeting that had ended before it is `finished`.
    const afterEventSeq = Math.max(0, this.#lastEventSeq - 1);
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
    this.#fail(new MeetraError("the meeting was left", 0));
    this.#closed.abort(this.#failure);
  }

  #outbox(trackId: string): Outbox {
    const outbox = this.#outboxes.get(trackId);
    if (outbox) return outbox;
    throw new TypeError(`unknown track ${trackId}; the tracks are ${[...this.#outboxes.keys()].join(", ")}`);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #change(): Promise<void> {
    this.#check();
    await new Promise<void>((resolve) => this.#wake.push(resolve));
    this.#check();
  }

  /** Wait until what was handed over before the call is on disk, whatever is handed over meanwhile. */
  async #drained(): Promise<void> {
    this.#check();
    const ends = [...this.#outboxes.values()].map((outbox) => ({ outbox, end: outbox.end }));
    while (ends.some(({ outbox, end }) => outbox.acknowledged < end)) await this.#change();
  }

  /** Send what waits in an outbox, one call after another, unless that is under way. */
  #pump(outbox: Outbox): void {
    if (!this.#delivering.has(outbox)) void this.#deliver(outbox);
  }

  async #deliver(outbox: Outbox): Promise<void> {
    const { signal } = this.#closed;
    this.#delivering.add(outbox);
    try {
      for (;;) {
        const piece = outbox.next(this.#ready.limits.chunk_bytes);
        if (piece === undefined) return;
        // The same piece again after a lost answer: a longer one would overlap what the server has.
        await this.#persist(async () => {
          if (outbox.acknowledged > piece.firstSample) return;
          const ack = await this.#transport.send(this.#ready, piece, signal);
          this.#lagMs = ack.lag_ms;
          outbox.acknowledge(positionOf(ack.tracks, outbox.trackId) ?? outbox.acknowledged);
        });
        this.#changed();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      // In the same turn as the last look: what is handed over later starts it anew.
      this.#delivering.delete(outbox);
    }
  }

  async #control(action: Control): Promise<void> {
    await this.#persist(() => this.#transport.control(this.#ready, action, this.#closed.signal));
  }

  /** Make a call until it succeeds: over lost connections, and over a server that has forgotten who sends. */
  async #persist(call: () => Promise<void>): Promise<void> {
    const backoff = new Backoff(this.#options.patienceS ?? PATIENCE_S);
    for (;;) {
      this.#check();
      const before = this.#ready;
      try {
        return await call();
      } catch (thrown) {
        if (thrown instanceof MeetraError && thrown.status === 409 && thrown.reason === "TAKEN_OVER") {
          await this.#resume(before, thrown, backoff);
        } else if (isPassing(thrown)) {
          await backoff.wait(thrown, this.#closed.signal);
        } else {
          throw thrown;
        }
      }
    }
  }

  /**
   * The server does not know this sender: it has started anew, or another client sends. Without `take_over` the first
   * is resumed, and the second is refused.
   */
  async #resume(before: LiveReady, takenOver: MeetraError, backoff: Backoff): Promise<void> {
    if (this.#ready !== before) return;
    this.#resuming ??= this.#reopen(takenOver, backoff).finally(() => {
      this.#resuming = undefined;
    });
    await this.#resuming;
  }

  async #reopen(takenOver: MeetraError, backoff: Backoff): Promise<void> {
    let unanswered = false;
    for (;;) {
      try {
        const ready = await this.#transport.open({ session_id: this.sessionId }, this.#closed.signal);
        for (const outbox of this.#outboxes.values()) {
          outbox.acknowledge(positionOf(ready.tracks, outbox.trackId) ?? outbox.acknowledged);
        }
        this.#ready = ready;
        this.#reconnects++;
        return;
      } catch (thrown) {
        unanswered ||= thrown instanceof MeetraError && thrown.status === 0;
        // An attempt whose answer was lost may hold the meeting for a moment: that is no other client.
        const held = thrown instanceof MeetraError && thrown.reason === "HELD_BY_ANOTHER_CLIENT";
        if (held && !unanswered) throw takenOver;
        if (!held && !isPassing(thrown)) throw thrown;
        await backoff.wait(thrown, this.#closed.signal);
      }
    }
  }
}

function positionOf(tracks: TrackPosition[], trackId: string): number | undefined {
  return tracks.find((track) => track.track_id === trackId)?.next_sample;
}
