import { MeetraError } from "meetra-client";
import { text } from "../strings/shared.js";

/** What to tell a person about an error: what the server says, or what they can do where it says nothing. */
export function errorText(error: unknown): string {
  if (!(error instanceof MeetraError)) return text.errors.unknown;
  if (error.reason === "UNREACHABLE") return text.errors.unreachable;
  // A call that the server does not know: it is older than the page. Files of the page, which it does know, are only read.
  const unknown = (error.status === 404 && error.message === "Not found") || error.status === 405 || error.status === 501;
  if (unknown) return text.errors.olderServer;
  if (error.passes) return text.errors.restarting;
  return error.message.replace(/^Bad request: /, "");
}
