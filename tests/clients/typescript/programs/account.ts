// Who the tests' programs are.
import { Meetra } from "meetra-client";

export function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

export function meetra(): Meetra {
  return new Meetra(env("MEETRA_URL"), { email: env("MEETRA_EMAIL"), password: env("MEETRA_PASSWORD") });
}
