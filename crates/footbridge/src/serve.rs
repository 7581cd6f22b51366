//! `footbridge serve`: the choice of a transport, the opening of what is served, and the run until
//! a signal comes.

mod actions;
mod approvals;
mod approver;
mod board_door;
mod board_leases;
mod browser;
mod doors;
mod edited_files;
mod forwarded;
mod http;
mod invitation;
mod mending;
mod metrics_page;
mod preflight;
mod shared_bearer;
mod signals;
mod standard_input;
mod stdio;
mod threshold;
mod tightened;

use std::time::SystemTime;

use footbridge_connector::ToolEffect;
use footbridge_mcp::Endpoint;
use serde_json::{Value, json};

use std::pin::pin;
use std::time::Duration;

use futures_util::future::maybe_done;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::signals::Signals;
use crate::allow::Passage;
use crate::caller::Caller;
use crate::cli::ServeArguments;
use crate::endpoint;
use crate::exit::{Exit, Trouble};
use crate::opened::{Opened, Served};
use crate::settings::ServeSettings;
use crate::terminal;
use crate::upkeep;
use crate::write_road::Doors;

/// How long the first answer to a client waits for the checks, so that its instructions say what
/// they found.
const FIRST_ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// How long the end waits for the upkeep of the store, which ends at once unless it is at work.
const UPKEEP_PATIENCE: Duration = Duration::from_secs(5);

/// The transport that fits whoever started us.
pub(crate) use standard_input::suggests as suggested_transport;

pub(crate) async fn run(
    arguments: ServeArguments,
    has_environment_file: bool,
) -> Result<Exit, Trouble> {
    if has_environment_file {
        terminal::say("footbridge: settings also come from an environment file");
    }
    let ServeArguments {
        connectors,
        options,
    } = arguments;
    let ServeSettings {
        door,
        requires_all,
        mut common,
    } = ServeSettings::decide(options, suggested_transport)?;
    // A client that starts a program shows nobody what it says on stderr, nor why it ended.
    common.outlives_wrong_settings = door.is_none() && !requires_all;
    let opened = Opened::open(&connectors, &common).await?;
    let doors = match door {
        None => Doors::Mcp,
        Some(_) => Doors::McpAndActions,
    };
    opened
        .trail
        .started(&start(&opened, doors), SystemTime::now());
    let may_write = opened.local.is_some() || opened.served.iter().any(may_write);
    let (ending, ended) = oneshot::channel();
    let mut upkeep = tokio::spawn(upkeep::keep_up(
        opened.changes.clone(),
        opened.trail.clone(),
        may_write,
        ended,
    ));
    let watching = edited_files::watch(&opened);
    for served in &opened.served {
        if let Some(wrong) = &served.wrong {
            terminal::say(format_args!("footbridge: warning: {wrong}"));
        }
    }
    for (name, served) in opened
        .served
        .iter()
        .flat_map(|served| served.unset_secrets.iter().map(move |name| (name, served)))
    {
        terminal::say(format_args!(
            "footbridge: warning: {name} is not set: calls of {} go without it; set it, or {name}_FILE to the file that holds it{}",
            served.name,
            or_log_in(served)
        ));
    }
    // Listened to from here to the end: none that comes meanwhile must be lost.
    let signals = Signals::listen()?;
    let served = async {
        let checks = preflight::start(&opened, &common, requires_all);
        // A client gives up when nobody answers it for a few seconds, so it is answered while the
        // checks run.
        let exit = match door {
            None => {
                let mut checks = pin!(maybe_done(checks));
                let _is_early = timeout(FIRST_ANSWER_PATIENCE, &mut checks).await.is_ok();
                let checks = async {
                    checks.as_mut().await;
                    checks.as_mut().take_output().unwrap_or(Ok(()))
                };
                let endpoint = endpoint::over(&opened, Doors::Mcp, None)?;
                let telling = tell_of_changes(&endpoint, &opened);
                let exit = stdio::serve(endpoint, checks, &signals, &opened.waits).await;
                telling.abort();
                exit?
            }
            Some(door) => {
                let endpoint =
                    endpoint::over(&opened, Doors::McpAndActions, door.metrics.as_ref())?;
                let telling = tell_of_changes(&endpoint, &opened);
                let exit = http::Door(door)
                    .serve(endpoint, &opened, checks, &signals)
                    .await;
                telling.abort();
                exit?
            }
        };
        // The store is closed when nobody is at it any more: what is cut off leaves its connection
        // open, and with it the log beside the file.
        drop(ending);
        watching.abort();
        if timeout(UPKEEP_PATIENCE, &mut upkeep).await.is_err() {
            upkeep.abort();
            drop(upkeep.await);
        }
        opened.close().await;
        Ok(exit)
    };
    tokio::select! {
        exit = served => exit,
        () = signals.hurried() => Ok(Exit::Interrupted),
    }
}

/// Tells whoever subscribed of changes, whichever process made them, until it is aborted.
fn tell_of_changes(endpoint: &Endpoint<Caller>, opened: &Opened) -> JoinHandle<()> {
    let changes = opened.changes.clone();
    tokio::spawn(endpoint::latest_change::tell(endpoint.clone(), changes))
}

/// Whether the operator opened any change of a backend, be it as a proposal.
fn may_write(served: &Served) -> bool {
    let is_closed = |effect| served.gate.passage_of(effect) == Passage::Closed;
    served.gate.opens_any() || !is_closed(ToolEffect::Write) || !is_closed(ToolEffect::Destroy)
}

/// The start as the audit has it: what is served, and what may be written.
fn start(opened: &Opened, doors: Doors) -> Value {
    let connectors: Vec<Value> = opened
        .served
        .iter()
        .map(|served| {
            let passage = |effect| match served.gate.passage_of(effect) {
                Passage::Open => "open",
                Passage::Proposed => "propose",
                Passage::Closed => "closed",
            };
            json!({
                "name": served.name,
                "address": served.address(),
                "write": passage(ToolEffect::Write),
                "destroy": passage(ToolEffect::Destroy),
            })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "process": std::process::id(),
        "transport": match doors {
            Doors::Mcp => "stdio",
            Doors::McpAndActions => "http",
        },
        "connectors": connectors,
    })
}

/// The other way to a credential, where there is one.
fn or_log_in(served: &Served) -> String {
    match served.backend.connector().token_setting() {
        Some(_) => format!(", or log in: footbridge login {}", served.name),
        None => String::new(),
    }
}
