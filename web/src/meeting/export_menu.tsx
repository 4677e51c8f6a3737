import type { GetMeetingStatusResponse } from "meetra-client";
import { useState } from "preact/hooks";
import { ErrorNotice } from "../parts/error_notice.js";
import { saveFile } from "../parts/save_file.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { text } from "../strings/meeting.js";
import { saveOriginal, savePlayed } from "./saved_sound.js";

// What is handed out of the sound of a meeting: of one that is redacted, nothing else than what is silent there.
const WHOLE = ["normalised", "original"] as const;
const REDACTED = ["redacted"] as const;

/** Save the meeting or its sound as a file, or print its page. */
export function ExportMenu({ status }: { status: GetMeetingStatusResponse }) {
  const { file_hash: fileHash, redact } = status;
  const [format, setFormat] = useState<string>("docx");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const save = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      if (format === "original") await saveOriginal(fileHash);
      else if (format in text.sounds) await savePlayed(fileHash, format === "redacted");
      else {
        const { body, name } = await server.exportMeeting({ file_hash: fileHash, format });
        saveFile(await new Response(body).blob(), name);
      }
    } catch (error) {
      setProblem(errorText(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="export-menu screen-only">
      <label>
        <span class="hidden">{text.exportFormat}</span>
        <select value={format} onChange={(event) => setFormat(event.currentTarget.value)}>
          {Object.entries(text.exportFormats).map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
          <optgroup label={text.sound}>
            {(redact ? REDACTED : WHOLE).map((name) => (
              <option key={name} value={name}>
                {text.sounds[name]}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <button type="button" disabled={busy} onClick={() => void save()}>
        {busy ? text.saving : text.save}
      </button>
      <button type="button" onClick={() => print()}>
        {text.print}
      </button>
      {problem && <ErrorNotice message={problem} />}
    </div>
  );
}
