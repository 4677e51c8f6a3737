import { MeetraError } from "./errors.js";
import type { Ack, Control, LiveReady, WatchMeetingResponse } from "./generated/messages.js";
import { ReceivedMessages } from "./received.js";
import type { AudioPiece, LiveConnection, LiveMessage } from "./transport.js";

/** The calls of a session that a connection of plain HTTP makes. Each throws MeetraError. */
export interface PlainCalls {
  /** Send audio; the answer says that it is on disk. */
  sendAudio(piece: AudioPiece, signal: AbortSignal): Promise<Ack>;
  /** Flush or finish. */
  control(action: Control, signal: AbortSignal): Promise<void>;
  /** Messages with events after the first, and heartbeats. */
  events(signal: AbortSignal): AsyncIterable<WatchMeetingResponse>;
}

// The server's limit of a batch.
const MAX_PACKETS = 500;

/**
 * Plain calls in place of a WebSocket, where a proxy lets none through: a call for audio, one after another on each track,
 * and server-sent events.
 */
export class PlainConnection implements LiveConnection {
  readonly ready: LiveReady;
  readonly afterEventSeq: number;
  readonly #calls: PlainCalls;
  readonly #dropped = new AbortController();
  /** Of each track, what waits for the call before it. */
  readonly #waiting = new Map<string, AudioPiece[]>();
  readonly #received = new ReceivedMessages();

  constructor(ready: LiveReady, afterEventSeq: number, calls: PlainCalls) {
    this.ready = ready;
    this.afterEventSeq = afterEventSeq;
    this.#calls = calls;
    void this.#read();
  }

  send(piece: AudioPiece): void {
    const waiting = this.#waiting.get(piece.trackId);
    if (waiting) {
      waiting.push(piece);
      return;
    }
    this.#waiting.set(piece.trackId, [piece]);
    void this.#deliver(piece.trackId);
  }

  control(action: Control): void {
    this.#calls.control(action, this.#dropped.signal).catch((thrown: unknown) => this.drop(asClosed(thrown)));
  }

  next(): Promise<LiveMessage | undefined> {
    return this.#received.next();
  }

  drop(why: unknown): void {
    this.#received.end({ error: why });
    this.#dropped.abort(why);
  }

  /** Send what waits on a track: what has come during a call goes with the next one. */
  async #deliver(trackId: string): Promise<void> {
    const waiting = this.#waiting.get(trackId) ?? [];
    try {
      for (let piece = waiting.shift(); piece; piece = waiting.shift()) {
        const joined = [piece];
        let bytes = piece.data.length;
        let packets = packetsOf(piece);
        for (let more = waiting[0]; more; more = waiting[0]) {
          bytes += more.data.length;
          packets += packetsOf(more);
          if (bytes > this.ready.limits.chunk_bytes || packets > MAX_PACKETS) break;
          joined.push(more);
          waiting.shift();
        }
        this.#tell({ ack: await this.#calls.sendAudio(joinedPieces(joined), this.#dropped.signal) });
      }
      this.#waiting.delete(trackId);
    } catch (thrown) {
      this.drop(asClosed(thrown));
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const { event } of this.#calls.events(this.#dropped.signal)) {
        if (!event) continue;
        this.#tell({ event });
        if (event.finished) return this.#received.end({});
      }
      throw new MeetraError("the stream of events ended before the meeting did", 0, "UNREACHABLE");
    } catch (thrown) {
      this.drop(asClosed(thrown));
    }
  }

  #tell(message: LiveMessage): void {
    if (!this.#received.over) this.#received.add(message);
  }
}

/**
 * An error as a WebSocket would have said it: of a call that a meeting refuses because it is over, the next connection tells
 * how it ended.
 */
function asClosed(thrown: unknown): unknown {
  if (!(thrown instanceof MeetraError) || thrown.reason !== "MEETING_OVER") return thrown;
  return new MeetraError(thrown.message, 0, thrown.reason, undefined, { cause: thrown });
}

/** One piece of several that follow each other. */
function joinedPieces(pieces: readonly AudioPiece[]): AudioPiece {
  const [first] = pieces;
  if (!first || pieces.length === 1) return first as AudioPiece;
  const data = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.data.length, 0));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece.data, at);
    at += piece.data.length;
  }
  return { ...first, data };
}

/** How many Opus packets a batch has; of other audio none are counted. */
function packetsOf({ data, lengthPrefixed }: AudioPiece): number {
  if (!lengthPrefixed) return 0;
  const lengths = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let packets = 0;
  for (let at = 0; at + 4 <= data.length; at += 4 + lengths.getUint32(at)) packets++;
  return packets;
}
