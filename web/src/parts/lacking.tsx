import { useRights } from "../server/rights.js";
import type { Right } from "../server/rights.js";
import { text } from "../strings/rights.js";

/** Why something is not offered: what whoever is signed in may not do; nothing where they may. */
export function Lacking({ right }: { right: Right }) {
  const why = useLacking(right);
  return why === undefined ? null : <p class="hint">{why}</p>;
}

/** Why whoever is signed in may not do something; undefined where they may. */
export function useLacking(right: Right): string | undefined {
  const { me, may } = useRights();
  if (!me || may(right)) return undefined;
  return text.lacking(text.roleNames[me.role] ?? me.role, text.rights[right]);
}
