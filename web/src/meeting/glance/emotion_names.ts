import { text } from "../../strings/emotions.js";

/** The emotions, in the order in which they are shown. */
export const EMOTIONS = ["happiness", "neutral", "anger", "disgust", "fear", "not_sure"] as const;

/** One of them. */
export type Emotion = (typeof EMOTIONS)[number];

/** An emotion's name for people; answers write it with and without a capital. */
export function emotionText(name: string): string {
  return text.names[name.toLowerCase()] ?? name;
}
