//! The table of models: kinds of rows with their fields, filters and sorts, as plain values and,
//! when nothing is wrong with them, as the routes use them. Checks no values of rows.

use std::sync::Arc;

use footbridge_store::{FieldName, SortKey};
use indexmap::IndexMap;

mod board_model;
mod check;

pub use board_model::{BoardField, BoardFieldKind, BoardModel, RowOperation};
pub use check::ModelsError;

/// The models that a board serves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Models {
    pub(crate) by_name: Arc<IndexMap<String, ServedModel>>,
}

impl Models {
    /// Checks the models, in the order of their table.
    ///
    /// # Errors
    /// [`ModelsError`] lists every problem at once.
    pub fn new(models: Vec<BoardModel>) -> Result<Models, ModelsError> {
        Ok(Models {
            by_name: Arc::new(check::served(models)?),
        })
    }

    /// The models' names, in the order of the table.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// One kind of row with nothing wrong in it and its keys resolved.
#[derive(Debug)]
pub(crate) struct ServedModel {
    pub(crate) name: String,
    pub(crate) operations: Vec<RowOperation>,
    pub(crate) fields: IndexMap<String, BoardField>,
    /// The fields that a create and an update may set, in order.
    pub(crate) create: Vec<String>,
    pub(crate) update: Vec<String>,
    pub(crate) filters: Vec<BoardFilter>,
    pub(crate) sorts: Vec<(String, SortKey)>,
    pub(crate) default_sort: String,
    pub(crate) max_limit: u32,
    /// The text fields, which a search looks into.
    pub(crate) searched: Vec<FieldName>,
    /// The fields that name a row, each with the model of that row.
    pub(crate) references: Vec<(FieldName, String)>,
}

impl ServedModel {
    /// The filter that a key means. A field's own name wins over a column of the same name, so
    /// `status` on a card is the card's status; where no field has the name it is the row's column.
    pub(crate) fn filter(&self, key: &str) -> Option<&BoardFilter> {
        let by_wire = self
            .filters
            .iter()
            .find(|filter| filter.wire == key && filter.wire != filter.friendly);
        by_wire.or_else(|| self.filters.iter().find(|filter| filter.friendly == key))
    }

    /// The keys to filter by as people say them, each once.
    pub(crate) fn filter_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::with_capacity(self.filters.len());
        for filter in &self.filters {
            if !keys.contains(&&*filter.friendly) {
                keys.push(&filter.friendly);
            }
        }
        keys
    }

    pub(crate) fn sort(&self, key: &str) -> Option<&SortKey> {
        self.sorts
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, sort)| sort)
    }
}

/// A key of a list's query that filters.
#[derive(Debug)]
pub(crate) struct BoardFilter {
    /// As the table has it, `data__status` or `status`.
    pub(crate) wire: String,
    /// As people say it, `status`.
    pub(crate) friendly: String,
    pub(crate) target: FilterTarget,
}

/// What a filter compares.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FilterTarget {
    Status,
    IsArchived,
    OwnedBy,
    Field(FieldName, BoardFieldKind),
}
