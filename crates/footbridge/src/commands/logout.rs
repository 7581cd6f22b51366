//! `footbridge logout`: the login that is kept for a backend, forgotten. Nothing is sent.

use crate::cli::LogoutArguments;
use crate::exit::{Exit, Trouble};
use crate::opened::{LoginPlace, UsedCredential};
use crate::settings::Settings;
use crate::terminal;

pub(crate) fn run(arguments: LogoutArguments) -> Result<Exit, Trouble> {
    let settings = Settings::new(arguments.options.into())?;
    let place = LoginPlace::find(&arguments.connector, &settings)?;
    let forgotten = settings.credentials().forget(&place.name)?;
    if forgotten.origins.is_empty() {
        terminal::say("not signed in");
    } else {
        terminal::say(format_args!("{} signed out", terminal::ok()));
    }
    for (item, why) in forgotten.left {
        terminal::say(format_args!(
            "footbridge: note: the login is not used any more, but its secret is still in the system's keyring, as \
             {item:?} of footbridge: {why}"
        ));
    }
    if let Ok(UsedCredential::Setting(setting)) = place.credential(&settings) {
        terminal::say(format_args!(
            "footbridge: note: {setting} is set in the environment or the settings file, and is used still"
        ));
    }
    Ok(Exit::Done)
}
