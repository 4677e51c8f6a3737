// Uploads a file in pieces with the official client of tus, through whatever breaks; prints the meeting's hash, and
// how many uploads were begun.
//
//     node tus_upload.mjs PAGE_PACKAGE ENDPOINT TOKEN FILE
import { createReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { createRequire } from "node:module";

const [page, endpoint, token, file] = process.argv.slice(2);
const { Upload } = createRequire(page)("tus-js-client");
let fileHash = "";
let begun = 0;
// As over a line: what is sent at once is over before anybody notices.
async function* slowly() {
  for await (const piece of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    await setTimeout(30);
    yield piece;
  }
}
const upload = new Upload(Readable.from(slowly()), {
  endpoint,
  uploadSize: statSync(file).size,
  chunkSize: 4 * 1024 * 1024,
  retryDelays: Array(600).fill(250),
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "Long meeting.wav", filetype: "audio/wav", name: "Broken five times" },
  onAfterResponse: (request, response) => {
    if (request.getMethod() === "POST" && response.getStatus() === 201) begun += 1;
    fileHash = response.getHeader("meetra-file-hash") ?? fileHash;
  },
  // Nothing is left to do after either, so that the process ends by itself: one that exits while its threads read a file
  // may wait for them for ever.
  onError: (error) => {
    console.error(String(error));
    process.exitCode = 1;
  },
  onSuccess: () => console.log(fileHash, begun),
});
upload.start();
