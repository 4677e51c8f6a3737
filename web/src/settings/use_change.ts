import { useState } from "preact/hooks";
import { settingsErrorText } from "./settings_error.js";

/** A change that somebody makes, and how it went. */
export interface Change {
  readonly busy: boolean;
  /** What was done; empty while nothing was. */
  readonly done: string;
  /** Why it was not done; empty if it was. */
  readonly problem: string;
  /** Make a change; `done` is said when it is made. Resolves to whether it is. */
  readonly make: (call: () => Promise<unknown>, done: string) => Promise<boolean>;
}

/** Make changes one after another, and say how each went. */
export function useChange(): Change {
  const [state, setState] = useState({ busy: false, done: "", problem: "" });
  const make = async (call: () => Promise<unknown>, done: string): Promise<boolean> => {
    setState({ busy: true, done: "", problem: "" });
    try {
      await call();
      setState({ busy: false, done, problem: "" });
      return true;
    } catch (error) {
      setState({ busy: false, done: "", problem: settingsErrorText(error) });
      return false;
    }
  };
  return { ...state, make };
}
