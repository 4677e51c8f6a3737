import type { PageProps } from "../routes.js";
import { text } from "../strings/settings.js";

/** The page "Settings". */
export function SettingsPage(_: PageProps) {
  return <h1>{text.title}</h1>;
}
