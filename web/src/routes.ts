import type { ComponentType } from "preact";
import type { Right } from "./server/rights.js";
import { text } from "./strings/shared.js";

/** What a page is given. */
export interface PageProps {
  /** The parameters in its pattern. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What follows `?` in its address. */
  readonly query: URLSearchParams;
}

/** A page: where it is, and what it is made of, which is loaded when it is first shown. */
export interface Route {
  readonly pattern: string;
  readonly load: () => Promise<ComponentType<PageProps>>;
  /** Its name in the main navigation; pages without one are reached from others. */
  readonly label?: string;
  /** The right without which it shows nothing. */
  readonly needs?: Right;
}

/** All pages, the first that matches is shown. One entry for each, so that features do not meet here. */
export const ROUTES: readonly Route[] = [
  { pattern: "/", label: text.nav.meetings, load: async () => (await import("./meetings/page.js")).MeetingsPage },
  { pattern: "/meetings/:fileHash/*", load: async () => (await import("./meeting/page.js")).MeetingPage },
  { pattern: "/live/*", label: text.nav.live, load: async () => (await import("./live/page.js")).LivePage },
  {
    pattern: "/overtime/*",
    label: text.nav.overtime,
    needs: "RIGHT_READ",
    load: async () => (await import("./overtime/page.js")).OvertimePage,
  },
  {
    pattern: "/search/*",
    label: text.nav.search,
    needs: "RIGHT_READ",
    load: async () => (await import("./search/page.js")).SearchPage,
  },
  { pattern: "/settings/*", label: text.nav.settings, load: async () => (await import("./settings/page.js")).SettingsPage },
];
