//! Actions: which tool each calls, and how a request becomes arguments and a record an answer.

use http::Method;

use super::filters::Filters;
use super::scope::Scope;
use crate::connector::{RestAction, Tool};
use crate::definition::{ActionMethod, Definition, Effect};
use crate::jq::{Glue, Plain};
use crate::place::Placed;
use crate::problem::Found;

pub(super) fn settle<'d>(
    definition: &'d Definition,
    tools: &[Placed<Tool>],
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Vec<RestAction> {
    let scope = Scope::new(definition, &[]);
    let mut actions = Vec::new();
    for (name, action) in definition.actions.iter() {
        let part = format!("actions.{}", name.value);
        super::name(name, &part, found);
        let tool = tools.iter().find(|tool| tool.value.name == action.tool.value).map(|tool| &tool.value);
        if tool.is_none() {
            found.add(action.tool.place, part.clone(), format!("there is no tool `{}`", action.tool.value));
        }
        let method = match action.method.value {
            ActionMethod::Get => Method::GET,
            ActionMethod::Post => Method::POST,
            ActionMethod::Put => Method::PUT,
            ActionMethod::Patch => Method::PATCH,
            ActionMethod::Delete => Method::DELETE,
        };
        if method == Method::GET && tool.is_some_and(|tool| tool.effect != Effect::Read) {
            found.add(action.method.place, part.clone(), "a tool that changes something is not called by `get`");
        }
        let arguments = match (&action.args, &action.calls) {
            (Some(args), None) => filters.add(args, &format!("{part}.args"), &scope, found),
            (None, Some(calls)) => filters.add(calls, &format!("{part}.calls"), &scope, found),
            _ => {
                found.add(name.place, part.clone(), "an action has exactly one of `args` and `calls`");
                Glue::Plain(Plain::Literal(jaq_json::Val::Null))
            }
        };
        actions.push(RestAction {
            name: name.value.clone(),
            method,
            tool: action.tool.value.clone(),
            description: action.description.clone().or_else(|| tool.map(|tool| tool.description.clone())).unwrap_or_default(),
            arguments,
            is_several: action.calls.is_some(),
            result: action.result.as_ref().map(|result| filters.add(result, &format!("{part}.result"), &scope, found)),
        });
    }
    actions
}
