import { Meetra } from "meetra-client";
import { GATEWAY, session } from "./session.js";

/**
 * The server, as the signed-in user: every call of the REST API is a method (`server.getTranscription(...)`). A call
 * whose token has expired waits until they have signed in again.
 */
export const server = new Meetra(GATEWAY, { token: session.newToken });

session.watch(() => {
  // No call of whoever signs in next is made in the name of who has signed out.
  if (!session.state.signedIn) server.forgetToken();
});
