// A live meeting of PCM, whose server may die in the middle.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { MeetraError } from "meetra-client";
import type { LiveEvent } from "meetra-client";

import { env, meetra } from "./account.js";

const client = meetra();
const pcm = readFileSync(env("RECORDING"));
const track = {
  track_id: "mic",
  kind: "TRACK_KIND_MIXED",
  encoding: "AUDIO_ENCODING_PCM_S16LE",
  sample_rate_hz: 16_000,
} as const;
const meeting = await client.live({ name: "Node", tracks: [track] });
const events: LiveEvent[] = [];
const watching = (async () => {
  for await (const event of client.watch(meeting.sessionId)) events.push(event);
})();

const CHUNK = 6400;
const half = Math.floor(pcm.length / 2 / CHUNK) * CHUNK;
for (let at = 0; at < half; at += CHUNK) await meeting.send("mic", pcm.subarray(at, at + CHUNK));
await meeting.flush();
const acknowledged = meeting.acknowledged("mic");
if (process.env["PAUSE"]) {
  // The test does something to the server, and says so.
  console.log("half");
  await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
}
for (let at = half; at < pcm.length; at += CHUNK) void meeting.send("mic", pcm.subarray(at, at + CHUNK));
const finished = await meeting.finish();
await watching;
const late = await meeting.send("mic", new Uint8Array(2)).catch((thrown: MeetraError) => thrown.reason);
const { Transcription } = await client.getTranscription({ file_hash: meeting.fileHash });
console.log(
  JSON.stringify({
    samples: pcm.length / 2,
    acknowledged,
    half: half / 2,
    end: meeting.acknowledged("mic"),
    reconnects: meeting.reconnects,
    sequence: events.map((event) => [event.event_seq, event.left_out]),
    turns: events.flatMap((event) => (event.turn ? [event.turn] : [])).length,
    finished,
    last: events.at(-1)?.finished,
    late,
    words: Transcription.map((part) => part.transcription).join(" "),
  }),
);
process.exit(0);
