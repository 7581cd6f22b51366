//! `footbridge probe`: a look at an MCP server: whether it answers, what it has, and what `echo`
//! says. A real client, for people and scripts.

use serde_json::{Value, json};
use url::Url;

use super::table;
use crate::cli::ProbeArguments;
use crate::environment::variable;
use crate::exit::{Exit, Trouble};
use crate::mcp_client::McpClient;
use crate::opened::network;
use crate::settings;
use crate::terminal;

const DEFAULT_URL: &str = "http://127.0.0.1:8000/mcp";
const DEFAULT_MESSAGE: &str = "hello";
/// The tool that is called with the message.
const ECHO: &str = "echo";

pub(crate) async fn run(arguments: ProbeArguments) -> Result<Exit, Trouble> {
    let url = arguments
        .url
        .map_or_else(|| variable("MCP_URL"), |url| Ok(Some(url)))?;
    let url = address(url.as_deref().unwrap_or(DEFAULT_URL))?;
    let network = network(arguments.roots.ca_file)?;
    let mut client = McpClient::connect(network, url.clone(), settings::probe_bearer()?).await?;
    terminal::say(format_args!(
        "{url} speaks MCP {}: {}",
        client.revision, client.server
    ));
    let tools = client.tools().await?;
    let exit = if arguments.list_tools {
        print_tools(&tools, arguments.json)?;
        Exit::Done
    } else if tools
        .iter()
        .any(|tool| tool.get("name").and_then(Value::as_str) == Some(ECHO))
    {
        let message = arguments.message.as_deref().unwrap_or(DEFAULT_MESSAGE);
        let result = client.call(ECHO, json!({ "message": message })).await?;
        print_result(&result, arguments.json)?;
        if result
            .get("isError")
            .and_then(Value::as_bool)
            .unwrap_or_default()
        {
            Exit::Failed
        } else {
            Exit::Done
        }
    } else if arguments.message.is_some() {
        client.end().await;
        return Err(Trouble::failed(format!(
            "{url} has no tool {ECHO} to send a message to; --list-tools shows what it has"
        )));
    } else {
        terminal::say(format_args!(
            "it has {} tools, and none is {ECHO}; --list-tools shows them",
            tools.len()
        ));
        Exit::Done
    };
    client.end().await;
    Ok(exit)
}

fn address(text: &str) -> Result<Url, Trouble> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| {
        Trouble::usage(format!(
            "{text:?} is no address to probe: write one such as {DEFAULT_URL}"
        ))
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::usage(
            "the address must not hold a user name or password: set MCP_TOKEN to a bearer",
        ));
    }
    Ok(url)
}

fn print_tools(tools: &[Value], is_json: bool) -> Result<(), Trouble> {
    if is_json {
        return terminal::print(format_args!("{:#}", Value::Array(tools.to_vec())));
    }
    let row = |tool: &Value| {
        let text = |key: &str| tool.get(key).and_then(Value::as_str).unwrap_or_default();
        let first_line = text("description")
            .trim()
            .lines()
            .next()
            .unwrap_or_default();
        vec![
            terminal::harmless(text("name")),
            terminal::harmless(first_line),
        ]
    };
    terminal::print(table::aligned(&tools.iter().map(row).collect::<Vec<_>>()))
}

/// The texts of a result; the whole of it as JSON.
fn print_result(result: &Value, is_json: bool) -> Result<(), Trouble> {
    if is_json {
        return terminal::print(format_args!("{result:#}"));
    }
    let blocks = result
        .get("content")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let texts = blocks
        .iter()
        .filter_map(|block| block.get("text")?.as_str())
        .map(terminal::harmless);
    terminal::print(texts.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_http_and_holds_no_password() {
        assert!(
            address("http://127.0.0.1:8000/mcp").is_ok()
                && address("https://x.example/mcp").is_ok()
        );
        for bad in ["", "127.0.0.1:8000", "ftp://x", "x"] {
            assert!(
                address(bad).unwrap_err().to_string().contains("/mcp"),
                "{bad}"
            );
        }
        let error = address("https://user:planted@x.example/mcp")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("MCP_TOKEN") && !error.contains("planted"),
            "{error}"
        );
    }
}
