// Sessions are left and resumed.
import { MeetraError } from "meetra-client";

import { meetra } from "./account.js";

const client = meetra();
const config = {
  name: "Sessions",
  tracks: [
    {
      track_id: "a",
      kind: "TRACK_KIND_PARTICIPANT",
      participant_name: "Ada",
      encoding: "AUDIO_ENCODING_PCM_F32LE",
      sample_rate_hz: 16_000,
      channels: 2,
    },
  ],
} as const satisfies Parameters<typeof client.live>[0];
const reasonOf = (thrown: unknown): unknown => (thrown instanceof MeetraError ? thrown.reason : String(thrown));

const first = await client.live({ ...config, tracks: [...config.tracks] });
await first.send("a", new Float32Array(2 * 1600));
await first.leave();
const unwatched = await first.events().next().catch((thrown: Error) => thrown.message);
const left = await first.send("a", new Float32Array(2)).catch(reasonOf);
const session = { session_id: first.sessionId, tracks: [...config.tracks] };
// Whoever left still holds it for a moment.
const second = await client.live({ ...session, take_over: true });
const resumedAt = second.position("a");
const part = await second.send("a", new Uint8Array(7)).catch(String);
const unknown = await second.send("b", new Uint8Array(8)).catch(String);
await second.send("a", new Float32Array(2 * 1600));
await second.flush();

const finished = await second.finish();
const over = await client.live({ ...session, take_over: true });
// As from another process: it has ended, and says how.
const again = await over.finish();
const after: number[] = [];
for await (const { event_seq } of client.watch(first.sessionId, { afterEventSeq: over.ready.last_event_seq })) {
  after.push(event_seq);
}
const late = await client.live({ ...session, take_over: true });
const tooLate = await late
  .send("a", new Float32Array(2 * 1600))
  .then(() => late.flush())
  .catch(reasonOf);
const ended = new AbortController();
ended.abort(new Error("enough"));
const aborted = await client.watch(first.sessionId, { signal: ended.signal }).next().catch(String);
const end = second.acknowledged("a");
console.log(
  JSON.stringify({ unwatched, left, resumedAt, part, unknown, finished, again, after, end, tooLate, aborted }),
);
process.exit(0);
