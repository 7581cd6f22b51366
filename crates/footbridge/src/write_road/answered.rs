//! The answer of a tool as a client gets it: a text, or structured content beside it.

use footbridge_connector::ValueKind;
use footbridge_mcp::{Failure, Output, ToolResult};
use serde_json::value::RawValue;

use super::Road;

/// The answer in the form that the tool promises.
pub(super) fn answered(road: &Road, json: String) -> ToolResult {
    match ValueKind::of(&json) {
        ValueKind::Object if road.is_structured => Ok(Output::json(RawValue::from_string(json)?)),
        _ if road.is_structured && !road.is_structured_by_file => {
            let wrapped = format!("{{\"result\":{json}}}");
            Ok(Output::json(RawValue::from_string(wrapped)?))
        }
        _ if road.is_structured => Err(Failure::Internal(
            format!("{} promises an object and gave something else", road.tool).into(),
        )),
        // A text is read as it is.
        ValueKind::Text => Ok(Output::text(serde_json::from_str::<String>(&json)?)),
        ValueKind::Object | ValueKind::Other => Ok(Output::text(json)),
    }
}
