//! `footbridge call`: one tool, by the road that clients take.

mod owner;
mod shown;

use std::io::IsTerminal as _;

use footbridge_mcp::{CallError, Content, Output};
use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::cli::CallArguments;
use crate::endpoint;
use crate::exit::{Exit, Trouble};
use crate::opened::Opened;
use crate::settings::Settings;
use crate::terminal;
use crate::write_road::{CallAnswer, CallEnd, Doors};
pub(crate) use owner::find as find_connector;

pub(crate) async fn run(arguments: CallArguments) -> Result<Exit, Trouble> {
    let tool_arguments = match &arguments.object {
        Some(object) => from_json(object)?,
        None => from_pairs(&arguments.arguments)?,
    };
    let settings = Settings::new(arguments.options)?;
    let names: Vec<String> = arguments.connector.into_iter().collect();
    let opened = Opened::open(&names, &settings).await?;
    let endpoint = endpoint::over(&opened, Doors::Mcp, None)?;
    let answer = endpoint
        .call(
            &arguments.tool,
            Value::Object(tool_arguments),
            Caller::Terminal,
        )
        .await;
    let output = answer.map_err(|error| match error {
        CallError::UnknownTool(name) => owner::unknown(&name, &opened, &settings),
        other => Trouble::usage(other),
    });
    opened.close().await;
    match for_person(output?) {
        Ok(answer) => {
            let is_table = !arguments.json && std::io::stdout().is_terminal();
            terminal::print(match is_table {
                true => shown::for_terminal(&answer.text),
                false => answer.text,
            })?;
            if let Some(receipt) = answer.receipt {
                terminal::say(receipt);
            }
            Ok(Exit::Done)
        }
        Err(why) => {
            terminal::complain(&Trouble::failed(why));
            Ok(Exit::Failed)
        }
    }
}

/// What a person reads of a call: the answer, or why there is none. A call that never came to its
/// tool's road, or was stopped there, has the endpoint's words alone.
fn for_person(mut output: Output) -> Result<CallAnswer, String> {
    let end = output.take_extension::<CallEnd>();
    end.map(CallEnd::for_person).unwrap_or_else(|| {
        let texts = output.blocks().iter().filter_map(|block| match block {
            Content::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let text = texts.collect::<Vec<_>>().join("\n");
        if output.is_error() {
            Err(text)
        } else {
            Ok(CallAnswer {
                text,
                receipt: None,
            })
        }
    })
}

fn from_json(text: &str) -> Result<Map<String, Value>, Trouble> {
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(Trouble::usage(
            "--arguments must be a JSON object, such as '{\"title\": \"Write the report\"}'",
        )),
        Err(error) => Err(Trouble::usage(format!("--arguments is not JSON: {error}"))),
    }
}

/// Every value is text here; the tool's schema makes numbers, lists and objects of it.
fn from_pairs(pairs: &[String]) -> Result<Map<String, Value>, Trouble> {
    let mut arguments = Map::new();
    for pair in pairs {
        let (key, value) = pair
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| {
                Trouble::usage(format!("{pair:?} is no argument: write it as key=value"))
            })?;
        let value = Value::from(value);
        match arguments.get_mut(key) {
            None => {
                arguments.insert(key.to_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use footbridge_mcp::Output;

    use super::{for_person, from_pairs};
    use crate::write_road::{CallAnswer, CallEnd};

    fn pairs(given: &[&str]) -> Option<Value> {
        from_pairs(
            &given
                .iter()
                .map(|pair| (*pair).to_owned())
                .collect::<Vec<_>>(),
        )
        .ok()
        .map(Value::Object)
    }

    #[test]
    fn how_a_call_ended_is_in_its_type_and_not_in_its_text() {
        let answer = CallEnd::Answered(CallAnswer {
            text: "[1]".to_owned(),
            receipt: None,
        });
        for output in [Output::text("the text"), Output::error("the text")] {
            let output = output.with_extension(answer.clone());
            assert_eq!(
                for_person(output).map(|answer| answer.text),
                Ok("[1]".to_owned())
            );
        }
        let refused = Output::error("the arguments do not fit");
        assert_eq!(
            for_person(refused).map(|answer| answer.text),
            Err("the arguments do not fit".to_owned())
        );
    }

    #[test]
    fn pairs_become_arguments() {
        assert_eq!(
            pairs(&["a=1", "b=x=y", "c="]),
            Some(json!({"a": "1", "b": "x=y", "c": ""}))
        );
        assert_eq!(
            pairs(&["t=a", "t=b", "t=c"]),
            Some(json!({"t": ["a", "b", "c"]}))
        );
        assert_eq!(pairs(&["=1"]), None);
        assert_eq!(pairs(&["novalue"]), None);
    }
}
