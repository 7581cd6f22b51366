//! `footbridge account`: the accounts of the local board.

use footbridge_store::{Account, NewAccount, OwnedRecords, Role};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::table;
use crate::cli::{AccountArguments, AccountCommand};
use crate::exit::{Exit, Trouble};
use crate::opened::open_store;
use crate::settings::Settings;
use crate::terminal::{self, TerminalAnswer, TerminalQuestions};

pub(crate) async fn run(arguments: AccountArguments) -> Result<Exit, Trouble> {
    match arguments.command {
        AccountCommand::Add {
            name,
            email,
            password,
            admin,
            options,
        } => {
            let settings = Settings::of_files(options.files)?;
            let password = match password {
                true => match ask_password().await? {
                    None => return Ok(Exit::Interrupted),
                    password => password,
                },
                false => None,
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
            if options.json {
                terminal::print(as_json(&account))?;
            } else {
                terminal::print(format_args!("added account {}", account.name))?;
            }
        }
        AccountCommand::List { options } => {
            let store = open_store(&Settings::of_files(options.files)?.data_directory()?).await?;
            let accounts = store.accounts().await;
            store.close().await;
            let accounts = accounts.map_err(Trouble::failed)?;
            if options.json {
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
            options,
        } => {
            let store = open_store(&Settings::of_files(options.files)?.data_directory()?).await?;
            let records = if erase_records {
                OwnedRecords::Erase
            } else {
                OwnedRecords::Refuse
            };
            let removed = store.remove_account(&name, records).await;
            store.close().await;
            let count = removed.map_err(Trouble::failed)?;
            if options.json {
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

/// Hidden on a terminal; from a pipe, the first line. None when nobody answers.
async fn ask_password() -> Result<Option<SecretString>, Trouble> {
    let mut prompt = TerminalQuestions::new();
    let is_person = prompt.is_person();
    let answer = match is_person {
        true => prompt.hidden("Password: ").await?,
        false => prompt.line()?,
    };
    match answer {
        TerminalAnswer::Given(password) => Ok(Some(password)),
        TerminalAnswer::End if is_person => Ok(None),
        TerminalAnswer::End => Err(Trouble::usage(
            "there is no password on stdin: its first line is read",
        )),
    }
}
