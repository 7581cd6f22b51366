//! Changes that were being sent when their process ended: nobody knows what became of them.
//!
//! Several processes write one file, so a change that is being sent may belong to one that lives.
//! Each marks its changes with its name, and itself by a locked file (see `process_mark`); where the
//! system locks no files, a change counts as interrupted after an hour.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::audit_chain::AuditedStep;
use crate::write_transaction::WriteTransaction;
use crate::{ChangeState, process_mark, sql, time};

/// No call lasts that long.
const LONGEST_CALL: Duration = Duration::from_secs(60 * 60);

/// Brings them into the state `unknown`, which the audit says of each, and answers how many there
/// were.
pub(crate) async fn settle(
    transaction: &mut WriteTransaction,
    database: &Path,
    now: SystemTime,
) -> Result<u64, sqlx::Error> {
    let processes: Vec<String> = sqlx::query_scalar(sql::CHANGE_PROCESSES)
        .fetch_all(&mut *transaction)
        .await?;
    let mut count = 0;
    for process in processes {
        let is_marked = !process.is_empty();
        if is_marked && process_mark::is_alive(database, &process) {
            continue;
        }
        for from in ChangeState::Unknown.comes_from() {
            let settled = sqlx::query(sql::CHANGE_INTERRUPTED)
                .bind(from.as_str())
                .bind(ChangeState::Unknown.as_str())
                .bind(time::text_of(now))
                .bind("the process that sent it ended before its end was known")
                .bind(&process)
                .bind(is_marked)
                .bind(time::text_before(now, LONGEST_CALL))
                .fetch_all(&mut *transaction)
                .await?;
            for row in &settled {
                let step = AuditedStep::of_row(row)?;
                step.append(transaction, std::iter::empty(), now, false)
                    .await?;
                count += 1;
            }
        }
    }
    Ok(count)
}
