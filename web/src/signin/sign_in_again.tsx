import { useLayoutEffect, useRef } from "preact/hooks";
import { session } from "../server/session.js";
import { text } from "../strings/signin.js";
import { SignInForm } from "./sign_in_form.js";
import "./signin.css";

/** Over the page of whoever was signed in: their token has expired, and what they typed stays. */
export function SignInAgain() {
  const dialog = useRef<HTMLDialogElement>(null);
  // Not useEffect, whose end comes when the dialog is gone already, and the keyboard with it.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Whoever was typing goes on typing: the browser gives the keyboard back as the dialog closes.
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="sign-in-again"
      aria-labelledby="again"
      onCancel={(event) => event.preventDefault()}
      // Browsers close it at the second Escape all the same; nothing goes on without it.
      onClose={() => dialog.current?.showModal()}
    >
      <h2 id="again">{text.again}</h2>
      <p>{text.nothingIsLost}</p>
      <SignInForm />
      <button type="button" class="quiet" onClick={() => void session.signOut()}>
        {text.leave}
      </button>
    </dialog>
  );
}
