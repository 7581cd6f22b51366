//! `footbridge open`: the pages of a running server in the browser, signed in by a code that is good
//! once. Whoever has the data directory makes one; the shared bearer is never passed on.

mod browser;
mod served_page;

use std::time::SystemTime;

use footbridge_connector::Network;
use footbridge_store::{DATABASE_FILE, SIGN_IN_CODE_LIFE, Store};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::cli::OpenArguments;
use crate::exit::{Exit, Trouble};
use crate::opened::{network, open_store};
use crate::settings::Settings;
use crate::terminal;
use served_page::ServedAddress;

pub(crate) async fn run(arguments: OpenArguments) -> Result<Exit, Trouble> {
    let OpenArguments {
        url,
        print,
        json,
        files,
        roots,
    } = arguments;
    let settings = Settings::of_files(files)?;
    let address = match url {
        Some(url) => ServedAddress::read(&url)?,
        None => ServedAddress::read(&settings.own_address()?)?,
    };
    let network = network(roots.ca_file.or_else(|| settings.ca_file()))?;
    address.check(&network).await?;
    let code = code(&address, &network, &settings).await?;
    let link = address.page(Some(code.expose_secret()));
    let is_opened = !print && browser::open(&link).await;
    let shown = match is_opened {
        true => address.page(None),
        false => link,
    };
    if json {
        let expires_in = (!is_opened).then(|| SIGN_IN_CODE_LIFE.as_secs());
        let report = json!({ "url": shown, "opened": is_opened, "expires_in": expires_in });
        terminal::print(report)?;
    } else if is_opened {
        terminal::say(format_args!("{shown} is opened in the browser"));
    } else {
        if !print {
            terminal::say(format_args!(
                "no browser could be started here; open this address within {} minutes:",
                SIGN_IN_CODE_LIFE.as_secs() / 60
            ));
        }
        terminal::print(shown)?;
    }
    Ok(Exit::Done)
}

/// A code for the server, which must look for it where it is kept.
async fn code(
    address: &ServedAddress,
    network: &Network,
    settings: &Settings,
) -> Result<SecretString, Trouble> {
    let directory = settings.data_directory()?;
    let elsewhere = || {
        Trouble::failed(format!(
            "the server at {} keeps its data elsewhere than in {}: say where with --data, as the server has it",
            address.base(),
            directory.display()
        ))
    };
    // one that is not there is no running server's
    if !directory.join(DATABASE_FILE).exists() {
        return Err(elsewhere());
    }
    let store = open_store(&directory).await?;
    let sign_in_code = store
        .create_sign_in_code(address.base(), SystemTime::now())
        .await;
    store.close().await;
    let code = sign_in_code.map_err(Trouble::failed)?;
    let digest = Store::sign_in_code_digest(&code);
    match address.knows(network, &digest).await? {
        true => Ok(code),
        false => Err(elsewhere()),
    }
}
