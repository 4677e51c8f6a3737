import { errorOf, MeetraError, noAnswer } from "./errors.js";
import { CALLS } from "./generated/calls.js";
import type { Reason } from "./errors.js";
import type { LoginResponse } from "./generated/messages.js";

/** Where a call goes, and where its parameters go. */
export interface Call {
  readonly verb: string;
  readonly path: string;
  /** The parameter that is the body, `*` for all that are not in the path, empty for none. */
  readonly body: string;
  /** Names of parameters in HTTP that are others than in the request. */
  readonly renamed: Readonly<Record<string, string | undefined>>;
}

/** How one call is made. */
export interface CallOptions {
  /** Ends the call early; it then throws the signal's reason. */
  signal?: AbortSignal;
}

/** Who calls: by a token, an API key, or email and password. */
export interface Credentials {
  /** A token, or what gives one whenever one is needed anew. */
  token?: string | (() => string | Promise<string>);
  /** An API key (`mk_...`). */
  apiKey?: string;
  /** With `password`: the client logs in, and again when its token has expired. */
  email?: string;
  password?: string;
}

/** A body that is no JSON. */
export interface RawBody {
  body: BodyInit;
  contentType: string;
}

/** The calls of one user to one gateway. */
export class Gateway {
  readonly #url: string;
  readonly #fetch: typeof fetch;
  readonly #fixedToken: string | undefined;
  readonly #newToken: (() => string | Promise<string>) | undefined;
  #token: Promise<string> | undefined;

  constructor(url: string, credentials: Credentials, fetcher?: typeof fetch) {
    this.#url = url.replace(/\/+$/, "");
    // Called as a function of the window, as browsers demand.
    this.#fetch = fetcher ?? ((input, init) => globalThis.fetch(input, init));
    const { token, apiKey, email, password } = credentials;
    if (typeof token === "function") this.#newToken = token;
    else if (email !== undefined && password !== undefined) this.#newToken = () => this.#login(email, password);
    else this.#fixedToken = apiKey ?? token;
  }

  /** Make a call and read its JSON. Throws MeetraError. */
  async json<T>(call: Call, request: object, options: CallOptions = {}, raw?: RawBody): Promise<T> {
    const answer = await this.open(call, request, options, raw);
    try {
      return (await answer.json()) as T;
    } catch (thrown) {
      throw noAnswer(thrown, options.signal);
    }
  }

  /**
   * Make a call; return its answer, whose body is not read yet. A token that is no longer valid is replaced once, where
   * there is a password or a function to get another one. Throws MeetraError.
   */
  async open(call: Call, request: object, options: CallOptions = {}, raw?: RawBody): Promise<Response> {
    const anonymous = call.path === CALLS.login.path;
    for (let attempt = 1; ; attempt++) {
      const waiting = anonymous ? undefined : this.#currentToken();
      const token = waiting && (await this.#received(waiting, options));
      const answer = await this.#send(call, request, token, options, raw);
      if (answer.ok) return answer;
      const error = await errorOf(answer);
      if (answer.status !== 401 || anonymous || attempt > 1 || !this.#newToken) throw error;
      this.#discard(waiting);
    }
  }

  /** The token that calls carry now; undefined where nobody said who calls. Throws MeetraError. */
  async token(options: { signal?: AbortSignal | undefined } = {}): Promise<string | undefined> {
    return this.#received(this.#currentToken(), options);
  }

  /** Forget the token: the next call gets another one. */
  forgetToken(): void {
    this.#token = undefined;
  }

  /** Connect a WebSocket, with a token of one session as a protocol, as browsers set no headers. */
  socket(path: string, token: string, constructor: typeof WebSocket = WebSocket): WebSocket {
    const url = new URL(this.#url + path, globalThis.location?.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return new constructor(url, ["meetra.v1", `bearer.${token}`]);
  }

  /** The token of all calls: one login for all that wait for it. */
  #currentToken(): Promise<string | undefined> {
    const newToken = this.#newToken;
    if (!newToken) return Promise.resolve(this.#fixedToken);
    this.#token ??= (async () => newToken())();
    return this.#token;
  }

  /** Forget a token, unless another call has replaced it since. */
  #discard(token: Promise<string | undefined> | undefined): void {
    if (this.#token === token) this.#token = undefined;
  }

  async #received(
    waiting: Promise<string | undefined>,
    options: { signal?: AbortSignal | undefined },
  ): Promise<string | undefined> {
    try {
      return await waiting;
    } catch (thrown) {
      this.#discard(waiting);
      throw noAnswer(thrown, options.signal);
    }
  }

  async #login(email: string, password: string): Promise<string> {
    return (await this.json<LoginResponse>(CALLS.login, { email, password })).token;
  }

  async #send(
    call: Call,
    request: object,
    token: string | undefined,
    options: CallOptions,
    raw?: RawBody,
  ): Promise<Response> {
    const { path, body } = placed(call, request);
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    if (raw) headers["content-type"] = raw.contentType;
    else if (body !== undefined) headers["content-type"] = "application/json";
    const init: RequestInit = { method: call.verb, headers };
    if (raw) init.body = raw.body;
    else if (body !== undefined) init.body = JSON.stringify(body);
    if (options.signal) init.signal = options.signal;
    try {
      return await this.#fetch(this.#url + path, init);
    } catch (thrown) {
      throw noAnswer(thrown, options.signal);
    }
  }
}

/** A request's path with its query, and its body. */
export function placed(call: Call, request: object): { path: string; body: unknown } {
  const query = new URLSearchParams();
  const all: Record<string, unknown> = {};
  let path = call.path;
  let body: unknown = call.body === "*" ? all : undefined;
  for (const [name, value] of Object.entries(request)) {
    const place = `{${name}}`;
    if (path.includes(place)) {
      path = path.replace(place, encodeURIComponent(String(value)));
    } else if (value === undefined) {
      continue;
    } else if (name === call.body) {
      body = value;
    } else if (call.body === "*") {
      all[call.renamed[name] ?? name] = value;
    } else {
      for (const item of Array.isArray(value) ? value : [value]) query.append(call.renamed[name] ?? name, String(item));
    }
  }
  if (path.includes("{")) throw new TypeError(`the request lacks ${path.slice(path.indexOf("{"))}`);
  const search = query.toString();
  return { path: search ? `${path}?${search}` : path, body };
}

// What refuses a new user or a new meeting at once may be waited for by a meeting that is open already.
const PASSING_IN_MEETING: readonly (Reason | undefined)[] = [
  "TOO_MANY_LOGINS",
  "TOO_MANY_LIVE_MEETINGS",
  "STORAGE_FULL",
];

/** Whether a call of a meeting that is open may be made again after this error, which passes by itself. */
export function isPassing(error: unknown): error is MeetraError {
  return error instanceof MeetraError && (error.passes || PASSING_IN_MEETING.includes(error.reason));
}

/** The file's name in a Content-Disposition (RFC 6266); undefined where it has none. */
export function fileName(disposition: string): string | undefined {
  const extended = /;\s*filename\*=UTF-8''([^;\s]+)/i.exec(disposition)?.[1];
  try {
    if (extended !== undefined) return decodeURIComponent(extended);
  } catch {
    // No name in UTF-8: the plain one is left.
  }
  return /;\s*filename="([^"]*)"/i.exec(disposition)?.[1];
}
