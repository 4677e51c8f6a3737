import { useEffect, useRef } from "preact/hooks";
import { session } from "../server/session.js";
import { text } from "../strings/signin.js";
import { SignInForm } from "./sign_in_form.js";
import "./signin.css";

/** Over the page of whoever was signed in: their token has expired, and what they typed stays. */
export function SignInAgain() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      // Whoever was typing goes on typing.
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="sign-in-again" aria-labelledby="again" onCancel={(event) => event.preventDefault()}>
      <h2 id="again">{text.again}</h2>
      <p>{text.nothingIsLost}</p>
      <SignInForm />
      <button type="button" class="quiet" onClick={() => void session.signOut()}>
        {text.leave}
      </button>
    </dialog>
  );
}
