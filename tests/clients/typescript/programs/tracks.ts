// Somebody joins a meeting, is called differently, and leaves.
import { readFileSync } from "node:fs";

import { MeetraError } from "meetra-client";

import { env, meetra } from "./account.js";

const client = meetra();
const pcm = readFileSync(env("RECORDING"));
const format = {
  kind: "TRACK_KIND_PARTICIPANT",
  encoding: "AUDIO_ENCODING_PCM_S16LE",
  sample_rate_hz: 16_000,
} as const;
const reasonOf = (thrown: unknown): unknown => (thrown instanceof MeetraError ? thrown.reason : String(thrown));

const ada = { ...format, track_id: "ada", participant_name: "Ada" };
const meeting = await client.live({ name: "Tracks", tracks: [ada] });
const changes: string[] = [];
const reading = (async () => {
  for await (const { track } of meeting.events()) if (track) changes.push(track.change);
})();
const ben = { ...format, track_id: "ben", participant_name: "Ben" };
const added = await meeting.addTrack(ben);
const again = await meeting.addTrack(ben);
const different = await meeting.addTrack({ ...ben, sample_rate_hz: 8000 }).catch(reasonOf);
// The refusal concerns the call: the meeting goes on.
await meeting.send("ada", new Int16Array(pcm.length / 2));
for (let at = 0; at < pcm.length; at += 32_000) await meeting.send("ben", pcm.subarray(at, at + 32_000));
await meeting.renameTrack("ben", "Benedict");
const ended = await meeting.endTrack("ben");
const afterEnd = await meeting.send("ben", new Int16Array(2)).catch(reasonOf);
const unknown = await meeting.endTrack("zoe").catch((thrown: unknown) => thrown instanceof TypeError);
const finished = await meeting.finish();
const late = await meeting.addTrack({ ...ben, track_id: "late" }).catch(reasonOf);
await reading;
const { speakers } = await client.listSpeakers({ file_hash: meeting.fileHash });
console.log(
  JSON.stringify({
    added,
    again,
    different,
    ended,
    afterEnd,
    unknown,
    changes,
    finished,
    late,
    reconnects: meeting.reconnects,
    speakers: speakers.map(({ alias }) => alias),
  }),
);
process.exit(0);
