/** Texts of signing in. */
export const text = {
  title: "Sign in to Meetra",
  intro: "Who spoke, what was said, and how the conversation went.",
  email: "Email",
  password: "Password",
  signIn: "Sign in",
  signingIn: "Signing in …",
  whereFrom: "The first start of the server prints an email and a password. Others get theirs from an owner of their organization, or from who runs it.",
  again: "Sign in again",
  nothingIsLost: "Your session has expired. Nothing that you typed is lost: sign in, and it goes on where it was.",
  leave: "Sign out instead",
} as const;
