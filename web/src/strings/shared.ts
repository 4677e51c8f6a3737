/** Texts that several pages show. Those of a feature are in the file of its name. */
export const text = {
  product: "Meetra",
  loading: "Loading …",
  reload: "Reload",
  tryAgain: "Try again",
  cancel: "Cancel",
  showAll: (number: number) => `Show all ${number}`,
  showFewer: "Show fewer",
  noSuchPage: "There is no such page. The meetings are in the list.",
  pageIsOld: "This page is older than the server, or the server cannot be reached. Reload it.",
  nav: {
    main: "Main",
    skip: "Skip to content",
    meetings: "Meetings",
    live: "Live",
    overtime: "Over time",
    search: "Search",
    settings: "Settings",
    signOut: "Sign out",
  },
  theme: { label: "Colours", system: "System", light: "Light", dark: "Dark" },
  errors: {
    unknown: "The page has a fault. Reload it; if that does not help, please report it.",
    unreachable: "The server cannot be reached. Check that it runs and that you are online, then try again.",
    restarting: "A part of the server is busy or restarting. Try again in a moment.",
    olderServer: "This server is older than the page and cannot answer this. Reload the page, or ask who runs the server to update it.",
  },
} as const;
