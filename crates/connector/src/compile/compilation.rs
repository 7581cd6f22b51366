//! A file that is being compiled: its definition, its filters so far, what is wrong with it, and
//! the parts that others of its parts name.

use std::collections::HashMap;

use super::filters::{FileText, Filters};
use super::paging::PagingPlans;
use super::scope::FilterScope;
use super::shapes::Shapes;
use super::{DEFAULT_TEXT_LIMIT, FORMAT, MAX_ICON_BYTES, MAX_NAME, MAX_TEXT_LIMIT};
use crate::connector::{ConnectorTool, RecordPlan};
use crate::definition::Definition;
use crate::jq::Glue;
use crate::place::{Place, Placed};
use crate::problem::Found;
use crate::template::Template;

/// One file on its way from definition to connector.
pub(super) struct Compilation<'d> {
    pub(super) definition: &'d Definition,
    pub(super) filters: Filters<'d>,
    pub(super) found: Found,
    /// Ways of paging, which lists name.
    pub(super) paging: PagingPlans,
    /// Field tables, which tools name.
    pub(super) shapes: Shapes,
    /// Records, which tools name.
    pub(super) records: Vec<RecordPlan>,
}

impl<'d> Compilation<'d> {
    pub(super) fn new(text: FileText<'d>, definition: &'d Definition) -> Self {
        Self {
            definition,
            filters: Filters::new(text, definition.defs.as_ref()),
            found: Found::default(),
            paging: PagingPlans::default(),
            shapes: Shapes::new(),
            records: Vec::new(),
        }
    }

    /// A filter that stands in `scope`.
    pub(super) fn filter(
        &mut self,
        filter: &'d Placed<String>,
        part: &str,
        scope: &FilterScope<'_>,
    ) -> Glue {
        self.filters.add(filter, part, scope, &mut self.found)
    }

    /// The same for one that need not be there.
    pub(super) fn optional_filter(
        &mut self,
        filter: Option<&'d Placed<String>>,
        part: &str,
        scope: &FilterScope<'_>,
    ) -> Option<Glue> {
        filter.map(|filter| self.filter(filter, part, scope))
    }

    /// Reads a template; a fault is reported where it stands.
    pub(super) fn template(&mut self, text: &Placed<String>, part: &str) -> Option<Template> {
        self.filters.template(text, part, &mut self.found)
    }

    /// Reads the template of a path under `base`.
    pub(super) fn path(
        &mut self,
        path: &Placed<String>,
        part: &str,
        scope: &FilterScope<'_>,
    ) -> Option<Template> {
        self.filters.path(path, part, scope, &mut self.found)
    }

    /// The format of the file, the connector's name, and texts that must not be empty.
    pub(super) fn check_identity(&mut self) {
        let definition = self.definition;
        let format = &definition.format;
        if format.value != FORMAT {
            self.found.add_with_hint(
                format.place,
                "format",
                format!(
                    "this program reads format {FORMAT}, the file says {}",
                    format.value
                ),
                if format.value > FORMAT {
                    "a newer program may read it"
                } else {
                    "write `format: 1`"
                },
            );
        }
        self.check_name(&definition.connector, "connector");
        self.check_icon(definition.icon.as_ref(), None);
        let start = Place { line: 1, column: 1 };
        for (part, text) in [
            ("title", &definition.title),
            ("instructions", &definition.instructions),
        ] {
            if text.trim().is_empty() {
                self.found.add(start, part, "must not be empty");
            }
        }
    }

    /// A picture is at an address that clients may load, or is small and lies in the file.
    pub(super) fn check_icon(&mut self, icon: Option<&Placed<String>>, part: Option<&str>) {
        let Some(icon) = icon else { return };
        let part = &part.map_or_else(|| "icon".to_owned(), |part| format!("{part}.icon"));
        let source = icon.value.as_str();
        if source.len() > MAX_ICON_BYTES {
            let message = format!("has {} bytes; at most {MAX_ICON_BYTES}", source.len());
            let hint = "serve the picture somewhere and write its https: address";
            self.found.add_with_hint(icon.place, part, message, hint);
        } else if !["data:image/", "https://"]
            .iter()
            .any(|start| source.starts_with(start))
        {
            let message = format!("`{source}` is not an address of a picture");
            let hint = "write an https: address, or data:image/png;base64, and the picture";
            self.found.add_with_hint(icon.place, part, message, hint);
        }
    }

    /// Characters of an untrusted text that are passed on.
    pub(super) fn text_limit(&mut self) -> usize {
        let limit = self.definition.text.limit.as_ref();
        if let Some(limit) = limit.filter(|limit| !(1..=MAX_TEXT_LIMIT).contains(&limit.value)) {
            self.found.add(
                limit.place,
                "text.limit",
                format!("must be 1 to {MAX_TEXT_LIMIT}, is {}", limit.value),
            );
        }
        usize::try_from(limit.map_or(DEFAULT_TEXT_LIMIT, |limit| limit.value)).unwrap_or_default()
    }

    /// Names that every client takes: a letter, then letters, digits and `_`, in lower case.
    pub(super) fn check_name(&mut self, name: &Placed<String>, part: &str) {
        let text = &name.value;
        let letters = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !(letters && starts_well && text.len() <= MAX_NAME) {
            self.found.add_with_hint(
                name.place,
                part,
                format!("`{text}` is not a name"),
                format!(
                    "a letter, then letters, digits and `_`, all in lower case, at most {MAX_NAME}"
                ),
            );
        }
    }

    /// Tools by name and alias; each name once.
    pub(super) fn tools_by_name(
        &mut self,
        tools: &[Placed<ConnectorTool>],
    ) -> HashMap<String, usize> {
        let mut by_name = HashMap::new();
        for (index, Placed { value: tool, place }) in tools.iter().enumerate() {
            for name in std::iter::once(&tool.name).chain(&tool.aliases) {
                if by_name.insert(name.clone(), index).is_some() {
                    self.found.add(
                        *place,
                        tool.name.clone(),
                        format!("there is more than one tool called `{name}`"),
                    );
                }
            }
        }
        by_name
    }
}
