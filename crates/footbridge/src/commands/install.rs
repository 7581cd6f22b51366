//! `footbridge install`: adds this program to a client, in the client's own file, with everything
//! kept that is not ours. No secret is written.

mod difference;
mod edit;
pub(super) mod program;
mod report;
mod wanted;

use serde_json::{Value, json};

use crate::cli::{EntryOptions, InstallArguments, InstallScope, UninstallArguments};
use crate::client_file::ClientFile;
use crate::clients::place::UserFolders;
use crate::clients::{self, KnownClient};
use crate::exit::{Exit, Trouble};
use crate::spelling::did_you_mean;
use crate::terminal;
use edit::FileEdit;
use report::Report;

/// A client that has no file: what is done in it by hand.
const CHATGPT: &str = "chatgpt";
const CHATGPT_STEPS: &str =
    "ChatGPT has no file: it connects to a public https address, by these steps.
  1. serve it where ChatGPT reaches it: footbridge serve --transport http --public-url https://HOST
     behind a reverse proxy with TLS; with --surface chatgpt for deep research
  2. in ChatGPT: Settings, Apps & Connectors, Advanced settings, switch Developer mode on
  3. Create: a name, the address https://HOST/mcp, and the authentication that your proxy does
     (ChatGPT sends no bearer of its own: it takes OAuth, or none)
  4. in a chat: +, Developer mode, and pick it";

pub(crate) fn run(arguments: InstallArguments) -> Result<Exit, Trouble> {
    if arguments.client == CHATGPT {
        terminal::print(match arguments.entry.json {
            true => json!({ "client": CHATGPT, "steps": CHATGPT_STEPS }).to_string(),
            false => CHATGPT_STEPS.to_owned(),
        })?;
        return Ok(Exit::Done);
    }
    let client = match clients::named(&arguments.client) {
        Some(client) => client,
        None if arguments.print => &clients::ANY,
        None => return Err(unknown(&arguments.client)),
    };
    let wanted = wanted::of(&arguments)?;
    let fields = wanted.entry.shown_to(client).ok_or_else(|| {
        Trouble::usage(format!(
            "{} takes no addresses in its file: add {} in its settings, or leave --http out to have it start the program",
            client.title,
            wanted.entry.line()
        ))
    })?;
    if arguments.print {
        return print(client, &arguments.entry, Value::Object(fields));
    }
    let change =
        |file: &ClientFile| edit::installed(file, client, &arguments.entry.name, &wanted.entry);
    let report = carried_out(client, &arguments.entry, change)?;
    report.print(&arguments.entry, Some(&wanted.entry), &wanted.notes)?;
    Ok(Exit::Done)
}

/// `footbridge uninstall`: takes our entry out of a client's file again.
pub(crate) fn remove(arguments: &UninstallArguments) -> Result<Exit, Trouble> {
    let client = clients::named(&arguments.client).ok_or_else(|| {
        if arguments.client == CHATGPT {
            return Trouble::usage(
                "ChatGPT has no file: remove it there, under Settings, Apps & Connectors",
            );
        }
        unknown(&arguments.client)
    })?;
    let change = |file: &ClientFile| edit::uninstalled(file, client, &arguments.entry.name);
    let report = carried_out(client, &arguments.entry, change)?;
    report.print(&arguments.entry, None, &[])?;
    Ok(Exit::Done)
}

/// That there is no such client, and which was meant.
pub(super) fn unknown(name: &str) -> Trouble {
    let known = clients::names();
    let meant = did_you_mean(name, known.into_iter().chain([CHATGPT]));
    let all = known.join(", ");
    Trouble::usage(format!(
        "there is no client {name:?} here{meant}{} there are: {all}, {CHATGPT}; for another one, footbridge install NAME --print prints the entry",
        if meant.is_empty() { ";" } else { "" },
    ))
}

/// Where the client's file is.
pub(super) fn path_of(
    client: &KnownClient,
    scope: InstallScope,
) -> Result<std::path::PathBuf, Trouble> {
    match scope {
        InstallScope::User => UserFolders::here(&client.user)
            .file(&client.user)
            .ok_or_else(|| {
                Trouble::usage(format!(
                    "there is no home directory in which {} would keep its file: set HOME",
                    client.title
                ))
            }),
        InstallScope::Project => {
            let name = client.project.ok_or_else(|| {
                Trouble::usage(format!(
                    "{} has no file in a project: leave --scope project out",
                    client.title
                ))
            })?;
            let folder = std::env::current_dir()
                .map_err(|error| Trouble::failed(format!("this folder cannot be used: {error}")))?;
            Ok(folder.join(name))
        }
    }
}

/// How often a file is read anew that its client writes at the same time.
const MAX_ATTEMPTS: usize = 5;

/// Edits the client's file, one edit at a time, on what it holds now.
fn carried_out(
    client: &'static KnownClient,
    options: &EntryOptions,
    change: impl Fn(&ClientFile) -> Result<FileEdit, Trouble>,
) -> Result<Report, Trouble> {
    let path = path_of(client, options.scope)?;
    let read = || ClientFile::read(&path, client.format);
    if options.dry_run {
        let file = read()?;
        let edit = change(&file)?;
        return Ok(Report::new(client, file, edit, None));
    }
    // What cannot be read makes no folder.
    let unlocked = read()?;
    if change(&unlocked)?.is_nothing() {
        let edit = change(&unlocked)?;
        return Ok(Report::new(client, unlocked, edit, None));
    }
    let _lock = ClientFile::lock(&path)?;
    for _ in 0..MAX_ATTEMPTS {
        let file = read()?;
        let edit = change(&file)?;
        if !file.is_still() {
            continue;
        }
        let backup = match &edit.after {
            _ if edit.is_nothing() => None,
            Some(after) => file.replace(after)?,
            None => {
                file.delete()?;
                None
            }
        };
        return Ok(Report::new(client, file, edit, backup));
    }
    Err(Trouble::failed(format!(
        "{} is being written all the time, so nothing was changed: close {} and try again",
        path.display(),
        client.title
    )))
}

/// The entry to paste, and on stderr where.
fn print(client: &KnownClient, options: &EntryOptions, entry: Value) -> Result<Exit, Trouble> {
    let path = [client.key, options.name.as_str()];
    let text = client.format.set("", &path, &entry).unwrap_or_default();
    terminal::print(text.trim_end())?;
    if client.name != clients::ANY.name
        && let Ok(path) = path_of(client, options.scope)
    {
        terminal::say(format_args!("{}: {}", client.title, path.display()));
    }
    Ok(Exit::Done)
}
