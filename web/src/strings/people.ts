import type { AliasSource } from "meetra-client";

/** Texts of people and of who speaks with whom. */
export const text = {
  share: "Talk share",
  person: "Person",
  bar: "Share",
  time: "Share and time",
  nobody: "Nobody was heard speaking.",
  map: "Who answers whom",
  noPairs: "It takes two people who speak.",
  pairs: "Pairs as a table",
  pair: "Pair",
  strength: "Strength (strongest: 100)",
  exchanges: "Exchanges",
  sure: "sure",
  likely: "likely",
  unsure: "not sure",
  sources: {
    ALIAS_SOURCE_NUMBER: "name not known",
    ALIAS_SOURCE_SPOKEN: "name heard in the meeting",
    ALIAS_SOURCE_VOICE: "voice known from another meeting",
    ALIAS_SOURCE_HAND: "named by hand",
    ALIAS_SOURCE_TRACK: "name of the participant",
  } as Readonly<Partial<Record<AliasSource, string>>>,
} as const;
