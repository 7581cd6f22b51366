//! `footbridge://views`: what a person may open on a page, of what this caller sees. Read by the
//! pages alone, so it stands in no list.

use std::sync::Arc;

use footbridge_connector::{ConnectorTool, ConnectorView, DrawnKind, ToolEffect};
use footbridge_mcp::{Call, Resource, ResourceBody};
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::json_object::JsonObject;
use crate::opened::Served;
use crate::tool_names::ToolNames;
use crate::write_road::page_view;

/// Its address.
const ADDRESS: &str = "footbridge://views";

/// The resource over what is served. What is read is open to every caller.
pub(super) fn resource(
    served: &[Served],
    names: &ToolNames,
    has_changes: bool,
) -> Resource<Caller> {
    let of_views = served.iter().flat_map(|served| {
        let views = served.backend.connector().views().iter();
        views.filter_map(|view| shown_view(served, view, names))
    });
    let of_tools = served.iter().flat_map(|served| {
        let tools = served.backend.connector().tools().iter();
        let listed = tools.filter(|tool| tool.has_known_result() && served.lists(tool));
        listed.map(|tool| shown_tool(served, tool, names))
    });
    let text = json!({
        "views": of_views.collect::<Vec<_>>(),
        "tools": of_tools.collect::<Vec<_>>(),
        "has_changes": has_changes,
    });
    let text: Arc<str> = text.to_string().into();
    let read = move |_: Call<Caller>| {
        let body = ResourceBody::from(&*text);
        std::future::ready(Ok(body))
    };
    Resource::new(ADDRESS, "views", read)
        .title("What pages can show")
        .mime_type("application/json")
        .unlisted()
}

fn shown_view(served: &Served, view: &ConnectorView, names: &ToolNames) -> Option<Value> {
    let connector = served.backend.connector();
    let tool = connector.tool(&view.tool)?;
    let published = |tool: &str| names.published(&served.name, tool);
    let choices = view.choices.iter().map(|choice| {
        json!({
            "argument": choice.argument,
            "is_argument": choice.is_argument,
            "tool": published(&choice.tool),
            "takes": choice.takes,
            "id": choice.id,
            "name": choice.name,
        })
    });
    let mut required = required(tool);
    required.retain(|name, _| {
        let mut choices = view.choices.iter();
        !view.arguments.contains_key(name) && !choices.any(|choice| choice.argument == *name)
    });
    let shown = JsonObject::default()
        .with("name", view.name.as_str())
        .with("connector", served.name.as_str())
        .with("title", view.title.as_str())
        .with("kind", page_view::form_word(view))
        .with("tool", published(&view.tool))
        .with("arguments", view.arguments.clone())
        .with("required", required)
        .with_list("choices", choices.collect());
    Some(shown.into())
}

fn shown_tool(served: &Served, tool: &ConnectorTool, names: &ToolNames) -> Value {
    let kind = match tool.gives_list() {
        true => DrawnKind::Table,
        false => DrawnKind::Record,
    };
    json!({
        "connector": served.name,
        "tool": names.published(&served.name, &tool.name),
        "title": tool.title,
        "kind": page_view::kind_word(kind),
        "required": required(tool),
    })
}

/// The arguments without which a tool refuses a call, each with its schema.
fn required(tool: &ConnectorTool) -> Map<String, Value> {
    debug_assert_eq!(tool.effect, ToolEffect::Read, "pages show what is read");
    let properties = tool.input_schema.get("properties");
    let required = tool.input_schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    names
        .filter_map(|name| Some((name.to_owned(), properties?.get(name)?.clone())))
        .collect()
}
