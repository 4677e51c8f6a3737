import { MeetraError } from "meetra-client";
import type { Reason } from "meetra-client";
import { DetailedError, Upload } from "tus-js-client";
import type { HttpResponse } from "tus-js-client";
import { Watchers } from "../parts/watchers.js";
import { errorText } from "../server/error_text.js";
import { GATEWAY, session } from "../server/session.js";

/** Files that are sent at once. */
const AT_ONCE = 2;
/** Of a piece: after each, what came is told to be durable, and the token may be another. */
const PIECE_BYTES = 16 * 1024 * 1024;
/** Before each try after a break; then it waits for somebody. A server that restarts is back within seconds. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 5000, 5000, ...Array<number>(60).fill(10_000)];
/** What is worth another try besides what every call tries again: no answer, another request that still writes. */
const PASSING = new Set([0, 409, 423]);
/** An upload is no more, or not of this user: only then is it begun anew. */
const GONE = new Set([403, 404, 410]);
/** Of what the library keeps of uploads in the browser. */
const KEPT = "tus::";

/** What is said of recordings, by the names of the form. */
export interface Details {
  readonly name: string;
  readonly language: string;
  readonly n_speakers: string;
  readonly consent: string;
}

/** One file on its way. */
export interface UploadState {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly sent: number;
  readonly step: "waiting" | "sending" | "resumed" | "broken" | "storing" | "done" | "failed";
  /** Why it failed, for people. */
  readonly problem: string;
  /** Of the meeting, once it is done. */
  readonly fileHash: string;
}

/** The uploads of this page. They go on while other pages are shown. */
export class Uploads {
  #states: readonly UploadState[] = [];
  readonly #tasks = new Map<number, Upload>();
  readonly #watchers = new Watchers();
  /** Call a function whenever something changes; returns what ends that. */
  readonly watch = this.#watchers.watch;
  #number = 0;

  constructor() {
    addEventListener("beforeunload", (event) => {
      if (this.#states.some(({ step }) => step !== "done" && step !== "failed")) event.preventDefault();
    });
    // What somebody uploads is nobody else's who signs in after them.
    session.watch(() => {
      if (!session.state.signedIn) this.#clear();
    });
  }

  get states(): readonly UploadState[] {
    return this.#states;
  }

  /** Send files, two at once. */
  add(files: readonly File[], details: Details): void {
    for (const file of files) {
      const id = ++this.#number;
      const state = { id, name: file.name, size: file.size, sent: 0, step: "waiting", problem: "", fileHash: "" } as const;
      this.#states = [...this.#states, state];
      const name = files.length === 1 ? details.name : "";
      this.#tasks.set(id, this.#upload(id, file, { ...details, name }));
    }
    this.#watchers.tell();
    this.#startNext();
  }

  /** Try again what failed. */
  retry(id: number): void {
    this.#set(id, { step: "waiting", problem: "" });
    this.#startNext();
  }

  /** Give up an upload, here and at the server; of one that is over, forget it. */
  remove(id: number): void {
    const over = this.#states.some((state) => state.id === id && state.step === "done");
    void this.#tasks.get(id)?.abort(!over).catch(() => undefined);
    this.#tasks.delete(id);
    this.#states = this.#states.filter((state) => state.id !== id);
    this.#watchers.tell();
    this.#startNext();
  }

  #clear(): void {
    for (const upload of this.#tasks.values()) void upload.abort();
    this.#tasks.clear();
    this.#states = [];
    for (const key of Object.keys(localStorage)) if (key.startsWith(KEPT)) localStorage.removeItem(key);
    this.#watchers.tell();
  }

  #upload(id: number, file: File, details: Details): Upload {
    const stated = Object.entries({ ...details, filename: file.name, filetype: file.type }).filter(([, value]) => value);
    let token = "";
    const upload: Upload = new Upload(file, {
      endpoint: `${GATEWAY}/single-feature-api/uploads`,
      chunkSize: PIECE_BYTES,
      retryDelays: RETRY_DELAYS_MS,
      removeFingerprintOnSuccess: true,
      metadata: Object.fromEntries(stated),
      onBeforeRequest: (request) => {
        token = session.token;
        request.setHeader("Authorization", `Bearer ${token}`);
      },
      onAfterResponse: (request, response) => {
        const status = response.getStatus();
        // The library would take it for the end of the upload, and send all of it anew.
        if (request.getMethod() === "HEAD" && status >= 300 && !GONE.has(status)) throw new Refused(response);
        const fileHash = response.getHeader("meetra-file-hash");
        if (fileHash) this.#set(id, { fileHash });
      },
      onProgress: (sent) => this.#set(id, { sent, step: sent < file.size ? "sending" : "storing" }),
      onShouldRetry: (error) => {
        const passes = PASSING.has(statusOf(error)) || meetraError(error).passes;
        if (passes) this.#set(id, { step: "broken" });
        return passes;
      },
      onSuccess: () => {
        this.#set(id, { step: "done", sent: file.size });
        this.#startNext();
      },
      onError: (error) => {
        // What came stays at the server: once somebody has signed in again, it goes on.
        if (statusOf(error) === 401) {
          this.#set(id, { step: "broken" });
          session.refused(token).then(
            () => this.#tasks.get(id) === upload && upload.start(),
            (refused: unknown) => this.#fail(id, refused),
          );
        } else this.#fail(id, meetraError(error));
      },
    });
    return upload;
  }

  #fail(id: number, error: unknown): void {
    this.#set(id, { step: "failed", problem: errorText(error) });
    this.#startNext();
  }

  #startNext(): void {
    const running = this.#states.filter(({ step }) => step !== "waiting" && step !== "done" && step !== "failed").length;
    for (const { id } of this.#states.filter(({ step }) => step === "waiting").slice(0, Math.max(0, AT_ONCE - running))) {
      this.#set(id, { step: "sending" });
      void this.#start(id);
    }
  }

  async #start(id: number): Promise<void> {
    const upload = this.#tasks.get(id);
    // One that this browser began, before the page was closed.
    const [earlier] = (await upload?.findPreviousUploads().catch(() => [])) ?? [];
    if (!upload || this.#tasks.get(id) !== upload) return;
    if (earlier && upload.url === null) {
      upload.resumeFromPreviousUpload(earlier);
      this.#set(id, { step: "resumed" });
    }
    upload.start();
  }

  #set(id: number, change: Partial<UploadState>): void {
    this.#states = this.#states.map((state) => (state.id === id ? { ...state, ...change } : state));
    this.#watchers.tell();
  }
}

/** The server does not say how far an upload is, and not that it is gone. */
class Refused extends Error {
  constructor(readonly response: HttpResponse) {
    super(`HTTP ${response.getStatus()}`);
  }
}

/** What the server answered; undefined where it did not. */
function responseOf(error: DetailedError): HttpResponse | undefined {
  return error.causingError instanceof Refused ? error.causingError.response : (error.originalResponse ?? undefined);
}

/** The HTTP status of an error; 0 where there was no answer, -1 where none was asked for. */
function statusOf(error: Error): number {
  return error instanceof DetailedError ? (responseOf(error)?.getStatus() ?? 0) : -1;
}

/** What the server said, as the client of every other call has it. */
function meetraError(error: Error): MeetraError {
  if (!(error instanceof DetailedError)) return new MeetraError(error.message, 0);
  const response = responseOf(error);
  if (!response) return new MeetraError(error.message, 0, "UNREACHABLE");
  let message = "";
  try {
    message = (JSON.parse(response.getBody()) as { message?: string }).message ?? "";
  } catch {
    // Of a proxy, or without a body.
  }
  return new MeetraError(message || `HTTP ${response.getStatus()}`, response.getStatus(), response.getHeader("x-meetra-reason") as Reason | undefined);
}

/** The uploads of this page. */
export const uploads = new Uploads();
