// What the client is made of, without a server.
import assert from "node:assert/strict";
import { test } from "node:test";

// Not exported: read beside the package's entry.
const inner = new URL("./", import.meta.resolve("meetra-client"));
const { Outbox, opusPacketSamples } = await import(new URL("outbox.js", inner).href);
const { fileName, placed } = await import(new URL("http.js", inner).href);
const { serverSentEvents } = await import(new URL("sse.js", inner).href);
const { Backoff } = await import(new URL("backoff.js", inner).href);
const { EventLog } = await import(new URL("event_log.js", inner).href);
const { closeError, MeetraError, errorOf } = await import(new URL("errors.js", inner).href);

function pcmOutbox(channels = 1): any {
  return new Outbox({ track_id: "t", encoding: "AUDIO_ENCODING_PCM_S16LE", sample_rate_hz: 16_000, channels });
}

test("audio is kept until it is acknowledged, and cut at samples", () => {
  const outbox = pcmOutbox(2);
  outbox.begin(100);
  outbox.append(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
  outbox.append(new Uint8Array([9, 10, 11, 12]));
  assert.deepEqual([outbox.end, outbox.bytes], [103, 12]);
  const piece = outbox.next(11);
  assert.deepEqual([piece.firstSample, [...piece.data]], [100, [1, 2, 3, 4, 5, 6, 7, 8]]);
  assert.deepEqual([outbox.inFlight, outbox.unsent], [8, true]);
  outbox.acknowledge(101);
  assert.deepEqual([outbox.inFlight, outbox.bytes], [4, 8]);
  const last = outbox.next(100);
  assert.deepEqual([last.firstSample, [...last.data]], [102, [9, 10, 11, 12]]);
  assert.deepEqual([outbox.inFlight, outbox.unsent], [8, false]);
  outbox.rewind();
  assert.equal(outbox.inFlight, 0);
  const again = outbox.next(100);
  assert.deepEqual([again.firstSample, [...again.data]], [101, [5, 6, 7, 8, 9, 10, 11, 12]]);
  outbox.acknowledge(103);
  assert.equal(outbox.next(100), undefined);
  assert.equal(outbox.bytes, 0);
});

test("audio is copied: its buffer may be used again", () => {
  const outbox = pcmOutbox();
  const samples = new Int16Array([1, 2]);
  outbox.append(samples.subarray(1));
  samples.fill(0);
  assert.deepEqual([...outbox.next(100).data], [2, 0]);
});

test("positions that cannot be are named", () => {
  const outbox = pcmOutbox();
  outbox.append(new Uint8Array(20));
  outbox.acknowledge(5);
  assert.throws(() => outbox.acknowledge(4), { reason: "AUDIO_LOST" });
  assert.throws(() => outbox.acknowledge(11), { reason: "TAKEN_OVER" });
  assert.throws(() => outbox.append(new Uint8Array(3)), RangeError);
});

test("Opus packets go in batches, each after its length", () => {
  const outbox = new Outbox({ track_id: "t", encoding: "AUDIO_ENCODING_OPUS" });
  const packet = new Uint8Array([31 << 3, 7]);
  for (let i = 0; i < 3; i++) outbox.append(packet);
  assert.equal(outbox.end, 3 * 960);
  assert.deepEqual([...outbox.next(12).data], [0, 0, 0, 2, 248, 7, 0, 0, 0, 2, 248, 7]);
  const third = outbox.next(1);
  assert.deepEqual([third.firstSample, third.data.length, third.lengthPrefixed], [2 * 960, 6, true]);
  outbox.acknowledge(960);
  outbox.rewind();
  const rest = outbox.next(100);
  assert.deepEqual([rest.firstSample, rest.data.length], [960, 12]);
});

test("the length of an Opus packet is in its first bytes", () => {
  const lengths = [
    [[0 << 3], 480],
    [[3 << 3], 2880],
    [[12 << 3], 480],
    [[13 << 3], 960],
    [[16 << 3], 120],
    [[(31 << 3) | 1], 1920],
    [[(31 << 3) | 3, 0x80 | 3], 2880],
  ] as const;
  for (const [bytes, samples] of lengths) assert.equal(opusPacketSamples(new Uint8Array(bytes)), samples);
  assert.throws(() => opusPacketSamples(new Uint8Array()), RangeError);
  assert.throws(() => opusPacketSamples(new Uint8Array([3])), RangeError);
});

test("parameters go where the call wants them", () => {
  const renamed = { file_hash: "file-hash" };
  const get = { verb: "GET", path: "/m/{id}/x", body: "", renamed };
  assert.deepEqual(placed(get, { id: "a/b?c", file_hash: "é&", list: ["1", "2"], absent: undefined, zero: 0 }), {
    path: "/m/a%2Fb%3Fc/x?file-hash=%C3%A9%26&list=1&list=2&zero=0",
    body: undefined,
  });
  assert.throws(() => placed(get, {}), /lacks \{id\}/);
  const named = { verb: "PUT", path: "/m/{id}", body: "name", renamed };
  assert.deepEqual(placed(named, { id: "1", file_hash: "h", name: { alias: "A" } }), {
    path: "/m/1?file-hash=h",
    body: { alias: "A" },
  });
  const all = { verb: "POST", path: "/m/{id}", body: "*", renamed };
  assert.deepEqual(placed(all, { id: "1", email: "e" }), { path: "/m/1", body: { email: "e" } });
  // Nobody changes a path from within: `$&` means something to `replace`.
  assert.equal(placed(get, { id: "$&" }).path, "/m/%24%26/x");
});

test("audio that is cut in any way is the same audio", () => {
  let seed = 1;
  const random = (most: number): number => (seed = (seed * 48_271) % 2_147_483_647) % most;
  const outbox = pcmOutbox();
  const handed: number[] = [];
  const received: number[] = [];
  for (let step = 0; step < 3000; step++) {
    const what = random(4);
    if (what === 0) {
      const data = Uint8Array.from({ length: 2 * random(9) }, () => random(256));
      handed.push(...data);
      outbox.append(data);
    } else if (what === 1) {
      const piece = outbox.next(1 + random(20));
      if (!piece) continue;
      // Sent again is what was sent before; nothing is left out.
      assert.ok(2 * piece.firstSample <= received.length);
      received.splice(2 * piece.firstSample, piece.data.length, ...piece.data);
    } else if (what === 2) {
      const most = received.length / 2 - outbox.acknowledged;
      outbox.acknowledge(outbox.acknowledged + random(most + 1));
    } else if (random(10) === 0) {
      outbox.rewind();
    }
  }
  for (let piece = outbox.next(8); piece; piece = outbox.next(8)) {
    received.splice(2 * piece.firstSample, piece.data.length, ...piece.data);
  }
  assert.ok(received.length > 3000);
  assert.deepEqual(received, handed);
});

test("the latest events are kept, and it is known which are not", () => {
  const log = new EventLog(2, 4);
  for (const event_seq of [3, 5, 5, 6, 4]) log.add({ event_seq, left_out: 0 });
  assert.deepEqual([log.start, log.end], [2, 6]);
  assert.deepEqual(log.following(2), { event_seq: 3, left_out: 0 });
  assert.deepEqual(log.following(3), { event_seq: 5, left_out: 1 });
  assert.equal(log.following(6), undefined);
  log.add({ event_seq: 7, left_out: 0 });
  log.add({ event_seq: 8, left_out: 0 });
  assert.deepEqual([log.start, log.end], [5, 8]);
  assert.deepEqual(log.following(5), { event_seq: 6, left_out: 0 });
});

function bodyOf(...parts: string[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(parts.join(""));
  return new ReadableStream({
    start(controller) {
      // One byte at a time: characters and lines are cut everywhere.
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
}

test("server-sent events are read whatever way they are cut", async () => {
  const found = [];
  const body = bodyOf("data: é\n\n", ": comment\r\n", "data:a\r\ndata: b\r\n\r\n", "data: cut");
  for await (const data of serverSentEvents(body, 1e6)) found.push(data);
  assert.deepEqual(found, ["é", "a\nb"]);
});

test("a stream that says nothing is dead", async () => {
  let cancelled = false;
  const silent = new ReadableStream({ cancel: () => void (cancelled = true) });
  await assert.rejects(serverSentEvents(silent, 1).next(), /nothing came/);
  assert.equal(cancelled, true);
});

test("patience ends with the last error as its cause", async () => {
  const backoff = new Backoff(0);
  const error = new MeetraError("gone", 503, "SERVICE_UNAVAILABLE");
  await assert.rejects(backoff.wait(error), { reason: "UNREACHABLE", status: 503, cause: error });
  const ended = new AbortController();
  ended.abort("enough");
  await assert.rejects(new Backoff(60).wait(error, ended.signal), (thrown) => thrown === "enough");
});

test("a call passes where there was no answer, not where the client found what is wrong", () => {
  assert.equal(new MeetraError("no answer", 0, "UNREACHABLE").passes, true);
  for (const reason of ["AUDIO_LOST", "TAKEN_OVER", "MEETING_OVER", undefined]) {
    assert.equal(new MeetraError("found", 0, reason).passes, false);
  }
});

test("a WebSocket says why it was closed", () => {
  const told = (code: number, text: string): unknown[] => {
    const { reason, message, status, passes } = closeError(code, text);
    return [reason, message, status, passes];
  };
  assert.deepEqual(told(4022, "TAKEN_OVER: Another client"), ["TAKEN_OVER", "Another client", 0, false]);
  assert.deepEqual(told(4024, "AUDIO_NOT_STORED: full"), ["AUDIO_NOT_STORED", "full", 0, true]);
  assert.deepEqual(told(4025, "HELD_BY_ANOTHER_SERVER: x").slice(2), [0, true]);
  assert.deepEqual(told(1006, ""), ["UNREACHABLE", "the WebSocket was closed (1006) ", 0, true]);
  // Not the server's, whatever it says.
  assert.deepEqual(told(1011, "TAKEN_OVER: x")[0], "UNREACHABLE");
});

test("a file has the name that the server gives it", () => {
  const both = `attachment; filename="meeting-ab.srt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%2B.srt`;
  assert.equal(fileName(both), "Größe +.srt");
  assert.equal(fileName(`attachment; filename="a b.tar"`), "a b.tar");
  assert.equal(fileName(`attachment; filename="a.tar"; filename*=UTF-8''%FF`), "a.tar");
  assert.equal(fileName("attachment"), undefined);
});

test("an answer becomes an error, whoever made it", async () => {
  const headers = { "retry-after": "7", "x-meetra-reason": "STORAGE_FULL" };
  const ours = await errorOf(new Response('{"message": "full"}', { status: 507, headers }));
  assert.deepEqual([ours.message, ours.status, ours.reason], ["full", 507, "STORAGE_FULL"]);
  assert.deepEqual([ours.retryAfterS, ours.passes], [7, false]);
  const crowded = { status: 429, headers: { "x-meetra-reason": "TOO_MANY_OPEN_CALLS" } };
  assert.equal((await errorOf(new Response("{}", crowded))).passes, true);
  const theirs = await errorOf(new Response("<html>", { status: 502 }));
  assert.deepEqual([theirs.message, theirs.reason, theirs.retryAfterS], ["HTTP 502", undefined, undefined]);
  assert.equal(theirs.passes, true);
});
