import { session } from "../server/session.js";

/** A correction of a sentence that is being typed. */
export interface Draft {
  readonly text: string;
  /** The chosen speaker's id; empty for the unknown one, `NEW_SPEAKER` for somebody new. */
  readonly speaker: string;
  /** What the sentence read when the typing began. */
  readonly replaces: string;
}

/** Stands for a speaker whom the meeting does not have yet. */
export const NEW_SPEAKER = "new";

const PREFIX = "meetra-draft";

/**
 * The corrections that are being typed, kept for this tab until they are saved or given up: a list that draws only what
 * is seen, an answer that fails and a reloaded page lose none of them.
 */
class Drafts {
  readonly #held = new Map<string, Draft>();

  constructor() {
    for (const key of Object.keys(sessionStorage)) {
      if (!key.startsWith(`${PREFIX} `)) continue;
      const found = parsed(sessionStorage.getItem(key));
      if (found) this.#held.set(key, found);
    }
    // What somebody typed is nobody else's who signs in after them.
    session.watch(() => {
      if (!session.state.signedIn) this.#clear();
    });
  }

  /** The draft of a sentence, if there is one. */
  of(fileHash: string, number: number): Draft | undefined {
    return this.#held.get(keyOf(fileHash, number));
  }

  /** The numbers of the sentences of a meeting that have one, ascending. */
  numbers(fileHash: string): number[] {
    const own = [...this.#held.keys()].filter((key) => key.startsWith(`${PREFIX} ${fileHash} `));
    return own.map((key) => Number(key.split(" ")[2])).sort((one, other) => one - other);
  }

  keep(fileHash: string, number: number, draft: Draft): void {
    const key = keyOf(fileHash, number);
    this.#held.set(key, draft);
    try {
      sessionStorage.setItem(key, JSON.stringify(draft));
    } catch {
      // The browser stores nothing: it is kept as long as the page is.
    }
  }

  drop(fileHash: string, number: number): void {
    const key = keyOf(fileHash, number);
    this.#held.delete(key);
    sessionStorage.removeItem(key);
  }

  #clear(): void {
    for (const key of this.#held.keys()) sessionStorage.removeItem(key);
    this.#held.clear();
  }
}

function keyOf(fileHash: string, number: number): string {
  return `${PREFIX} ${fileHash} ${number}`;
}

function parsed(stored: string | null): Draft | undefined {
  try {
    const { text, speaker, replaces } = JSON.parse(stored ?? "") as Record<keyof Draft, unknown>;
    const whole = typeof text === "string" && typeof speaker === "string" && typeof replaces === "string";
    return whole ? { text, speaker, replaces } : undefined;
  } catch {
    return undefined;
  }
}

export const drafts = new Drafts();
