// Who the tests' programs are.
import { Meetra } from "meetra-client";

export function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** Where a proxy lets no WebSocket through: nobody listens on the port for discarding. */
class BlockedWebSocket extends WebSocket {
  constructor(_: string | URL, protocols?: string | string[]) {
    super("ws://127.0.0.1:9", protocols);
  }
}

export function meetra(): Meetra {
  const credentials = { email: env("MEETRA_EMAIL"), password: env("MEETRA_PASSWORD") };
  return new Meetra(env("MEETRA_URL"), credentials, process.env["BLOCKED"] ? { WebSocket: BlockedWebSocket } : {});
}
