import { noAnswer } from "./errors.js";
import { CALLS } from "./generated/calls.js";
import type {
  Ack,
  Control,
  LiveConfig,
  LiveReady,
  OpenMeetingResponse,
  SendAudioResponse,
  WatchMeetingResponse,
} from "./generated/messages.js";
import type { Gateway } from "./http.js";
import { serverSentEvents } from "./sse.js";

/** Audio of one track from a position on. */
export interface AudioPiece {
  trackId: string;
  firstSample: number;
  data: Uint8Array<ArrayBuffer>;
  /** `data` is a batch of Opus packets, each after its length. */
  lengthPrefixed: boolean;
}

/** How a live meeting reaches the server. Every method throws MeetraError; none tries again by itself. */
export interface LiveTransport {
  /** Open a meeting, or resume one. */
  open(config: LiveConfig, signal?: AbortSignal): Promise<LiveReady>;
  /** Send audio; return once it is on the server's disk. */
  send(ready: LiveReady, piece: AudioPiece, signal?: AbortSignal): Promise<Ack>;
  /** Flush or finish. */
  control(ready: LiveReady, action: Control, signal?: AbortSignal): Promise<void>;
  /** Messages with events after `afterEventSeq`, and heartbeats, until this connection ends. */
  events(sessionId: string, afterEventSeq: number, signal?: AbortSignal): AsyncIterable<WatchMeetingResponse>;
}

// The server says something every 15 s.
const SILENCE_MS = 30_000;
const CALL_MS = 30_000;

/** Plain calls, and server-sent events. */
export class HttpTransport implements LiveTransport {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  async open(config: LiveConfig, signal?: AbortSignal): Promise<LiveReady> {
    const opening = limited(signal, (s) => this.#gateway.json<OpenMeetingResponse>(CALLS.openMeeting, { config }, s));
    return (await opening).ready;
  }

  async send(ready: LiveReady, piece: AudioPiece, signal?: AbortSignal): Promise<Ack> {
    const request = {
      session_id: ready.session_id,
      owner: ready.owner,
      track_id: piece.trackId,
      first_sample: piece.firstSample,
      // Absent rather than false, as where nothing is special.
      length_prefixed: piece.lengthPrefixed || undefined,
    };
    const raw = { body: piece.data, contentType: "application/octet-stream" };
    return (await limited(signal, (s) => this.#gateway.json<SendAudioResponse>(CALLS.sendAudio, request, s, raw))).ack;
  }

  async control(ready: LiveReady, action: Control, signal?: AbortSignal): Promise<void> {
    const request = { session_id: ready.session_id, owner: ready.owner, control: { action } };
    await limited(signal, (s) => this.#gateway.json(CALLS.controlMeeting, request, s));
  }

  async *events(
    sessionId: string,
    afterEventSeq: number,
    signal?: AbortSignal,
  ): AsyncGenerator<WatchMeetingResponse, void, undefined> {
    const call = new AbortController();
    const ended = (): void => call.abort(signal?.reason);
    if (signal?.aborted) throw signal.reason;
    signal?.addEventListener("abort", ended, { once: true });
    try {
      const request = { session_id: sessionId, after_event_seq: afterEventSeq };
      const answer = await this.#gateway.open(CALLS.watchMeeting, request, { signal: call.signal });
      if (answer.body === null) return;
      for await (const data of serverSentEvents(answer.body, SILENCE_MS)) {
        yield JSON.parse(data) as WatchMeetingResponse;
      }
    } catch (thrown) {
      throw noAnswer(thrown, signal);
    } finally {
      signal?.removeEventListener("abort", ended);
      call.abort();
    }
  }
}

/** Make a call that has a time limit, so that a connection that died without a word is noticed. */
async function limited<T>(
  signal: AbortSignal | undefined,
  call: (options: { signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const late = AbortSignal.timeout(CALL_MS);
  try {
    return await call({ signal: signal ? AbortSignal.any([signal, late]) : late });
  } catch (thrown) {
    throw noAnswer(thrown, signal);
  }
}
