import type { ErrorReason } from "./generated/messages.js";

/**
 * Why a call failed: the reason that the server names, or what the client found by itself: `UNREACHABLE` (no answer, or
 * none for the whole patience), `AUDIO_LOST` (the server asks for audio that it had acknowledged).
 */
export type Reason = ShortReason<ErrorReason> | "UNREACHABLE" | "AUDIO_LOST";

type ShortReason<Name> = Name extends `ERROR_REASON_${infer Short}` ? Short : never;

const PASSING: readonly (Reason | undefined)[] = [
  "UNREACHABLE",
  "SERVICE_UNAVAILABLE",
  "AUDIO_NOT_STORED",
  "HELD_BY_ANOTHER_SERVER",
  "TOO_MANY_OPEN_CALLS",
];
// Close codes of the server are from here on; others are of networks and proxies.
const FIRST_CLOSE_CODE = 4000;

/** A call that failed. */
export class MeetraError extends Error {
  override readonly name = "MeetraError";

  /**
   * @param message what the server says, for people.
   * @param status the HTTP status; 0 where there was no answer, where a WebSocket said it, or where the client itself
   * found what is wrong.
   * @param reason why, by name; undefined where a proxy answered.
   * @param retryAfterS how long to wait before the next try, seconds, where the server says so.
   */
  constructor(
    message: string,
    readonly status: number,
    readonly reason?: Reason,
    readonly retryAfterS?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /**
   * Whether the same call may succeed a little later: there was no answer, a part of the system restarts, or too many
   * calls of the user or the organization are open.
   */
  get passes(): boolean {
    return [502, 503, 504].includes(this.status) || PASSING.includes(this.reason);
  }
}

/** The error of an answer. */
export async function errorOf(answer: Response): Promise<MeetraError> {
  const text = await answer.text().catch(() => "");
  let message = "";
  try {
    message = String(JSON.parse(text).message ?? "");
  } catch {
    // Of a proxy: its status says what there is to know.
  }
  const wait = Number(answer.headers.get("retry-after") ?? NaN);
  return new MeetraError(
    message || `HTTP ${answer.status}`,
    answer.status,
    (answer.headers.get("x-meetra-reason") as Reason | null) ?? undefined,
    Number.isFinite(wait) ? wait : undefined,
  );
}

/** The error of a WebSocket that was closed, from its code and its text, `REASON: message`. */
export function closeError(code: number, text: string): MeetraError {
  const [, reason, message] = (code >= FIRST_CLOSE_CODE && /^([A-Z_]+): (.*)$/s.exec(text)) || [];
  if (reason === undefined) return new MeetraError(`the WebSocket was closed (${code}) ${text}`, 0, "UNREACHABLE");
  return new MeetraError(message || reason, 0, reason as Reason);
}

/** What was thrown where an answer was awaited, as an error of this client; an abort by the caller stays what it is. */
export function noAnswer(thrown: unknown, signal?: AbortSignal): unknown {
  if (thrown instanceof MeetraError || signal?.aborted) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new MeetraError(`no answer: ${text}`, 0, "UNREACHABLE", undefined, { cause: thrown });
}
