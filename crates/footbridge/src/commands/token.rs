//! `footbridge token`: the personal access tokens of the local board. A token is printed once, when
//! it is made.

use footbridge_store::{AccountId, NewToken, PersonalToken, Scope, Store};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::table;
use crate::board_models;
use crate::cli::{TokenArguments, TokenCommand};
use crate::exit::{Exit, Trouble};
use crate::opened::open_store;
use crate::selection;
use crate::settings::Settings;
use crate::terminal;

pub(crate) async fn run(arguments: TokenArguments) -> Result<Exit, Trouble> {
    let (TokenCommand::Create { options, .. }
    | TokenCommand::List { options, .. }
    | TokenCommand::Revoke { options, .. }) = &arguments.command;
    let files = options.files.clone();
    let store = open_store(&Settings::of_files(files)?.data_directory()?).await?;
    let done = carry_out(&store, arguments.command).await;
    store.close().await;
    done.map(|()| Exit::Done)
}

async fn carry_out(store: &Store, command: TokenCommand) -> Result<(), Trouble> {
    match command {
        TokenCommand::Create {
            name,
            scopes,
            expires,
            account,
            options,
        } => {
            let account_id = id_of(store, &account).await?;
            let new = NewToken {
                account_id,
                name,
                scopes: read_scopes(&scopes)?,
                expires_at: read_time(expires.as_deref())?,
            };
            let issued = store.create_token(new).await.map_err(Trouble::failed)?;
            if options.json {
                let mut shown = as_json(&issued.token);
                if let Some(shown) = shown.as_object_mut() {
                    shown.insert(
                        "token".to_owned(),
                        Value::from(issued.secret.expose_secret()),
                    );
                }
                return terminal::print(shown);
            }
            terminal::say(format_args!(
                "This is a token of the account {account}, and the only time that it is shown:"
            ));
            terminal::print(issued.secret.expose_secret())
        }
        TokenCommand::List { account, options } => {
            let account_id = id_of(store, &account).await?;
            let tokens = store.tokens(account_id).await.map_err(Trouble::failed)?;
            if options.json {
                return terminal::print(Value::Array(tokens.iter().map(as_json).collect()));
            }
            if tokens.is_empty() {
                terminal::say(format_args!(
                    "the account {account} has no tokens; footbridge token create makes one"
                ));
                return Ok(());
            }
            terminal::print(table::aligned(&tokens.iter().map(row).collect::<Vec<_>>()))
        }
        TokenCommand::Revoke {
            token,
            account,
            options,
        } => {
            let account_id = id_of(store, &account).await?;
            store
                .revoke_token(account_id, &token)
                .await
                .map_err(Trouble::failed)?;
            if options.json {
                return terminal::print(json!({ "revoked": token }));
            }
            terminal::print(format_args!("revoked {token}"))
        }
    }
}

async fn id_of(store: &Store, account: &str) -> Result<AccountId, Trouble> {
    let account = store.account_named(account).await;
    account.map(|account| account.id).map_err(Trouble::failed)
}

/// None given is everything that the board's models allow.
fn read_scopes(texts: &[String]) -> Result<Vec<Scope>, Trouble> {
    let models = board_models::built_in()?;
    let known: Vec<&str> = models.names().collect();
    if texts.is_empty() {
        let scopes = known
            .iter()
            .map(|model| Scope::parse(&format!("{model}:write")));
        return scopes.collect::<Result<_, _>>().map_err(Trouble::failed);
    }
    let read = |text: &String| {
        let scope = Scope::parse(text).map_err(Trouble::usage)?;
        if known.contains(&scope.model()) {
            return Ok(scope);
        }
        Err(Trouble::usage(format!(
            "the board has no model {:?}; it has: {}",
            scope.model(),
            known.join(", ")
        )))
    };
    texts.iter().map(read).collect()
}

/// A time, or the time in so long.
fn read_time(text: Option<&str>) -> Result<Option<Timestamp>, Trouble> {
    let read = |text: &str| {
        let wrong = || {
            Trouble::usage(format!(
                "--expires must be how long from now, such as 30d or 12h, or a time such as \
                 2027-01-31T00:00:00Z, is {text:?}"
            ))
        };
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(time);
        }
        let lasts = selection::duration(text).filter(|lasts| !lasts.is_zero());
        let lasts = SignedDuration::try_from(lasts.ok_or_else(wrong)?).map_err(|_| wrong())?;
        Timestamp::now().checked_add(lasts).map_err(|_| wrong())
    };
    text.map(read).transpose()
}

fn as_json(token: &PersonalToken) -> Value {
    json!({
        "id": token.id, "name": token.name, "prefix": token.prefix,
        "scopes": token.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "created_at": token.created_at, "expires_at": token.expires_at, "revoked_at": token.revoked_at
    })
}

fn row(token: &PersonalToken) -> Vec<String> {
    let scopes: Vec<_> = token.scopes.iter().map(ToString::to_string).collect();
    let end = match (&token.revoked_at, &token.expires_at) {
        (Some(revoked), _) => format!("revoked {revoked}"),
        (None, Some(expires)) => format!("until {expires}"),
        (None, None) => "until revoked".to_owned(),
    };
    vec![
        token.prefix.clone(),
        token.name.clone(),
        scopes.join(","),
        end,
        token.id.clone(),
    ]
}
