import { closeError, MeetraError } from "./errors.js";
import type { Control, LiveConfig, LiveReady } from "./generated/messages.js";
import { ReceivedMessages } from "./received.js";
import type { AudioPiece, LiveConnection, LiveMessage } from "./transport.js";

/** StreamMeeting over a WebSocket; live.proto says what its frames are. */
export class SocketConnection implements LiveConnection {
  readonly afterEventSeq: number;
  readonly #socket: WebSocket;
  readonly #encoder = new TextEncoder();
  #ready: LiveReady | undefined;
  readonly #received = new ReceivedMessages();

  private constructor(socket: WebSocket, config: LiveConfig) {
    this.afterEventSeq = config.after_event_seq ?? 0;
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ config }));
    socket.onmessage = ({ data }) => {
      try {
        this.#received.add(JSON.parse(String(data)) as LiveMessage);
      } catch (thrown) {
        this.drop(new MeetraError("the server sent no JSON", 0, "UNREACHABLE", undefined, { cause: thrown }));
      }
    };
    socket.onclose = ({ code, reason }) => this.#received.end(code === 1000 ? {} : { error: closeError(code, reason) });
  }

  /**
   * Connect, and wait until the server is ready.
   *
   * @param config of a session that exists.
   * @param timeoutMs how long that may take, milliseconds.
   */
  static async open(
    connect: () => WebSocket,
    config: LiveConfig,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<SocketConnection> {
    if (signal?.aborted) throw signal.reason;
    const connection = new SocketConnection(connect(), config);
    const timer = setTimeout(() => {
      connection.drop(new MeetraError(`the WebSocket said nothing for ${timeoutMs / 1000} s`, 0, "UNREACHABLE"));
    }, timeoutMs);
    const ended = (): void => connection.drop(signal?.reason);
    signal?.addEventListener("abort", ended, { once: true });
    try {
      const first = await connection.next();
      if (!first?.ready) throw new MeetraError("the WebSocket ended before it was ready", 0, "UNREACHABLE");
      connection.#ready = first.ready;
      return connection;
    } catch (thrown) {
      connection.drop(thrown);
      throw thrown;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", ended);
    }
  }

  get ready(): LiveReady {
    if (!this.#ready) throw new TypeError("not ready yet");
    return this.#ready;
  }

  send({ trackId, firstSample, lengthPrefixed, data }: AudioPiece): void {
    // Absent rather than false, as where nothing is special.
    const chunk = { track_id: trackId, first_sample: firstSample, length_prefixed: lengthPrefixed || undefined };
    const head = this.#encoder.encode(JSON.stringify(chunk) + "\n");
    const frame = new Uint8Array(head.length + data.length);
    frame.set(head);
    frame.set(data, head.length);
    this.#write(frame);
  }

  control(action: Control): void {
    this.#write(JSON.stringify({ control: action }));
  }

  next(): Promise<LiveMessage | undefined> {
    return this.#received.next();
  }

  drop(why: unknown): void {
    this.#received.end({ error: why });
    // Where the other side is gone the browser waits for it; nobody else does.
    this.#socket.close();
  }

  #write(frame: string | Uint8Array<ArrayBuffer>): void {
    // On a socket that is closing `next` says why.
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(frame);
  }
}
