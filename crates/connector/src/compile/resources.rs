//! Resources and prompts: addresses and what fits them, what is read, and texts with names to fill
//! in.

use std::collections::BTreeSet;

use serde_json::json;

use super::compilation::Compilation;
use super::scope::FilterScope;
use super::tools::steps;
use crate::connector::{ConnectorPrompt, ConnectorPromptArgument, ConnectorResource, Request};
use crate::definition::{self, Answer};
use crate::jq::Variable;
use crate::place::Placed;
use crate::template::Template;

/// Resources, and prompts, that a file may have.
const MAX_EACH: usize = 50;

impl<'d> Compilation<'d> {
    pub(super) fn resources(&mut self) -> Vec<ConnectorResource> {
        let mut names = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        let mut resources = Vec::new();
        self.check_count(
            self.definition
                .resources
                .iter()
                .map(|resource| &resource.name),
            "resources",
        );
        for resource in &self.definition.resources {
            let part = format!("resources.{}", resource.name.value);
            self.check_name(&resource.name, &part);
            self.check_once(&mut names, &resource.name, &part);
            self.check_once(&mut addresses, &resource.uri, &part);
            self.check_texts(
                resource.name.place,
                &[
                    ("title", &resource.title),
                    ("description", &resource.description),
                ],
                &part,
            );
            resources.extend(self.resource(resource, &part));
        }
        resources
    }

    fn resource(
        &mut self,
        resource: &'d definition::ResourceDefinition,
        part: &str,
    ) -> Option<ConnectorResource> {
        let uri = self.template(&resource.uri, part);
        if !resource
            .uri
            .value
            .split_once("://")
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
        {
            self.found.add_with_hint(
                resource.uri.place,
                part,
                format!("`{}` is not an address", resource.uri.value),
                "write it like `notes://{id}`",
            );
        }
        let names: Vec<&'d str> = resource
            .uri
            .value
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .collect();
        for name in &names {
            if name.contains('.') || names.iter().filter(|other| *other == name).count() > 1 {
                self.found.add(
                    resource.uri.place,
                    part,
                    format!("`{{{name}}}` is not a name that can stand here once"),
                );
            }
        }
        let scope = FilterScope::of_names(self.definition, names.clone(), &[Variable::Args]);
        let mut patterns = Vec::new();
        for (name, pattern) in resource.patterns.iter() {
            if !names.contains(&name.value.as_str()) {
                self.found.add(
                    name.place,
                    part,
                    format!("there is no `{}` in the address", name.value),
                );
            }
            // the whole value: a pattern that is not anchored would let anything around it through
            let whole = json!({"type": "string", "pattern": format!("^(?:{})$", pattern.value)});
            let options =
                jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
            match options.build(&whole) {
                Ok(validator) => patterns.push((name.value.clone(), validator)),
                Err(_) => self.found.add(
                    pattern.place,
                    part,
                    format!("`{}` is not a regular expression", pattern.value),
                ),
            }
        }
        let path = self.path(&resource.get, part, &scope);
        let query = self.query(&resource.query, part, &scope);
        let result = resource
            .result
            .as_ref()
            .map(|result| self.filter(result, &format!("{part}.result"), &scope));
        let mime = resource.mime.as_ref().map(|mime| mime.value.clone());
        if let Some(mime) = resource.mime.as_ref().filter(|mime| {
            !mime
                .value
                .split_once('/')
                .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
        }) {
            self.found.add(
                mime.place,
                part,
                format!("`{}` is not a media type", mime.value),
            );
        }
        if resource.answer == Answer::None {
            self.found.add(
                resource.name.place,
                part,
                "a resource is read: its answer is `json` or `text`",
            );
        }
        uri?;
        Some(ConnectorResource {
            uri: resource.uri.value.clone(),
            is_template: !names.is_empty(),
            name: resource.name.value.clone(),
            title: resource.title.clone(),
            description: resource.description.clone(),
            mime_type: mime.unwrap_or_else(|| {
                if resource.answer == Answer::Text {
                    "text/plain"
                } else {
                    "application/json"
                }
                .to_owned()
            }),
            patterns,
            request: Request {
                query,
                answer: resource.answer,
                ..steps::get(path?)
            },
            result,
        })
    }

    pub(super) fn prompts(&mut self) -> Vec<ConnectorPrompt> {
        let mut names = BTreeSet::new();
        let mut prompts = Vec::new();
        self.check_count(
            self.definition.prompts.iter().map(|prompt| &prompt.name),
            "prompts",
        );
        for prompt in &self.definition.prompts {
            let part = format!("prompts.{}", prompt.name.value);
            self.check_name(&prompt.name, &part);
            self.check_once(&mut names, &prompt.name, &part);
            self.check_texts(
                prompt.name.place,
                &[
                    ("title", &prompt.title),
                    ("description", &prompt.description),
                    ("text", &prompt.text.value),
                ],
                &part,
            );
            let mut arguments = Vec::new();
            for (name, argument) in prompt.input.iter() {
                self.check_name(name, &part);
                self.check_texts(
                    name.place,
                    &[("description", &argument.description)],
                    &format!("{part}.input.{}", name.value),
                );
                arguments.push(ConnectorPromptArgument {
                    name: name.value.clone(),
                    description: argument.description.clone(),
                    required: argument.required,
                });
            }
            let text = self.template(&prompt.text, &part);
            for name in text
                .iter()
                .flat_map(Template::names)
                .filter(|name| prompt.input.get(name).is_none())
            {
                self.found.add(
                    prompt.text.place,
                    part.clone(),
                    format!("there is no argument `{name}`"),
                );
            }
            prompts.extend(text.map(|text| ConnectorPrompt {
                name: prompt.name.value.clone(),
                title: prompt.title.clone(),
                description: prompt.description.clone(),
                arguments,
                text,
            }));
        }
        prompts
    }

    fn check_count<'n>(&mut self, names: impl Iterator<Item = &'n Placed<String>>, what: &str) {
        let names: Vec<_> = names.collect();
        if let Some(one) = names.get(MAX_EACH) {
            self.found.add(
                one.place,
                what,
                format!("has {}; at most {MAX_EACH}", names.len()),
            );
        }
    }

    fn check_once<'n>(
        &mut self,
        seen: &mut BTreeSet<&'n str>,
        name: &'n Placed<String>,
        part: &str,
    ) {
        if !seen.insert(&name.value) {
            self.found.add(
                name.place,
                part,
                format!("there is more than one `{}`", name.value),
            );
        }
    }

    fn check_texts(&mut self, place: crate::place::Place, texts: &[(&str, &str)], part: &str) {
        for (what, text) in texts {
            if text.trim().is_empty() {
                self.found
                    .add(place, part, format!("the {what} must not be empty"));
            }
        }
    }
}
