//! The form that asks who the reader is. What is typed goes to the program once and is kept nowhere.

import { useState } from "preact/hooks";
import { beginSession, type Session } from "../protocol/session.ts";
import { sentence } from "../protocol/connection.ts";
import { Notice } from "./notice.tsx";

type Way = "token" | "account" | "approver";
const WAYS: { [way in Way]: { title: string; button: string } } = {
  token: { title: "Token", button: "Sign in" },
  account: { title: "Account of the board", button: "Sign in" },
  approver: { title: "Approver", button: "Sign in as approver" },
};

interface SignInProps {
  session: Session;
  ways: readonly Way[];
  heading: string;
  onDone(): void;
}

export function SignIn({ session, ways, heading, onDone }: SignInProps) {
  const offered = ways.filter((way) => session.takes.includes(way));
  const [way, setWay] = useState<Way>(offered[0] ?? "token");
  const [refusal, setRefusal] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "");
    const shown =
      way === "account" ? { email: text("email"), password: text("password") } : { [way]: text("secret") };
    setAsking(true);
    try {
      await beginSession(shown);
      setRefusal(undefined);
      onDone();
    } catch (error) {
      setRefusal(sentence(error));
    }
    setAsking(false);
  };
  return (
    <form class="form sign-in" onSubmit={send}>
      <h2>{heading}</h2>
      {refusal !== undefined && <Notice tone="bad">{refusal}</Notice>}
      {offered.length > 1 && (
        <fieldset class="ways">
          <legend>With</legend>
          {offered.map((one) => (
            <label key={one}>
              <input type="radio" name="way" checked={way === one} onChange={() => setWay(one)} /> {WAYS[one].title}
            </label>
          ))}
        </fieldset>
      )}
      {way === "account" ? (
        <>
          <Secret label="E-mail" name="email" type="email" fill="username" />
          <Secret label="Password" name="password" type="password" fill="current-password" />
        </>
      ) : (
        <Secret key={way} label={way === "approver" ? "Secret of the approver" : "Token"} name="secret" type="password" fill="off" />
      )}
      <div class="buttons">
        <button type="submit" class="main" disabled={isAsking}>
          {WAYS[way].button}
        </button>
      </div>
      <p class="hint">
        The operator opens this page signed in by <code>footbridge open</code>.
      </p>
    </form>
  );
}

interface SecretProps {
  label: string;
  name: string;
  type: "email" | "password";
  fill: string;
}

function Secret({ label, name, type, fill }: SecretProps) {
  const common = { id: `sign-in-${name}`, name, autoComplete: fill, required: true, maxLength: 1024 };
  return (
    <div class="field">
      <label for={common.id}>{label}</label>
      {type === "email" ? <input {...common} type="email" /> : <input {...common} type="password" />}
    </div>
  );
}
