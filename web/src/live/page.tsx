import { Lacking } from "../parts/lacking.js";
import { matched, usePlace } from "../route.js";
import type { PageProps } from "../routes.js";
import { useRights } from "../server/rights.js";
import { text } from "../strings/live.js";
import "./live.css";
import { LiveView } from "./live_view.js";
import { RunningMeetings } from "./running.js";
import { StartForm } from "./start_form.js";

/** The page "Live": running meetings and a new one, or one meeting as it goes. */
export function LivePage(_: PageProps) {
  const { path } = usePlace();
  const { may } = useRights();
  const sessionId = matched("/live/:sessionId", path)?.["sessionId"];
  if (sessionId) return <LiveView key={sessionId} sessionId={sessionId} />;
  return (
    <>
      <h1>{text.title}</h1>
      <div class="live-start-page">
        {may("RIGHT_LIVE") ? <StartForm /> : <Lacking right="RIGHT_LIVE" />}
        <RunningMeetings />
      </div>
    </>
  );
}
