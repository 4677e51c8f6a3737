import { text } from "../strings/live.js";

/** What of this computer can be recorded. */
export type SourceKind = "microphone" | "tab";

/** A sound that is open. */
export interface Source {
  readonly kind: SourceKind;
  readonly stream: MediaStream;
}

const FORMAT = "audio/webm;codecs=opus";

/** Why this browser can record nothing here, for people; undefined where it can. */
export function whyNotRecordable(): string | undefined {
  if (!navigator.mediaDevices) return text.problems.insecure;
  if (typeof MediaRecorder === "undefined" || !MediaRecorder.isTypeSupported(FORMAT)) return text.problems.cannotRecord;
  return undefined;
}

/** Open sounds; the browser asks whether it may. Throws what `sourceProblem` explains; then none is left open. */
export async function openSources(kinds: readonly SourceKind[]): Promise<Source[]> {
  const opened: Source[] = [];
  try {
    // The tab first: browsers ask for one only right after a click.
    for (const kind of [...kinds].sort((a, b) => b.localeCompare(a))) {
      opened.push({ kind, stream: kind === "tab" ? await tabSound() : await microphone() });
    }
    return opened.reverse();
  } catch (thrown) {
    closeSources(opened);
    throw thrown;
  }
}

/** Let go of sounds: the browser stops to show that it records. */
export function closeSources(sources: readonly Source[]): void {
  for (const { stream } of sources) for (const track of stream.getTracks()) track.stop();
}

function microphone(): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({ audio: true });
}

async function tabSound(): Promise<MediaStream> {
  // As it is: what makes a voice clearer takes others away.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  // Browsers share sound only beside a picture, which is dropped at once.
  const shared = await navigator.mediaDevices.getDisplayMedia({ audio, video: true });
  for (const track of shared.getVideoTracks()) track.stop();
  const sound = shared.getAudioTracks();
  if (sound.length === 0) throw new NoSoundShared();
  return new MediaStream(sound);
}

/** A tab was shared without its sound. */
class NoSoundShared extends Error {}

/** What to do where `openSources` failed, for people; undefined where it is no matter of sounds. */
export function sourceProblem(thrown: unknown): string | undefined {
  if (thrown instanceof NoSoundShared) return text.problems.noTabSound;
  if (!(thrown instanceof DOMException)) return undefined;
  if (thrown.name === "NotAllowedError" || thrown.name === "SecurityError") return text.problems.refused;
  if (thrown.name === "NotFoundError" || thrown.name === "OverconstrainedError") return text.problems.noMicrophone;
  if (thrown.name === "NotReadableError" || thrown.name === "AbortError") return text.problems.busy;
  return undefined;
}
