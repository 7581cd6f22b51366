//! `footbridge changes`: what was changed through any door, and its undoing. The operator in the
//! terminal sees all of it.

mod shown;

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::time::SystemTime;

use footbridge_store::{ChangeId, ChangeQuery, ChangeSelection, Store};
use serde_json::{Value, json};

use super::table;
use crate::caller::{Caller, ResultReader};
use crate::change_json;
use crate::cli::{ChangesArguments, ChangesCommand, CommonOptions, FileOptions, SelectionOptions};
use crate::exit::{Exit, Trouble};
use crate::opened::{Opened, open_store};
use crate::selection::{self, WrittenSelection};
use crate::settings::Settings;
use crate::terminal;
use crate::undoing::{ChangeUndo, MAX_SELECTED, UndoBackend, UndoPlan, Undoer};
use crate::write_road::leased::LeaseRule;
use crate::write_road::proposals::{self, ProposalTarget};

/// Who decides here, for the record.
const APPROVER: &str = "terminal";

pub(crate) async fn run(arguments: ChangesArguments) -> Result<Exit, Trouble> {
    match arguments.into_command()? {
        ChangesCommand::List {
            selection,
            limit,
            before,
            json,
            files,
        } => {
            let query = ChangeQuery {
                selection: written(selection, Vec::new()).read_now()?,
                limit,
                after: before
                    .map(|id| selection::change(&id))
                    .transpose()
                    .map_err(Trouble::usage)?,
            };
            with_store(files, async |store| list_changes(store, &query, json).await).await
        }
        ChangesCommand::Show { id, json, files } => {
            let id = selection::change(&id).map_err(Trouble::usage)?;
            with_store(files, async |store| {
                let detail = store.change(id).await.map_err(Trouble::failed)?;
                terminal::print(match json {
                    true => change_json::detail(&detail).to_string(),
                    false => shown::lines(&detail).join("\n"),
                })
            })
            .await
        }
        ChangesCommand::Approve {
            id,
            yes,
            json,
            connector_files,
            options,
        } => {
            let id = selection::change(&id).map_err(Trouble::usage)?;
            let settings = Settings::new(options)?;
            let store = open_store(&settings.data_directory()?).await?;
            let ended = approve(&store, id, yes, json, connector_files, &settings).await;
            store.close().await;
            ended
        }
        ChangesCommand::Decline {
            id,
            reason,
            json,
            files,
        } => {
            let id = selection::change(&id).map_err(Trouble::usage)?;
            with_store(files, async |store| {
                let declined = proposals::decline(store, id, APPROVER, reason.as_deref()).await;
                declined.map_err(Trouble::failed)?;
                if json {
                    return terminal::print(
                        json!({ "change": id.to_string(), "state": "withdrawn" }),
                    );
                }
                terminal::say(format_args!("change {id} is declined"));
                Ok(())
            })
            .await
        }
        ChangesCommand::Undo {
            ids,
            selection,
            dry_run,
            yes,
            plan,
            json,
            connector_files,
            options,
        } => {
            let selection = written(selection, ids);
            if selection.is_empty() {
                return Err(Trouble::usage(
                    "which changes? name their numbers, or select them, such as by --since 2h or --tool",
                ));
            }
            let request = UndoRequest {
                dry_run,
                yes,
                digest: plan,
                json,
            };
            undo(selection.read_now()?, request, connector_files, options).await
        }
    }
}

/// Shows a proposal and carries it out.
async fn approve(
    store: &Store,
    id: ChangeId,
    yes: bool,
    json: bool,
    connector_files: Vec<String>,
    settings: &Settings,
) -> Result<Exit, Trouble> {
    let detail = store.change(id).await.map_err(Trouble::failed)?;
    if !yes {
        let lines = terminal::harmless(&shown::lines(&detail).join("\n"));
        if json || !std::io::stdin().is_terminal() {
            return Err(Trouble::usage(format!(
                "nothing was sent: look at it with footbridge changes show {id}, then add --yes"
            )));
        }
        terminal::say(lines);
        if !terminal::agrees("Approve it?")? {
            terminal::say("nothing was sent; it still waits");
            return Ok(Exit::Failed);
        }
    }
    let mut wanted = connector_files;
    if wanted.is_empty() {
        wanted.push(detail.change.connector.clone());
    }
    let opened = Opened::open(&wanted, settings).await?;
    let served = opened
        .served
        .iter()
        .find(|served| served.name == detail.change.connector);
    let ended = match served {
        Some(served) => {
            let target = ProposalTarget {
                reader: ResultReader::Person,
                ..ProposalTarget::of(served, &detail.change)
            };
            proposals::approve(store, opened.changes.clone(), target, detail, APPROVER).await
        }
        None => Err(format!(
            "it was proposed on {}: name that connector's file with --file",
            detail.change.connector
        )),
    };
    opened.close().await;
    let answer = ended.map_err(Trouble::failed)?;
    terminal::print(answer.text)?;
    terminal::say(format_args!("change {id} is done"));
    Ok(Exit::Done)
}

/// What is done with a plan.
struct UndoRequest {
    dry_run: bool,
    yes: bool,
    digest: Option<String>,
    json: bool,
}

fn written(selection: SelectionOptions, ids: Vec<String>) -> WrittenSelection {
    WrittenSelection {
        ids,
        connector: selection.connector,
        tool: selection.tool,
        caller: selection.caller,
        client: selection.client,
        record: selection.record,
        since: selection.since,
        state: selection.state,
    }
}

impl WrittenSelection {
    fn read_now(self) -> Result<ChangeSelection, Trouble> {
        self.read(SystemTime::now()).map_err(Trouble::usage)
    }
}

async fn with_store(
    files: FileOptions,
    work: impl AsyncFnOnce(&Store) -> Result<(), Trouble>,
) -> Result<Exit, Trouble> {
    let store = open_store(&Settings::of_files(files)?.data_directory()?).await?;
    let done = work(&store).await;
    store.close().await;
    done.map(|()| Exit::Done)
}

async fn list_changes(store: &Store, query: &ChangeQuery, json: bool) -> Result<(), Trouble> {
    let page = store.changes(query).await.map_err(Trouble::failed)?;
    if json {
        let rows: Vec<Value> = page.changes.iter().map(change_json::row).collect();
        return terminal::print(json!({ "changes": rows, "has_more": page.has_more }));
    }
    if page.changes.is_empty() {
        terminal::say("no change is on record that matches");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = page.changes.iter().map(shown::cells).collect();
    terminal::print(terminal::harmless(&table::aligned(&rows)))?;
    if page.has_more
        && let Some(last) = page.changes.last()
    {
        terminal::say(format_args!(
            "there are older ones: add --before {}",
            last.id
        ));
    }
    Ok(())
}

/// Plans with the connectors that the changes were made with, and carries the plan out.
async fn undo(
    selection: ChangeSelection,
    request: UndoRequest,
    connector_files: Vec<String>,
    options: CommonOptions,
) -> Result<Exit, Trouble> {
    let settings = Settings::new(options)?;
    let store = open_store(&settings.data_directory()?).await?;
    let ended = undo_with(&store, selection, request, connector_files, &settings).await;
    store.close().await;
    ended
}

async fn undo_with(
    store: &Store,
    selection: ChangeSelection,
    request: UndoRequest,
    connector_files: Vec<String>,
    settings: &Settings,
) -> Result<Exit, Trouble> {
    let query = ChangeQuery {
        selection: selection.clone(),
        limit: MAX_SELECTED,
        after: None,
    };
    let page = store.changes(&query).await.map_err(Trouble::failed)?;
    let names: BTreeSet<&str> = page
        .changes
        .iter()
        .map(|one| one.connector.as_str())
        .collect();
    let mut wanted: Vec<String> = connector_files;
    // one whose connector cannot be found is named by the plan
    let connectors = settings.connectors()?;
    wanted.extend(
        names
            .into_iter()
            .filter(|name| connectors.has(name))
            .map(str::to_owned),
    );
    let opened = Opened::open(&wanted, settings).await?;
    let backends: Vec<UndoBackend> = opened.served.iter().map(UndoBackend::from).collect();
    let undoing = ChangeUndo {
        store,
        changes: opened.changes.clone(),
        backends: &backends,
        undoer: Undoer {
            caller: Caller::Terminal,
            client: None,
            client_version: None,
            leases: LeaseRule::Told,
        },
    };
    let ended = carry_out(&undoing, selection, request).await;
    opened.close().await;
    ended
}

async fn carry_out(
    undoing: &ChangeUndo<'_>,
    selection: ChangeSelection,
    request: UndoRequest,
) -> Result<Exit, Trouble> {
    let plan = undoing.plan(selection).await.map_err(Trouble::failed)?;
    if request.dry_run {
        print_plan(&plan, request.json)?;
        return Ok(Exit::Done);
    }
    match &request.digest {
        Some(digest) if *digest != plan.digest => {
            print_plan(&plan, request.json)?;
            return Err(Trouble::failed(format!(
                "the plan is another by now, {} and not {digest}; nothing was sent",
                plan.digest
            )));
        }
        Some(_) => {}
        None if request.yes => {}
        None => {
            if request.json || !std::io::stdin().is_terminal() {
                print_plan(&plan, request.json)?;
                return Err(Trouble::usage(format!(
                    "nothing was sent: to do this, add --plan {} or --yes",
                    plan.digest
                )));
            }
            print_plan(&plan, false)?;
            if plan.steps.is_empty() {
                return Ok(Exit::Done);
            }
            if !terminal::agrees("Do it?")? {
                terminal::say("nothing was sent");
                return Ok(Exit::Failed);
            }
        }
    }
    // whoever said yes beforehand has not seen the plan
    let is_unseen = request.digest.is_none() && request.yes;
    let (mut members, mut left) = (plan.members(), plan.left_lines());
    members.retain(|name, _| is_unseen && ["conflicts", "left", "lost"].contains(&name.as_str()));
    if !is_unseen {
        left.clear();
    } else if plan.steps.is_empty() && left.is_empty() {
        left = plan.lines();
    }
    let undone = undoing.apply(plan).await;
    let is_ignored = undone.done.iter().any(|done| !done.ignored.is_empty());
    let failed = undone.failed.is_some() || is_ignored;
    terminal::print(match request.json {
        true => {
            if let Value::Object(undone) = undone.json() {
                members.extend(undone);
            }
            Value::Object(members).to_string()
        }
        false => terminal::harmless(&[undone.lines(), left].concat().join("\n")),
    })?;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn print_plan(plan: &UndoPlan, json: bool) -> Result<(), Trouble> {
    if json {
        return terminal::print(plan.json());
    }
    terminal::print(terminal::harmless(&plan.lines().join("\n")))?;
    terminal::say(format_args!("plan {}", plan.digest));
    Ok(())
}
