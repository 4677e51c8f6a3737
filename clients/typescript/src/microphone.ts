import type { LiveMeeting } from "./live.js";

/** How a microphone is recorded. */
export interface MicrophoneOptions {
  /** What to record; the default microphone if absent. */
  stream?: MediaStream;
  /** Milliseconds of audio of each call; 250 if absent. */
  timesliceMs?: number;
  /** Told once, when the meeting takes no more audio. */
  onError?: (error: unknown) => void;
}

/** A microphone that is being recorded. */
export interface Recording {
  readonly stream: MediaStream;
  /** Records silence while true: time goes on, as the meeting does. */
  muted: boolean;
  /** Stop, and hand over the last audio. Throws what `LiveMeeting.send` threw. */
  stop(): Promise<void>;
}

/**
 * Record a microphone of the browser into a track with the encoding `AUDIO_ENCODING_WEBM_OPUS`.
 *
 * Asks for the microphone unless there is a `stream`. Throws what `getUserMedia` throws where it is refused.
 */
export async function recordMicrophone(
  meeting: LiveMeeting,
  trackId: string,
  options: MicrophoneOptions = {},
): Promise<Recording> {
  const stream = options.stream ?? (await navigator.mediaDevices.getUserMedia({ audio: true }));
  const recorder = new MediaRecorder(stream, { mimeType: "audio/webm;codecs=opus" });
  let failure: { error: unknown } | undefined;
  // Bytes of a Blob come later: one after another keeps their order.
  let sending = Promise.resolve();
  const fail = (error: unknown): void => {
    if (failure) return;
    failure = { error };
    if (recorder.state !== "inactive") recorder.stop();
    options.onError?.(error);
  };
  recorder.ondataavailable = ({ data }) => {
    sending = sending
      .then(async () => {
        if (!failure) await meeting.send(trackId, await data.arrayBuffer());
      })
      .catch(fail);
  };
  const stopped = new Promise<void>((resolve) => {
    recorder.onstop = () => resolve();
  });
  recorder.start(options.timesliceMs ?? 250);
  return {
    stream,
    get muted() {
      return stream.getAudioTracks().every((track) => !track.enabled);
    },
    set muted(muted: boolean) {
      // Not `pause()`, which leaves the time of a pause out of what is recorded.
      for (const track of stream.getAudioTracks()) track.enabled = !muted;
    },
    async stop() {
      if (recorder.state !== "inactive") recorder.stop();
      await stopped;
      await sending;
      if (!options.stream) for (const track of stream.getTracks()) track.stop();
      if (failure) throw failure.error;
    },
  };
}
