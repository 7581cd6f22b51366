//! The records that a change touched, as rows, with images that are not too large.

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::{ChangeId, ChangedRecord, MAX_IMAGE, MAX_IMAGES};
use crate::sql;
use crate::write_transaction::WriteTransaction;

/// A record with as much of its images as is kept.
pub(super) struct KeptRecord<'a> {
    record: &'a ChangedRecord,
    before: Option<&'a str>,
    after: Option<&'a str>,
    without_image: Option<String>,
}

/// The records without the images that are too large, or too many: the reason stands in their
/// place.
pub(super) fn within_limits<'a>(records: &'a [ChangedRecord]) -> Vec<KeptRecord<'a>> {
    let mut room = MAX_IMAGES;
    let records_within = records.iter().map(|record| {
        let mut without_image = record.without_image.clone();
        let mut image = |image: &'a Option<String>| -> Option<&'a str> {
            let image = image.as_deref()?;
            let bytes = image.len();
            if bytes > MAX_IMAGE {
                without_image = Some(format!(
                    "its fields have {bytes} bytes, at most {MAX_IMAGE} are kept"
                ));
                return None;
            }
            if bytes > room {
                without_image = Some(format!(
                    "of all records of a change at most {MAX_IMAGES} bytes are kept"
                ));
                return None;
            }
            room -= bytes;
            Some(image)
        };
        let (before, after) = (image(&record.before), image(&record.after));
        KeptRecord {
            record,
            before,
            after,
            without_image,
        }
    });
    records_within.collect()
}

impl KeptRecord<'_> {
    /// Bytes of its images.
    pub(super) fn bytes(&self) -> usize {
        self.before.map_or(0, str::len) + self.after.map_or(0, str::len)
    }

    /// Which record it is.
    pub(super) fn kind_and_id(&self) -> (&str, &str) {
        (&self.record.kind, &self.record.id)
    }

    /// Adds it, or what is known of it by now to the row that it has: what is known already stays
    /// where nothing new is said. In the last statement of its write or before that.
    pub(super) async fn insert(
        &self,
        transaction: &mut WriteTransaction,
        change: ChangeId,
        connector: &str,
        is_last: bool,
    ) -> Result<(), sqlx::Error> {
        let query = self.bound_to(change, connector, sqlx::query(sql::CHANGE_RECORD_ADD));
        query.execute(transaction.last(is_last)).await?;
        Ok(())
    }

    /// Binds it with its change.
    pub(super) fn bound_to<'q>(
        &'q self,
        change: ChangeId,
        connector: &'q str,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        self.bound(query.bind(change.number()).bind(connector))
    }

    /// Binds its own columns behind those that are bound.
    pub(super) fn bound<'q>(
        &'q self,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        query
            .bind(&self.record.kind)
            .bind(&self.record.id)
            .bind(&self.record.name)
            .bind(&self.record.version)
            .bind(&self.record.ignored)
            .bind(&self.without_image)
            .bind(self.before)
            .bind(self.after)
            .bind(&self.record.instead_of)
    }
}
