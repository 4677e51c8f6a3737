// A network that loses calls on their way, answers on their way back, and cuts streams of events.
import { readFileSync } from "node:fs";

import { Meetra } from "meetra-client";

import { env } from "./account.js";

let calls = 0;
const lost = { calls: 0, answers: 0, streams: 0 };

async function unreliable(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const url = String(input);
  if (!url.includes("/audio") && !url.includes("/events") && !url.includes("/control")) return fetch(input, init);
  const turn = calls++ % 5;
  if (turn === 1) {
    lost.calls++;
    throw new TypeError("lost on its way");
  }
  const answer = await fetch(input, init);
  if (url.includes("/events")) return cut(answer);
  if (turn === 3) {
    lost.answers++;
    await answer.arrayBuffer();
    throw new TypeError("lost on its way back");
  }
  return answer;
}

/** An answer that ends, with an error or without, in the middle of its fourth part. */
function cut(answer: Response): Response {
  let parts = 0;
  const half = new TransformStream<Uint8Array, Uint8Array>({
    transform(part, controller) {
      if (++parts < 4) {
        controller.enqueue(part);
        return;
      }
      controller.enqueue(part.subarray(0, part.length / 2));
      if (lost.streams++ % 2) controller.error(new TypeError("cut"));
      else controller.terminate();
    },
  });
  return new Response(answer.body?.pipeThrough(half) ?? null, { status: answer.status, headers: answer.headers });
}

const who = { email: env("MEETRA_EMAIL"), password: env("MEETRA_PASSWORD") };
const client = new Meetra(env("MEETRA_URL"), who, { fetch: unreliable });
const pcm = readFileSync(env("RECORDING"));
const encoding = "AUDIO_ENCODING_PCM_S16LE";
const meeting = await client.live({
  tracks: [{ track_id: "mix", kind: "TRACK_KIND_MIXED", encoding, sample_rate_hz: 16_000 }],
});
const seen: [number, number][] = [];
const watching = (async () => {
  for await (const { event_seq, left_out } of meeting.events()) seen.push([event_seq, left_out]);
})();
// Odd lengths: pieces are cut anywhere.
for (let at = 0; at < pcm.length; at += 20_002) await meeting.send("mix", pcm.subarray(at, at + 20_002));
const finished = await meeting.finish();
await watching;
const { Transcription } = await client.getTranscription({ file_hash: meeting.fileHash });
const { reconnects } = meeting;
console.log(JSON.stringify({ finished, lost, seen, end: meeting.acknowledged("mix"), reconnects, Transcription }));
process.exit(0);
