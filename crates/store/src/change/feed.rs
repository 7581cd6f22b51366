//! What happened since: the steps of all changes in their order, told to this process at once and
//! to others soon, as far as somebody may hear of them, and how much a caller wrote lately.

use std::time::{Duration, SystemTime};

use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{ChangeId, RecordedChange, selection};
use crate::{Store, StoreError, sql, time};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// How many changes a caller made lately, proposals included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerRate {
    /// In the last minute.
    pub minute: u64,
    /// In the last hour.
    pub hour: u64,
}

/// The changes that somebody hears of: their own, and what others did to records that they may
/// read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedQuery {
    /// Only what took a step after this one.
    pub after: i64,
    /// Who hears. Of their own changes they hear of every state but that of being sent.
    pub caller: String,
    /// The records of others' changes that they may read; of others they hear what may have changed
    /// one of these.
    pub sources: Vec<FeedSource>,
    /// Only of some clients.
    pub by: Option<FeedClients>,
    /// Only of this connector.
    pub connector: Option<String>,
    /// Only what touched a record of this kind.
    pub kind: Option<String>,
    /// Only what touched a record of this id.
    pub record: Option<String>,
    /// Only this change.
    pub change: Option<ChangeId>,
    /// How many at most.
    pub limit: u32,
}

/// Whose changes somebody wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedClients {
    /// Those of who hears, through the client that calls itself so.
    Own(Option<String>),
    /// All others.
    Others(Option<String>),
}

/// Records that somebody may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSource {
    /// Their connector.
    pub connector: String,
    /// The address of its backend.
    pub address: String,
    /// As whom the backend knew whoever changed them, where others' records are not to be read.
    pub account: Option<String>,
    /// Their kinds.
    pub kinds: Vec<String>,
}

impl FeedQuery {
    pub(super) fn statement(&self) -> QueryBuilder<Sqlite> {
        let mut sql = self.selecting(selection::COLUMNS);
        sql.push(" ORDER BY change.step, change.id LIMIT ")
            .push_bind(i64::from(self.limit));
        sql
    }

    pub(super) fn newest_statement(&self) -> QueryBuilder<Sqlite> {
        let mut sql = self.selecting("change.id, change.step");
        sql.push(" ORDER BY change.step DESC LIMIT 1");
        sql
    }

    fn selecting(&self, columns: &'static str) -> QueryBuilder<Sqlite> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
        sql.push(columns)
            .push(" FROM change INDEXED BY change_by_step WHERE change.step > ")
            .push_bind(self.after)
            .push(" AND ((change.state <> 'sent' AND change.caller = ")
            .push_bind(self.caller.clone())
            .push(")");
        for source in &self.sources {
            sql.push(" OR (change.state IN ('done', 'unknown') AND change.caller <> ")
                .push_bind(self.caller.clone())
                .push(" AND change.connector = ")
                .push_bind(source.connector.clone())
                .push(" AND change.address = ")
                .push_bind(source.address.clone());
            if let Some(account) = &source.account {
                sql.push(" AND change.account = ")
                    .push_bind(account.clone());
            }
            sql.push(" AND EXISTS (SELECT 1 FROM change_record WHERE change_record.change = change.id AND change_record.kind IN (");
            let mut kinds = sql.separated(", ");
            for kind in &source.kinds {
                kinds.push_bind(kind.clone());
            }
            sql.push(")))");
        }
        sql.push(")");
        if let Some(by) = &self.by {
            let (word, client) = match by {
                FeedClients::Own(client) => (" AND ", client),
                FeedClients::Others(client) => (" AND NOT ", client),
            };
            sql.push(word)
                .push("(change.caller = ")
                .push_bind(self.caller.clone())
                .push(" AND change.client IS ")
                .push_bind(client.clone())
                .push(")");
        }
        if let Some(connector) = &self.connector {
            sql.push(" AND change.connector = ")
                .push_bind(connector.clone());
        }
        if let Some(change) = self.change {
            sql.push(" AND change.id = ").push_bind(change.number());
        }
        if self.kind.is_some() || self.record.is_some() {
            sql.push(
                " AND EXISTS (SELECT 1 FROM change_record WHERE change_record.change = change.id",
            );
            for (column, wanted) in [("kind", &self.kind), ("record", &self.record)] {
                if let Some(wanted) = wanted {
                    sql.push(" AND change_record.")
                        .push(column)
                        .push(" = ")
                        .push_bind(wanted.clone());
                }
            }
            sql.push(")");
        }
        sql
    }
}

impl Store {
    /// The changes that somebody hears of, in the order of their last steps. A change is there
    /// once, as it is now.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn changes_since(
        &self,
        query: &FeedQuery,
    ) -> Result<Vec<RecordedChange>, StoreError> {
        self.read_changes(query.statement()).await
    }

    /// The change that somebody hears of and that took its last step last, with that step.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn newest_change(
        &self,
        query: &FeedQuery,
    ) -> Result<Option<(ChangeId, i64)>, StoreError> {
        let mut statement = query.newest_statement();
        let mut reader = self.readers().lend().await?;
        let newest = statement
            .build_query_as::<(i64, i64)>()
            .fetch_optional(&mut *reader)
            .await;
        let newest = reader.finish(newest)?;
        Ok(newest.map(|(id, step)| (ChangeId::from_number(id), step)))
    }

    /// The last step of all changes, 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn last_change_step(&self) -> Result<i64, StoreError> {
        let mut reader = self.readers().lend().await?;
        let last = sqlx::query_scalar(sql::CHANGE_LAST_STEP)
            .fetch_one(&mut *reader)
            .await;
        reader.finish(last)
    }

    /// Waits until there is a step after this one, and answers the last. What this process records
    /// is told at once, what others record within about a second. Nothing is read while nobody
    /// waits.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn change_step_after(&self, step: i64) -> Result<i64, StoreError> {
        let (mut kept, watch) = (self.journal().follow(), self.step_watch());
        let mut found = watch.follow();
        loop {
            let kept_before = *kept.borrow_and_update();
            found.mark_unchanged();
            let look = watch.look(kept_before).await?;
            if look.last_step > step {
                return Ok(look.last_step);
            }
            tokio::select! {
                _ = kept.changed() => {}
                _ = found.changed() => {}
                () = tokio::time::sleep_until(look.next) => {}
            }
        }
    }

    /// How many changes a caller made in the last minute and hour.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn caller_rate(
        &self,
        caller: &str,
        now: SystemTime,
    ) -> Result<CallerRate, StoreError> {
        let mut reader = self.readers().lend().await?;
        let counted = sqlx::query(sql::CHANGE_RATE)
            .bind(caller)
            .bind(time::text_before(now, HOUR))
            .bind(time::text_before(now, MINUTE))
            .bind(time::text_of(now))
            .fetch_one(&mut *reader)
            .await;
        let row = reader.finish(counted)?;
        let count = |column| -> Result<u64, StoreError> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
        };
        Ok(CallerRate {
            minute: count("minute")?,
            hour: count("hour")?,
        })
    }
}
