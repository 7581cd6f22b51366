//! A page of records: what may be asked, and asking it. The statement is composed in `sql::list`.

use crate::{AccountId, FieldName, Record, RecordId, Store, StoreError, sql};

/// One condition. Several values mean any of them; no value at all matches nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// The row's own status.
    Status(Vec<String>),
    /// Whether the row is archived.
    IsArchived(Vec<bool>),
    /// The account that owns the row.
    OwnedBy(Vec<String>),
    /// A text field. The empty text also matches rows without the field.
    Text(FieldName, Vec<String>),
    /// A number field.
    Number(FieldName, Vec<Number>),
    /// A boolean field.
    Boolean(FieldName, Vec<bool>),
    /// A list of texts that holds one of the values.
    Holds(FieldName, Vec<String>),
}

/// A number to compare with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number, exact.
    Integer(i64),
    /// Any other number.
    Real(f64),
}

/// What the rows are sorted by. Rows without the value come last in both directions; equal values go by id.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// When the row was made.
    CreatedAt,
    /// When the row was changed last.
    UpdatedAt,
    /// A field's value: numbers as numbers, texts by their characters' code points.
    Field(FieldName),
    /// A field's value by its place in this list.
    Rank(FieldName, Vec<String>),
}

/// A page to be read.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Whose rows.
    pub account_id: AccountId,
    /// The model's name.
    pub model: String,
    /// All of these must hold.
    pub filters: Vec<Filter>,
    /// A text that one of the searched fields must hold, without regard to case.
    pub search: Option<String>,
    /// The order.
    pub sort: SortKey,
    /// Whether the order is reversed.
    pub descending: bool,
    /// How many rows at most.
    pub limit: u32,
    /// How many rows to pass over, after the cursor.
    pub offset: u32,
    /// Only rows after this one, under the same order and filters. It may be deleted by now.
    pub after: Option<RecordId>,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows in order.
    pub records: Vec<Record>,
    /// Whether more rows follow.
    pub has_more: bool,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The cursor names no row of this model and account.
    #[error("after names no {model} of yours: {id}")]
    UnknownCursor {
        /// The model's name.
        model: String,
        /// The cursor.
        id: RecordId,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ListError {
    fn from(error: sqlx::Error) -> ListError {
        ListError::Store(error.into())
    }
}

impl Store {
    /// Reads a page of records.
    ///
    /// # Errors
    /// [`ListError::UnknownCursor`] when `after` names no row, deleted ones included.
    pub async fn records(&self, query: &ListQuery) -> Result<Page, ListError> {
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut records: Vec<Record> = match query.after {
            None => sql::list::page(query, None).build_query_as().fetch_all(self.readers()).await?,
            Some(id) => {
                let mut snapshot = self.readers().begin().await?;
                let is_missing: Option<bool> =
                    sql::list::cursor(query, id).build_query_scalar().fetch_optional(&mut *snapshot).await?;
                let Some(is_missing) = is_missing else {
                    return Err(ListError::UnknownCursor { model: query.model.clone(), id });
                };
                let cursor = sql::list::Cursor { id, is_missing };
                let records = sql::list::page(query, Some(cursor)).build_query_as().fetch_all(&mut *snapshot).await?;
                snapshot.commit().await?;
                records
            }
        };
        let has_more = records.len() > wanted;
        records.truncate(wanted);
        Ok(Page { records, has_more })
    }
}
