//! What is asked before a backend is served: paths, exit codes, patience, the oldest version.

use std::time::Duration;

use super::compilation::Compilation;
use super::scope::FilterScope;
use super::tools::steps;
use crate::connector::{CheckPlan, Oldest, Request};
use crate::definition::{Answer, AtLeast, Kind};
use crate::place::Placed;
use crate::version::Version;

/// Checks that a file may have.
const MAX_CHECKS: usize = 10;
/// Time for which one check may be tried again.
const MAX_PATIENCE: Duration = Duration::from_secs(5 * 60);
/// Exit codes that a file may give; those above are the shell's.
const EXITS: std::ops::RangeInclusive<u8> = 1..=125;

impl<'d> Compilation<'d> {
    pub(super) fn preflight(&mut self) -> Vec<CheckPlan> {
        let written = &self.definition.upstream.preflight;
        if let Some(one) = written.get(MAX_CHECKS) {
            self.found.add(
                one.get.place,
                "upstream.preflight",
                format!("has {} checks; at most {MAX_CHECKS}", written.len()),
            );
        }
        let scope = FilterScope::new(self.definition, &[]);
        let mut checks = Vec::new();
        for (index, check) in written.iter().enumerate() {
            let part = format!("upstream.preflight[{index}]");
            let path = self.path(&check.get, &part, &scope);
            let query = self.query(&check.query, &part, &scope);
            for (key, exit) in [("exit", &check.exit), ("exit_down", &check.exit_down)] {
                self.check_exit(key, exit.as_ref(), &part);
            }
            let patience = check
                .patience
                .as_ref()
                .filter(|patience| patience.value != "0s");
            let patience = self.duration(
                patience,
                Duration::ZERO,
                MAX_PATIENCE,
                &format!("{part}.patience"),
            );
            let oldest = check
                .at_least
                .as_ref()
                .and_then(|least| self.oldest_version(least, &part, &scope));
            if let Some(warning) = &check.warning
                && (check.exit.is_some()
                    || check.exit_down.is_some()
                    || check.patience.is_some()
                    || check.at_least.is_some()
                    || check.may_be_down)
            {
                self.found.add(
                warning.place,
                part.clone(),
                "a check with `warning` ends nothing: it has no `exit`, `exit_down`, `patience`, `may_be_down` and `at_least`",
            );
            }
            if let Some(least) = &check.at_least
                && check.answer != Answer::Json
            {
                self.found.add(
                    least.is.place,
                    part.clone(),
                    "`at_least` looks into JSON: it stands beside no other `answer`",
                );
            }
            if let Some(with) = check
                .with
                .as_ref()
                .filter(|with| self.definition.settings.get(&with.value).is_none())
            {
                self.found.add(
                    with.place,
                    part.clone(),
                    format!("there is no setting `{}`", with.value),
                );
            }
            let Some(path) = path else { continue };
            let exit = check.exit.as_ref().map_or(1, |exit| exit.value);
            checks.push(CheckPlan {
                request: Request {
                    query,
                    open: check.open,
                    answer: check.answer,
                    ..steps::get(path)
                },
                with: check.with.as_ref().map(|with| with.value.clone()),
                may_be_down: check.may_be_down,
                ends_start: check.exit.is_some(),
                exit,
                exit_down: check.exit_down.as_ref().map_or(exit, |exit| exit.value),
                patience,
                oldest,
                warning: check.warning.as_ref().map(|warning| warning.value.clone()),
            });
        }
        checks
    }

    /// The exit code of missing and wrong settings.
    pub(super) fn exit_unset(&mut self) -> Option<u8> {
        let exit = self.definition.upstream.exit_unset.as_ref();
        self.check_exit("exit_unset", exit, "upstream");
        exit.map(|exit| exit.value)
    }

    fn check_exit(&mut self, key: &str, exit: Option<&Placed<u8>>, part: &str) {
        if let Some(exit) = exit.filter(|exit| !EXITS.contains(&exit.value)) {
            let what = format!(
                "`{key}` must be {} to {}, is {}",
                EXITS.start(),
                EXITS.end(),
                exit.value
            );
            self.found.add(exit.place, part, what);
        }
    }

    fn oldest_version(
        &mut self,
        written: &'d AtLeast,
        part: &str,
        scope: &FilterScope<'d>,
    ) -> Option<Oldest> {
        let part = format!("{part}.at_least");
        let of = self.filter(&written.version, &format!("{part}.version"), scope);
        let least = Version::parse(&written.is.value);
        if least.is_none() {
            self.found.add_with_hint(
                written.is.place,
                part,
                format!("`{}` is not a version", written.is.value),
                "write it like `1.9.0`",
            );
        }
        Some(Oldest {
            of,
            version: least?,
            written: written.is.value.clone(),
        })
    }

    /// Each kind once.
    pub(super) fn kinds(&mut self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for kind in &self.definition.upstream.kinds {
            if kinds.contains(&kind.value) {
                self.found
                    .add(kind.place, "upstream.kinds", "names a kind twice");
            }
            kinds.push(kind.value);
        }
        kinds
    }
}
