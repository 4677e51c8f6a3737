/** The meeting's audio. */
export function MeetingAudio() {
  return null;
}
