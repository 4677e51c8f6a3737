// gRPC from Node: stubs made at run time of the protos that lie in `proto`.
import { readFileSync } from "node:fs";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const files = ["auth", "insights", "live"].map((name) => `meetra/v1/${name}.proto`);
const definition = loader.loadSync(files, {
  includeDirs: ["proto", "node_modules/google-proto-files"],
  keepCase: true,
  enums: String,
  defaults: true,
  oneofs: true,
});
const { AuthService, InsightsService, LiveService } = grpc.loadPackageDefinition(definition).meetra.v1;
const target = process.env.MEETRA_URL.replace("http://", "");
const plain = grpc.credentials.createInsecure();

function call(client, method, request, metadata = new grpc.Metadata()) {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

const { MEETRA_EMAIL: email, MEETRA_PASSWORD: password } = process.env;
const { token } = await call(new AuthService(target, plain), "Login", { email, password });
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${token}`);

const pcm = readFileSync(process.env.RECORDING);
const live = new LiveService(target, plain);
const stream = live.StreamMeeting(metadata);
const encoding = "AUDIO_ENCODING_PCM_S16LE";
const track = { track_id: "mix", kind: "TRACK_KIND_MIXED", encoding, sample_rate_hz: 16000 };
stream.write({ config: { name: "gRPC from Node", tracks: [track] } });
const events = [];
let ready;
let acknowledged = 0;
for await (const message of stream) {
  if (message.ready) {
    ready = message.ready;
    for (let at = 0; at < pcm.length; at += 32000) {
      stream.write({ audio: { track_id: "mix", first_sample: at / 2, data: pcm.subarray(at, at + 32000) } });
    }
    stream.write({ control: "CONTROL_FINISH" });
  } else if (message.ack) {
    for (const { next_sample } of message.ack.tracks) acknowledged = next_sample;
  } else {
    events.push(message.event);
  }
}
const insights = new InsightsService(target, plain);
const transcript = await call(insights, "GetTranscription", { file_hash: ready.file_hash }, metadata);
const nothing = { file_hash: "0".repeat(64) };
const refused = await call(insights, "GetTranscription", nothing, metadata).catch((error) => error);
console.log(
  JSON.stringify({
    finished: events.at(-1).finished,
    events: events.length,
    acknowledged,
    parts: Object.values(transcript)[0].length,
    refused: [grpc.status[refused.code], refused.metadata.get("x-meetra-reason")[0]],
  }),
);
live.close();
process.exit(0);
