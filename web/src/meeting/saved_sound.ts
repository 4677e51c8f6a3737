import { MeetraError } from "meetra-client";
import { saveFile, saveLink } from "../parts/save_file.js";
import { server } from "../server/server.js";
import { GATEWAY } from "../server/session.js";
import { preparedSound } from "./player/prepared_sound.js";

// So many sources without a file are passed over: a recording that is gone has none either, whichever is asked for.
const MOST_MISSING = 8;

/** Save what is played of a meeting; the browser fetches it by its link, without holding it in memory. */
export async function savePlayed(fileHash: string, redacted: boolean): Promise<void> {
  const { url } = await preparedSound(fileHash);
  saveLink(`${GATEWAY}${url}${redacted ? "&variant=redacted" : ""}`);
}

/** Save a meeting as it was recorded: one file, of a live meeting one for each of its sources. */
export async function saveOriginal(fileHash: string): Promise<void> {
  let saved = 0;
  let missing: unknown[] = [];
  for (let track = 0; ; track++) {
    try {
      const { body, name } = await server.getMeetingAudio({ file_hash: fileHash, variant: "original", track });
      saveFile(await new Response(body).blob(), name);
      saved++;
      // A recording that was uploaded is one file, whichever number is asked for.
      if (!name.includes("-track-")) return;
    } catch (error) {
      const reason = error instanceof MeetraError ? error.reason : undefined;
      // Of a source that sent nothing there is no file, and after the last one there is no source.
      if (reason === "AUDIO_UNAVAILABLE" && missing.length < MOST_MISSING) missing = [...missing, error];
      else if (reason === "BAD_REQUEST" && track > 0 && saved > 0) return;
      else throw missing[0] ?? error;
    }
  }
}
