// What an open meeting does where a server cannot be made to answer in this way at this moment: the answers are given here.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveMeeting, Meetra, MeetraError } from "meetra-client";
import type { AudioPiece, LiveReady, LiveTransport } from "meetra-client";

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
  answer: (piece: AudioPiece, samples: number) => number | Promise<number> = (piece, samples) =>
    piece.firstSample + samples;

  async open(): Promise<LiveReady> {
    const last_event_seq = Number(this.stored.at(-1)?.["event_seq"] ?? 0);
    const tracks = [{ track_id: "t", next_sample: 0 }];
    return { session_id: "s", owner: "o", file_hash: "h", last_event_seq, tracks, limits: { chunk_bytes: 20 } } as never;
  }

  async send(_ready: LiveReady, piece: AudioPiece): Promise<never> {
    // As over a network: never in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    const next_sample = await this.answer(piece, piece.data.length / 2);
    return { lag_ms: 0, tracks: [{ track_id: "t", next_sample }] } as never;
  }

  async control(_ready: LiveReady, action: string): Promise<void> {
    this.controls.push(action);
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

const open = (server: Server): Promise<LiveMeeting> =>
  new Meetra("http://127.0.0.1:9", {}, { transport: server }).live(CONFIG, { patienceS: PATIENCE_S });

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
  assert.deepEqual(await (await open(server)).finish(), FINISHED);
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
