import { MeetraError } from "./errors.js";

const FIRST_MS = 100;
const LAST_MS = 10_000;

/** Waits between tries: longer each time, never in step with other clients, and not for ever. */
export class Backoff {
  #failures = 0;
  #since = 0;

  /** @param patienceS how long failures may go on before `wait` gives up, seconds. */
  constructor(readonly patienceS: number) {}

  /** Something went well: the next failure is the first again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Wait before the next try, at least as long as the server asks. Throws MeetraError `UNREACHABLE` when the patience
   * is over, and the signal's reason.
   */
  async wait(error: MeetraError, signal?: AbortSignal): Promise<void> {
    const now = Date.now();
    if (this.#failures === 0) this.#since = now;
    const left = this.#since + this.patienceS * 1000 - now;
    if (left <= 0) {
      const text = `no connection for ${this.patienceS} s: ${error.message}`;
      throw new MeetraError(text, error.status, "UNREACHABLE", undefined, { cause: error });
    }
    const longest = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(this.#failures++, 20));
    const asked = (error.retryAfterS ?? 0) * 1000;
    await sleep(Math.min(left, asked + longest * (0.5 + Math.random() / 2)), signal);
  }
}

/** Wait so many milliseconds. Throws the signal's reason. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const ended = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", ended);
      resolve();
    }, ms);
    signal?.addEventListener("abort", ended, { once: true });
  });
}
