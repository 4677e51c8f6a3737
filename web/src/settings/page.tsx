import { Lacking } from "../parts/lacking.js";
import { linkTo, usePlace } from "../route.js";
import type { PageProps } from "../routes.js";
import { useRights } from "../server/rights.js";
import { text } from "../strings/settings.js";
import { SECTIONS } from "./sections.js";
import "./settings.css";

/** The page "Settings": one part of them at a time. */
export function SettingsPage(_: PageProps) {
  const { may } = useRights();
  const named = usePlace().path.split("/")[2];
  const [first] = SECTIONS;
  const shown = SECTIONS.find(({ path }) => path === named) ?? first;
  if (!shown) return null;
  return (
    <>
      <h1>{text.title}</h1>
      <div class="settings">
        <nav aria-label={text.sections}>
          <ul>
            {SECTIONS.filter(({ needs }) => may(needs)).map(({ path, label }) => (
              <li key={path}>
                <a href={linkTo(`/settings/${path}`)} aria-current={shown.path === path ? "page" : undefined}>
                  {label}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div key={shown.path}>
          <h2>{shown.label}</h2>
          {may(shown.needs) ? <shown.Section /> : <Lacking right={shown.needs} />}
        </div>
      </div>
    </>
  );
}
