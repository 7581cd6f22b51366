//! The write road: what stands between a call and its connector. The effect gate, the user's
//! consent, keys of calls, progress; every connector tool passes here and nowhere else.

mod answered;
mod call_end;
mod call_log;
mod carrying_out;
mod composed;
mod consent;
mod key_taking;
pub(crate) mod leased;
mod model_rules;
mod own_proposals;
pub(crate) mod page_view;
mod progress;
pub(crate) mod proposals;
pub(crate) mod recording;
mod repeated_create;
pub(crate) mod resolving;
mod second_call;
mod taking;

use std::sync::Arc;

use footbridge_connector::{Backend, BackendError, ConnectorTool, Options, Outcome, ToolEffect};
use footbridge_mcp::{Call, Content, Failure, Output, Tool, ToolResult, fail};
use footbridge_store::{AccountId, NewChange};
use serde_json::{Map, Value, json};

use crate::allow::Passage;
use crate::audit_trail::{AuditTrail, AuditedCall};
use crate::board_journal::account as account_of_board;
use crate::brakes::Brakes;
use crate::call_keys::{CallKeys, fingerprint};
use crate::caller::{Caller, ResultReader, account_name};
use crate::changes_page::ChangesPage;
use crate::gate::{Gate, effect_word};
use crate::opened::{BoardAccounts, Served, address_of};
use crate::readiness::Readiness;
use crate::shortened;
use crate::tool_names::ToolNames;
use answered::answered;
use call_end::NoAnswer;
pub(crate) use call_end::Refuser;
pub(crate) use call_end::{CallAnswer, CallEnd, CallFailure, Receipt};
use call_log::CallLog;
use carrying_out::carry_out;
pub(crate) use composed::ComposedCall;
use model_rules::ModelRules;
use own_proposals::PendingProposals;
use page_view::{PageTools, ShownCall, has_page};
use second_call::PendingConsents;
use taking::taking;

/// What a connector's tool that writes says at its end.
const ASKS_FIRST: &str = " Ask the user first.";

/// The sentence of an action whose tool the operator closed to everybody.
const CLOSED_ACTION: &str = "This action is closed: the operator allows reading alone. To open it, start footbridge without --allow read.";

/// What an action reads whose tool only proposes.
const PROPOSED_ACTION: &str = "This action is closed: the operator lets every change be approved by a person first, and an action cannot wait for that. To open it, start footbridge with --allow write,destroy.";

/// Characters of what a client calls itself that are kept with its changes.
const CLIENT_CHARACTERS: usize = 100;

/// The road that every call of one tool takes.
#[derive(Debug, Clone)]
struct Road {
    /// The connector's name.
    connector: String,
    is_local: bool,
    backend: Backend,
    /// As whom the board knows an account that the call is by, for the record.
    account_identity: Option<String>,
    /// The account of the board that the call is by, for the record.
    account: Option<String>,
    /// The accounts of the board, where this is its tool.
    accounts: Option<BoardAccounts>,
    tool: String,
    /// What clients call it.
    published: String,
    /// A page shows what it gives.
    has_page: bool,
    page_tools: Arc<PageTools>,
    title: String,
    effect: ToolEffect,
    takes_key: bool,
    /// Names and columns that are looked up before the call.
    rules: Option<Arc<ModelRules>>,
    /// The connector file says how a person is asked before it acts.
    asks: bool,
    /// A form alone confirms.
    confirms_by_form: bool,
    pending_consents: PendingConsents,
    pending_proposals: PendingProposals,
    /// It makes a record.
    makes: bool,
    /// It has an argument `again` of ours.
    takes_again: bool,
    passage: Passage,
    is_structured: bool,
    /// The file says so, and promises an object.
    is_structured_by_file: bool,
    /// The tool has an argument for something else that is called as that of leases.
    has_own_lease: bool,
    keys: CallKeys,
    brakes: Brakes,
    trail: AuditTrail,
    changes_page: ChangesPage,
    readiness: Readiness,
}

impl Road {
    fn new(served: &Served, tool: &ConnectorTool, parts: &RoadParts) -> Arc<Self> {
        Arc::new(Self {
            connector: served.name.clone(),
            is_local: served.is_local,
            backend: served.backend.clone(),
            account_identity: None,
            account: None,
            accounts: served.accounts.clone(),
            tool: tool.name.clone(),
            published: parts.names.published(&served.name, &tool.name),
            has_page: has_page(served, tool),
            page_tools: Arc::new(PageTools::of(served, tool, parts)),
            title: tool.title.clone(),
            effect: tool.effect,
            takes_key: tool.takes_key,
            rules: ModelRules::of(served.backend.connector(), tool),
            asks: tool.asks && tool.effect != ToolEffect::Read,
            confirms_by_form: served.confirms_by_form,
            pending_consents: PendingConsents::default(),
            pending_proposals: PendingProposals::default(),
            makes: repeated_create::makes(tool),
            takes_again: repeated_create::takes_again(tool),
            passage: served.passage(tool),
            is_structured: served.structures(tool),
            is_structured_by_file: tool.structured,
            has_own_lease: leased::has_own_lease(tool),
            keys: parts.keys.clone(),
            brakes: parts.brakes.clone(),
            trail: parts.trail.clone(),
            changes_page: parts.changes_page.clone(),
            readiness: served.readiness.clone(),
        })
    }

    /// The same road for an account of the board, which acts as itself.
    ///
    /// # Errors
    /// A sentence: the account is gone, or this is no tool of the board.
    async fn acting_as(&self, account_id: AccountId) -> Result<Box<Self>, String> {
        let no_board = || format!("{} is no tool of the board", self.tool);
        let accounts = self.accounts.as_ref().ok_or_else(no_board)?;
        let account = accounts.account(account_id).await?;
        Ok(Box::new(Self {
            backend: accounts.backend(account_id).ok_or_else(no_board)?,
            account_identity: Some(account_of_board(&self.identity(), account_id)),
            account: Some(account.name),
            ..self.clone()
        }))
    }

    /// What the connector makes of a call; its client hears how far it is.
    async fn ask(
        &self,
        call: &Call<Caller>,
        arguments: Map<String, Value>,
        options: Options,
    ) -> Result<Outcome, BackendError> {
        let start = |progress| {
            let options = Options {
                progress,
                ..options
            };
            self.backend.call_with(&self.tool, arguments, options)
        };
        progress::with_progress(call, start).await
    }

    /// As whom the backend knows us now, for the record: somebody may have logged in since the start.
    fn identity(&self) -> String {
        let of_account = self.account_identity.clone();
        of_account.unwrap_or_else(|| self.backend.identity())
    }

    /// Who a call is by, for the record: as the board's own door has it where it is an account.
    fn caller_name(&self, caller: Caller) -> String {
        match &self.account {
            Some(account) => account_name(account),
            None => caller.name().to_owned(),
        }
    }

    /// The change that a call is, without its records.
    fn change(&self, call: &Call<Caller>, arguments: &Map<String, Value>) -> NewChange {
        let client = call.client();
        NewChange {
            door: call.caller.door().to_owned(),
            caller: self.caller_name(*call.caller),
            client: client.name().map(cut_name),
            client_version: client.version().map(cut_name),
            connector: self.connector.clone(),
            address: address_of(&self.backend, self.is_local),
            account: Some(self.identity()),
            tool: self.tool.clone(),
            effect: effect_word(self.effect).to_owned(),
            arguments: shortened::arguments(arguments),
            fingerprint: fingerprint(arguments),
            ..NewChange::default()
        }
    }
}

/// What a client calls itself, as far as it is kept.
pub(crate) fn cut_name(name: &str) -> String {
    name.chars().take(CLIENT_CHARACTERS).collect()
}

/// What every road is made with.
#[derive(Debug, Clone)]
pub(crate) struct RoadParts {
    pub(crate) names: Arc<ToolNames>,
    pub(crate) keys: CallKeys,
    pub(crate) brakes: Brakes,
    pub(crate) trail: AuditTrail,
    pub(crate) changes_page: ChangesPage,
}

/// The doors that lead to the tools of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doors {
    /// MCP and the terminal.
    Mcp,
    /// The actions too.
    McpAndActions,
}

/// The tools of a served connector: the open ones as clients see them, the closed ones unlisted and
/// answering with the switch that opens them.
pub(crate) fn tools(served: &Served, parts: &RoadParts, doors: Doors) -> Vec<Tool<Caller>> {
    let connector = served.backend.connector();
    let is_of_action = |tool: &ConnectorTool| {
        let mut actions = connector.actions().iter();
        doors == Doors::McpAndActions && actions.any(|action| action.tool == tool.name)
    };
    let tools = connector.tools().iter();
    tools
        .map(|tool| {
            if served.passage(tool) != Passage::Closed {
                return open(served, tool, parts);
            }
            let may_be_opened = is_of_action(tool) && !served.gate.only_reads();
            let closed = if may_be_opened {
                open(served, tool, parts).unlisted()
            } else {
                empty(tool, &parts.names, &served.name)
            };
            behind_gate(closed, served, tool, parts)
        })
        .collect()
}

/// Whether a tool that the gate closed may be called all the same: the key of the actions opens it,
/// whatever it does, unless the operator said that there is only reading.
fn admits(gate: &Gate, caller: Caller) -> bool {
    caller == Caller::ActionClient && !gate.only_reads()
}

/// What a tool says of itself. Who writes on the board of this machine need not ask its user for
/// each card: it is open from the start, nobody else's, and can be undone.
fn description<'t>(served: &Served, tool: &'t ConnectorTool) -> &'t str {
    let whole = tool.description.as_str();
    match served.is_local && tool.effect != ToolEffect::Destroy {
        true => whole.strip_suffix(ASKS_FIRST).unwrap_or(whole),
        false => whole,
    }
}

fn open(served: &Served, connector_tool: &ConnectorTool, parts: &RoadParts) -> Tool<Caller> {
    let road = Road::new(served, connector_tool, parts);
    let names = &parts.names;
    let name = names.published(&served.name, &connector_tool.name);
    let tool = Tool::new(
        name,
        description(served, connector_tool),
        Value::Null,
        move |call: Call<Caller>| {
            let road = Arc::clone(&road);
            async move { run(&road, call).await }
        },
    );
    let output_schema = connector_tool.output_schema.as_ref();
    let output_schema = output_schema.filter(|_| served.structures(connector_tool));
    let tool = tool
        .shared_schemas(
            Arc::clone(&connector_tool.input_schema),
            output_schema.map(Arc::clone),
        )
        .title(connector_tool.title.as_str())
        .effect(match connector_tool.effect {
            ToolEffect::Read => footbridge_mcp::Effect::Read,
            ToolEffect::Write => footbridge_mcp::Effect::Write,
            ToolEffect::Destroy => footbridge_mcp::Effect::Destroy,
        })
        .idempotent(connector_tool.annotations.idempotent)
        .open_world(connector_tool.annotations.open_world && !served.is_local);
    let tool = taking(
        page_view::paged(tool, served, connector_tool),
        connector_tool,
    );
    let tool = if connector_tool.asks {
        tool.unlisted_argument(second_call::ARGUMENT, second_call::schema())
    } else {
        tool
    };
    let tool = match connector_tool.effect {
        ToolEffect::Write | ToolEffect::Destroy if !leased::has_own_lease(connector_tool) => {
            tool.unlisted_argument(leased::ARGUMENT, leased::schema())
        }
        _ => tool,
    };
    let tool = if repeated_create::takes_again(connector_tool) {
        tool.unlisted_argument(repeated_create::ARGUMENT, json!({ "type": "boolean" }))
    } else {
        tool
    };
    let unlisted = connector_tool.unlisted_arguments.iter();
    let tool = unlisted.fold(tool, |tool, (name, schema)| {
        tool.unlisted_argument(*name, schema.clone())
    });
    // what a client read in a fence it gives back in one
    let tool = tool.read_arguments(
        footbridge_connector::may_be_fenced,
        footbridge_connector::unfence,
    );
    let tool = if served.lists(connector_tool) {
        tool
    } else {
        tool.unlisted()
    };
    names
        .aliases(&served.name, connector_tool)
        .into_iter()
        .fold(tool, Tool::alias)
}

/// A tool that nobody may call: it has a name, and nothing behind it.
fn empty(tool: &ConnectorTool, names: &ToolNames, connector: &str) -> Tool<Caller> {
    let name = names.published(connector, &tool.name);
    let anything = json!({ "type": "object" });
    let function = async |_: Call<Caller>| Err(Failure::NotFound);
    let empty = Tool::new(name, tool.description.as_str(), anything, function).unlisted();
    let aliases = names.aliases(connector, tool).into_iter();
    aliases.fold(empty, Tool::alias)
}

/// The tool, closed: whoever the gate does not admit is told what opens it.
fn behind_gate(
    closed: Tool<Caller>,
    served: &Served,
    tool: &ConnectorTool,
    parts: &RoadParts,
) -> Tool<Caller> {
    let name = parts.names.published(&served.name, &tool.name);
    let message = format!(
        "{name} is closed: it can {} and the operator has not opened that. To open it, start footbridge with {}.",
        match tool.effect {
            ToolEffect::Destroy => "delete",
            ToolEffect::Read | ToolEffect::Write => "change things",
        },
        served.gate.switch_for(tool.effect)
    );
    let (gate, trail) = (served.gate.clone(), parts.trail.clone());
    let effect = effect_word(tool.effect);
    let (connector, tool) = (served.name.clone(), tool.name.clone());
    closed.admits(move |call| {
        if admits(&gate, *call.caller) {
            return Ok(());
        }
        tracing::info!(tool = %name, caller = ?call.caller, client = call.client().name(), effect, outcome = "refused", by = "Gate", "a call was refused");
        let audited = AuditedCall {
            caller: *call.caller,
            client: call.client().name(),
            connector: &connector,
            tool: &tool,
        };
        trail.refused(audited, "gate", "it is closed");
        Err(match *call.caller {
            Caller::ActionClient => Failure::Forbidden(CLOSED_ACTION.to_owned()),
            _ => fail(message.clone()),
        })
    })
}

/// One call, and what the endpoint gets of its end.
async fn run(road: &Road, mut call: Call<Caller>) -> ToolResult {
    let caller = *call.caller;
    let acting_road;
    let road = match caller {
        Caller::Account(account_id, _) => {
            acting_road = Box::pin(road.acting_as(account_id)).await.map_err(fail)?;
            &*acting_road
        }
        _ => road,
    };
    let is_composed = call.extension::<ComposedCall>().is_some();
    let mut log = CallLog::begin();
    let mut shown = ShownCall::of(road, &mut call).filter(|_| !is_composed);
    let carried_out = carry_out(road, &mut call, &mut log, &mut shown).await;
    log.ended(road, &call, &carried_out);
    if road.effect != ToolEffect::Read || road.trail.audits_reads() {
        audit(road, &call, &carried_out);
    }
    let CallAnswer { text, receipt } = match carried_out {
        Ok(answer) => answer,
        Err(no_answer) => return no_answer.into_result(caller),
    };
    if is_composed {
        let end = CallEnd::Answered(CallAnswer { text, receipt });
        return Ok(Output::default().with_extension(end));
    }
    let receipt_block = receipt
        .as_ref()
        .map(|receipt| Content::text(receipt.linked(&road.changes_page)));
    match caller.reader() {
        ResultReader::Program => {
            let end = CallEnd::Answered(CallAnswer { text, receipt });
            Ok(Output::default().with_extension(end))
        }
        ResultReader::Person => answered(road, text).map(|output| {
            let text = output.first_text().unwrap_or_default().to_owned();
            output.with_extension(CallEnd::Answered(CallAnswer { text, receipt }))
        }),
        ResultReader::Client => {
            let output = match shown {
                Some(shown) => shown.answered(road, caller, text)?,
                None => answered(road, text)?,
            };
            Ok(receipt_block.into_iter().fold(output, Output::with_content))
        }
    }
}

/// Audits what is no change: a refusal, and a read where that is asked for.
fn audit(road: &Road, call: &Call<Caller>, carried_out: &Result<CallAnswer, NoAnswer>) {
    let client = call.client().name().map(cut_name);
    let call = AuditedCall {
        caller: *call.caller,
        client: client.as_deref(),
        connector: &road.connector,
        tool: &road.tool,
    };
    match carried_out {
        Err(no_answer) if let Some((by, why)) = no_answer.refusal() => {
            road.trail.refused(call, by, why);
        }
        ended if road.effect == ToolEffect::Read => road.trail.read(call, ended.is_ok()),
        _ => {}
    }
}
