import { Meetra, MeetraError } from "meetra-client";
import { useEffect, useState } from "preact/hooks";
import { Watchers } from "../parts/watchers.js";

const KEY = "meetra-token";

/** What of the session the page shows. */
export interface SessionState {
  readonly signedIn: boolean;
  /** A token has expired while somebody was at work: calls wait until they have signed in again. */
  readonly asking: boolean;
}

/**
 * Who uses the page: their token, kept in this browser until they sign out.
 *
 * A call whose token is refused waits until somebody has signed in again, and is then made once more: what was typed
 * stays in the page.
 */
export class Session {
  readonly #gateway: string;
  readonly #watchers = new Watchers();
  /** Call a function whenever the state changes; returns what ends that. */
  readonly watch = this.#watchers.watch;
  #token: string | undefined = localStorage.getItem(KEY) ?? undefined;
  #given: string | undefined;
  #waiting: { resolve: (token: string) => void; reject: (error: unknown) => void }[] = [];

  constructor(gateway: string) {
    this.#gateway = gateway;
    // Another tab has signed in or out.
    addEventListener("storage", ({ key, newValue }) => {
      if (key !== KEY && key !== null) return;
      if (newValue) this.#accept(newValue);
      else this.#end();
    });
  }

  get state(): SessionState {
    return { signedIn: this.#token !== undefined, asking: this.#waiting.length > 0 };
  }

  /** Sign in. Throws MeetraError: wrong credentials, or no answer. */
  async signIn(email: string, password: string): Promise<void> {
    const { token } = await new Meetra(this.#gateway).login({ email, password });
    this.renew(token);
  }

  /** Go on with a token that the server gave in place of the one that it voids: the password has changed. */
  renew(token: string): void {
    localStorage.setItem(KEY, token);
    this.#accept(token);
  }

  /** Make the token void, and forget it also where the server does not answer. */
  async signOut(): Promise<void> {
    const token = this.#token;
    this.#forget();
    if (token) await new Meetra(this.#gateway, { token }).logout().catch(() => undefined);
  }

  /** The token for a call that the client does not make itself, such as an upload. */
  get token(): string {
    return this.#token ?? "";
  }

  /** A token that has not been refused: the client asks again only for another one. */
  readonly newToken = (): string | Promise<string> => {
    if (this.#token !== undefined && this.#token !== this.#given) {
      this.#given = this.#token;
      return this.#token;
    }
    if (this.#token === undefined) throw new MeetraError("Unauthorized", 401, "UNAUTHENTICATED");
    return this.refused(this.#token);
  };

  /** Say that the server refused `token`; the promise gives the next one. */
  refused(token: string): Promise<string> {
    if (this.#token !== undefined && this.#token !== token) return Promise.resolve(this.#token);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#watchers.tell();
    });
  }

  #accept(token: string): void {
    if (this.#token !== undefined && userOf(token) !== userOf(this.#token)) {
      // Another user: nothing of the former one stays in the page, and none of their calls goes on.
      this.#end();
      location.reload();
      return;
    }
    this.#token = token;
    this.#given = token;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) this.#given = undefined;
    for (const { resolve } of waiting) resolve(token);
    this.#watchers.tell();
  }

  #forget(): void {
    localStorage.removeItem(KEY);
    this.#end();
  }

  #end(): void {
    this.#token = this.#given = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(new MeetraError("Unauthorized", 401, "UNAUTHENTICATED"));
    this.#watchers.tell();
  }
}

/** Whose token it is, by its claims, which nobody but the server checks; undefined where it has none. */
function userOf(token: string): unknown {
  try {
    const claims = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    return (JSON.parse(atob(claims)) as { sub?: unknown }).sub;
  } catch {
    return undefined;
  }
}

/** The server that the page came from. */
export const GATEWAY = location.origin;

/** The session of this page. */
export const session = new Session(GATEWAY);

/** The state of the session, whenever it changes. */
export function useSession(): SessionState {
  const [state, setState] = useState(session.state);
  useEffect(() => session.watch(() => setState(session.state)), []);
  return state;
}
