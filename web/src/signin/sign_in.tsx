import { text } from "../strings/signin.js";
import { SignInForm } from "./sign_in_form.js";
import "./signin.css";

/** The page of whoever has not signed in. */
export function SignIn() {
  return (
    <main class="sign-in">
      <h1>{text.title}</h1>
      <p>{text.intro}</p>
      <SignInForm />
      <p class="hint">{text.whereFrom}</p>
    </main>
  );
}
