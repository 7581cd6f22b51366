//! `footbridge account`: the accounts of the local board.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use footbridge_store::{Account, NewAccount, OwnedRecords, Role};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::table;
use crate::cli::{AccountArguments, AccountCommand};
use crate::exit::{Exit, Trouble};
use crate::opened::open_store;
use crate::settings::Settings;
use crate::terminal;

/// Most bytes that are read for a password; longer ones the store refuses anyway.
const MAX_PASSWORD_BYTES: u64 = 64 << 10;

pub(crate) async fn run(arguments: AccountArguments) -> Result<Exit, Trouble> {
    match arguments.command {
        AccountCommand::Add {
            name,
            email,
            password,
            admin,
            json,
            files,
        } => {
            let settings = Settings::of_files(files)?;
            let password = if password {
                Some(ask_password()?)
            } else {
                None
            };
            let store = open_store(&settings.data_directory()?).await?;
            let role = if admin { Role::Admin } else { Role::User };
            let added = store
                .add_account(NewAccount {
                    name,
                    email,
                    password,
                    role,
                })
                .await;
            store.close().await;
            let account = added.map_err(Trouble::failed)?;
            if json {
                terminal::print(as_json(&account))?;
            } else {
                terminal::print(format_args!("added account {}", account.name))?;
            }
        }
        AccountCommand::List { json, files } => {
            let store = open_store(&Settings::of_files(files)?.data_directory()?).await?;
            let accounts = store.accounts().await;
            store.close().await;
            let accounts = accounts.map_err(Trouble::failed)?;
            if json {
                terminal::print(Value::Array(accounts.iter().map(as_json).collect()))?;
            } else {
                let row = |account: &Account| {
                    let email = account.email.clone().unwrap_or_else(|| "-".to_owned());
                    vec![
                        account.name.clone(),
                        email,
                        account.role.as_str().to_owned(),
                        account.created_at.clone(),
                    ]
                };
                terminal::print(table::aligned(
                    &accounts.iter().map(row).collect::<Vec<_>>(),
                ))?;
            }
        }
        AccountCommand::Remove {
            name,
            erase_records,
            json,
            files,
        } => {
            let store = open_store(&Settings::of_files(files)?.data_directory()?).await?;
            let records = if erase_records {
                OwnedRecords::Erase
            } else {
                OwnedRecords::Refuse
            };
            let removed = store.remove_account(&name, records).await;
            store.close().await;
            let count = removed.map_err(Trouble::failed)?;
            if json {
                terminal::print(json!({ "removed": name, "records": count }))?;
                return Ok(Exit::Done);
            }
            terminal::print(format_args!(
                "removed account {name} and {count} of its records"
            ))?;
        }
    }
    Ok(Exit::Done)
}

fn as_json(account: &Account) -> Value {
    json!({
        "id": account.id.to_string(), "name": account.name, "email": account.email, "role": account.role.as_str(),
        "has_password": account.has_password, "created_at": account.created_at
    })
}

/// Hidden on a terminal; from a pipe, the first line.
fn ask_password() -> Result<SecretString, Trouble> {
    let unreadable =
        |error: io::Error| Trouble::failed(format!("could not read the password: {error}"));
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Password: ")
            .map(SecretString::from)
            .map_err(unreadable);
    }
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(MAX_PASSWORD_BYTES)
        .read_line(&mut line)
        .map_err(unreadable)?;
    Ok(SecretString::from(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
