//! The bounds of writing and of what is kept, as decided: environment, file, default.

use std::time::Duration;

use footbridge_store::{AuditRetention, ChangeRetention, LeaseLimits, StoreOptions};

use super::Settings;
use super::decided::Decided;
use crate::brakes::WriteLimits;
use crate::cli::switch;
use crate::environment::variable;
use crate::exit::Trouble;
use crate::setting_table::{
    AUDIT_READS, CONFIRM_BY_FORM, KEEP_AUDIT_DAYS, KEEP_AUDIT_ROWS, KEEP_CHANGES_DAYS,
    KEEP_CHANGES_MIB, LEASE_MINUTES, LEASES_PER_CALLER, METRICS, QUERY_CALLS, SESSION_HOURS,
    SESSION_IDLE_MINUTES, STRUCTURED_RESULTS, SettingRow, SettingValueKind, WRITES_AT_ONCE,
    WRITES_PER_HOUR, WRITES_PER_MINUTE,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What bounds writing, and what is kept of it.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) writes: WriteLimits,
    pub(crate) store: StoreOptions,
    pub(crate) audits_reads: bool,
    /// Reads of one query at most.
    pub(crate) query_calls: usize,
}

/// How long a session of a browser lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionTimes {
    /// Without a request.
    pub(crate) idle: Duration,
    /// In any case.
    pub(crate) whole: Duration,
}

impl Settings {
    /// How long a session of a browser lasts.
    ///
    /// # Errors
    /// A value that is no number, or out of its range, with the place where it stands.
    pub(crate) fn session_times(&self) -> Result<SessionTimes, Trouble> {
        let of = |row, in_file, unit: Duration| -> Result<Duration, Trouble> {
            Ok(unit * u32::try_from(self.number(row, in_file)?).unwrap_or(u32::MAX))
        };
        Ok(SessionTimes {
            idle: of(
                &SESSION_IDLE_MINUTES,
                self.file.session_idle_minutes,
                MINUTE,
            )?,
            whole: of(&SESSION_HOURS, self.file.session_hours, HOUR)?,
        })
    }

    /// The bounds of writing, and of what is kept.
    ///
    /// # Errors
    /// A value that is no number, or out of its range, with the place where it stands.
    pub(crate) fn bounds(&self) -> Result<Bounds, Trouble> {
        let file = &self.file;
        let number = |row, in_file| self.number(row, in_file);
        let small = |row, in_file| -> Result<u32, Trouble> {
            Ok(u32::try_from(number(row, in_file)?).unwrap_or(u32::MAX))
        };
        let days = |row, in_file| -> Result<Duration, Trouble> {
            Ok(DAY * u32::try_from(number(row, in_file)?).unwrap_or(u32::MAX))
        };
        let writes = WriteLimits {
            per_minute: small(&WRITES_PER_MINUTE, file.writes_per_minute)?,
            per_hour: small(&WRITES_PER_HOUR, file.writes_per_hour)?,
            at_once: small(&WRITES_AT_ONCE, file.writes_at_once)?,
        };
        let store = StoreOptions {
            leases: LeaseLimits {
                of_caller: small(&LEASES_PER_CALLER, file.leases_per_caller)?,
                longest: MINUTE * small(&LEASE_MINUTES, file.lease_minutes)?,
            },
            changes: ChangeRetention {
                age: days(&KEEP_CHANGES_DAYS, file.keep_changes_days)?,
                bytes: number(&KEEP_CHANGES_MIB, file.keep_changes_mib)? << 20,
            },
            audit: AuditRetention {
                age: days(&KEEP_AUDIT_DAYS, file.keep_audit_days)?,
                rows: number(&KEEP_AUDIT_ROWS, file.keep_audit_rows)?,
            },
            ..StoreOptions::default()
        };
        let audits_reads = truth(&AUDIT_READS, file.audit_reads)?;
        Ok(Bounds {
            writes,
            store,
            audits_reads,
            query_calls: usize::try_from(number(&QUERY_CALLS, file.query_calls)?)
                .unwrap_or(usize::MAX),
        })
    }

    /// Whether every tool with a schema of its results sends them as structured content too.
    pub(crate) fn structures_results(&self) -> Result<bool, Trouble> {
        truth(&STRUCTURED_RESULTS, self.file.structured_results)
    }

    /// Whether counts are served at `/metrics`.
    pub(crate) fn shows_metrics(&self) -> Result<bool, Trouble> {
        truth(&METRICS, self.file.metrics)
    }

    /// Whether a form alone confirms deletes and large changes.
    pub(crate) fn confirms_by_form(&self) -> Result<bool, Trouble> {
        truth(&CONFIRM_BY_FORM, self.file.confirm_by_form)
    }

    fn number(&self, row: &'static SettingRow, in_file: Option<u64>) -> Result<u64, Trouble> {
        let SettingValueKind::Number(least, most) = row.kind else {
            return Err(Trouble::failed(
                "a setting that is no number was read as one",
            ));
        };
        let written = row.variable.map(variable).transpose()?.flatten();
        let written = written.filter(|text| !text.trim().is_empty());
        let takes = || format!("it takes {}", row.kind.allowed());
        let is_written = written.is_some();
        let written = match written {
            None => None,
            // one that is no number is out of every range
            Some(text) => Some(text.trim().parse().map_err(|_| {
                let name = row.variable.unwrap_or_default();
                Trouble::usage(format!("the variable {name} is {text:?}: {}", takes()))
            })?),
        };
        let decided = Decided::of(row, written, is_written, in_file, &self.file.path);
        match decided {
            Some(decided) => decided.checked(|number: u64| {
                (least..=most)
                    .contains(&number)
                    .then_some(number)
                    .ok_or_else(|| {
                        Trouble::usage(format!("{number} is out of its range: {}", takes()))
                    })
            }),
            None => Ok(row
                .default
                .and_then(|text| text.parse().ok())
                .unwrap_or(most)),
        }
    }
}

/// A setting that is there or not: environment, else file, else not.
fn truth(row: &'static SettingRow, in_file: Option<bool>) -> Result<bool, Trouble> {
    match row.variable.map(variable).transpose()?.flatten() {
        Some(text) => switch(&text).map_err(|why| {
            let name = row.variable.unwrap_or_default();
            Trouble::usage(format!("the variable {name} is {text:?}: {why}"))
        }),
        None => Ok(in_file.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use footbridge_store::StoreOptions;

    use crate::settings::{Settings, SettingsFile};

    fn settings(file: &str) -> Settings {
        Settings::of_file(SettingsFile::parse("settings.yaml", file).unwrap())
    }

    #[test]
    fn what_the_table_says_holds_in_the_store_too() {
        let bounds = settings("{}").bounds().unwrap();
        let (decided, default) = (bounds.store, StoreOptions::default());
        assert_eq!(decided.leases, default.leases);
        assert_eq!(decided.changes, default.changes);
        assert_eq!(decided.audit, default.audit);
        assert_eq!(
            (bounds.writes.per_minute, bounds.audits_reads),
            (3_000, false)
        );
    }

    #[test]
    fn a_number_of_the_file_is_held_to_its_range() {
        let bounds = settings("lease_minutes: 5\nkeep_changes_days: 2\naudit_reads: true\n");
        let bounds = bounds.bounds().unwrap();
        assert_eq!(bounds.store.leases.longest.as_secs(), 300);
        assert_eq!(bounds.store.changes.age.as_secs(), 172_800);
        assert!(bounds.audits_reads);
        assert_eq!(bounds.query_calls, 12);
        assert_eq!(settings("query_calls: 3").bounds().unwrap().query_calls, 3);
        let times = settings("session_idle_minutes: 5").session_times().unwrap();
        assert_eq!(
            (times.idle.as_secs(), times.whole.as_secs()),
            (300, 604_800)
        );
        let why = settings("session_hours: 721").session_times().unwrap_err();
        assert!(why.to_string().contains("from 1 to 720"), "{why}");
        for (text, needle) in [
            (
                "writes_per_minute: 0",
                "writes_per_minute in the settings file",
            ),
            (
                "query_calls: 51",
                "51 is out of its range: it takes a number from 1 to 50",
            ),
            (
                "lease_minutes: 1441",
                "1441 is out of its range: it takes a number from 1 to 1440",
            ),
        ] {
            let why = settings(text).bounds().unwrap_err().to_string();
            assert!(why.contains(needle), "{why}");
        }
    }
}
