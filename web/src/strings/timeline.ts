/** Texts of the timeline and the player. */
export const text = {
  heading: "Who speaks when",
  overlap: "At once",
  player: "Player",
  position: "Position in the meeting",
  positionOf: (at: string, of: string) => `${at} of ${of}`,
  play: "Play",
  pause: "Pause",
  back: "Back 10 s",
  forward: "Forward 10 s",
  speed: "Speed",
  making: "The sound is being made playable …",
  noAudio: "The audio cannot be played here.",
} as const;
