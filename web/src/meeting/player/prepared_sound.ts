import type { PrepareMeetingAudioResponse } from "meetra-client";
import { server } from "../../server/server.js";

// Between two questions whether the sound is made; each question waits as well.
const POLL_MS = 3000;

/** The link to what is played of a meeting, once that is made. */
export async function preparedSound(fileHash: string, signal?: AbortSignal): Promise<PrepareMeetingAudioResponse> {
  for (;;) {
    const answer = await server.prepareMeetingAudio({ file_hash: fileHash }, signal && { signal });
    if (answer.ready) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    signal?.throwIfAborted();
  }
}
