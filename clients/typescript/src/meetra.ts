import { sleep } from "./backoff.js";
import { Calls, CALLS } from "./generated/calls.js";
import type {
  ExportMeetingRequest,
  ExportOrganizationRequest,
  GetMeetingAudioRequest,
  GetMeetingStatusResponse,
  LiveConfig,
  LiveEvent,
  UploadMeetingRequest,
  UploadMeetingResponse,
} from "./generated/messages.js";
import { fileName, Gateway } from "./http.js";
import type { Call, CallOptions, Credentials } from "./http.js";
import { LiveMeeting } from "./live.js";
import type { LiveOptions } from "./live.js";
import { WebSocketTransport } from "./transport.js";
import type { LiveTransport } from "./transport.js";
import { watch } from "./watch.js";
import type { WatchOptions } from "./watch.js";

const POLL_MS = 1000;

/** How the client reaches the server. */
export interface MeetraOptions {
  /** Another `fetch`: with a proxy, or a certificate of one's own. */
  fetch?: typeof fetch;
  /** Another `WebSocket`, for the same reasons. */
  WebSocket?: typeof WebSocket;
  /** How live meetings reach the server; a WebSocket if absent. */
  transport?: LiveTransport;
}

/** A file that the server makes, and what it is called. */
export interface ExportedFile {
  /** Its bytes, as they come. */
  body: ReadableStream<Uint8Array>;
  /** Its name, after the meeting's, with the ending of its format. */
  name: string;
  /** Its media type. */
  contentType: string;
}

/**
 * A Meetra server, as one user sees it.
 *
 * Every call of the REST API is a method of the RPC's name (`getTranscription`, `listSpeakers`, ...), whose request has
 * the fields of its message. All throw MeetraError.
 */
export class Meetra extends Calls {
  readonly #gateway: Gateway;
  readonly #transport: LiveTransport;

  /** @param url of the gateway, such as `https://meetra.example.org`. */
  constructor(url: string, credentials: Credentials = {}, options: MeetraOptions = {}) {
    super();
    this.#gateway = new Gateway(url, credentials, options.fetch);
    this.#transport = options.transport ?? new WebSocketTransport(this.#gateway, options.WebSocket);
  }

  /** Forget the token of a function or a login, such as where another user goes on: the next call gets another one. */
  forgetToken(): void {
    this.#gateway.forgetToken();
  }

  protected override call<T>(call: Call, request: object, options?: CallOptions): Promise<T> {
    return this.#gateway.json<T>(call, request, options);
  }

  /** Upload a recording, which is read as it is sent. Node: `await openAsBlob(path)` of `node:fs`. */
  uploadMeeting(
    recording: Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>,
    metadata: UploadMeetingRequest = {},
    options?: CallOptions,
  ): Promise<UploadMeetingResponse> {
    const contentType = (recording instanceof Blob && recording.type) || "application/octet-stream";
    return this.#gateway.json(CALLS.uploadMeeting, metadata, options, { body: recording, contentType });
  }

  /** Wait until a meeting is `ready` or `failed`; return its status, which says so. */
  async waitUntilSettled(fileHash: string, options: CallOptions = {}): Promise<GetMeetingStatusResponse> {
    for (;;) {
      const state = await this.getMeetingStatus({ file_hash: fileHash }, options);
      if (state.status === "ready" || state.status === "failed") return state;
      await sleep(POLL_MS, options.signal);
    }
  }

  /** Everything of the organization as a tar archive; without `manifest.json` at its end it was cut off. */
  async exportOrganization(
    request: ExportOrganizationRequest = {},
    options?: CallOptions,
  ): Promise<ReadableStream<Uint8Array>> {
    return bytesOf(await this.#gateway.open(CALLS.exportOrganization, request, options));
  }

  /** A finished meeting as a file: subtitles, a document, a table (`format`: `srt`, `docx`, `words.csv`, ...). */
  async exportMeeting(request: ExportMeetingRequest, options?: CallOptions): Promise<ExportedFile> {
    return fileOf(await this.#gateway.open(CALLS.exportMeeting, request, options), `meeting.${request.format}`);
  }

  /**
   * A meeting's sound as a file (`variant`: `normalised`, `redacted`, or `original` with the `track` of a live meeting). A
   * sound that is not made yet is waited for.
   */
  async getMeetingAudio(request: GetMeetingAudioRequest, options?: CallOptions): Promise<ExportedFile> {
    return fileOf(await this.#gateway.open(CALLS.getMeetingAudio, request, options), "meeting");
  }

  /**
   * Open a live meeting, or resume that of `config.session_id`: then `config.tracks` says how its audio is encoded, as
   * when it was opened.
   */
  live(config: LiveConfig, options?: LiveOptions): Promise<LiveMeeting> {
    return LiveMeeting.open(this.#transport, config, options);
  }

  /** Events of a live meeting for who only watches, over as many connections as it takes, up to `finished`. */
  watch(sessionId: string, options?: WatchOptions): AsyncGenerator<LiveEvent, void, undefined> {
    return watch(this.#transport, sessionId, options);
  }
}

function fileOf(answer: Response, name: string): ExportedFile {
  const { headers } = answer;
  return {
    body: bytesOf(answer),
    name: fileName(headers.get("content-disposition") ?? "") ?? name,
    contentType: headers.get("content-type") ?? "application/octet-stream",
  };
}

function bytesOf({ body }: Response): ReadableStream<Uint8Array> {
  return body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
}
