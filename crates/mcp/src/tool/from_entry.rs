//! A tool made of the entry under which another server lists it.

use std::future::Future;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Tool, ToolAnnotations};
use crate::build_problem::{BuildProblem, BuildProblems};
use crate::call::Call;
use crate::icon::Icon;
use crate::output::ToolResult;

/// An entry of `tools/list`, of any revision. Source: specification 2026-07-28, schema, `Tool`.
#[derive(Deserialize)]
#[serde(expecting = "struct Entry", rename_all = "camelCase")]
struct ForeignEntry {
    name: String,
    title: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    icons: Vec<Icon>,
    input_schema: Map<String, Value>,
    output_schema: Option<Map<String, Value>>,
    annotations: Option<Hints>,
    #[serde(rename = "_meta", default)]
    meta: Map<String, Value>,
}

/// The hints as they may be left out; what is left out has the specification's default.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hints {
    title: Option<String>,
    #[serde(default)]
    read_only_hint: bool,
    #[serde(default = "yes")]
    destructive_hint: bool,
    #[serde(default)]
    idempotent_hint: bool,
    #[serde(default = "yes")]
    open_world_hint: bool,
}

fn yes() -> bool {
    true
}

impl<C: Send + Sync + 'static> Tool<C> {
    /// A tool made of an entry of `tools/list`, as another server gave it or a file keeps it, and
    /// an async function.
    ///
    /// Name, title, description, icons, both schemas, annotations and `_meta` are those of the
    /// entry; a title among its annotations stands where there is no other. Other keys are left
    /// out. What is said of the tool afterwards goes before the entry. The schemas are checked with
    /// those of all other tools, when the tool is made ready or the endpoint built.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, Output, Tool};
    /// use serde_json::json;
    ///
    /// # fn main() -> Result<(), footbridge_mcp::BuildProblems> {
    /// let entry = json!({"name": "greet", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}});
    /// let tool = Tool::from_entry(entry, |_: Call<()>| async { Ok(Output::text("Hello!")) })?;
    /// let endpoint = footbridge_mcp::endpoint!("forwarding").tool(tool).build()?;
    /// assert!(endpoint.tool_list(()).contains(r#""readOnlyHint":true"#));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the entry lacks, or has of the wrong type.
    pub fn from_entry<F, R>(entry: Value, function: F) -> Result<Self, BuildProblems>
    where
        F: Fn(Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = ToolResult> + Send + 'static,
    {
        let called = entry
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("a tool without a name")
            .to_owned();
        let ForeignEntry {
            name,
            title,
            description,
            icons,
            input_schema,
            output_schema,
            annotations,
            meta,
        } = serde_json::from_value(entry).map_err(|error| {
            BuildProblems(vec![BuildProblem {
                name: called,
                problem: format!("its entry is not one of `tools/list`: {error}"),
            }])
        })?;
        let mut tool = Self::new(name, description, Value::Object(input_schema), function);
        tool.title = title.or_else(|| annotations.as_ref().and_then(|hints| hints.title.clone()));
        tool.icons = icons;
        tool.meta = meta;
        tool.output_schema = output_schema.map(|schema| Value::Object(schema).into());
        tool.annotations = annotations.map(|hints| ToolAnnotations {
            read_only: Some(hints.read_only_hint),
            destructive: Some(hints.destructive_hint),
            idempotent: Some(hints.idempotent_hint),
            open_world: Some(hints.open_world_hint),
            is_idempotence_said: false,
        });
        Ok(tool)
    }
}
