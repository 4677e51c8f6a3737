import { MeetraError, noAnswer } from "./errors.js";
import { CALLS } from "./generated/calls.js";
import type {
  Ack,
  Control,
  ControlMeetingResponse,
  ControlMessage,
  LiveConfig,
  LiveEvent,
  LiveReady,
  LiveTrackState,
  OpenMeetingResponse,
  WatchMeetingResponse,
} from "./generated/messages.js";
import type { Gateway } from "./http.js";
import { PlainConnection } from "./plain_connection.js";
import { SocketConnection } from "./socket.js";
import { serverSentEvents } from "./sse.js";

/** Audio of one track from a position on. */
export interface AudioPiece {
  trackId: string;
  firstSample: number;
  data: Uint8Array<ArrayBuffer>;
  /** `data` is a batch of Opus packets, each after its length. */
  lengthPrefixed: boolean;
}

/** What the server says to who sends: an acknowledgement, or an event. */
export interface LiveMessage {
  ready?: LiveReady;
  ack?: Ack;
  event?: LiveEvent;
}

/** A connection of the client that sends. */
export interface LiveConnection {
  /** The state of the session when the connection began. */
  readonly ready: LiveReady;
  /** The connection tells the events after this one. */
  readonly afterEventSeq: number;
  /** Hand over audio; it is on disk once an `ack` says so. */
  send(piece: AudioPiece): void;
  /** Flush or finish. */
  control(action: Control): void;
  /** The next message; undefined once the meeting's last event was told. Throws why the connection ended before. */
  next(): Promise<LiveMessage | undefined>;
  /** End the connection; `next` throws `why`. */
  drop(why: unknown): void;
}

/** How a live meeting reaches the server. Every method throws MeetraError; none tries again by itself. */
export interface LiveTransport {
  /**
   * Open a meeting, or resume one. Without `config.after_event_seq` the connection tells the events that come from now
   * on.
   */
  connect(config: LiveConfig, signal?: AbortSignal): Promise<LiveConnection>;
  /** Add, end or rename a track, as the client whose connection began with `ready`; return the track as it is then. */
  change(ready: LiveReady, control: ControlMessage, signal?: AbortSignal): Promise<LiveTrackState>;
  /** Messages with events after `afterEventSeq`, and heartbeats, until this connection ends. */
  events(sessionId: string, afterEventSeq: number, signal?: AbortSignal): AsyncIterable<WatchMeetingResponse>;
}

// The server says something every 15 s.
const SILENCE_MS = 30_000;
const CALL_MS = 30_000;
// A token is needed for the handshake alone: what is open goes on when it expires.
const HANDSHAKE_S = 60;
// What tells a token for one session from others.
const SESSION_TOKEN = "ms_";
const SCOPES = ["send", "watch"];

/**
 * A WebSocket for who sends; server-sent events for who watches. Where plain calls get through and no WebSocket ever did, a
 * proxy is in its way: from then on plain calls take its place.
 *
 * A session is opened by a plain call, which tells errors as every call does and needs no token of the session: a
 * browser cannot read why a handshake was refused. The WebSocket's token is made for this one session, unless the
 * caller's own is of that kind. Tracks are changed by plain calls too, because a refusal over the WebSocket ends it.
 */
export class WebSocketTransport implements LiveTransport {
  readonly #gateway: Gateway;
  readonly #socket: typeof WebSocket | undefined;
  /** Whether a WebSocket gets through; undefined until one was tried. */
  #socketsWork: boolean | undefined;

  /** @param socket another `WebSocket`: with a proxy, or a certificate of one's own. */
  constructor(gateway: Gateway, socket?: typeof WebSocket) {
    this.#gateway = gateway;
    this.#socket = socket;
  }

  async connect(config: LiveConfig, signal?: AbortSignal): Promise<LiveConnection> {
    const opening = limited(signal, (s) => this.#gateway.json<OpenMeetingResponse>(CALLS.openMeeting, { config }, s));
    const opened = (await opening).ready;
    const { session_id, last_event_seq } = opened;
    const after_event_seq = config.after_event_seq ?? last_event_seq;
    const token = await this.#sessionToken(session_id, signal);
    if (token === undefined) return new ConcludedMeeting(opened, after_event_seq);
    if (this.#socketsWork === false) return this.#plain(opened, after_event_seq);
    try {
      // The plain call holds the meeting: it is this client that is taken over.
      const connection = await SocketConnection.open(
        () => this.#gateway.socket(CALLS.openMeeting.path + "/socket", token, this.#socket),
        { session_id, after_event_seq, take_over: true },
        CALL_MS,
        signal,
      );
      this.#socketsWork = true;
      return connection;
    } catch (thrown) {
      // What is no error of the server's was thrown by a browser that has or allows no WebSocket.
      const refused = thrown instanceof MeetraError && thrown.reason !== "UNREACHABLE";
      if (this.#socketsWork || refused || signal?.aborted) throw thrown;
      // Its first message may have come through, and taken the meeting over.
      const request = { config: { session_id, after_event_seq, take_over: true } };
      const again = limited(signal, (s) => this.#gateway.json<OpenMeetingResponse>(CALLS.openMeeting, request, s));
      const { ready } = await again;
      this.#socketsWork = false;
      return this.#plain(ready, after_event_seq);
    }
  }

  async change(ready: LiveReady, control: ControlMessage, signal?: AbortSignal): Promise<LiveTrackState> {
    const request = { session_id: ready.session_id, owner: ready.owner, control };
    const { track } = await limited(signal, (s) =>
      this.#gateway.json<ControlMeetingResponse>(CALLS.controlMeeting, request, s),
    );
    if (!track) throw new MeetraError("the server does not say how the track is", 0);
    return track;
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

  #plain(ready: LiveReady, afterEventSeq: number): LiveConnection {
    const { session_id, owner } = ready;
    return new PlainConnection(ready, afterEventSeq, {
      sendAudio: async ({ trackId, firstSample, lengthPrefixed, data }, signal) => {
        const chunk = { session_id, owner, track_id: trackId, first_sample: firstSample, length_prefixed: lengthPrefixed };
        const raw = { body: data, contentType: "application/octet-stream" };
        const answer = limited(signal, (s) => this.#gateway.json<{ ack: Ack }>(CALLS.sendAudio, chunk, s, raw));
        return (await answer).ack;
      },
      control: async (action, signal) => {
        const request = { session_id, owner, control: { action } };
        await limited(signal, (s) => this.#gateway.json(CALLS.controlMeeting, request, s));
      },
      events: (signal) => this.events(session_id, afterEventSeq, signal),
    });
  }

  /** A token of the session; undefined once its last event is stored. */
  async #sessionToken(session_id: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const own = await this.#gateway.token({ signal });
    if (own?.startsWith(SESSION_TOKEN)) return own;
    const request = { session_id, scopes: SCOPES, lifetime_s: HANDSHAKE_S };
    try {
      const made = limited(signal, (s) =>
        this.#gateway.json<{ token: string }>(CALLS.createSessionToken, request, s),
      );
      return (await made).token;
    } catch (thrown) {
      if (thrown instanceof MeetraError && thrown.reason === "MEETING_OVER") return undefined;
      throw thrown;
    }
  }
}

/** The connection to a meeting whose last event is stored: there is nothing more to say. */
class ConcludedMeeting implements LiveConnection {
  constructor(
    readonly ready: LiveReady,
    readonly afterEventSeq: number,
  ) {}

  send(): void {}

  control(): void {}

  async next(): Promise<undefined> {}

  drop(): void {}
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
