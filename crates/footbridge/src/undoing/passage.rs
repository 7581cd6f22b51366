//! The gate before what an undo sends: by its effect, and by the tool that would send the same.

use footbridge_connector::{CallWay, ConnectorTool, RecordAct, ToolEffect, Touch};

use super::{UndoBackend, UndoStep};
use crate::allow::Passage;
use crate::gate::Gate;

/// Refuses what the operator keeps from being sent.
pub(super) fn check(served: &UndoBackend, step: &UndoStep) -> Result<(), String> {
    let tools = served.backend.connector().tools();
    let (connector, effect) = (&served.name, step.effect());
    let closed_by = match step {
        UndoStep::Record {
            planned,
            tools: own,
            ..
        } => {
            let touch = match planned.act {
                RecordAct::Nothing => return Ok(()),
                RecordAct::Change => Touch::Changes,
                RecordAct::Make => Touch::Makes,
                RecordAct::Delete => Touch::Deletes,
            };
            record_is_closed(&served.gate, tools, (touch, &planned.record.kind), own)
        }
        UndoStep::Call {
            tool,
            way: CallWay::Again,
            ..
        } => {
            let known = tools.iter().find(|known| known.name == *tool);
            known.and_then(|tool| closed(&served.gate, tool))
        }
        UndoStep::Call { tool, inverse, .. } => call_is_closed(
            &served.gate,
            tools.iter().find(|known| known.name == *tool),
            inverse
                .as_ref()
                .and_then(|inverse| tools.iter().find(|known| known.name == *inverse)),
        ),
    };
    let Some(closed_by) = closed_by else {
        return Ok(());
    };
    let what = match effect {
        ToolEffect::Destroy => "deletes",
        ToolEffect::Read | ToolEffect::Write => "changes things",
    };
    Err(match closed_by {
        ClosedBy::Effect => format!(
            "it {what} on {connector}, and that is closed: start footbridge with {}",
            served.gate.switch_for(effect)
        ),
        ClosedBy::Tool(tool) => format!(
            "it {what} on {connector} as {tool} does, and the operator closed {tool} by its name: start footbridge without \
             that word of --allow"
        ),
    })
}

/// The word that keeps something from being sent.
#[derive(Debug, PartialEq, Eq)]
enum ClosedBy<'t> {
    Effect,
    Tool(&'t str),
}

/// A field is put back by the tools whose changes are undone, all of them; a record is made or
/// deleted by any tool that does so. What no tool of the connector does goes by the effect alone.
fn record_is_closed<'t>(
    gate: &Gate,
    tools: &'t [ConnectorTool],
    (touch, kind): (Touch, &str),
    changed_fields: &[String],
) -> Option<ClosedBy<'t>> {
    let touches = |tool: &&ConnectorTool| {
        let touches = tool.undoing().map(|undoing| undoing.touches.as_slice());
        let mut touches = touches.into_iter().flatten();
        touches.any(|(known, record)| (*known, record.as_str()) == (touch, kind))
    };
    let able: Vec<&ConnectorTool> = tools.iter().filter(touches).collect();
    let changed_by: Vec<&ConnectorTool> = able
        .iter()
        .copied()
        .filter(|tool| touch == Touch::Changes && changed_fields.contains(&tool.name))
        .collect();
    if !changed_by.is_empty() {
        return changed_by.into_iter().find_map(|tool| closed(gate, tool));
    }
    let effect = match touch {
        Touch::Deletes => ToolEffect::Destroy,
        Touch::Makes | Touch::Changes => ToolEffect::Write,
    };
    let Some(first) = able.first() else {
        let is_open = gate.passage_of(effect) == Passage::Open;
        return (!is_open).then_some(ClosedBy::Effect);
    };
    match able.iter().any(|tool| closed(gate, tool).is_none()) {
        true => None,
        false => closed(gate, first),
    }
}

/// Another tool takes a call back as it would be called; steps may delete, whatever their tool
/// does.
fn call_is_closed<'t>(
    gate: &Gate,
    tool: Option<&'t ConnectorTool>,
    inverse: Option<&'t ConnectorTool>,
) -> Option<ClosedBy<'t>> {
    if let Some(inverse) = inverse {
        return closed(gate, inverse);
    }
    if gate.passage_of(ToolEffect::Destroy) != Passage::Open {
        return Some(ClosedBy::Effect);
    }
    tool.and_then(|tool| closed(gate, tool))
}

fn closed<'t>(gate: &Gate, tool: &'t ConnectorTool) -> Option<ClosedBy<'t>> {
    if gate.passage(&tool.name, tool.effect) == Passage::Open {
        None
    } else if gate.names(&tool.name) {
        Some(ClosedBy::Tool(&tool.name))
    } else {
        Some(ClosedBy::Effect)
    }
}

#[cfg(test)]
mod tests {
    use footbridge_connector::Touch;

    use super::{ClosedBy, call_is_closed, record_is_closed};
    use crate::connectors::Connectors;
    use crate::gate::Gate;

    fn gate(words: &[&str]) -> Gate {
        Gate::of_words(words.iter().map(|word| word.parse().unwrap()).collect())
    }

    #[test]
    fn an_undo_passes_by_the_tool_that_would_send_it() {
        let connectors = Connectors::with_directory(None).unwrap();
        let compiled = connectors.find("board").unwrap().compile().unwrap();
        let tools = compiled.1.tools();
        let closed = |words: &[&str], touch, own: &[&str]| {
            let own: Vec<String> = own.iter().map(|&name| name.to_owned()).collect();
            record_is_closed(&gate(words), tools, (touch, "card"), &own)
        };
        let all = &["write", "destroy"];
        for touch in [Touch::Makes, Touch::Changes, Touch::Deletes] {
            assert_eq!(closed(all, touch, &[]), None);
            assert_eq!(closed(&["read"], touch, &[]), Some(ClosedBy::Effect));
        }
        let by_word = |words: &[&str], touch| closed(words, touch, &["card_update"]);
        assert_eq!(
            by_word(&["write", "destroy", "card_delete=closed"], Touch::Deletes),
            Some(ClosedBy::Tool("card_delete"))
        );
        assert_eq!(
            by_word(&["write", "card_update=propose"], Touch::Changes),
            Some(ClosedBy::Tool("card_update"))
        );
        assert_eq!(by_word(&["card_delete=open"], Touch::Deletes), None);
        assert_eq!(by_word(&["write"], Touch::Deletes), Some(ClosedBy::Effect));
        let by_name = |name: &str| tools.iter().find(|tool| tool.name == name);
        assert_eq!(
            call_is_closed(&gate(&["write"]), None, by_name("card_delete")),
            Some(ClosedBy::Effect)
        );
        assert_eq!(
            call_is_closed(&gate(&["write"]), None, by_name("card_update")),
            None
        );
        assert_eq!(
            call_is_closed(&gate(&["write"]), by_name("card_update"), None),
            Some(ClosedBy::Effect),
            "steps may delete"
        );
    }
}
