import { Component } from "preact";
import type { ComponentChildren } from "preact";
import { text } from "../strings/shared.js";
import { ErrorNotice } from "./error_notice.js";

/** Says what to do where something cannot be drawn, as an answer of an older server that lacks what the page needs. */
export class FaultBoundary extends Component<{ children: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    console.warn(error);
  }

  override render({ children }: { children: ComponentChildren }, { failed }: { failed: boolean }) {
    if (!failed) return children;
    return <ErrorNotice message={text.errors.fault} action={{ label: text.reload, run: () => location.reload() }} />;
  }
}
