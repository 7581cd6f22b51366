//! The result of a read as a page shows it: for clients that show pages, what the page is told
//! beside the rows. The rows are what every client reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use footbridge_connector::{
    BoardView, ConnectorTool, ConnectorView, Drawing, DrawnKind, FormTool, ToolEffect, ValueKind,
    ViewColumns, ViewForm,
};
use footbridge_mcp::{Call, Icon, Output, Tool, ToolResult};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Road, RoadParts, answered};
use crate::allow::Passage;
use crate::caller::{Caller, ResultReader};
use crate::gate;
use crate::json_object::JsonObject;
use crate::opened::Served;
use crate::pages;

/// The entry of a result's `_meta` that tells a page how to show it.
const META_VIEW: &str = "footbridge/view";
/// Bytes of a call's arguments that a page is told.
const MAX_ARGUMENTS: usize = 16 << 10;

/// The tools that a page may call beside the one that it shows, by the connector's names for them.
#[derive(Debug, Default)]
pub(super) struct PageTools(BTreeMap<String, PageTool>);

#[derive(Debug)]
struct PageTool {
    /// What clients call it.
    published: String,
    effect: ToolEffect,
    passage: Passage,
}

/// A call whose result a page shows.
pub(super) struct ShownCall {
    arguments: Map<String, Value>,
    view: Option<Arc<ConnectorView>>,
    /// The columns of a board, once they were read.
    pub(super) columns: Option<ViewColumns>,
}

/// Whether a page shows what the tool gives.
pub(super) fn has_page(served: &Served, tool: &ConnectorTool) -> bool {
    let mut views = served.backend.connector().views().iter();
    tool.has_known_result() || views.any(|view| view.tool == tool.name)
}

/// The tool with its picture and its page, where it has them.
pub(super) fn paged(
    tool: Tool<Caller>,
    served: &Served,
    connector_tool: &ConnectorTool,
) -> Tool<Caller> {
    let icon = connector_tool.icon.iter();
    let tool = icon.fold(tool, |tool, icon| tool.icon(Icon::new(icon.as_str())));
    match has_page(served, connector_tool) {
        true => tool.page(pages::WORK.address),
        false => tool,
    }
}

impl PageTools {
    /// Those that the views of a tool name.
    pub(super) fn of(served: &Served, tool: &ConnectorTool, parts: &RoadParts) -> Self {
        let connector = served.backend.connector();
        let views = connector.views().iter();
        let boards = views.filter(|view| view.tool == tool.name);
        let named = boards.filter_map(|view| view.board()).flat_map(named);
        let tools = named.filter_map(|name| connector.tool(name));
        let tools = tools.map(|tool| {
            let page_tool = PageTool {
                published: parts.names.published(&served.name, &tool.name),
                effect: tool.effect,
                passage: served.passage(tool),
            };
            (tool.name.clone(), page_tool)
        });
        Self(tools.collect())
    }

    /// What the caller calls a tool, if it is open to them.
    fn offered(&self, tool: &str, caller: Caller) -> Option<&str> {
        let PageTool {
            published,
            effect,
            passage,
        } = self.0.get(tool)?;
        let is_open = caller.tightened(*passage, *effect) != Passage::Closed;
        let may = gate::check_caller(caller, *effect, tool).is_ok();
        (is_open && may).then_some(published)
    }
}

/// The tools that a board names.
fn named(board: &BoardView) -> impl Iterator<Item = &str> {
    let mover = board.mover.as_ref().map(|mover| mover.tool.as_str());
    let opener = board.opener.as_ref().map(|opener| opener.tool.as_str());
    let forms = board.editor.iter().chain(&board.maker);
    let forms = forms.map(|form| form.tool.as_str());
    mover.into_iter().chain(opener).chain(forms)
}

impl ShownCall {
    /// The call, if a page shows what it gives: others cost nothing.
    pub(super) fn of(road: &Road, call: &mut Call<Caller>) -> Option<Self> {
        let is_shown = road.has_page
            && call.caller.reader() == ResultReader::Client
            && call.client().shows_pages();
        if !is_shown {
            return None;
        }
        let arguments = std::mem::take(&mut call.arguments).into_map();
        call.arguments = arguments.clone().into();
        let view = road.backend.connector().view_of(&road.tool, &arguments);
        Some(Self {
            view: view.cloned(),
            columns: None,
            arguments,
        })
    }

    /// The view that the result is shown by.
    pub(super) fn view(&self) -> Option<Arc<ConnectorView>> {
        self.view.clone()
    }

    /// The result with what the page is told. One that is no object has nothing for a page.
    pub(super) fn answered(self, road: &Road, caller: Caller, text: String) -> ToolResult {
        if ValueKind::of(&text) != ValueKind::Object {
            return answered(road, text);
        }
        let result: Value = serde_json::from_str(&text)?;
        let view_meta = self.view_meta(road, caller, &result);
        let output = Output::json(RawValue::from_string(text)?);
        Ok(output.meta(META_VIEW, view_meta))
    }

    fn view_meta(self, road: &Road, caller: Caller, result: &Value) -> Value {
        let Self {
            arguments,
            view,
            columns,
        } = self;
        let drawing = match &view {
            Some(view) => view.drawn(result, columns),
            None => Drawing::plain(result),
        };
        let Drawing {
            kind,
            members,
            problem,
            is_partial,
        } = drawing;
        let view = view.as_deref();
        let title = view.map_or(road.title.as_str(), |view| &view.title);
        let mut view_meta = JsonObject::default()
            .with("kind", kind_word(kind))
            .with_some("name", view.map(|view| view.name.as_str()))
            .with("connector", road.connector.as_str())
            .with("title", title)
            .with("tool", road.published.as_str())
            .with_some("problem", problem);
        for (name, value) in members {
            view_meta = view_meta.with(&name, value);
        }
        if let (Some(view), true) = (view, is_partial) {
            let whole = view.whole(&arguments);
            // the same call again would give the same
            if whole != arguments {
                let again = json!({ "tool": road.published, "arguments": whole });
                view_meta = view_meta.with("again", again);
            }
        }
        if let (Some(board), DrawnKind::Board) = (view.and_then(ConnectorView::board), kind) {
            view_meta = offering(view_meta, road, board, caller, &arguments);
        }
        let is_small =
            serde_json::to_string(&arguments).is_ok_and(|json| json.len() <= MAX_ARGUMENTS);
        let arguments = is_small.then_some(arguments);
        view_meta.with_some("arguments", arguments).into()
    }
}

/// What a caller may do with the cards of a board.
fn offering(
    view_meta: JsonObject,
    road: &Road,
    board: &BoardView,
    caller: Caller,
    arguments: &Map<String, Value>,
) -> JsonObject {
    let offered = |tool: &str| road.page_tools.offered(tool, caller);
    let mover = board.mover.as_ref().and_then(|mover| {
        let tool = offered(&mover.tool)?;
        Some(
            JsonObject::default()
                .with("tool", tool)
                .with("id", mover.id.as_str())
                .with("column", mover.column.as_str())
                .with_some("order", mover.order.as_deref()),
        )
    });
    let opener = board.opener.as_ref().and_then(|opener| {
        let tool = offered(&opener.tool)?;
        Some(json!({ "tool": tool, "id": opener.id, "arguments": opener.arguments }))
    });
    let form = |form: &FormTool| {
        let taken = form.taken.iter().filter_map(|(name, path)| {
            let value = path
                .split('.')
                .try_fold(None, |at: Option<&Value>, key| {
                    Some(Some(match at {
                        None => arguments.get(key)?,
                        Some(at) => at.get(key)?,
                    }))
                })
                .flatten()?;
            // a filter may hold several values, of which a card can have one
            let value = match value.as_array().map(Vec::as_slice) {
                Some([only]) => only,
                Some(_) => return None,
                None => value,
            };
            Some((name.clone(), value.clone()))
        });
        let taken: Map<String, Value> = taken.collect();
        Some(
            JsonObject::default()
                .with("tool", offered(&form.tool)?)
                .with_some("id", form.id.as_deref())
                .with("fields", form.fields.clone())
                .with("required", form.required.clone())
                .with_some("arguments", Some(taken).filter(|taken| !taken.is_empty()))
                .with_some("column", form.column.as_deref()),
        )
    };
    view_meta
        .with_some("move", mover)
        .with_some("read", opener)
        .with_some("edit", board.editor.as_ref().and_then(form))
        .with_some("create", board.maker.as_ref().and_then(form))
}

pub(crate) fn kind_word(kind: DrawnKind) -> &'static str {
    match kind {
        DrawnKind::Board => "board",
        DrawnKind::Chart => "chart",
        DrawnKind::Table => "table",
        DrawnKind::Record => "record",
    }
}

/// The word for what a view is before it is drawn.
pub(crate) fn form_word(view: &ConnectorView) -> &'static str {
    match view.shown_as {
        ViewForm::Board(_) => kind_word(DrawnKind::Board),
        ViewForm::Chart(_) => kind_word(DrawnKind::Chart),
    }
}
