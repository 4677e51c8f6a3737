// What an open meeting does where a server cannot be made to answer in this way at this moment: the answers are given here.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { LiveMeeting, Meetra, MeetraError } from "meetra-client";
import type { AudioPiece, LiveConfig, LiveConnection, LiveMessage, LiveTransport } from "meetra-client";

const CONFIG = {
  tracks: [
    { track_id: "t", kind: "TRACK_KIND_MIXED", encoding: "AUDIO_ENCODING_PCM_S16LE", sample_rate_hz: 16_000 } as const,
  ],
};
const SAMPLES = new Int16Array(10);
// A meeting that tries again for as long would fail its test by the time limit.
const PATIENCE_S = 60;
const QUICK = { timeout: 30_000 };

/** A server with one track; a test changes what it does. */
class Server implements LiveTransport {
  stored: Record<string, unknown>[] = [];
  controls: string[] = [];
  resumed: LiveConfig[] = [];
  committed = 0;
  /** The track's position after a piece. */
  answer: (piece: AudioPiece, samples: number) => number | Promise<number> = (piece, samples) =>
    piece.firstSample + samples;
  /** What happens to the connections, one after another. */
  connecting: (() => void)[] = [];

  async connect(config: LiveConfig): Promise<LiveConnection> {
    await new Promise((resolve) => setImmediate(resolve));
    this.resumed.push(config);
    this.connecting.shift()?.();
    return new Connection(this, config.after_event_seq ?? Number(this.stored.at(-1)?.["event_seq"] ?? 0));
  }

  async change(): Promise<never> {
    throw new MeetraError("no track is changed here", 400, "BAD_REQUEST");
  }

  /** As the server does it: what is stored after the number, and the end of the stream where the last is `finished`. */
  async *events(_session: string, after: number): AsyncGenerator<never> {
    let before = after;
    for (const event of this.stored) {
      const seq = Number(event["event_seq"]);
      if (seq <= after) continue;
      yield { event: { ...event, left_out: seq - before - 1 } } as never;
      before = seq;
    }
  }
}

class Connection implements LiveConnection {
  readonly ready: never;
  readonly #server: Server;
  #messages: (LiveMessage | { error: unknown } | undefined)[] = [];
  #wake: () => void = () => undefined;

  constructor(
    server: Server,
    readonly afterEventSeq: number,
  ) {
    this.#server = server;
    const last_event_seq = Number(server.stored.at(-1)?.["event_seq"] ?? 0);
    const tracks = [{ track_id: "t", next_sample: server.committed }];
    const finishing = server.stored.some((event) => "finished" in event);
    const limits = { chunk_bytes: 20, grace_s: 120 };
    this.ready = { session_id: "s", file_hash: "h", last_event_seq, tracks, limits, finishing } as never;
    for (const event of server.stored) if (Number(event["event_seq"]) > afterEventSeq) this.tell({ event } as never);
    if (finishing) this.tell(undefined);
  }

  tell(message: LiveMessage | { error: unknown } | undefined): void {
    this.#messages.push(message);
    this.#wake();
  }

  send(piece: AudioPiece): void {
    void this.#acknowledge(piece);
  }

  async #acknowledge(piece: AudioPiece): Promise<void> {
    // As over a network: never in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      const next_sample = await this.#server.answer(piece, piece.data.length / 2);
      this.#server.committed = Math.max(this.#server.committed, next_sample);
      this.tell({ ack: { lag_ms: 0, words_lag_ms: 0, tracks: [{ track_id: "t", next_sample }] } });
    } catch (error) {
      this.tell({ error });
    }
  }

  control(action: string): void {
    this.#server.controls.push(action);
  }

  async next(): Promise<LiveMessage | undefined> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const message = this.#messages.shift();
    if (message && "error" in message) throw message.error;
    return message;
  }

  drop(error: unknown): void {
    this.tell({ error });
  }
}

const opened: LiveMeeting[] = [];

async function open(server: Server): Promise<LiveMeeting> {
  const client = new Meetra("http://127.0.0.1:9", {}, { transport: server });
  const meeting = await client.live(CONFIG, { patienceS: PATIENCE_S });
  opened.push(meeting);
  return meeting;
}

// A meeting that is open keeps the program alive.
afterEach(() => {
  for (const meeting of opened.splice(0)) meeting.close();
});

for (const [reason, next] of [
  ["AUDIO_LOST", -1],
  ["TAKEN_OVER", 1000],
] as const) {
  test(`a position that cannot be ends the meeting at once: ${reason}`, QUICK, async () => {
    const server = new Server();
    server.answer = () => next;
    const meeting = await open(server);
    await meeting.send("t", SAMPLES);
    await assert.rejects(meeting.flush(), { reason, status: 0, passes: false });
  });
}

test("flush ends although audio keeps coming", QUICK, async () => {
  const server = new Server();
  const meeting = await open(server);
  let going = true;
  server.answer = async (piece, samples) => {
    if (going) await meeting.send("t", SAMPLES);
    return piece.firstSample + samples;
  };
  await meeting.send("t", SAMPLES);
  await meeting.send("t", SAMPLES);
  const before = meeting.position("t");
  await meeting.flush();
  assert.ok(meeting.acknowledged("t") >= before);
  assert.deepEqual(server.controls, ["CONTROL_FLUSH"]);
  await meeting.leave();
  going = false;
});

test("leave waits for what was handed over before it", QUICK, async () => {
  const server = new Server();
  const meeting = await open(server);
  for (let i = 0; i < 5; i++) await meeting.send("t", SAMPLES);
  await meeting.leave();
  assert.equal(meeting.acknowledged("t"), 50);
});

const FINISHED = { status: "ready" };
const events = (...seqs: number[]): Record<string, unknown>[] =>
  seqs.map((event_seq) => ({ event_seq, ...(event_seq === 5 ? { finished: FINISHED } : { watermark: {} }) }));

test("a session that has ended tells its outcome again", QUICK, async () => {
  const server = new Server();
  server.stored = events(1, 2, 5);
  const meeting = await open(server);
  assert.deepEqual(await meeting.finish(), FINISHED);
  assert.deepEqual(server.controls, []);
  await assert.rejects(meeting.send("t", SAMPLES), { reason: "MEETING_OVER" });
});

test("readers get every event once, from wherever they begin", QUICK, async () => {
  const server = new Server();
  server.stored = events(1, 2, 3, 4);
  const meeting = await open(server);
  const seenAfter = async (afterEventSeq: number): Promise<number[]> => {
    const seen: number[] = [];
    for await (const { event_seq } of meeting.events({ afterEventSeq })) seen.push(event_seq);
    return seen;
  };
  const readers = [seenAfter(0), seenAfter(2), seenAfter(4)];
  server.stored = events(1, 2, 3, 4, 5);
  // The connection breaks, and the next one tells the end.
  server.answer = () => {
    throw new MeetraError("lost", 0, "UNREACHABLE");
  };
  await meeting.send("t", SAMPLES);
  assert.deepEqual(await Promise.all(readers), [[1, 2, 3, 4, 5], [3, 4, 5], [5]]);
  assert.deepEqual(server.resumed.slice(1), [{ session_id: "s", after_event_seq: 4, take_over: true }]);
  assert.equal(meeting.reconnects, 1);
  assert.deepEqual(await seenAfter(1), [2, 3, 4, 5]);
});

test("what was sent and not acknowledged is sent again, from where the server stands", QUICK, async () => {
  const server = new Server();
  const meeting = await open(server);
  const sent: [number, number][] = [];
  let lost = 2;
  server.answer = (piece, samples) => {
    sent.push([piece.firstSample, samples]);
    if (lost > 0 && piece.firstSample >= 10) {
      lost--;
      throw new MeetraError("lost", 0, "UNREACHABLE");
    }
    return piece.firstSample + samples;
  };
  for (let i = 0; i < 3; i++) await meeting.send("t", SAMPLES);
  await meeting.flush();
  assert.equal(meeting.acknowledged("t"), 30);
  assert.deepEqual([...new Set(sent.map(([first]) => first))], [0, 10, 20]);
  assert.ok(meeting.reconnects >= 1);
});

test("a token that is void is asked for again; what is refused then ends the meeting", QUICK, async () => {
  const server = new Server();
  const meeting = await open(server);
  server.answer = () => {
    throw new MeetraError("void", 0, "UNAUTHENTICATED");
  };
  server.connecting = [
    () => {
      throw new MeetraError("void", 401, "UNAUTHENTICATED");
    },
  ];
  await meeting.send("t", SAMPLES);
  await assert.rejects(meeting.flush(), { reason: "UNAUTHENTICATED", status: 401 });
});

test("who leaves hears of nothing more", QUICK, async () => {
  const meeting = await open(new Server());
  const read = meeting.events().next();
  meeting.close();
  await assert.rejects(read, { message: "the meeting was left" });
  const ended = new AbortController();
  const other = await open(new Server());
  const waiting = other.events({ signal: ended.signal }).next();
  ended.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
});

test("watching on after the last event ends, and gives none twice", QUICK, async () => {
  const server = new Server();
  server.stored = events(1, 2, 5);
  const client = new Meetra("http://127.0.0.1:9", {}, { transport: server });
  const seenAfter = async (afterEventSeq: number): Promise<[number, number][]> => {
    const seen: [number, number][] = [];
    for await (const event of client.watch("s", { afterEventSeq, patienceS: PATIENCE_S })) {
      seen.push([event.event_seq, event.left_out]);
    }
    return seen;
  };
  assert.deepEqual(await seenAfter(5), []);
  assert.deepEqual(await seenAfter(2), [[5, 2]]);
  // The third was seen, and is no longer stored: it is not counted again.
  assert.deepEqual(await seenAfter(3), [[5, 1]]);
});

for (const [reason, status] of [
  ["TOO_MANY_LOGINS", 429],
  ["TOO_MANY_LIVE_MEETINGS", 429],
  ["STORAGE_FULL", 507],
] as const) {
  test(`an open meeting outlasts ${reason}`, QUICK, async () => {
    const server = new Server();
    let refusals = 2;
    server.answer = (piece, samples) => {
      if (refusals-- > 0) throw new MeetraError("not now", status, reason, 0);
      return piece.firstSample + samples;
    };
    const meeting = await open(server);
    await meeting.send("t", SAMPLES);
    await meeting.flush();
    assert.deepEqual([meeting.acknowledged("t"), refusals], [10, -1]);
  });
}

test("a session's own token is the WebSocket's; another gets one made for it", QUICK, async () => {
  const asked: string[] = [];
  const protocols: unknown[] = [];
  class Refused extends EventTarget {
    onclose?: (event: object) => void;
    constructor(url: URL, protocol: unknown) {
      super();
      protocols.push(url.href, protocol);
      setImmediate(() => this.onclose?.({ code: 4022, reason: "TAKEN_OVER: by another" }));
    }
    close(): void {}
  }
  const fetcher = async (input: RequestInfo | URL): Promise<Response> => {
    asked.push(new URL(String(input)).pathname);
    const made = String(input).endsWith("/tokens");
    return new Response(JSON.stringify(made ? { token: "ms_made" } : { ready: { session_id: "s", last_event_seq: 0 } }));
  };
  for (const token of ["ms_own", "a user's"]) {
    const options = { fetch: fetcher, WebSocket: Refused as unknown as typeof WebSocket };
    const client = new Meetra("https://server.example", { token }, options);
    await assert.rejects(client.live({ session_id: "s" }), { reason: "TAKEN_OVER", status: 0, message: "by another" });
  }
  const path = "/single-feature-api/live";
  assert.deepEqual(asked, [path, path, `${path}/s/tokens`]);
  const url = `wss://server.example${path}/socket`;
  assert.deepEqual(protocols, [url, ["meetra.v1", "bearer.ms_own"], url, ["meetra.v1", "bearer.ms_made"]]);
});

test("calls that are refused together log in once", QUICK, async () => {
  let tokens = 0;
  const late: (() => void)[] = [];
  const client = new Meetra(
    "http://server.example",
    { token: () => `token ${++tokens}` },
    {
      fetch: async (_input, init) => {
        const valid = new Headers(init?.headers).get("authorization") !== "Bearer token 1";
        if (valid) {
          // The other call hears of its refusal only now that the new token is in use.
          for (const answer of late.splice(0)) answer();
          return new Response("{}");
        }
        if (!late.length && tokens === 1 && refused++) await new Promise<void>((resolve) => late.push(resolve));
        return new Response("{}", { status: 401 });
      },
    },
  );
  let refused = 0;
  await Promise.all([client.listMeetings(), client.listMeetings()]);
  assert.deepEqual([refused, tokens], [2, 2]);
});
