import { useRef, useState } from "preact/hooks";
import type { TargetedEvent } from "preact";
import { ErrorNotice } from "../parts/error_notice.js";
import { errorText } from "../server/error_text.js";
import { session } from "../server/session.js";
import { text } from "../strings/signin.js";

/** Email and password. */
export function SignInForm() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const password = useRef<HTMLInputElement>(null);
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setBusy(true);
    setProblem("");
    try {
      await session.signIn(String(given.get("email")), String(given.get("password")));
    } catch (error) {
      setProblem(errorText(error));
      password.current?.select();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="sign-in-form" onSubmit={(event) => void submit(event)}>
      <label>
        {text.email}
        <input name="email" type="email" autocomplete="username" required autofocus />
      </label>
      <label>
        {text.password}
        <input ref={password} name="password" type="password" autocomplete="current-password" required />
      </label>
      {problem && <ErrorNotice message={problem} />}
      <button type="submit" class="primary" disabled={busy}>
        {busy ? text.signingIn : text.signIn}
      </button>
    </form>
  );
}
