// A network that breaks connections in the middle of a frame: those of the WebSocket in both directions, and streams of
// events.
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

import { Meetra } from "meetra-client";

import { env, meetra } from "./account.js";

const gateway = new URL(env("MEETRA_URL"));
const lost = { up: 0, down: 0, events: 0 };
let sockets = 0;
// Bytes after which a connection breaks: enough for the handshake and some of what follows.
const UP = 60_000;
const DOWN = 5_000;
// Then the network is good, so that the meeting ends.
const BREAKS = 8;

const network = createServer((client) => {
  const server = connect(Number(gateway.port), gateway.hostname);
  let read = false;
  const cut = (): void => {
    if (!read) client.destroy();
    server.destroy();
  };
  for (const end of [client, server]) end.on("error", cut).on("close", cut);
  let limits: { up: number; down: number } | undefined;
  const carried = { up: 0, down: 0 };
  client.on("data", (part) => {
    const text = part.toString("latin1");
    if (text.includes("/live/socket") && sockets < BREAKS) {
      limits = sockets++ % 2 ? { up: Infinity, down: DOWN } : { up: UP, down: Infinity };
    } else if (text.includes("/events") && lost.events < 2) {
      limits = { up: Infinity, down: DOWN };
    }
    const kind = text.includes("/events") ? "events" : undefined;
    if (!read) carry(server, part, "up", kind);
  });
  let watches = false;
  server.on("data", (part) => carry(client, part, "down"));

  function carry(to: Socket, part: Buffer, way: "up" | "down", kind?: "events"): void {
    watches ||= kind === "events";
    const room = (limits?.[way] ?? Infinity) - carried[way];
    carried[way] += part.length;
    if (part.length <= room) {
      to.write(part);
      return;
    }
    lost[watches ? "events" : way]++;
    limits = undefined;
    const half = part.subarray(0, Math.max(0, room));
    if (way === "up") {
      to.write(half, cut);
      return;
    }
    // The client reads the half that came through: a reset may throw that away, the server's first message with it, and
    // then there was no connection that could be made again.
    read = true;
    to.end(half);
    server.destroy();
  }
});
await new Promise<void>((resolve) => network.listen(0, "127.0.0.1", resolve));
const { port } = network.address() as AddressInfo;

const who = { email: env("MEETRA_EMAIL"), password: env("MEETRA_PASSWORD") };
const client = new Meetra(`http://127.0.0.1:${port}`, who);
const pcm = readFileSync(env("RECORDING"));
const encoding = "AUDIO_ENCODING_PCM_S16LE";
const meeting = await client.live({
  tracks: [{ track_id: "mix", kind: "TRACK_KIND_MIXED", encoding, sample_rate_hz: 16_000 }],
});
const seen: [number, number][] = [];
const watched: [number, number][] = [];
const reading = (async () => {
  for await (const { event_seq, left_out } of meeting.events()) seen.push([event_seq, left_out]);
})();
const watching = (async () => {
  for await (const { event_seq, left_out } of client.watch(meeting.sessionId)) watched.push([event_seq, left_out]);
})();
// Odd lengths: pieces are cut anywhere.
for (let at = 0; at < pcm.length; at += 20_002) {
  await meeting.send("mix", pcm.subarray(at, at + 20_002));
  // Not all at once, so that connections break in the middle.
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const finished = await meeting.finish();
await reading;
await watching;
const { Transcription } = await meetra().getTranscription({ file_hash: meeting.fileHash });
const { reconnects } = meeting;
console.log(
  JSON.stringify({ finished, lost, seen, watched, end: meeting.acknowledged("mix"), reconnects, Transcription }),
);
process.exit(0);
