//! `footbridge leases`: who has which record to work on. The operator in the terminal may end any.

use std::time::SystemTime;

use footbridge_store::{AuditEntry, AuditKind, Lease, RecordAddress, Store};
use serde_json::{Value, json};

use super::table;
use crate::caller::Caller;
use crate::cli::{FileOptions, LeasesArguments, LeasesCommand};
use crate::exit::{Exit, Trouble};
use crate::json_object::JsonObject;
use crate::opened::open_store;
use crate::settings::Settings;
use crate::terminal;

/// Characters of a note in a cell.
const CELL: usize = 40;

pub(crate) async fn run(arguments: LeasesArguments) -> Result<Exit, Trouble> {
    match arguments.into_command()? {
        LeasesCommand::List {
            connector,
            json,
            files,
        } => {
            with_store(files, async |store| {
                list(store, connector.as_deref(), json).await
            })
            .await
        }
        LeasesCommand::End {
            record,
            connector,
            json,
            files,
        } => {
            with_store(files, async |store| {
                end(store, &record, connector, json).await
            })
            .await
        }
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

async fn list(store: &Store, connector: Option<&str>, json: bool) -> Result<(), Trouble> {
    let leases = store.leases(connector, SystemTime::now()).await;
    let leases = leases.map_err(Trouble::failed)?;
    if json {
        let rows: Vec<Value> = leases.iter().map(lease_json).collect();
        return terminal::print(json!({ "leases": rows }));
    }
    if leases.is_empty() {
        terminal::say("no record is leased");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = leases.iter().map(cells).collect();
    terminal::print(terminal::harmless(&table::aligned(&rows)))
}

/// Ends a lease; of which connector need not be said where only one has such a record leased.
async fn end(
    store: &Store,
    record: &str,
    connector: Option<String>,
    json: bool,
) -> Result<(), Trouble> {
    let (kind, id) = record.split_once(':').ok_or_else(|| {
        Trouble::usage(format!(
            "{record:?} is no record: write it as KIND:ID, such as card:7"
        ))
    })?;
    let now = SystemTime::now();
    let leases = store.leases(connector.as_deref(), now).await;
    let leases = leases.map_err(Trouble::failed)?;
    let mut found = leases
        .into_iter()
        .filter(|lease| lease.record.kind == kind && lease.record.id == id);
    let wanted: RecordAddress = match (found.next(), found.next()) {
        (Some(only), None) => only.record,
        (Some(one), Some(other)) => {
            return Err(Trouble::usage(format!(
                "{record} is leased on {} and on {}: say which with --connector",
                one.record.connector, other.record.connector
            )));
        }
        (None, _) => {
            return Err(Trouble::failed(format!(
                "{record} is not leased; footbridge leases lists what is"
            )));
        }
    };
    match store
        .end_lease(&wanted, now)
        .await
        .map_err(Trouble::failed)?
    {
        Some(lease) => {
            let detail = json!({
                "door": Caller::Terminal.door(),
                "caller": Caller::Terminal.name(),
                "tool": "leases end",
                "state": "ended",
                "lease": lease_json(&lease),
            });
            let entry = AuditEntry::new(AuditKind::Call, &detail);
            let written = store.append_audit(entry, now).await;
            written.map_err(Trouble::failed)?;
            if json {
                return terminal::print(lease_json(&lease));
            }
            let sentence = format!("the lease of {record} by {} is over", lease.holder);
            terminal::say(terminal::harmless(&sentence));
            Ok(())
        }
        None => Err(Trouble::failed(format!("the lease of {record} just ended"))),
    }
}

fn lease_json(lease: &Lease) -> Value {
    JsonObject::default()
        .with("connector", lease.record.connector.as_str())
        .with(
            "record",
            format!("{}:{}", lease.record.kind, lease.record.id),
        )
        .with("holder", lease.holder.as_str())
        .with("caller", lease.caller.as_str())
        .with("claimed_at", lease.claimed_at.as_str())
        .with("until", lease.until.as_str())
        .with_some("note", lease.note.as_deref())
        .into()
}

fn cells(lease: &Lease) -> Vec<String> {
    let note = lease.note.as_deref().unwrap_or_default();
    let note = note.split_whitespace().collect::<Vec<_>>().join(" ");
    vec![
        lease.record.connector.clone(),
        format!("{}:{}", lease.record.kind, lease.record.id),
        lease.holder.clone(),
        format!("until {}", lease.until.get(..16).unwrap_or(&lease.until)),
        note.chars().take(CELL).collect(),
    ]
}
