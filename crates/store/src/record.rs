//! One record at a time: made, read, changed, deleted. What its fields mean is not known here.

use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::change::{NewChange, add_done_change};
use crate::write::Write;
use crate::{AccountId, FieldName, RecordId, Store, StoreError, sql, time};

/// The row's own status: nothing changes it yet.
const ACTIVE: &str = "active";

/// Parts of the search text are kept apart by a character that no query can hold.
const SEARCH_SEPARATOR: char = '\u{1f}';

/// A stored row: the columns that every model has, and the model's fields as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The id, a UUIDv7.
    pub id: RecordId,
    /// The model's name.
    pub model: String,
    /// The account that owns the row, and alone sees it.
    pub owned_by: String,
    /// The row's own status, `active`; not a field of the model.
    pub status: String,
    /// The account that made it.
    pub created_by: String,
    /// The account that changed it last.
    pub updated_by: String,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Whether it is deleted; deleted rows are never handed out.
    pub is_deleted: bool,
    /// When it was made, RFC 3339 UTC.
    pub created_at: String,
    /// When it was changed last, RFC 3339 UTC.
    pub updated_at: String,
    /// The fields, a JSON object as text.
    pub data: String,
}

/// A field that must name a row the account owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordReference {
    /// The field that holds the id.
    pub field: FieldName,
    /// The model of the row it names.
    pub model: String,
    /// The id as given.
    pub id: String,
}

/// A record to be made.
#[derive(Debug)]
pub struct NewRecord<'a> {
    /// Who makes and owns it.
    pub account_id: AccountId,
    /// The model's name.
    pub model: &'a str,
    /// The fields.
    pub data: Map<String, Value>,
    /// The fields that a search looks into.
    pub searched: &'a [FieldName],
    /// The fields that must name rows.
    pub references: &'a [RecordReference],
}

/// A change to a record: what is named changes, the rest stays.
#[derive(Debug)]
pub struct RecordChange<'a> {
    /// Who changes it; it must be theirs.
    pub account_id: AccountId,
    /// The model's name.
    pub model: &'a str,
    /// Which record.
    pub id: RecordId,
    /// Fields and their new values; null removes the field.
    pub set: Map<String, Value>,
    /// The fields that a search looks into.
    pub searched: &'a [FieldName],
    /// The fields in `set` that must name rows.
    pub references: &'a [RecordReference],
}

/// Makes the change that a write to a record is, of what it was and what it is. Asked while no
/// other write can come between; the change is kept with the write, or neither is.
pub type ChangeOfRecord<'c> =
    dyn Fn(Option<&Record>, Option<&Record>) -> NewChange + Send + Sync + 'c;

/// Why a record could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A field names a row that is not there, is deleted, or belongs to somebody else.
    #[error("{} names no {} of yours: {:?}", .0.field, .0.model, .0.id)]
    MissingReference(RecordReference),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for RecordError {
    fn from(error: sqlx::Error) -> RecordError {
        RecordError::Store(error.into())
    }
}

impl Store {
    /// Makes a record. When this answers, the record survives a crash of the process and of the
    /// machine.
    ///
    /// # Errors
    /// [`RecordError`]; nothing is kept then.
    pub async fn create_record(&self, new: NewRecord<'_>) -> Result<Record, RecordError> {
        self.create_record_with_change(new, None).await
    }

    /// The same, kept as a change too.
    ///
    /// # Errors
    /// [`RecordError`]; nothing is kept then.
    pub async fn create_record_with_change(
        &self,
        new: NewRecord<'_>,
        change_of: Option<&ChangeOfRecord<'_>>,
    ) -> Result<Record, RecordError> {
        let search = search_text(&new.data, new.searched);
        let data = Value::Object(new.data).to_string();
        let account = new.account_id.to_string();
        let mut transaction = self.begin_write().await?;
        if let Some(missing) = missing_reference(&mut transaction, &account, new.references).await?
        {
            transaction.undo().await;
            return Err(RecordError::MissingReference(missing));
        }
        let id = RecordId::new();
        let now = time::now();
        sqlx::query(sql::RECORD_ADD)
            .bind(id.to_string())
            .bind(new.model)
            .bind(&account)
            .bind(ACTIVE)
            .bind(&now)
            .bind(&data)
            .bind(search)
            .execute(&mut *transaction)
            .await?;
        let record = Record {
            id,
            model: new.model.to_owned(),
            owned_by: account.clone(),
            status: ACTIVE.to_owned(),
            created_by: account.clone(),
            updated_by: account,
            is_archived: false,
            is_deleted: false,
            created_at: now.clone(),
            updated_at: now,
            data,
        };
        put_on_record(&mut transaction, change_of, None, Some(&record)).await?;
        self.keep(transaction, change_of.is_some()).await?;
        Ok(record)
    }

    /// The record, when the account owns it and it is not deleted.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn record(
        &self,
        account_id: AccountId,
        model: &str,
        id: RecordId,
    ) -> Result<Option<Record>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let found = sqlx::query_as(sql::RECORD_READ)
            .bind(id.to_string())
            .bind(account_id.to_string())
            .bind(model);
        let found = found.fetch_optional(&mut *reader).await;
        reader.finish(found)
    }

    /// Changes a record and answers it; none when the account has no such record. A change that
    /// changes nothing leaves `updated_at` as it was.
    ///
    /// # Errors
    /// [`RecordError`]; nothing is changed then.
    pub async fn change_record(
        &self,
        change: RecordChange<'_>,
    ) -> Result<Option<Record>, RecordError> {
        self.change_record_with_change(change, None).await
    }

    /// The same, kept as a change too, unless it changes nothing.
    ///
    /// # Errors
    /// [`RecordError`]; nothing is changed then.
    pub async fn change_record_with_change(
        &self,
        change: RecordChange<'_>,
        change_of: Option<&ChangeOfRecord<'_>>,
    ) -> Result<Option<Record>, RecordError> {
        let account = change.account_id.to_string();
        let mut transaction = self.begin_write().await?;
        let found: Option<Record> = sqlx::query_as(sql::RECORD_READ)
            .bind(change.id.to_string())
            .bind(&account)
            .bind(change.model)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(mut record) = found else {
            transaction.undo().await;
            return Ok(None);
        };
        if let Some(missing) =
            missing_reference(&mut transaction, &account, change.references).await?
        {
            transaction.undo().await;
            return Err(RecordError::MissingReference(missing));
        }
        let before: Map<String, Value> = serde_json::from_str(&record.data)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let mut data = before.clone();
        for (field, value) in change.set {
            if value.is_null() {
                data.shift_remove(&field);
            } else {
                data.insert(field, value);
            }
        }
        if data == before {
            transaction.undo().await;
            return Ok(Some(record));
        }
        let search = search_text(&data, change.searched);
        let record_before = change_of.map(|_| record.clone());
        record.data = Value::Object(data).to_string();
        record.updated_at = time::now();
        record.updated_by = account;
        sqlx::query(sql::RECORD_CHANGE)
            .bind(change.id.to_string())
            .bind(&record.data)
            .bind(search)
            .bind(&record.updated_by)
            .bind(&record.updated_at)
            .execute(&mut *transaction)
            .await?;
        put_on_record(
            &mut transaction,
            change_of,
            record_before.as_ref(),
            Some(&record),
        )
        .await?;
        self.keep(transaction, change_of.is_some()).await?;
        Ok(Some(record))
    }

    /// Deletes a record: it is kept, marked, and never handed out again. False when the account has
    /// no such record.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; nothing is changed then.
    pub async fn delete_record(
        &self,
        account_id: AccountId,
        model: &str,
        id: RecordId,
    ) -> Result<bool, StoreError> {
        self.delete_record_with_change(account_id, model, id, None)
            .await
    }

    /// The same, kept as a change too.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; nothing is changed then.
    pub async fn delete_record_with_change(
        &self,
        account_id: AccountId,
        model: &str,
        id: RecordId,
        change_of: Option<&ChangeOfRecord<'_>>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin_write().await?;
        let found: Option<Record> = match change_of {
            None => None,
            Some(_) => {
                sqlx::query_as(sql::RECORD_READ)
                    .bind(id.to_string())
                    .bind(account_id.to_string())
                    .bind(model)
                    .fetch_optional(&mut *transaction)
                    .await?
            }
        };
        let deleted = sqlx::query(sql::RECORD_DELETE)
            .bind(id.to_string())
            .bind(account_id.to_string())
            .bind(model)
            .bind(time::now())
            .execute(&mut *transaction)
            .await?;
        if found.is_some() {
            put_on_record(&mut transaction, change_of, found.as_ref(), None).await?;
        }
        self.keep(transaction, found.is_some()).await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Commits, and tells those who follow the changes where there is a new one.
    async fn keep(&self, transaction: Write, has_change: bool) -> Result<(), StoreError> {
        transaction.commit().await?;
        if has_change {
            self.journal().was_kept();
        }
        Ok(())
    }
}

impl FromRow<'_, SqliteRow> for Record {
    fn from_row(row: &SqliteRow) -> Result<Record, sqlx::Error> {
        let id: &str = row.try_get(0)?;
        Ok(Record {
            id: RecordId::parse(id)
                .ok_or_else(|| sqlx::Error::Decode("a record id is no UUID".into()))?,
            model: row.try_get(1)?,
            owned_by: row.try_get(2)?,
            status: row.try_get(3)?,
            created_by: row.try_get(4)?,
            updated_by: row.try_get(5)?,
            is_archived: row.try_get(6)?,
            is_deleted: row.try_get(7)?,
            created_at: row.try_get(8)?,
            updated_at: row.try_get(9)?,
            data: row.try_get(10)?,
        })
    }
}

/// A search compares in lower case; SQLite's own folding knows ASCII only.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

fn search_text(data: &Map<String, Value>, searched: &[FieldName]) -> String {
    let mut text = String::new();
    for field in searched {
        if let Some(Value::String(value)) = data.get(field.as_str()) {
            text.push_str(&folded(value));
            text.push(SEARCH_SEPARATOR);
        }
    }
    text
}

/// Keeps the change that a write is, where it is to be kept.
async fn put_on_record(
    transaction: &mut Write,
    change_of: Option<&ChangeOfRecord<'_>>,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Result<(), StoreError> {
    match change_of {
        None => Ok(()),
        Some(change_of) => add_done_change(transaction, &change_of(before, after)).await,
    }
}

/// The first of the references that names no row of the account.
async fn missing_reference(
    transaction: &mut Write,
    account: &str,
    references: &[RecordReference],
) -> Result<Option<RecordReference>, RecordError> {
    for reference in references {
        let count: i64 = sqlx::query_scalar(sql::RECORD_IS_THERE)
            .bind(&reference.id)
            .bind(account)
            .bind(&reference.model)
            .fetch_one(&mut **transaction)
            .await?;
        if count == 0 {
            return Ok(Some(reference.clone()));
        }
    }
    Ok(None)
}
