import { errorOf, MeetraError, noAnswer } from "./errors.js";
import { CALLS } from "./generated/calls.js";
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
      const token = anonymous ? undefined : await this.#currentToken(options);
      const answer = await this.#send(call, request, token, options, raw);
      if (answer.ok) return answer;
      const error = await errorOf(answer);
      if (answer.status !== 401 || anonymous || attempt > 1 || !this.#newToken) throw error;
      this.#token = undefined;
    }
  }

  async #currentToken(options: CallOptions): Promise<string | undefined> {
    const newToken = this.#newToken;
    if (!newToken) return this.#fixedToken;
    // One login for all calls that wait for it.
    this.#token ??= (async () => newToken())();
    const waiting = this.#token;
    try {
      return await waiting;
    } catch (thrown) {
      if (this.#token === waiting) this.#token = undefined;
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

/** Whether an error passes by itself, so that the call may be made again. */
export function isPassing(error: unknown): error is MeetraError {
  return error instanceof MeetraError && error.passes;
}
