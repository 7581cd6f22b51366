//! The MCP endpoint over all opened connectors: names, instructions, tools, resources, prompts.

mod change_tools;
mod held_leases;
pub(crate) mod latest_change;
mod lease_tools;
mod news;
mod offers;
mod own_endpoint;
pub(crate) mod query;
mod search;
mod views;
mod wait_tool;

use std::sync::Arc;

use footbridge_connector::ToolEffect;
use footbridge_mcp::{Endpoint, EndpointBuilder, Icon, Tool};

use crate::allow::Passage;
use crate::audit_trail::AuditTrail;
use crate::brakes::Brakes;
use crate::call_keys::CallKeys;
use crate::caller::Caller;
use crate::change_store::ChangeStore;
use crate::changes_page::ChangesPage;
use crate::cli::Surface;
use crate::exit::Trouble;
use crate::metrics::Metrics;
use crate::opened::{Opened, Served};
use crate::pages;
use crate::tool_names::ToolNames;
use crate::waits::ChangeWaits;
use crate::write_road::{self, Doors, RoadParts};
use lease_tools::LeaseTools;
use news::News;
use own_endpoint::OwnEndpoint;

/// Makes the endpoint, for these doors; its requests are counted where counts are wanted.
pub(crate) fn over(
    opened: &Opened,
    doors: Doors,
    metrics: Option<&Metrics>,
) -> Result<Endpoint<Caller>, Trouble> {
    let names = Arc::new(ToolNames::of(&opened.served)?);
    let is_joined = opened.served.len() > 1;
    let parts = RoadParts {
        names: Arc::clone(&names),
        keys: CallKeys::new(opened.changes.clone()),
        brakes: opened.brakes.clone(),
        trail: opened.trail.clone(),
        changes_page: opened.changes_page.clone(),
    };
    let own_endpoint = OwnEndpoint::default();
    let leases = LeaseTools::of(opened, &parts, &own_endpoint);
    let news = News::of(&opened.changes, &opened.served, &names, &own_endpoint);
    let query_tool = query::tool(&opened.served, &names, &opened.query, &own_endpoint);
    let is_of_chatgpt = opened.surface == Surface::Chatgpt;
    let searches = search::tools(opened, &names, &own_endpoint, is_of_chatgpt)?;
    let unlisted_there = |tool: Tool<Caller>| match is_of_chatgpt {
        true => tool.unlisted(),
        false => tool,
    };
    let connector_tools = opened.served.iter();
    let others = connector_tools
        .flat_map(|served| write_road::tools(served, &parts, doors))
        .chain(query_tool)
        .chain(change_tools::tools(opened, opened.lists_changes))
        .chain([wait_tool::tool(
            &news,
            &opened.waits,
            &names,
            opened.lists_changes,
        )])
        .chain(leases.tools(opened.lists_leases));
    let is_of_this_machine = opened.served.iter().all(|served| served.is_local);
    let in_reach = |tool: Tool<Caller>| match is_of_this_machine {
        true => tool.open_world(false),
        false => tool,
    };
    let mut endpoint = builder(&opened.served)
        .tools(others.map(unlisted_there).map(in_reach))
        .tools(searches.into_iter().map(in_reach))
        .resource(latest_change::resource(&news, opened.lists_changes))
        .resource(held_leases::resource(&news));
    // who asks for the group is told of what goes with it
    endpoint = match opened.lists_changes {
        true => endpoint.subscriptions(),
        false => endpoint.unannounced_subscriptions(),
    };
    endpoint = with_pages(endpoint, &opened.served, &names, true);
    for served in &opened.served {
        endpoint = offers::resources(served)
            .into_iter()
            .fold(endpoint, EndpointBuilder::resource);
        endpoint = offers::prompts(served, is_joined)
            .into_iter()
            .fold(endpoint, EndpointBuilder::prompt);
        if let Some(skills) = &served.skills {
            endpoint = endpoint.skills(skills.read());
        }
    }
    let endpoint = counted(endpoint, metrics);
    let endpoint = endpoint.build().map_err(Trouble::failed)?;
    own_endpoint.fill(&endpoint);
    Ok(endpoint)
}

fn counted(
    endpoint: EndpointBuilder<Caller>,
    metrics: Option<&Metrics>,
) -> EndpointBuilder<Caller> {
    match metrics {
        Some(metrics) => metrics.around(endpoint),
        None => endpoint,
    }
}

/// What the endpoint of the accounts of the board is made of.
#[derive(Debug, Clone)]
pub(crate) struct AccountParts {
    board: Served,
    pub(crate) changes: ChangeStore,
    keys: CallKeys,
    brakes: Brakes,
    trail: AuditTrail,
    changes_page: ChangesPage,
    metrics: Option<Metrics>,
    waits: ChangeWaits,
    lists_changes: bool,
}

impl AccountParts {
    /// Those of what is opened; none where the board of this machine is not among it.
    pub(crate) fn of(opened: &Opened, metrics: Option<&Metrics>) -> Option<Self> {
        let board = opened.served.iter().find(|served| served.is_local)?;
        Some(Self {
            board: board.clone(),
            changes: opened.changes.clone(),
            keys: CallKeys::new(opened.changes.clone()),
            brakes: opened.brakes.clone(),
            trail: opened.trail.clone(),
            changes_page: opened.changes_page.clone(),
            metrics: metrics.cloned(),
            waits: opened.waits.clone(),
            lists_changes: opened.lists_changes,
        })
    }
}

/// Makes the endpoint of the accounts of the board: it has the board's tools and what the pages need
/// for them, so that nothing of another connector, nor what others did, can be reached by it.
pub(crate) fn of_accounts(parts: &AccountParts) -> Result<Endpoint<Caller>, Trouble> {
    let served = std::slice::from_ref(&parts.board);
    let names = Arc::new(ToolNames::of(served)?);
    let road = RoadParts {
        names: Arc::clone(&names),
        keys: parts.keys.clone(),
        brakes: parts.brakes.clone(),
        trail: parts.trail.clone(),
        changes_page: parts.changes_page.clone(),
    };
    let own_endpoint = OwnEndpoint::default();
    let news = News::of(&parts.changes, served, &names, &own_endpoint);
    let endpoint = builder(served)
        .tools(write_road::tools(&parts.board, &road, Doors::Mcp))
        .tool(wait_tool::tool(
            &news,
            &parts.waits,
            &names,
            parts.lists_changes,
        ))
        .resource(latest_change::resource(&news, false))
        .unannounced_subscriptions();
    let endpoint = with_pages(endpoint, served, &names, false);
    let endpoint = counted(endpoint, parts.metrics.as_ref());
    let endpoint = endpoint.build().map_err(Trouble::failed)?;
    own_endpoint.fill(&endpoint);
    Ok(endpoint)
}

/// The pages, and what there is to open on them.
fn with_pages(
    endpoint: EndpointBuilder<Caller>,
    served: &[Served],
    names: &ToolNames,
    has_changes: bool,
) -> EndpointBuilder<Caller> {
    let endpoint = pages::resources().fold(endpoint, EndpointBuilder::resource);
    endpoint.resource(views::resource(served, names, has_changes))
}

/// What every endpoint says of itself.
fn builder(served: &[Served]) -> EndpointBuilder<Caller> {
    let endpoint = Endpoint::builder("footbridge", env!("CARGO_PKG_VERSION"))
        .title(title(served))
        .instructions(instructions(served));
    // A picture is that of one backend: several have none together.
    match served {
        [alone] => match alone.backend.connector().icon() {
            Some(icon) => endpoint.icon(Icon::new(icon)),
            None => endpoint,
        },
        _ => endpoint,
    }
}

fn title(served: &[Served]) -> String {
    let titles: Vec<_> = served
        .iter()
        .map(|served| served.backend.connector().title())
        .collect();
    format!("{} (Footbridge)", titles.join(", "))
}

/// What each connector says of itself, and what is closed.
fn instructions(served: &[Served]) -> String {
    let mut paragraphs: Vec<String> = served
        .iter()
        .map(|served| served.backend.connector().instructions().trim().to_owned())
        .collect();
    // First what a client must know: some read no further than the beginning.
    let wrong = served.iter().filter_map(|served| served.readiness.wrong());
    paragraphs.splice(0..0, wrong.collect::<Vec<_>>());
    paragraphs.extend(served.iter().filter_map(closed_sentence));
    paragraphs.join("\n\n")
}

/// What is closed on a connector and what opens it, and what waits for a person's approval; none
/// when everything is open.
pub(crate) fn closed_sentence(served: &Served) -> Option<String> {
    let tools = served.backend.connector().tools();
    let meets = |effect, passage| {
        let has = tools.iter().any(|tool| tool.effect == effect);
        has && served.gate.passage_of(effect) == passage
    };
    let of = |passage| {
        (
            meets(ToolEffect::Write, passage),
            meets(ToolEffect::Destroy, passage),
        )
    };
    let closed = match of(Passage::Closed) {
        (false, false) => None,
        (true, true) => Some((
            "creating, changing and deleting are",
            "--allow write,destroy",
        )),
        (true, false) => Some((
            "creating and changing are",
            served.gate.switch_for(ToolEffect::Write),
        )),
        (false, true) => Some(("deleting is", served.gate.switch_for(ToolEffect::Destroy))),
    };
    let proposed = match of(Passage::Proposed) {
        (false, false) => None,
        (true, true) => Some("creating, changing and deleting wait"),
        (true, false) => Some("creating and changing wait"),
        (false, true) => Some("deleting waits"),
    };
    let name = &served.name;
    let sentences: Vec<String> = [
        closed.map(|(what, switch)| {
            format!("On {name}, {what} closed{}; the operator opens that by starting footbridge with {switch}.", except(served, Passage::Closed))
        }),
        proposed.map(|what| {
            format!("On {name}, {what} until a person approves{}: a call is kept as a proposal.", except(served, Passage::Proposed))
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// The tools to which what is said of their effect does not apply.
fn except(served: &Served, passage: Passage) -> String {
    let tools = served.backend.connector().tools().iter();
    let others: Vec<&str> = tools
        .filter(|tool| tool.effect != ToolEffect::Read)
        .filter(|tool| {
            served.gate.passage_of(tool.effect) == passage && served.passage(tool) != passage
        })
        .map(|tool| tool.name.as_str())
        .collect();
    if others.is_empty() {
        String::new()
    } else {
        format!(" (except {})", others.join(", "))
    }
}
