//! Whether the server of an entry answers, and whether the client takes its tools. Starts only this
//! very program, or a package runner of it; anything else is named and left alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use footbridge_connector::is_needed_variable;
use secrecy::SecretString;
use serde_json::Value;

use super::ClientFinding;
use crate::client_rules::check::{ListedTool, RuleBreach, breaches, too_many};
use crate::client_rules::{self, ClientRules};
use crate::clients::KnownClient;
use crate::clients::entry::{ServerEntry, holds_secret};
use crate::environment::variable;
use crate::exit::Trouble;
use crate::mcp_client::{ChildServer, McpClient};
use crate::opened::network;

/// What the most impatient client waits for a server to start.
const PATIENCE: Duration = Duration::from_secs(10);
/// Breaches of a client's rules that are shown.
const MAX_BREACHES: usize = 10;

pub(super) async fn findings(
    client: &KnownClient,
    name: &str,
    entry: &Value,
    read: &ServerEntry,
    ca_file: Option<&Path>,
) -> Vec<ClientFinding> {
    let started = Instant::now();
    let outcome = match read {
        ServerEntry::Starts { program, arguments } => {
            let path = match startable(program) {
                Ok(path) => path,
                Err(finding) => return vec![*finding],
            };
            tools_of_child(&path, arguments, entry).await
        }
        // found already, and shown nowhere
        ServerEntry::Connects { address, .. } if holds_secret(address) => return Vec::new(),
        ServerEntry::Connects { address, .. } => {
            let bearer = match bearer(entry) {
                Ok(bearer) => bearer,
                Err(finding) => return vec![*finding],
            };
            tools_at(address, bearer, ca_file).await
        }
    };
    let (server, revision, tools) = match outcome {
        Ok(answered) => answered,
        Err(trouble) => {
            let mend = match read {
                ServerEntry::Starts { .. } => "start it in a terminal to see more",
                ServerEntry::Connects { .. } => "start the server, or install without --http",
            };
            return vec![ClientFinding::wrong("start", trouble.to_string(), mend)];
        }
    };
    let took = started.elapsed();
    let answers = format!(
        "{server} answers in {:.1} s, MCP {revision}",
        took.as_secs_f64()
    );
    let mut findings = vec![match took > PATIENCE {
        true => ClientFinding::wrong(
            "start",
            answers,
            format!(
                "some clients wait {} s: see what it waits for with FOOTBRIDGE_LOG=debug",
                PATIENCE.as_secs()
            ),
        ),
        false => ClientFinding::good("start", answers),
    }];
    findings.extend(rules(client, name, &tools));
    findings
}

type Answered = (String, String, Vec<Value>);

async fn tools_of_child(
    program: &Path,
    arguments: &[String],
    entry: &Value,
) -> Result<Answered, Trouble> {
    let mut server = ChildServer::start(program, arguments, variables(entry)).await?;
    let tools = server.tools().await?;
    let answered = (server.server.clone(), server.revision.clone(), tools);
    server.end().await;
    Ok(answered)
}

async fn tools_at(
    address: &str,
    bearer: Option<SecretString>,
    ca_file: Option<&Path>,
) -> Result<Answered, Trouble> {
    let url = address
        .parse()
        .map_err(|error| Trouble::failed(format!("{address} is no address: {error}")))?;
    let network = network(ca_file.map(Path::to_owned))?;
    let mut server = McpClient::connect(network, url, bearer).await?;
    let tools = server.tools().await?;
    let answered = (server.server.clone(), server.revision.clone(), tools);
    server.end().await;
    Ok(answered)
}

/// What a client hands on: what every program needs, and what its entry says. A setting that this
/// shell alone has is missing there too.
fn variables(entry: &Value) -> Vec<(OsString, OsString)> {
    let needed =
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_needed_variable));
    let entry_variables = ["env", "environment"]
        .into_iter()
        .filter_map(|key| entry.get(key)?.as_object())
        .flatten()
        .filter_map(|(name, value)| Some((name.into(), value.as_str()?.into())));
    needed.chain(entry_variables).collect()
}

/// The path of what may be started: this program itself, or a package runner from the search path.
fn startable(program: &str) -> Result<PathBuf, Box<ClientFinding>> {
    const RUNNERS: [&str; 3] = ["npx", "uvx", "cmd"];
    let not_started = |what: String| {
        Box::new(ClientFinding::wrong(
            "start",
            what,
            "run doctor of that program, or install from this one",
        ))
    };
    let path = match Path::new(program) {
        path if path.is_absolute() => path.to_owned(),
        name if name.components().count() == 1 => std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths)
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
            .ok_or_else(|| not_started(format!("{program} is not in the PATH")))?,
        _ => return Err(not_started(format!("{program} was not started"))),
    };
    if RUNNERS.contains(&program) {
        return Ok(path);
    }
    let is_this = |other: &Path| {
        let this_program =
            std::env::current_exe().and_then(|this_program| this_program.canonicalize());
        matches!((this_program, other.canonicalize()), (Ok(this_program), Ok(other)) if this_program == other)
    };
    if is_this(&path) {
        return Ok(path);
    }
    Err(not_started(format!(
        "{} is another program than this one, so it was not started",
        path.display()
    )))
}

/// The bearer whose variable an entry names.
fn bearer(entry: &Value) -> Result<Option<SecretString>, Box<ClientFinding>> {
    let in_header = ["headers", "http_headers"]
        .iter()
        .find_map(|key| entry.get(key)?.get("Authorization")?.as_str())
        .and_then(|value| value.strip_prefix("Bearer "));
    let name = entry
        .get("bearer_token_env_var")
        .and_then(Value::as_str)
        .or_else(|| {
            let reference = in_header.filter(|value| value.contains('{'))?;
            let inner = reference.trim_matches(['$', '{', '}']);
            Some(inner.strip_prefix("env:").unwrap_or(inner))
        });
    let Some(name) = name else {
        return Ok(in_header.map(SecretString::from));
    };
    match variable(name) {
        Ok(Some(value)) => Ok(Some(SecretString::from(value))),
        _ => Err(Box::new(ClientFinding::wrong(
            "start",
            format!("the bearer is taken from {name}, which is not set here"),
            format!("set {name} where the client is started, and here"),
        ))),
    }
}

/// What the client would not take of the tools.
fn rules(client: &KnownClient, server: &str, tools: &[Value]) -> Vec<ClientFinding> {
    let count = tools.len();
    let Some(rules) = client.rules.and_then(client_rules::named) else {
        return vec![ClientFinding::good(
            "tools",
            format!("{count}; no rules of {} are known", client.title),
        )];
    };
    let mut found: Vec<(String, RuleBreach)> = too_many(count, rules)
        .into_iter()
        .map(|breach| (server.to_owned(), breach))
        .collect();
    for tool in tools {
        found.extend(breaches_of(tool, rules, server));
    }
    if found.is_empty() {
        let prefix = rules.prefix_for(server);
        return vec![ClientFinding::good(
            "tools",
            format!("{count}, and {} takes them all, as {prefix}…", client.title),
        )];
    }
    let more = found.len().saturating_sub(MAX_BREACHES);
    let mut findings: Vec<ClientFinding> = found
        .into_iter()
        .take(MAX_BREACHES)
        .map(|(tool, breach)| {
            let place = match &breach.argument {
                Some(argument) => format!("{tool}.{argument}"),
                None => tool,
            };
            ClientFinding::wrong("tools", format!("{place}: {}", breach.what), breach.hint)
        })
        .collect();
    if more > 0 {
        findings.push(ClientFinding::wrong(
            "tools",
            format!("{more} more"),
            "footbridge lint --client lists them",
        ));
    }
    findings
}

fn breaches_of(tool: &Value, rules: &ClientRules, server: &str) -> Vec<(String, RuleBreach)> {
    let text = |key: &str| tool.get(key).and_then(Value::as_str).unwrap_or_default();
    let listed = ListedTool {
        name: text("name"),
        description: text("description"),
        input_schema: tool.get("inputSchema").unwrap_or(&Value::Null),
        output_schema: tool.get("outputSchema"),
    };
    breaches(&listed, rules, server)
        .into_iter()
        .map(|breach| (listed.name.to_owned(), breach))
        .collect()
}
