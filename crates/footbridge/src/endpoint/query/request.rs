//! A query as it was asked, checked before anything is sent: names, tools, references, the filter.

use footbridge_connector::{QueryFault, QueryFilter};
use serde_json::{Map, Value};

use super::reads::{ReadTool, ReadTools};
use super::reference::{self, ArgumentReference};

/// Characters of the name of a call.
const MAX_NAME: usize = 40;

/// A query that can be carried out.
#[derive(Debug)]
pub(super) struct QueryRequest {
    pub(super) calls: Vec<QueryCall>,
    /// None where the results are wanted as they are.
    pub(super) filter: Option<WrittenFilter>,
}

/// A filter as it was written, and compiled.
#[derive(Debug)]
pub(super) struct WrittenFilter {
    pub(super) code: String,
    pub(super) compiled: QueryFilter,
}

/// One read of a query.
#[derive(Debug)]
pub(super) struct QueryCall {
    pub(super) name: String,
    pub(super) tool: ReadTool,
    pub(super) arguments: Value,
    pub(super) references: Vec<ArgumentReference>,
}

impl QueryRequest {
    /// The query, or everything that is wrong with it.
    pub(super) fn read(
        mut arguments: Map<String, Value>,
        tools: &ReadTools,
        most: usize,
    ) -> Result<Self, String> {
        let written = match arguments.remove("calls") {
            Some(Value::Array(calls)) => calls,
            _ => Vec::new(),
        };
        if written.is_empty() || written.len() > most {
            return Err(format!(
                "A query has 1 to {most} calls, this one has {}: split it.",
                written.len()
            ));
        }
        let mut problems = Vec::new();
        let mut calls: Vec<QueryCall> = Vec::with_capacity(written.len());
        let mut names: Vec<String> = Vec::with_capacity(written.len());
        for (index, call) in written.into_iter().enumerate() {
            let name = match name_of(&call, &names) {
                Ok(name) => name,
                Err(problem) => {
                    problems.push(format!("call {}: {problem}", index + 1));
                    format!("call {}", index + 1)
                }
            };
            let earlier: Vec<&str> = names.iter().map(String::as_str).collect();
            match QueryCall::read(call, &name, tools, &earlier) {
                Ok(call) => calls.push(call),
                Err(problem) => problems.push(format!("{name}: {problem}")),
            }
            names.push(name);
        }
        let code = match arguments.remove("filter") {
            Some(Value::String(code)) if !["", "."].contains(&code.trim()) => Some(code),
            _ => None,
        };
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let known: Vec<&str> = known.into_iter().filter(|name| is_name(name)).collect();
        let compile = |code: String| {
            QueryFilter::compile(&code, &known).map(|compiled| WrittenFilter { code, compiled })
        };
        match code.map(compile).transpose() {
            Ok(filter) if problems.is_empty() => return Ok(Self { calls, filter }),
            Ok(_) => {}
            Err(fault) => problems.push(format!("filter, {}", sentence(&fault))),
        }
        Err(format!("Nothing was asked. {}.", problems.join("; ")))
    }

    /// The names of the calls, in their order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|call| call.name.as_str())
    }

    /// Whether anything comes from a backend whose texts others wrote.
    pub(super) fn is_of_strangers(&self) -> bool {
        self.calls.iter().any(|call| call.tool.is_of_strangers)
    }
}

impl QueryCall {
    fn read(
        mut call: Value,
        name: &str,
        tools: &ReadTools,
        earlier: &[&str],
    ) -> Result<Self, String> {
        let tool = call.get("tool").and_then(Value::as_str).unwrap_or_default();
        let tool = tools.find(tool)?;
        let mut take = |key: &str| call.get_mut(key).map(Value::take);
        let arguments = match take("args").or_else(|| take("arguments")) {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(arguments) => arguments,
        };
        let references = reference::find(&arguments, earlier)?;
        Ok(Self {
            name: name.to_owned(),
            tool,
            arguments,
            references,
        })
    }
}

fn name_of(call: &Value, before: &[String]) -> Result<String, String> {
    let name = call.get("as").and_then(Value::as_str).unwrap_or_default();
    if !is_name(name) {
        return Err(format!(
            "`as` is a letter, then letters, digits and `_`, at most {MAX_NAME}; {name:?} is not"
        ));
    }
    if before.iter().any(|known| known == name) {
        return Err(format!("there are two calls named {name}"));
    }
    Ok(name.to_owned())
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A fault of a filter, with its line.
pub(super) fn sentence(fault: &QueryFault) -> String {
    match fault.line {
        Some(line) => format!("line {line}: {}", fault.what),
        None => fault.what.clone(),
    }
}
