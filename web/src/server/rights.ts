import type { GetMeResponse, Right } from "meetra-client";
import { useCallback, useEffect, useState } from "preact/hooks";
import { server } from "./server.js";
import { session } from "./session.js";

export type { Right } from "meetra-client";

/** What whoever is signed in may do, and who they are. */
export interface Rights {
  /** Who they are; undefined while that is unknown, or where the server is too old to say it. */
  readonly me: GetMeResponse | undefined;
  /** Whether they have a right. Until it is known nothing is held back: the server refuses by itself. */
  readonly may: (right: Right) => boolean;
}

let asked: Promise<GetMeResponse> | undefined;
let known: GetMeResponse | undefined;

session.watch(() => {
  if (!session.state.signedIn) asked = known = undefined;
});

/** Ask who is signed in, once for as long as they are. */
function me(): Promise<GetMeResponse> {
  asked ??= server.getMe().then(
    (found) => (known = found),
    (error: unknown) => {
      asked = undefined;
      throw error;
    },
  );
  return asked;
}

/** The rights of whoever is signed in. */
export function useRights(): Rights {
  const [found, setFound] = useState(known);
  useEffect(() => {
    let left = false;
    // Nothing is said of a failure: every call of the page says it too.
    me().then(
      (answer) => left || setFound(answer),
      () => undefined,
    );
    return () => void (left = true);
  }, []);
  const may = useCallback((right: Right) => found === undefined || found.rights.includes(right), [found]);
  return { me: found, may };
}
