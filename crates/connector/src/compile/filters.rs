//! Filters and templates of a file while it is being compiled: collected with their places, compiled together.

use crate::jq::{self, FilterId, Program};
use crate::place::{self, Place, Placed};
use crate::problem::Found;
use crate::template::Template;

/// The filters so far, with what they belong to.
pub(super) struct Filters<'d> {
    source: &'d str,
    list: Vec<(&'d Placed<String>, String)>,
}

impl<'d> Filters<'d> {
    pub(super) fn new(source: &'d str) -> Self {
        Self { source, list: Vec::new() }
    }

    pub(super) fn add(&mut self, filter: &'d Placed<String>, part: impl Into<String>) -> FilterId {
        self.list.push((filter, part.into()));
        FilterId(self.list.len() - 1)
    }

    /// The place of a byte of a scalar.
    pub(super) fn place(&self, text: &Placed<String>, byte: usize) -> Place {
        place::inside(self.source, text.place, &text.value, byte)
    }

    /// Reads a template; a fault is reported where it stands.
    pub(super) fn template(&self, text: &Placed<String>, part: &str, found: &mut Found) -> Option<Template> {
        match Template::parse(&text.value) {
            Ok(template) => Some(template),
            Err(fault) => {
                found.add(self.place(text, fault.byte), part, fault.what);
                None
            }
        }
    }

    /// Compiles all of them; faults are reported where they stand.
    pub(super) fn compile(self, found: &mut Found) -> Option<Program> {
        let codes: Vec<&str> = self.list.iter().map(|(code, _)| code.value.as_str()).collect();
        match jq::compile(&codes) {
            Ok(program) => Some(program),
            Err(faults) => {
                for fault in faults {
                    match self.list.get(fault.filter) {
                        Some((code, part)) => found.add(self.place(code, fault.bytes.start), part.clone(), fault.what),
                        None => found.add(Place { line: 1, column: 1 }, "", fault.what),
                    }
                }
                None
            }
        }
    }
}
