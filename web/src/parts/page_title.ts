import { useEffect } from "preact/hooks";
import { text } from "../strings/shared.js";

/** Name what is shown in the title of the window, for histories and readers of the screen, while it is shown. */
export function usePageTitle(name: string | undefined): void {
  useEffect(() => {
    const before = document.title;
    document.title = name ? `${name} · ${text.product}` : text.product;
    return () => {
      document.title = before;
    };
  }, [name]);
}
