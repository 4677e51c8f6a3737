import type { LiveMessage } from "./transport.js";

/** What came of a live meeting, until somebody reads it. */
export class ReceivedMessages {
  readonly #messages: LiveMessage[] = [];
  /** Why nothing more comes; without an error where all was told. */
  #end: { error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** Whether its end was told. */
  get over(): boolean {
    return this.#end !== undefined;
  }

  add(message: LiveMessage): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  /** Nothing more comes, for the first reason that is given. */
  end(why: { error?: unknown }): void {
    this.#end ??= why;
    this.#wake?.();
  }

  /** The next message; undefined after the last. Throws the error of the end. */
  async next(): Promise<LiveMessage | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) return message;
      if (this.#end) {
        if ("error" in this.#end) throw this.#end.error;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
