//! How records of a connector take part in `search` and `fetch`. Calls nothing (see `backend`).

use crate::jq::Glue;

/// How a connector takes part in `search` and `fetch`.
#[derive(Debug)]
pub struct SearchPart {
    /// Tools that find records by words.
    pub finds: Vec<FindingTool>,
    /// Kinds of records that can be read whole, in the order of the file.
    pub documents: Vec<DocumentKind>,
}

impl SearchPart {
    /// The kind of this name.
    pub fn document(&self, name: &str) -> Option<&DocumentKind> {
        self.documents.iter().find(|kind| kind.name == name)
    }
}

/// A tool that finds records by words.
#[derive(Debug)]
pub struct FindingTool {
    /// Its name.
    pub tool: String,
    pub(crate) arguments: Glue,
    pub(crate) results: Glue,
}

/// A kind of record that can be read whole.
#[derive(Debug)]
pub struct DocumentKind {
    /// Its name, which stands in ids.
    pub name: String,
    /// The tool that reads one.
    pub tool: String,
    pub(crate) arguments: Glue,
    pub(crate) title: Glue,
    pub(crate) text: Glue,
    pub(crate) url: Glue,
    pub(crate) metadata: Option<Glue>,
}
