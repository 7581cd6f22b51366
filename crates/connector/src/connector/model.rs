//! A compiled model: what the file says of a kind of row, what it leaves out filled in, and what
//! calls of the model's tools need.

pub use crate::definition::{FieldKind, ModelOperation};

/// A model, settled.
#[derive(Debug)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Path of the collection under the backend's address.
    pub path: String,
    /// What may be done with it, in the order of the file.
    pub operations: Vec<ModelOperation>,
    /// Its fields, in the order of the file.
    pub fields: Vec<ModelField>,
    /// Names of the fields that a create takes, in its order; all when the file does not say.
    pub create: Vec<String>,
    /// Names of the fields that an update takes, in its order; all when the file does not say.
    pub update: Vec<String>,
    /// Keys to filter by.
    pub filters: Vec<FilterKey>,
    /// Keys to sort by, as the backend knows them.
    pub sorts: Vec<String>,
    /// The backend's own order, if the file says it.
    pub default_sort: Option<String>,
    /// Rows that one page may have.
    pub max_limit: u32,
    /// The field that a record may be called by in the place of its id.
    pub goes_by: Option<String>,
    /// Keys of an item in their order: `id`, the fields, `created_at`, `updated_at`.
    pub(crate) item_keys: Vec<String>,
    /// Fields that an update may clear.
    pub(crate) nullable: Vec<String>,
    /// Place of its record among those of the connector; none when one cannot be read.
    pub(crate) record: Option<usize>,
}

impl Model {
    pub(crate) fn field(&self, name: &str) -> Option<&ModelField> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelField {
    /// Its name.
    pub name: String,
    /// Type of its value.
    pub kind: FieldKind,
    /// Characters that a string or URL may have, if the file bounds them.
    pub max_length: Option<u32>,
    /// Values that an enum may have, in their order; none of any other type.
    pub values: Vec<String>,
    /// The model whose ids it holds.
    pub reference: Option<ModelReference>,
    /// The field that names the board whose column its value is.
    pub column_of: Option<String>,
    /// A create must have it; it cannot be cleared.
    pub is_required: bool,
    /// What it is.
    pub description: Option<String>,
}

/// What is known of the record whose id a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReference {
    /// Name of the record's model.
    pub model: String,
    /// The record must belong to the same account.
    pub is_owned: bool,
    /// It may be absent.
    pub is_optional: bool,
}

/// A filter by its two names.
#[derive(Debug, PartialEq, Eq)]
pub struct FilterKey {
    /// As the backend knows it.
    pub wire: String,
    /// As a caller may say it; none when another filter has that name.
    pub friendly: Option<String>,
    /// Its values are ids of records under this path.
    pub(crate) refers_to: Option<String>,
}
