import type { FragmentQuality, Topic } from "meetra-client";
import { useMemo } from "preact/hooks";
import { text } from "../../strings/timeline.js";
import { spansBySpeaker } from "../timeline/spans.js";
import { Timeline } from "../timeline/timeline.js";
import type { Sentence } from "../transcript_model.js";
import { useMeeting } from "../meeting_context.js";
import { PlayerBar } from "./player_bar.js";
import { useSound } from "./use_sound.js";
import "./player.css";

interface PlayerDockProps {
  readonly fragments: readonly FragmentQuality[];
  readonly sentences: readonly Sentence[];
  readonly topics: readonly Topic[];
  /** Both answers are there, or will not come. */
  readonly ready: boolean;
}

/** The timeline, and what plays the meeting, which stays in view. */
export function PlayerDock({ fragments, sentences, topics, ready }: PlayerDockProps) {
  const spans = useMemo(() => (ready ? spansBySpeaker(fragments, sentences) : new Map()), [ready, fragments, sentences]);
  const sound = useSound(useMeeting().fileHash);
  return (
    <>
      <section class="card" aria-label={text.heading}>
        <Timeline spans={spans} topics={topics} peaks={sound.peaks} />
      </section>
      <PlayerBar sound={sound} />
    </>
  );
}
