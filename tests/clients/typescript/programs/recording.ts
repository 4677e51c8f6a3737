// A recording is uploaded, waited for, read and corrected; keys and errors.
import { openAsBlob } from "node:fs";

import { Meetra, MeetraError } from "meetra-client";

import { env, meetra } from "./account.js";

const client = meetra();
const { file_hash } = await client.uploadMeeting(await openAsBlob(env("RECORDING"), { type: "audio/wav" }), {
  name: "Größe & Länge + Rest",
  key_terms: ["Meetra", "Envoy"],
});
const state = await client.waitUntilSettled(file_hash);
const { Transcription } = await client.getTranscription({ file_hash, include_details: true });
const { speakers } = await client.listSpeakers({ file_hash });
const renamed = await client.renameSpeaker({ id: speakers[0]?.id ?? "", name: { alias: "Zoë" } });
const { meetings } = await client.listMeetings({ page_size: 10 });

const { key, secret } = await client.createKey({ name: "a test", scopes: ["read"] });
const reader = new Meetra(`${env("MEETRA_URL")}/`, { apiKey: secret });
const balance = await reader.getBalanceScore({ file_hash });

async function refusal(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof MeetraError) return [thrown.reason, thrown.status, thrown.message.length > 0, thrown.passes];
    return String(thrown);
  }
  return "none";
}
const refused = {
  unknown: await refusal(client.getTopics({ file_hash: "0".repeat(64) })),
  malformed: await refusal(client.getTopics({ file_hash: "?" })),
  key: await refusal(reader.deleteMeeting({ file_hash })),
  password: await refusal(new Meetra(env("MEETRA_URL"), { email: "a@b.example", password: "x" }).listMeetings()),
  anonymous: await refusal(new Meetra(env("MEETRA_URL")).listMeetings()),
  // Nobody listens on the port for discarding.
  unreachable: await refusal(new Meetra("http://127.0.0.1:9", { token: "x" }).listMeetings()),
};
await client.revokeKey({ id: key.id });
const revoked = await refusal(reader.getBalanceScore({ file_hash }));

const subtitles = await client.exportMeeting({ file_hash, format: "vtt" });
const exported = { name: subtitles.name, contentType: subtitles.contentType, text: await new Response(subtitles.body).text() };
const sound = await client.getMeetingAudio({ file_hash, variant: "original" });
const original = [sound.contentType, (await new Response(sound.body).arrayBuffer()).byteLength];
const unknownFormat = await refusal(client.exportMeeting({ file_hash, format: "?" }));

let tar = 0;
for await (const part of await client.exportOrganization({ include_audio: false })) tar += part.length;

// A token that is void is replaced by logging in again.
await client.logout({ everywhere: true });
const again = (await client.listMeetings()).meetings.length;
await client.deleteMeeting({ file_hash });
const deleted = await refusal(client.getMeetingStatus({ file_hash }));

console.log(
  JSON.stringify({
    file_hash,
    state,
    Transcription,
    renamed,
    meetings,
    balance,
    refused,
    revoked,
    exported,
    original,
    unknownFormat,
    tar,
    again,
    deleted,
  }),
);
