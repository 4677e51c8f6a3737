// Another client takes the meeting over, in the middle; it stays connected.
import { createInterface } from "node:readline";

import { MeetraError } from "meetra-client";

import { meetra } from "./account.js";

const client = meetra();
const encoding = "AUDIO_ENCODING_PCM_S16LE";
const meeting = await client.live({
  tracks: [{ track_id: "mix", kind: "TRACK_KIND_MIXED", encoding, sample_rate_hz: 16_000 }],
});
await meeting.send("mix", new Int16Array(1600));
await meeting.flush();
console.log(meeting.sessionId);
await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();

const reasonOf = (thrown: unknown): unknown => (thrown instanceof MeetraError ? thrown.reason : String(thrown));
void meeting.send("mix", new Int16Array(1600)).catch(() => undefined);
const flushed = await meeting.flush().catch(reasonOf);
// Nothing goes on by itself.
const sent = await meeting.send("mix", new Int16Array(1600)).catch(reasonOf);
const resumed = await client.live({ session_id: meeting.sessionId, tracks: [] }).catch(reasonOf);
console.log(JSON.stringify({ flushed, sent, resumed }));
process.exit(0);
