//! The part in `search` and `fetch`: which tools find and read, and whether their arguments are
//! those that the filters make.

use serde_json::Value;

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::connector::{ConnectorTool, DocumentKind, FindingTool, SearchPart};
use crate::definition::{SearchDocument, SearchFind, ToolEffect};
use crate::jq::{Variable, form};
use crate::place::Placed;

/// Tools that one search may call.
const MAX_FINDS: usize = 5;
/// Kinds of records that a file may have for `fetch`.
const MAX_DOCUMENTS: usize = 20;
/// How alike two names are of which one was meant for the other.
const LIKENESS: f64 = 0.8;

impl<'d> Compilation<'d> {
    pub(super) fn search(&mut self, tools: &[Placed<ConnectorTool>]) -> Option<SearchPart> {
        let definition = self.definition;
        let rules = definition.search.as_ref()?;
        let scope = FilterScope::new(definition, &[]);
        let mut counts = vec![
            ("finds", rules.value.finds.len(), MAX_FINDS),
            (
                "documents",
                rules.value.documents.iter().count(),
                MAX_DOCUMENTS,
            ),
        ];
        counts.retain(|(_, count, most)| *count == 0 || count > most);
        for (key, count, most) in counts {
            let what = format!("has 1 to {most}, this one has {count}");
            self.found.add(rules.place, format!("search.{key}"), what);
        }
        let mut finds = Vec::new();
        for (index, find) in rules.value.finds.iter().enumerate() {
            finds.push(self.find(find, &format!("search.finds[{index}]"), tools, &scope));
        }
        let mut documents = Vec::new();
        for (name, document) in rules.value.documents.iter() {
            let part = format!("search.documents.{}", name.value);
            self.check_name(name, &part);
            documents.push(self.document(&name.value, document, &part, tools, &scope));
        }
        Some(SearchPart { finds, documents })
    }

    fn find(
        &mut self,
        find: &'d SearchFind,
        part: &str,
        tools: &[Placed<ConnectorTool>],
        scope: &FilterScope<'d>,
    ) -> FindingTool {
        self.check_reading(&find.tool, &find.args, part, tools);
        FindingTool {
            tool: find.tool.value.clone(),
            arguments: self.filter(&find.args, &format!("{part}.args"), scope),
            results: self.filter(
                &find.results,
                &format!("{part}.results"),
                &scope.clone().with(Variable::Value),
            ),
        }
    }

    fn document(
        &mut self,
        name: &str,
        document: &'d SearchDocument,
        part: &str,
        tools: &[Placed<ConnectorTool>],
        scope: &FilterScope<'d>,
    ) -> DocumentKind {
        self.check_reading(&document.tool, &document.args, part, tools);
        let mut filter = |filter, key| self.filter(filter, &format!("{part}.{key}"), scope);
        DocumentKind {
            name: name.to_owned(),
            tool: document.tool.value.clone(),
            arguments: filter(&document.args, "args"),
            title: filter(&document.title, "title"),
            text: filter(&document.text, "text"),
            url: filter(&document.url, "url"),
            metadata: document
                .metadata
                .as_ref()
                .map(|metadata| filter(metadata, "metadata")),
        }
    }

    /// The tool is there, reads, and is called with arguments that it has.
    fn check_reading(
        &mut self,
        name: &Placed<String>,
        arguments: &Placed<String>,
        part: &str,
        tools: &[Placed<ConnectorTool>],
    ) {
        let tool = tools.iter().map(|tool| &tool.value);
        let Some(tool) = tool.clone().find(|tool| tool.name == name.value) else {
            let what = format!("there is no tool `{}`", name.value);
            match nearest(&name.value, tool.map(|tool| tool.name.as_str())) {
                Some(near) => {
                    let hint = format!("did you mean `{near}`?");
                    self.found.add_with_hint(name.place, part, what, hint);
                }
                None => self.found.add(name.place, part, what),
            }
            return;
        };
        if tool.effect != ToolEffect::Read {
            let what = format!("`{}` changes something, and a search only reads", tool.name);
            self.found.add(name.place, part, what);
        }
        let form = form::of_filter(&arguments.value);
        let Some(result_fields) = form.get("properties").and_then(Value::as_object) else {
            return;
        };
        let schema = &tool.input_schema;
        let listed = schema.get("properties").and_then(Value::as_object);
        let listed = listed.into_iter().flat_map(|known| known.keys());
        let known: Vec<&str> = listed
            .map(String::as_str)
            .chain(tool.unlisted_arguments.iter().map(|(name, _)| *name))
            .chain(
                tool.argument_aliases
                    .iter()
                    .map(|(alias, _)| alias.as_str()),
            )
            .collect();
        for name in result_fields
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
        {
            let byte = arguments.value.find(name.as_str()).unwrap_or_default();
            let place = self.filters.place(arguments, byte);
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has: {}", known.join(", ")),
            };
            let what = format!("`{}` has no argument `{name}`", tool.name);
            self.found
                .add_with_hint(place, format!("{part}.args"), what, hint);
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !result_fields.contains_key(name) {
                let what = format!("`{}` needs the argument `{name}`", tool.name);
                self.found
                    .add(arguments.place, format!("{part}.args"), what);
            }
        }
    }
}

/// The name that was probably meant.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let like = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let (likeness, known) = like.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (likeness > LIKENESS).then_some(known)
}
