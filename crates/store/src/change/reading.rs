//! Changes as they are read: a page of them, or one with all that is kept of it.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::selection::{self, ChangeQuery};
use super::{ChangeError, ChangeId, ChangedRecord};
use crate::{ChangeState, Store, StoreError, sql};

/// A page has at most so many changes.
const MOST_OF_PAGE: u32 = 1000;
/// Of a change with many records so many are named in a list.
const NAMED_RECORDS: i64 = 10;

/// A change without its arguments and images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedChange {
    /// Its number.
    pub id: ChangeId,
    /// The number of its last step in the sequence of all steps of all changes.
    pub step: i64,
    /// When it was recorded first, RFC 3339 UTC.
    pub at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Where it stands.
    pub state: ChangeState,
    /// Through which door it came.
    pub door: String,
    /// Who called.
    pub caller: String,
    /// The client's name.
    pub client: Option<String>,
    /// The client's version.
    pub client_version: Option<String>,
    /// The connector.
    pub connector: String,
    /// The address of its backend.
    pub address: String,
    /// As whom the backend knew us.
    pub account: Option<String>,
    /// The tool.
    pub tool: String,
    /// What the tool does to the backend.
    pub effect: String,
    /// What tells its arguments from others.
    pub fingerprint: String,
    /// The change that it undoes.
    pub undoes: Option<ChangeId>,
    /// Why it failed, why nobody knows, why it was withdrawn.
    pub message: Option<String>,
    /// When it ends as a proposal.
    pub expires_at: Option<String>,
    /// Who decided it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<String>,
    /// The first of the records that it touched.
    pub records: Vec<RecordName>,
    /// How many it touched.
    pub record_count: u64,
}

/// A record that a change touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordName {
    /// The kind of record.
    pub kind: String,
    /// The record's id.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
}

/// A change with all that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeDetail {
    /// What a list tells of it.
    pub change: RecordedChange,
    /// Its arguments as JSON text, without secrets, with long texts cut.
    pub arguments: String,
    /// Of a proposal: what carrying it out needs.
    pub request: Option<String>,
    /// What undoing it needs beside its records.
    pub undo_values: Option<String>,
    /// The caller's key, for as long as it is remembered.
    pub key: Option<String>,
    /// The records with their images.
    pub records: Vec<ChangedRecord>,
}

/// A page of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePage {
    /// Newest first.
    pub changes: Vec<RecordedChange>,
    /// Whether older ones follow.
    pub has_more: bool,
}

impl Store {
    /// Reads a page of changes, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn changes(&self, query: &ChangeQuery) -> Result<ChangePage, StoreError> {
        let limit = query.limit.min(MOST_OF_PAGE);
        let query = ChangeQuery {
            limit,
            ..query.clone()
        };
        let mut changes = self.read_changes(selection::page(&query)).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = changes.len() > wanted;
        changes.truncate(wanted);
        Ok(ChangePage { changes, has_more })
    }

    /// Reads one change with all that is kept of it.
    ///
    /// # Errors
    /// [`ChangeError::Missing`] when no change has this number.
    pub async fn change(&self, id: ChangeId) -> Result<ChangeDetail, ChangeError> {
        let mut reader = self.readers().lend().await?;
        let read = read_one(&mut reader, id).await;
        reader.finish(read)?.ok_or(ChangeError::Missing(id))
    }

    pub(super) async fn read_changes(
        &self,
        mut statement: QueryBuilder<Sqlite>,
    ) -> Result<Vec<RecordedChange>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let read = async {
            let mut changes = statement
                .build_query_as::<RecordedChange>()
                .fetch_all(&mut *reader)
                .await?;
            name_records(&mut reader, &mut changes).await?;
            Ok(changes)
        };
        let read = read.await;
        reader.finish(read)
    }
}

async fn read_one(
    connection: &mut SqliteConnection,
    id: ChangeId,
) -> Result<Option<ChangeDetail>, sqlx::Error> {
    // Several statements see the same rows.
    sqlx::query(sql::BEGIN_READ)
        .execute(&mut *connection)
        .await?;
    let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
    statement.push(selection::COLUMNS).push(
        ", change.arguments, change.request, change.undo_values, \
         (SELECT key FROM change_key WHERE change_key.change = change.id) AS key \
         FROM change WHERE change.id = ",
    );
    let row = statement
        .push_bind(id.number())
        .build()
        .fetch_optional(&mut *connection)
        .await?;
    let records: Vec<ChangedRecord> = sqlx::query_as(sql::CHANGE_RECORDS)
        .bind(id.number())
        .fetch_all(&mut *connection)
        .await?;
    sqlx::query(sql::COMMIT).execute(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let mut change = RecordedChange::from_row(&row)?;
    change.record_count = u64::try_from(records.len()).unwrap_or(u64::MAX);
    change.records = records
        .iter()
        .map(|record| RecordName {
            kind: record.kind.clone(),
            id: record.id.clone(),
            name: record.name.clone(),
        })
        .collect();
    Ok(Some(ChangeDetail {
        change,
        arguments: row.try_get("arguments")?,
        request: row.try_get("request")?,
        undo_values: row.try_get("undo_values")?,
        key: row.try_get("key")?,
        records,
    }))
}

/// Adds the names of the records that each touched.
async fn name_records(
    connection: &mut SqliteConnection,
    changes: &mut [RecordedChange],
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut statement = QueryBuilder::<Sqlite>::new(
        "SELECT change, kind, record, name, total FROM (SELECT change, kind, record, name, \
         row_number() OVER (PARTITION BY change ORDER BY kind, record) AS place, \
         count(*) OVER (PARTITION BY change) AS total FROM change_record WHERE change IN (",
    );
    let mut list = statement.separated(", ");
    for change in changes.iter() {
        list.push_bind(change.id.number());
    }
    statement
        .push(")) WHERE place <= ")
        .push_bind(NAMED_RECORDS);
    let rows = statement.build().fetch_all(connection).await?;
    let places: HashMap<i64, usize> = changes
        .iter()
        .enumerate()
        .map(|(place, change)| (change.id.number(), place))
        .collect();
    for row in rows {
        let change = places
            .get(&row.try_get::<i64, _>(0)?)
            .and_then(|place| changes.get_mut(*place));
        if let Some(change) = change {
            change.records.push(RecordName {
                kind: row.try_get(1)?,
                id: row.try_get(2)?,
                name: row.try_get(3)?,
            });
            change.record_count = u64::try_from(row.try_get::<i64, _>(4)?).unwrap_or_default();
        }
    }
    Ok(())
}

impl FromRow<'_, SqliteRow> for RecordedChange {
    fn from_row(row: &SqliteRow) -> Result<RecordedChange, sqlx::Error> {
        Ok(RecordedChange {
            id: ChangeId(row.try_get(0)?),
            step: row.try_get(1)?,
            at: row.try_get(2)?,
            ended_at: row.try_get(3)?,
            state: ChangeState::decode(row.try_get(4)?)?,
            door: row.try_get(5)?,
            caller: row.try_get(6)?,
            client: row.try_get(7)?,
            client_version: row.try_get(8)?,
            connector: row.try_get(9)?,
            address: row.try_get(10)?,
            account: row.try_get(11)?,
            tool: row.try_get(12)?,
            effect: row.try_get(13)?,
            fingerprint: row.try_get(14)?,
            undoes: row.try_get::<Option<i64>, _>(15)?.map(ChangeId),
            message: row.try_get(16)?,
            expires_at: row.try_get(17)?,
            decided_by: row.try_get(18)?,
            decided_at: row.try_get(19)?,
            records: Vec::new(),
            record_count: 0,
        })
    }
}

impl FromRow<'_, SqliteRow> for ChangedRecord {
    fn from_row(row: &SqliteRow) -> Result<ChangedRecord, sqlx::Error> {
        Ok(ChangedRecord {
            kind: row.try_get(0)?,
            id: row.try_get(1)?,
            name: row.try_get(2)?,
            version: row.try_get(3)?,
            ignored: row.try_get(4)?,
            without_image: row.try_get(5)?,
            before: row.try_get(6)?,
            after: row.try_get(7)?,
            instead_of: row.try_get(8)?,
        })
    }
}
