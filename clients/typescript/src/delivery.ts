import { Backoff } from "./backoff.js";
import { MeetraError } from "./errors.js";
import { EventLog } from "./event_log.js";
import type { Ack, Control, ControlMessage, LiveReady, LiveTrackState, TrackPosition } from "./generated/messages.js";
import { isPassing } from "./http.js";
import type { Outbox } from "./outbox.js";
import type { LiveConnection, LiveTransport } from "./transport.js";

// Audio that is under way: at a round trip of 0.1 s, 10 MB a second. What waits beyond it is not handed to the network.
const WINDOW_BYTES = 1024 * 1024;
// A server that owes an answer and says nothing for so long is gone.
const STALL_MS = 60_000;
// A connection that lasted so long was useful, even where nothing was said.
const HEALTHY_MS = 10_000;

/** Brings the audio of a meeting to the server and its events here, over as many connections as it takes. */
export class Delivery {
  readonly events: EventLog;
  ready: LiveReady;
  lagMs = 0;
  wordsLagMs = 0;
  reconnects = 0;
  /** Every event was told that the connections tell; the server has them all. */
  concluded = false;
  /** Why the meeting cannot go on. */
  failure: unknown;
  /** Why no more audio is taken. Events still come. */
  over: MeetraError | undefined;
  readonly #transport: LiveTransport;
  readonly #outboxes: Outbox[];
  readonly #patienceS: number;
  readonly #ended = new AbortController();
  readonly #wanted = new Set<Control>();
  #connection: LiveConnection | undefined;
  #finishing = false;
  #turn = 0;
  #owedSince: number | undefined;
  #wake: (() => void)[] = [];

  constructor(transport: LiveTransport, outboxes: readonly Outbox[], connection: LiveConnection, patienceS: number) {
    this.#transport = transport;
    this.#outboxes = [...outboxes];
    this.#patienceS = patienceS;
    this.ready = connection.ready;
    this.events = new EventLog(connection.afterEventSeq);
    for (const outbox of outboxes) outbox.begin(positionOf(this.ready.tracks, outbox.trackId) ?? 0);
    void this.#run(connection);
  }

  /** Whether there is a connection at this moment. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Aborted once the meeting cannot go on, with the reason. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Send what waits in the outboxes. */
  transmit(): void {
    const connection = this.#connection;
    if (!connection) return;
    const most = this.ready.limits.chunk_bytes;
    // One chunk of each track in turn.
    for (let idle = 0; idle < this.#outboxes.length && this.#inFlight() < WINDOW_BYTES; ) {
      const outbox = this.#outboxes[this.#turn++ % this.#outboxes.length];
      const piece = this.over ? undefined : outbox?.next(most);
      idle = piece ? 0 : idle + 1;
      if (piece) connection.send(piece);
    }
    for (const action of this.#wanted) connection.control(action);
    this.#wanted.clear();
    if (this.#owed()) this.#owedSince ??= Date.now();
  }

  /** Send an instruction once there is a connection; FINISH until the server has it. */
  async control(action: Control): Promise<void> {
    if (action === "CONTROL_FINISH") this.#finishing = true;
    if (this.concluded || this.ready.finishing) return;
    this.#wanted.add(action);
    this.transmit();
    while (this.#wanted.has(action) && !this.concluded && !this.ready.finishing) await this.change();
  }

  /** Change a track, over lost connections; return how it is then. Throws why the server refuses it. */
  async changeTrack(control: ControlMessage): Promise<LiveTrackState> {
    const backoff = new Backoff(this.#patienceS);
    for (;;) {
      this.check();
      try {
        return await this.#transport.change(this.ready, control, this.signal);
      } catch (thrown) {
        this.check();
        // The connection was another's by then: of this client, which goes on, or of one that has taken over.
        const stale = thrown instanceof MeetraError && thrown.reason === "TAKEN_OVER";
        if (!stale && !isPassing(thrown)) throw thrown;
        await backoff.wait(thrown, this.signal);
      }
    }
  }

  /** Send the audio of another track. */
  add(outbox: Outbox): void {
    outbox.begin(positionOf(this.ready.tracks, outbox.trackId) ?? 0);
    this.#outboxes.push(outbox);
  }

  /** Wait until something has changed. Throws why the meeting cannot go on. */
  async change(): Promise<void> {
    this.check();
    await new Promise<void>((resolve) => this.#wake.push(resolve));
    this.check();
  }

  /** Throws why the meeting cannot go on. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** End it for a reason. */
  fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.#connection?.drop(error);
    this.#ended.abort(error);
    this.changed();
  }

  /** Wake whoever waits for a change. */
  changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #run(first: LiveConnection): Promise<void> {
    const backoff = new Backoff(this.#patienceS);
    const stalled = setInterval(() => this.#dropStalled(), STALL_MS / 4);
    try {
      for (let connection: LiveConnection | undefined = first; ; connection = undefined) {
        try {
          await this.#serve(connection ?? (await this.#reconnect()), backoff);
          this.concluded = true;
          return;
        } catch (thrown) {
          this.check();
          const lost = lostBy(thrown);
          if (lost === undefined) throw thrown;
          await backoff.wait(lost, this.signal);
        }
      }
    } catch (error) {
      this.fail(error);
    } finally {
      clearInterval(stalled);
      this.changed();
    }
  }

  async #reconnect(): Promise<LiveConnection> {
    // From the first connection on the session is ours: any other holder is a dead connection of this client.
    const config = { session_id: this.ready.session_id, after_event_seq: this.events.end, take_over: true };
    const connection = await this.#transport.connect(config, this.signal);
    this.reconnects++;
    return connection;
  }

  /** Use a connection to its end. */
  async #serve(connection: LiveConnection, backoff: Backoff): Promise<void> {
    const since = Date.now();
    try {
      this.#take(connection);
      for (let message = await connection.next(); message; message = await connection.next()) {
        if (this.#owedSince !== undefined) this.#owedSince = Date.now();
        if (message.ack) this.#acknowledge(message.ack);
        if (message.event && this.events.add(message.event) && message.event.finished) this.#endAudio();
        backoff.reset();
        this.changed();
      }
      this.#endAudio();
    } finally {
      connection.drop(new MeetraError("the connection is not used any more", 0));
      this.#connection = undefined;
      this.#owedSince = undefined;
      if (Date.now() - since > HEALTHY_MS) backoff.reset();
      this.changed();
    }
  }

  #take(connection: LiveConnection): void {
    this.ready = connection.ready;
    for (const outbox of this.#outboxes) {
      outbox.acknowledge(positionOf(this.ready.tracks, outbox.trackId) ?? outbox.acknowledged);
      outbox.rewind();
    }
    if (this.ready.finishing) this.#endAudio();
    else if (this.#finishing) this.#wanted.add("CONTROL_FINISH");
    this.#connection = connection;
    this.transmit();
    this.changed();
  }

  #acknowledge({ tracks, lag_ms, words_lag_ms }: Ack): void {
    this.lagMs = lag_ms;
    this.wordsLagMs = words_lag_ms;
    for (const outbox of this.#outboxes) {
      const position = positionOf(tracks, outbox.trackId);
      if (position !== undefined) outbox.acknowledge(position);
    }
    this.#owedSince = this.#owed() ? Date.now() : undefined;
    this.transmit();
  }

  /** The meeting takes no more audio. */
  #endAudio(): void {
    const late = this.#outboxes.some((outbox) => outbox.bytes > 0);
    if (this.over || (this.#finishing && !late)) return;
    const text = `the meeting had ended: another client finished it, or nobody was there for ${this.ready.limits.grace_s} s`;
    this.over = new MeetraError(text, 0, "MEETING_OVER");
  }

  #inFlight(): number {
    return this.#outboxes.reduce((sum, outbox) => sum + outbox.inFlight, 0);
  }

  /** Whether the server owes an answer. */
  #owed(): boolean {
    return this.#finishing || this.#inFlight() > 0;
  }

  #dropStalled(): void {
    const silent = this.#owedSince === undefined ? 0 : Date.now() - this.#owedSince;
    if (silent < STALL_MS) return;
    const text = `the server said nothing for ${Math.round(silent / 1000)} s`;
    this.#connection?.drop(new MeetraError(text, 0, "UNREACHABLE"));
  }
}

/** The error of a connection after which another may go on; undefined for one after which none can. */
function lostBy(thrown: unknown): MeetraError | undefined {
  if (isPassing(thrown)) return thrown;
  // Which of the two it was, the next call tells: a token that is void, audio after the meeting's end.
  const closed = thrown instanceof MeetraError && thrown.status === 0;
  return closed && (thrown.reason === "UNAUTHENTICATED" || thrown.reason === "MEETING_OVER") ? thrown : undefined;
}

/** The position of a track. */
export function positionOf(tracks: TrackPosition[], trackId: string): number | undefined {
  return tracks.find((track) => track.track_id === trackId)?.next_sample;
}
