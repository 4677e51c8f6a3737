import { MeetraError } from "meetra-client";
import { ErrorNotice } from "../parts/error_notice.js";
import type { ProblemProps } from "../parts/waiting.js";
import { errorText } from "../server/error_text.js";
import { text } from "../strings/settings.js";
import { text as shared } from "../strings/shared.js";

/** What to tell a person about an error of a setting: most are for owners. */
export function settingsErrorText(error: unknown): string {
  return error instanceof MeetraError && error.status === 403 ? text.ownersOnly : errorText(error);
}

/** Why a part of the settings is not shown. */
export function SettingsError({ error, reload }: ProblemProps) {
  const refused = error instanceof MeetraError && error.status === 403;
  return <ErrorNotice message={settingsErrorText(error)} {...(!refused && { action: { label: shared.tryAgain, run: reload } })} />;
}
