//! A page of records: what may be asked of it, and the reading of it.

use std::time::Duration;

use sqlx::SqliteConnection;

use crate::{AccountId, FieldName, Record, RecordId, Store, StoreError, sql};

mod search;
mod statement;

#[cfg(test)]
mod plans;

use search::Search;
use statement::{AccessPath, Cursor};

/// A search that finds at most so many rows by its index looks at those, in any order; one that
/// finds more goes through the rows in their order, where it soon has a page.
const FEW: i64 = 1000;

/// One condition. Several values mean any of them; no value at all matches nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordFilter {
    /// The row's own status.
    Status(Vec<String>),
    /// Whether the row is archived.
    IsArchived(Vec<bool>),
    /// The account that owns the row.
    OwnedBy(Vec<String>),
    /// A text field. The empty text also matches rows without the field.
    Text(FieldName, Vec<String>),
    /// A number field.
    Number(FieldName, Vec<FilterNumber>),
    /// A boolean field.
    Boolean(FieldName, Vec<bool>),
    /// A list of texts that holds one of the values.
    Holds(FieldName, Vec<String>),
}

/// A number to compare with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FilterNumber {
    /// A whole number, exact.
    Integer(i64),
    /// Any other number.
    Real(f64),
}

/// What the rows are sorted by. Rows without the value come last in both directions; equal values
/// go by id.
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
    pub filters: Vec<RecordFilter>,
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
pub struct RecordPage {
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
    /// It took longer than this, and was ended.
    #[error(
        "the list was ended after {} s: search for three or more characters, or ask for fewer rows by one more filter",
        .0.as_secs_f32()
    )]
    TooLong(Duration),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Reads a page of records. One that may have to look at every row, as a search may, has a
    /// time, and connections that others do not wait for.
    ///
    /// # Errors
    /// [`ListError::UnknownCursor`] when `after` names no row, deleted ones included;
    /// [`ListError::TooLong`] when its time is over.
    pub async fn records(&self, query: &ListQuery) -> Result<RecordPage, ListError> {
        let search = query.search.as_deref().map(Search::new);
        if search.as_ref().is_some_and(Search::finds_nothing) {
            return Ok(RecordPage {
                records: Vec::new(),
                has_more: false,
            });
        }
        let is_quick = statement::is_found_in_order(query);
        let lender = if is_quick {
            self.readers()
        } else {
            self.scanners()
        };
        let mut reader = lender.lend().await?;
        let time = self.scan_time();
        let reading = read(&mut reader, query, search.as_ref());
        let read = match is_quick {
            true => reading.await,
            // A reader that is not given back is stopped.
            false => tokio::time::timeout(time, reading)
                .await
                .map_err(|_| ListError::TooLong(time))?,
        };
        let mut records = match (reader.finish(read)?, query.after) {
            (None, Some(id)) => {
                return Err(ListError::UnknownCursor {
                    model: query.model.clone(),
                    id,
                });
            }
            (records, _) => records.unwrap_or_default(),
        };
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let has_more = records.len() > wanted;
        records.truncate(wanted);
        Ok(RecordPage { records, has_more })
    }
}

/// The page and one row more; none when the cursor names no row.
async fn read(
    connection: &mut SqliteConnection,
    query: &ListQuery,
    search: Option<&Search>,
) -> Result<Option<Vec<Record>>, sqlx::Error> {
    if query.after.is_none() && search.is_none() {
        return read_page(connection, query, search, None).await.map(Some);
    }
    // Several statements see the same rows.
    sqlx::query(sql::BEGIN_READ)
        .execute(&mut *connection)
        .await?;
    let records = match query.after {
        None => Some(read_page(connection, query, search, None).await?),
        Some(id) => {
            let is_missing: Option<bool> = statement::cursor(query, id)
                .build_query_scalar()
                .fetch_optional(&mut *connection)
                .await?;
            match is_missing {
                Some(is_missing) => Some(
                    read_page(connection, query, search, Some(Cursor { id, is_missing })).await?,
                ),
                None => None,
            }
        }
    };
    sqlx::query(sql::COMMIT).execute(&mut *connection).await?;
    Ok(records)
}

async fn read_page(
    connection: &mut SqliteConnection,
    query: &ListQuery,
    search: Option<&Search>,
    cursor: Option<Cursor>,
) -> Result<Vec<Record>, sqlx::Error> {
    let access_path = match search.map(Search::parts).filter(|parts| !parts.is_empty()) {
        None => AccessPath::by_index(query),
        Some(parts) => {
            let found: i64 = sqlx::query_scalar(sql::SEARCH_COUNT)
                .bind(parts)
                .bind(FEW + 1)
                .fetch_one(&mut *connection)
                .await?;
            if found <= FEW {
                AccessPath::Found
            } else {
                AccessPath::by_index(query)
            }
        }
    };
    statement::page(query, search, access_path, cursor.as_ref())
        .build_query_as()
        .fetch_all(connection)
        .await
}
