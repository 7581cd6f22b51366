//! A transaction that writes, on a connection on loan. Each text that is run is a way to the thread
//! of the connection and back: what begins, divides and ends the transaction goes along with the
//! statements of its writes. Of what is written it knows where the audit ends, and nothing else.

use std::fmt;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use sqlx::sqlite::{
    SqliteArguments, SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo,
};
use sqlx::{AssertSqlSafe, Either, Execute, Executor, SqlSafeStr as _, SqlStr, Sqlite};

use crate::audit_mark::AuditMark;
use crate::connections::LentConnection;
use crate::joined_text::JoinedValues;
use crate::sql;

/// What a statement gives: rows, and then its end.
pub(crate) type StatementStep = Either<SqliteQueryResult, SqliteRow>;

/// A transaction that is under way. Dropped before it is kept, nothing of it is, and its connection
/// is closed.
pub(crate) struct WriteTransaction {
    lent: LentConnection,
    /// What goes before the next statement, in this order. Each is one statement.
    ahead: Vec<&'static str>,
    has_savepoint: bool,
    /// Whether its last statement may take the commit along.
    may_end: bool,
    /// Whether the next statement does.
    is_last: bool,
    stage: TransactionStage,
    audit_end: Option<AuditMark>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TransactionStage {
    /// It begins with its first statement.
    Due,
    Open,
    /// The commit went along with a statement, and it is not known that it succeeded.
    Ending,
    /// It is on the disk.
    Kept,
}

impl WriteTransaction {
    /// One that no other can come between; it begins with its first statement.
    pub(crate) fn on(lent: LentConnection, audit_end: Option<AuditMark>) -> WriteTransaction {
        WriteTransaction {
            lent,
            ahead: vec![sql::BEGIN_WRITE],
            has_savepoint: false,
            may_end: false,
            is_last: false,
            stage: TransactionStage::Due,
            audit_end,
        }
    }

    /// Where the audit ended when that was seen last. Another process may have gone on: a statement
    /// that counts on it must look, and change nothing otherwise.
    pub(crate) fn audit_end(&self) -> Option<&AuditMark> {
        self.audit_end.as_ref()
    }

    pub(crate) fn audit_ends_at(&mut self, end: Option<AuditMark>) {
        self.audit_end = end;
    }

    /// Goes on behind a last statement that, as it turned out, changed nothing.
    pub(crate) fn begin_again(&mut self) {
        if self.stage == TransactionStage::Kept {
            self.stage = TransactionStage::Due;
            self.ahead.push(sql::BEGIN_WRITE);
        }
    }

    /// Whether it has begun: the others had their turn, and the file can be written.
    pub(crate) fn has_begun(&self) -> bool {
        self.stage != TransactionStage::Due
    }

    /// Whether the commit went along with a statement, so that an error may be of the commit.
    pub(crate) fn is_ending(&self) -> bool {
        self.stage == TransactionStage::Ending
    }

    /// Whether it is on the disk.
    pub(crate) fn is_kept(&self) -> bool {
        self.stage == TransactionStage::Kept
    }

    /// What comes next is all that it is for: the last statement of that takes the commit along.
    pub(crate) fn end_with_last(&mut self) {
        self.may_end = true;
    }

    /// For a statement behind which its write makes no other, and is not refused any more.
    pub(crate) fn last(&mut self, is_last: bool) -> &mut WriteTransaction {
        self.is_last = is_last && self.may_end;
        self
    }

    /// What comes next can be taken back alone, with [`Self::take_back`]: what the transaction
    /// begins with by its rollback, all else by a savepoint, which takes the place of the one
    /// before. The end of the transaction releases the last.
    pub(crate) fn divide(&mut self) {
        self.may_end = false;
        if !self.has_begun() || self.ahead.last() == Some(&sql::SAVEPOINT) {
            // Nothing was written, or nothing since it was divided before.
            return;
        }
        if self.has_savepoint {
            self.ahead.push(sql::RELEASE);
        }
        self.ahead.push(sql::SAVEPOINT);
        self.has_savepoint = true;
    }

    /// Takes back what was written since it was divided.
    pub(crate) async fn take_back(&mut self) -> Result<(), sqlx::Error> {
        self.audit_end = None;
        match self.ahead.is_empty() {
            true if self.has_savepoint => self.run_alone(sql::ROLLBACK_TO).await,
            // It began with that, and begins anew.
            true => {
                self.run_alone(sql::ROLLBACK).await?;
                self.stage = TransactionStage::Due;
                self.ahead.push(sql::BEGIN_WRITE);
                Ok(())
            }
            false => Ok(()),
        }
    }

    /// Keeps what was written, unless that is done.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        if matches!(self.stage, TransactionStage::Due | TransactionStage::Kept) {
            return Ok(());
        }
        // A savepoint behind which nothing was written is not needed.
        self.ahead.clear();
        self.stage = TransactionStage::Ending;
        self.run_alone(sql::COMMIT).await?;
        self.stage = TransactionStage::Kept;
        Ok(())
    }

    /// Ends it without a change, and keeps its connection.
    pub(crate) async fn undo(mut self) {
        self.ahead.clear();
        if !self.has_begun() || self.run_alone(sql::ROLLBACK).await.is_ok() {
            self.give_back();
        }
    }

    /// Gives the connection back: the transaction has ended.
    pub(crate) fn give_back(self) {
        self.lent.give_back();
    }

    /// Runs the statements of several writes, all to their ends. What is given is theirs.
    pub(crate) async fn run_joined(
        &mut self,
        text: SqlStr,
        values: JoinedValues,
    ) -> Result<Vec<StatementStep>, sqlx::Error> {
        let given = self.run(text, Some(values.arguments)).await?;
        self.audit_end = values.audit_end;
        Ok(given)
    }

    async fn run_alone(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        let arguments = Some(SqliteArguments::default());
        self.run(SqlStr::from_static(statement), arguments)
            .await
            .map(drop)
    }

    /// Runs a statement with what goes along with it, all to their ends. What is given is the
    /// statement's own.
    async fn run(
        &mut self,
        statement: SqlStr,
        arguments: Option<SqliteArguments>,
    ) -> Result<Vec<StatementStep>, sqlx::Error> {
        let ahead = std::mem::take(&mut self.ahead);
        let behind = std::mem::take(&mut self.is_last).then_some(sql::COMMIT);
        if behind.is_some() && self.has_begun() {
            self.stage = TransactionStage::Ending;
        }
        let text = joined(&ahead, statement, behind);
        let mut running = self.lent.fetch_many((text, arguments));
        let mut ahead = ahead.into_iter();
        let mut own = Vec::new();
        while let Some(step) = running.next().await {
            match step {
                // A statement ahead gives no row: this is its end.
                Ok(step) => match ahead.next() {
                    None => own.push(step),
                    Some(_) if self.stage == TransactionStage::Due => {
                        self.stage = match behind {
                            None => TransactionStage::Open,
                            Some(_) => TransactionStage::Ending,
                        };
                    }
                    Some(_) => {}
                },
                Err(error) => {
                    drop(running);
                    self.lent.heard(&error);
                    return Err(error);
                }
            }
        }
        drop(running);
        if behind.is_some() {
            // The end of the commit.
            own.pop();
            self.stage = TransactionStage::Kept;
        }
        Ok(own)
    }
}

/// One text of all, which are run in their order. The few that there are stay prepared.
fn joined(ahead: &[&'static str], statement: SqlStr, behind: Option<&'static str>) -> SqlStr {
    if ahead.is_empty() && behind.is_none() {
        return statement;
    }
    let own = std::iter::once(statement.as_str());
    let all: Vec<&str> = ahead.iter().copied().chain(own).chain(behind).collect();
    AssertSqlSafe(all.join("; ")).into_sql_str()
}

impl fmt::Debug for WriteTransaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WriteTransaction")
            .finish_non_exhaustive()
    }
}

impl<'c> Executor<'c> for &'c mut WriteTransaction {
    type Database = Sqlite;

    fn fetch_many<'e, 'q, E>(
        self,
        mut query: E,
    ) -> BoxStream<'e, Result<StatementStep, sqlx::Error>>
    where
        'c: 'e,
        'q: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode);
        let statement = query.sql();
        let run = async move { self.run(statement, arguments?).await };
        stream::once(run)
            .map_ok(|steps| stream::iter(steps.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    /// The first row. Unlike that of a connection it runs the statement to its end, as others may
    /// come behind it.
    fn fetch_optional<'e, 'q, E>(
        self,
        mut query: E,
    ) -> BoxFuture<'e, Result<Option<SqliteRow>, sqlx::Error>>
    where
        'c: 'e,
        'q: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode);
        let statement = query.sql();
        async move {
            let steps = self.run(statement, arguments?).await?;
            Ok(steps.into_iter().find_map(Either::right))
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        statement: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.lent.prepare_with(statement, parameters)
    }
}
