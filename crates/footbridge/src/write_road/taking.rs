//! What a connector's tool takes beside its listed schema: other names of arguments and values, nulls
//! and ids, and the time that it may run.

use footbridge_connector::ConnectorTool;
use footbridge_mcp::{Tool, limits};

use crate::caller::Caller;

/// What a tool takes beside its schema, and for how long it may run.
pub(super) fn taking(tool: Tool<Caller>, connector_tool: &ConnectorTool) -> Tool<Caller> {
    let tool = tool
        .nullable(connector_tool.nullable.iter().map(String::as_str))
        .or_integer(connector_tool.takes_ids.iter().map(String::as_str));
    let tool = tool.time_limit(limits::TOOL_TIME + connector_tool.longest_wait);
    let tool = connector_tool
        .argument_aliases
        .iter()
        .fold(tool, |tool, (alias, name)| tool.argument_alias(alias, name));
    connector_tool
        .value_aliases
        .iter()
        .fold(tool, |tool, (name, alias, value)| {
            tool.value_alias(name, alias, value)
        })
}
