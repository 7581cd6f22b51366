//! A row as the API shows it, and a page of rows.

use footbridge_store::{Record, RecordPage, StoreError};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct PublishedRow<'a> {
    id: String,
    r#type: &'a str,
    status: &'a str,
    owned_by: &'a str,
    created_by: &'a str,
    updated_by: &'a str,
    is_archived: bool,
    is_deleted: bool,
    created_at: &'a str,
    updated_at: &'a str,
    /// As stored: it was checked on the way in.
    data: &'a RawValue,
}

#[derive(Serialize)]
struct Rows<'a> {
    data: Vec<PublishedRow<'a>>,
    meta: Meta,
}

#[derive(Serialize)]
struct Meta {
    /// The rows on this page.
    count: usize,
    has_more: bool,
}

fn row(record: &Record) -> Result<PublishedRow<'_>, serde_json::Error> {
    Ok(PublishedRow {
        id: record.id.to_string(),
        r#type: &record.model,
        status: &record.status,
        owned_by: &record.owned_by,
        created_by: &record.created_by,
        updated_by: &record.updated_by,
        is_archived: record.is_archived,
        is_deleted: record.is_deleted,
        created_at: &record.created_at,
        updated_at: &record.updated_at,
        data: serde_json::from_str(&record.data)?,
    })
}

/// One row as JSON.
pub(crate) fn one_to_json(record: &Record) -> Result<Vec<u8>, StoreError> {
    row(record)
        .and_then(|row| serde_json::to_vec(&row))
        .map_err(damaged)
}

/// A page as JSON.
pub(crate) fn page_to_json(page: &RecordPage) -> Result<Vec<u8>, StoreError> {
    let data = page
        .records
        .iter()
        .map(row)
        .collect::<Result<Vec<_>, _>>()
        .map_err(damaged)?;
    let meta = Meta {
        count: data.len(),
        has_more: page.has_more,
    };
    serde_json::to_vec(&Rows { data, meta }).map_err(damaged)
}

/// Only a damaged file holds a row whose fields are not JSON.
fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::damaged(error)
}
