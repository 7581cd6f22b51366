//! `footbridge login`: a token, or a name and a password, tried at the backend and then kept for its
//! origin. What was kept before stays until the new one is known to be good.

mod questions;

use std::sync::Arc;

use footbridge_connector::{Backend, BackendError, SessionKeeper, SessionTokens};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::cli::LoginArguments;
use crate::credentials::{
    CaughtSession, CredentialKind, HAS_KEYRING, KeptCredential, REFERENCE_CONNECTOR,
    ReferenceLogin, SecretPlace, now, origin_of,
};
use crate::exit::{Exit, Trouble};
use crate::opened::{LoginPlace, UsedCredential};
use crate::settings::Settings;
use crate::terminal::{self, TerminalAnswer, TerminalQuestions};

/// What is kept in the place of who it is, where the backend does not say it.
const NOBODY: &str = "?";
/// Keys by which backends say who somebody is, the one that people know first.
const NAMES: [&str; 5] = ["email", "username", "full_name", "name", "id"];

/// What somebody logs in with.
enum GivenCredential {
    Token(SecretString),
    /// Settings that are asked for, in their order, with the answers.
    Account(Vec<(String, SecretString)>),
}

pub(crate) async fn run(arguments: LoginArguments) -> Result<Exit, Trouble> {
    let settings = Settings::new(arguments.options.into())?;
    let place = LoginPlace::find(&arguments.connector, &settings)?;
    let address = place.address(&settings)?;
    let mut prompt = TerminalQuestions::new();
    let is_written = |token: &SecretString| token.expose_secret() != "-";
    let credential = match arguments.token {
        Some(token) if is_written(&token) && !token.expose_secret().is_empty() => {
            terminal::say(
                "footbridge: note: a token on the command line stays in the shell's history, and every user of this \
                 machine may see it in the list of processes: footbridge login --token - reads it from stdin",
            );
            Some(GivenCredential::Token(token))
        }
        Some(token) if !is_written(&token) => match prompt.line()? {
            TerminalAnswer::Given(token) if !token.expose_secret().trim().is_empty() => {
                Some(GivenCredential::Token(trimmed(&token)))
            }
            _ => {
                return Err(Trouble::usage(
                    "there is no token on stdin: its first line is read",
                ));
            }
        },
        _ => ask(&place, &address, &mut prompt).await?,
    };
    let Some(credential) = credential else {
        terminal::print("")?;
        return Ok(Exit::Interrupted);
    };
    if let GivenCredential::Account(answers) = &credential
        && let Some((missing, _)) = answers
            .iter()
            .find(|(_, answer)| answer.expose_secret().is_empty())
    {
        terminal::say(format_args!(
            "{} is required",
            questions::label(&place.connector, missing).to_lowercase()
        ));
        return Ok(Exit::Usage);
    }
    let tried = tokio::select! {
        tried = tried(&place, &settings, credential) => tried?,
        () = prompt.interruption() => return Ok(Exit::Interrupted),
    };
    let (credential, who) = match tried {
        Ok(tried) => tried,
        Err(error) => {
            terminal::say(format_args!(
                "login failed: {}",
                terminal::harmless(error.for_people())
            ));
            return Ok(Exit::Failed);
        }
    };
    keep(&settings, &place.name, credential, arguments.keep_in)?;
    terminal::say(format_args!(
        "{} signed in as {}",
        terminal::ok(),
        terminal::harmless(&who)
    ));
    if let UsedCredential::Setting(setting) = place.credential(&settings)? {
        terminal::say(format_args!(
            "footbridge: note: {setting} is set in the environment or the settings file, and goes before what is kept"
        ));
    }
    Ok(Exit::Done)
}

/// Keeps a login that is good: in the keyring where there is one, else in the file; where a place
/// was named, there or nowhere.
fn keep(
    settings: &Settings,
    connector: &str,
    credential: KeptCredential,
    wanted: Option<SecretPlace>,
) -> Result<(), Trouble> {
    let store = settings.credentials();
    let failed = |why: &dyn std::fmt::Display| {
        Trouble::failed(format!(
            "the login is good, but {why}; what was kept before stays"
        ))
    };
    let place = wanted.unwrap_or(match HAS_KEYRING {
        true => SecretPlace::Keyring,
        false => SecretPlace::File,
    });
    let by_keyring = store
        .keep_in(place, connector, credential.clone())
        .map_err(|trouble| failed(&trouble))?;
    match by_keyring {
        Ok(()) => Ok(()),
        Err(why) if wanted.is_some() => Err(failed(&format_args!(
            "the system's keyring cannot keep it: {why}"
        ))),
        Err(why) => {
            let path = store.path(connector).unwrap_or_default();
            terminal::say(format_args!(
                "footbridge: note: the system's keyring cannot keep the login: {why}; it is kept in {}, for you alone",
                path.display()
            ));
            store
                .keep(connector, credential)
                .map_err(|trouble| failed(&trouble))
        }
    }
}

fn trimmed(secret: &SecretString) -> SecretString {
    SecretString::from(secret.expose_secret().trim())
}

/// Asks for a token, and where there is none for an account; none when nobody answers.
async fn ask(
    place: &LoginPlace,
    address: &str,
    prompt: &mut TerminalQuestions,
) -> Result<Option<GivenCredential>, Trouble> {
    let connector = &place.connector;
    terminal::say(format_args!("{} at {address}", connector.title()));
    if let Some(token) = of_reference(place, address)? {
        return Ok(Some(GivenCredential::Token(token)));
    }
    let accounts: Vec<_> = connector.asked_settings().collect();
    // where an account can be set too, it is the usual way
    let asks_for_token = accounts.iter().all(|account| account.asked);
    if asks_for_token {
        let name = connector.token_setting().unwrap_or_default();
        let question = format!(
            "Paste your {}: ",
            questions::lower(&questions::label(connector, name))
        );
        match prompt.hidden(&question).await? {
            TerminalAnswer::Given(token) if !token.expose_secret().trim().is_empty() => {
                return Ok(Some(GivenCredential::Token(trimmed(&token))));
            }
            TerminalAnswer::Given(_) if accounts.is_empty() => {
                return Err(Trouble::usage("no token was given"));
            }
            TerminalAnswer::Given(_) => {}
            TerminalAnswer::End => return Ok(None),
        }
    }
    let mut answers = Vec::with_capacity(accounts.len());
    for account in accounts {
        let question = format!("{}: ", questions::label(connector, &account.name));
        let answer = match account.secret {
            true => prompt.hidden(&question).await?,
            false => prompt.open(&question).await?,
        };
        match answer {
            TerminalAnswer::Given(answer) if account.secret => {
                answers.push((account.name.clone(), answer))
            }
            TerminalAnswer::Given(answer) => {
                let answer = trimmed(&answer);
                let is_missing = answer.expose_secret().is_empty();
                answers.push((account.name.clone(), answer));
                if is_missing {
                    break;
                }
            }
            TerminalAnswer::End => return Ok(None),
        }
    }
    Ok(Some(GivenCredential::Account(answers)))
}

/// The token of the reference, which goes to another place than its own only when the person at the
/// terminal says so.
fn of_reference(place: &LoginPlace, address: &str) -> Result<Option<SecretString>, Trouble> {
    let origin = origin_of(address);
    if place.name != REFERENCE_CONNECTOR
        || !place.is_built_in()
        || origin == ReferenceLogin::ORIGIN
        || !terminal::is_interactive()
    {
        return Ok(None);
    }
    let Some(login) = ReferenceLogin::read() else {
        return Ok(None);
    };
    let question = format!(
        "{} holds a token that names no place, so it is for {}. Send it to {origin}?",
        ReferenceLogin::SHOWN,
        ReferenceLogin::ORIGIN
    );
    Ok(terminal::agrees(question)?.then_some(login.token))
}

/// Shows the backend what was given. Gives what is kept of it, and whose it is.
async fn tried(
    place: &LoginPlace,
    settings: &Settings,
    given_credential: GivenCredential,
) -> Result<Result<(KeptCredential, String), BackendError>, Trouble> {
    let connector = &place.connector;
    let token_setting = connector.token_setting();
    let (backend, caught, token, typed) = match given_credential {
        GivenCredential::Token(token) if connector.may_roll(token.expose_secret()) => {
            let caught = Arc::new(CaughtSession::of(SessionTokens {
                token: token.clone(),
                renewal: "{}".into(),
            }));
            let keeper = Arc::clone(&caught) as Arc<dyn SessionKeeper>;
            let backend = place.backend_for(settings, &|_| None, Some(keeper))?;
            (backend, Some(caught), Some(token), None)
        }
        GivenCredential::Token(token) => {
            let pasted = |name: &str| {
                (token_setting == Some(name)).then(|| token.expose_secret().to_owned())
            };
            let backend = place.backend_for(settings, &pasted, None)?;
            (backend, None, Some(token), None)
        }
        GivenCredential::Account(answers) => {
            let caught = Arc::new(CaughtSession::default());
            let answer = |name: &str| {
                let found = answers.iter().find(|(asked, _)| asked == name);
                found.map(|(_, answer)| answer.expose_secret().to_owned())
            };
            let keeper = Arc::clone(&caught) as Arc<dyn SessionKeeper>;
            let backend = place.backend_for(settings, &answer, Some(keeper))?;
            let typed = answers.first().map(|(_, typed)| typed.clone());
            (backend, Some(caught), None, typed)
        }
    };
    let user = match who_it_is(&backend).await {
        Ok(user) => user,
        Err(error) => return Ok(Err(error)),
    };
    let who = name_of(&user).or_else(|| typed.map(|typed| typed.expose_secret().to_owned()));
    let session = caught.and_then(|caught| caught.take());
    let kind = match session {
        Some(_) => CredentialKind::Session,
        None => CredentialKind::Token,
    };
    let (token, renewal) = match (session, token) {
        (Some(session), _) => (session.token, session.renewal),
        (None, Some(token)) => (token, "{}".into()),
        (None, None) => {
            return Err(Trouble::failed(format!(
                "{} took the login and gave no token to keep",
                connector.title()
            )));
        }
    };
    let credential = KeptCredential {
        origin: origin_of(&backend.address()),
        kind,
        token,
        renewal,
        who: who.clone(),
        saved_at: now(),
        keyring: None,
    };
    Ok(Ok((credential, who.unwrap_or_else(|| NOBODY.to_owned()))))
}

/// Who it is; where the connector does not ask that, whether the backend would be served.
async fn who_it_is(backend: &Backend) -> Result<Value, BackendError> {
    let user = backend.me().await?;
    if user.is_null() {
        backend.preflight().await.map_err(|failure| failure.error)?;
    }
    Ok(user)
}

/// The name by which people know somebody.
fn name_of(user: &Value) -> Option<String> {
    let text = |name: &&str| match user.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    NAMES.iter().find_map(text)
}
