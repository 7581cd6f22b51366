//! Resources and prompts of a served connector, as clients see them. Reading goes straight to the
//! backend: it changes nothing.

use std::sync::Arc;

use footbridge_connector::{Connector, ConnectorResource};
use footbridge_mcp::{
    Call, Failure, Messages, Prompt, PromptArgument, Resource, ResourceBody, ResourceResult, fail,
};

use crate::caller::Caller;
use crate::connectors::ConnectorSkills;
use crate::opened::Served;

/// What a client may read by an address.
pub(super) fn resources(served: &Served) -> Vec<Resource<Caller>> {
    served
        .backend
        .connector()
        .resources()
        .iter()
        .map(|offered| resource(served, offered))
        .collect()
}

fn resource(served: &Served, offered: &ConnectorResource) -> Resource<Caller> {
    let (backend, name, readiness) = (
        served.backend.clone(),
        offered.name.clone(),
        served.readiness.clone(),
    );
    let read = move |call: Call<Caller>| {
        let (backend, name, readiness) = (backend.clone(), name.clone(), readiness.clone());
        async move {
            readiness.wait().await.map_err(fail)?;
            read(&backend, &name, call).await
        }
    };
    let resource = match offered.is_template {
        true => Resource::template(offered.uri.as_str(), offered.name.as_str(), read),
        false => Resource::new(offered.uri.as_str(), offered.name.as_str(), read),
    };
    resource
        .title(offered.title.as_str())
        .description(offered.description.as_str())
        .mime_type(offered.mime_type.as_str())
}

async fn read(
    backend: &footbridge_connector::Backend,
    name: &str,
    call: Call<Caller>,
) -> ResourceResult {
    let offered = backend
        .connector()
        .resources()
        .iter()
        .find(|offered| offered.name == name);
    let arguments = call.arguments.into_map();
    if offered.is_none_or(|offered| !offered.admits(&arguments)) {
        return Err(Failure::NotFound);
    }
    match backend.read_resource(name, arguments).await {
        Ok(text) => Ok(ResourceBody::from(text)),
        Err(error) if matches!(error.status(), Some(404 | 410)) => Err(Failure::NotFound),
        Err(error) => {
            tracing::info!(
                resource = name,
                status = error.status(),
                detail = error.detail(),
                "a resource could not be read"
            );
            Err(fail(error.message()))
        }
    }
}

/// Messages that a person picks to begin with; several connectors' stand side by side under names
/// that tell them apart.
pub(super) fn prompts(served: &Served, is_joined: bool) -> Vec<Prompt<Caller>> {
    let connector: &Connector = served.backend.connector();
    let backend = Arc::new(served.backend.clone());
    let prompts = connector.prompts().iter().map(|offered| {
        let name = if is_joined {
            format!("{}_{}", served.name, offered.name)
        } else {
            offered.name.clone()
        };
        let (backend, own_name) = (Arc::clone(&backend), offered.name.clone());
        let write = move |call: Call<Caller>| {
            let message = backend
                .connector()
                .prompts()
                .iter()
                .find(|prompt| prompt.name == own_name);
            let message = message.map(|prompt| prompt.message(&call.arguments.into_map()));
            async move { message.map(Messages::user).ok_or(Failure::NotFound) }
        };
        let prompt =
            Prompt::new(name, offered.description.as_str(), write).title(offered.title.as_str());
        offered.arguments.iter().fold(prompt, |prompt, argument| {
            let (name, description) = (argument.name.as_str(), argument.description.as_str());
            prompt.argument(if argument.required {
                PromptArgument::required(name, description)
            } else {
                PromptArgument::new(name, description)
            })
        })
    });
    prompts.chain(skill_prompts(served, is_joined)).collect()
}

/// The skills that come with the program, for clients that offer prompts and know no skills.
fn skill_prompts(served: &Served, is_joined: bool) -> Vec<Prompt<Caller>> {
    let skills = served.skills.as_ref();
    let skills = skills.map(ConnectorSkills::prompts).unwrap_or_default();
    let prompts = skills.into_iter().map(|skill| {
        let name = match is_joined {
            true => format!("{}_{}", served.name, skill.name),
            false => skill.name.to_owned(),
        };
        let text = skill.text;
        Prompt::new(name, skill.description, move |_: Call<Caller>| async move {
            Ok(Messages::user(text))
        })
    });
    prompts.collect()
}
