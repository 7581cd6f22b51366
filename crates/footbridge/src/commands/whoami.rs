//! `footbridge whoami`: the user behind the credential of a backend, as the backend says it.

use serde_json::{Value, json};

use crate::cli::WhoamiArguments;
use crate::exit::{Exit, Trouble};
use crate::opened::{LoginPlace, UsedCredential};
use crate::settings::Settings;
use crate::terminal;

/// The exit code when nobody is logged in.
const NOT_LOGGED_IN: u8 = 3;

pub(crate) async fn run(arguments: WhoamiArguments) -> Result<Exit, Trouble> {
    let settings = Settings::new(arguments.options.into())?;
    let place = LoginPlace::find(&arguments.connector, &settings)?;
    let credential = place.credential(&settings)?;
    if matches!(credential, UsedCredential::Nothing) {
        place.address(&settings)?;
        terminal::say("not signed in");
        return Ok(Exit::Code(NOT_LOGGED_IN));
    }
    let backend = place.backend(&settings)?;
    let user = match backend.me().await {
        Ok(user) => user,
        Err(error) => {
            terminal::say(format_args!(
                "error: {}",
                terminal::harmless(error.for_people())
            ));
            return Ok(Exit::Failed);
        }
    };
    let user = match arguments.json {
        true => with_origin(&place.name, &backend.address(), &credential, user),
        false => user,
    };
    terminal::print(terminal::harmless(&format!("{user:#}")))?;
    Ok(Exit::Done)
}

/// The user with the address that said so, and where the credential came from.
fn with_origin(name: &str, address: &str, credential: &UsedCredential, user: Value) -> Value {
    let (from, kind, saved_at) = match credential {
        UsedCredential::Kept(kept, _) => ("login", Some(kept.kind.word()), Some(kept.saved_at)),
        UsedCredential::Setting(_) => ("settings", None, None),
        UsedCredential::Nothing | UsedCredential::NotWanted => ("none", None, None),
    };
    json!({
        "connector": name, "address": address,
        "credential": { "from": from, "kind": kind, "saved_at": saved_at }, "user": user
    })
}
