//! `footbridge doctor`: the check whether backends can be served as their connectors describe them.
//! Asks what serving asks first, then compares the paths with the backend's OpenAPI document. Only
//! reads.

mod client;
mod findings;

use footbridge_connector::{AskedPath, Difference, PathCheck, PreflightFailure};
use serde_json::{Value, json};

use crate::cli::DoctorArguments;
use crate::connectors;
use crate::exit::{Exit, Trouble};
use crate::opened::{Opened, Served};
use crate::settings::Settings;
use crate::terminal;
use client::ExaminedClient;
use findings::Finding;

/// The exit code when nothing is wrong, but assumed paths were compared with nothing.
const NOT_COMPARED: u8 = 3;

pub(crate) async fn run(arguments: DoctorArguments) -> Result<Exit, Trouble> {
    let client = match &arguments.client {
        Some(name) => {
            Some(ExaminedClient::of(name, arguments.options.roots.ca_file.as_deref()).await?)
        }
        None => None,
    };
    if let Some(client) = &client {
        if !arguments.json {
            terminal::print(client.lines().join("\n"))?;
        } else if arguments.connectors.is_empty() {
            terminal::print(format_args!("{:#}", client.as_json()))?;
        }
        if arguments.connectors.is_empty() {
            return Ok(client.exit());
        }
    }
    let settings = Settings::new(arguments.options)?;
    let opened = Opened::open(&arguments.connectors, &settings).await?;
    let is_local = |served: &Served| opened.local.is_some() && served.name == connectors::DEFAULT;
    let mut all_examined = Vec::with_capacity(opened.served.len());
    for served in &opened.served {
        let examined = Examined::of(served, is_local(served), &settings).await;
        if !arguments.json {
            terminal::print(
                examined
                    .lines()
                    .iter()
                    .map(|line| terminal::harmless(line))
                    .collect::<Vec<_>>()
                    .join("\n"),
            )?;
        }
        all_examined.push(examined);
    }
    if arguments.json {
        let backends = Value::Array(all_examined.iter().map(Examined::as_json).collect());
        let shown = match &client {
            Some(client) => json!({ "client": client.as_json(), "backends": backends }),
            None => backends,
        };
        terminal::print(format_args!("{shown:#}"))?;
    }
    let is_client_wrong = client.is_some_and(|client| client.exit() == Exit::Failed);
    let exit = if is_client_wrong || all_examined.iter().any(Examined::is_wrong) {
        Exit::Failed
    } else if all_examined.iter().any(Examined::is_unset) {
        Exit::Usage
    } else if all_examined.iter().any(Examined::is_unknown) {
        Exit::Code(NOT_COMPARED)
    } else {
        Exit::Done
    };
    opened.close().await;
    Ok(exit)
}

/// The outcome of the checks before serving.
enum Checks {
    /// Nothing is set, so nobody was asked.
    NotMade,
    Passed(Vec<String>),
    Failed(PreflightFailure),
}

/// The findings about one backend.
struct Examined<'s> {
    served: &'s Served,
    /// None for the board in this program.
    address: Option<String>,
    checks: Checks,
    /// None when it was not asked: nobody said that the backend is theirs, it does not answer at
    /// all, or it refused the login.
    paths: Option<PathCheck>,
    operations: usize,
    assumed: usize,
    /// What stands around it.
    findings: Vec<Finding>,
}

impl<'s> Examined<'s> {
    async fn of(served: &'s Served, is_local: bool, settings: &Settings) -> Self {
        let backend = &served.backend;
        let mut findings = Vec::new();
        if !is_local {
            findings.extend(findings::of_settings(served, settings));
        }
        let checks = match served.is_unconfigured {
            true => Checks::NotMade,
            false => backend
                .preflight()
                .await
                .map_or_else(Checks::Failed, Checks::Passed),
        };
        let is_asked_on = match &checks {
            Checks::NotMade => false,
            Checks::Passed(_) => true,
            Checks::Failed(failure) => !failure.is_down && !is_refused_login(served, failure),
        };
        if !is_local && !matches!(checks, Checks::NotMade) {
            findings.extend(findings::of_way(served, settings).await);
            findings.extend(findings::of_certificate(served, is_asked_on));
        }
        if !is_local && matches!(checks, Checks::Passed(_)) {
            findings.extend(findings::of_identity(served).await);
        }
        findings.push(findings::of_tools(served));
        let operations = backend.connector().operations();
        Self {
            served,
            findings,
            address: (!is_local).then(|| backend.address()),
            paths: if is_asked_on {
                Some(backend.check_paths().await)
            } else {
                None
            },
            checks,
            operations: operations.len(),
            assumed: operations
                .iter()
                .filter(|operation| operation.is_assumed)
                .count(),
        }
    }

    fn is_wrong(&self) -> bool {
        let differs = |paths: &PathCheck| {
            let refused = |(_, asked): &(String, AskedPath)| matches!(asked, AskedPath::Refused(_));
            !paths.differences.is_empty() || paths.is_down || paths.asked.iter().any(refused)
        };
        let is_wrong = |finding: &Finding| finding.mend.is_some() && finding.about != "login";
        matches!(self.checks, Checks::Failed(_))
            || self.paths.as_ref().is_some_and(differs)
            || self.findings.iter().any(is_wrong)
    }

    fn is_unset(&self) -> bool {
        matches!(self.checks, Checks::NotMade)
    }

    fn is_unknown(&self) -> bool {
        self.assumed > 0
            && self
                .paths
                .as_ref()
                .is_none_or(|paths| paths.document.is_none())
    }

    /// The settings without which nobody is asked.
    fn wanted(&self) -> Vec<&str> {
        let address = self.served.backend.connector().address_settings();
        address
            .chain(self.served.unset_secrets.iter().map(String::as_str))
            .collect()
    }

    fn lines(&self) -> Vec<String> {
        let connector = self.served.backend.connector();
        let address = self.address.as_ref().map_or_else(
            || "in this program".to_owned(),
            |address| format!("at {address}"),
        );
        let mut lines = vec![format!(
            "{}: {} {address}",
            self.served.name,
            connector.title()
        )];
        let mut say = |word: &str, text: String| lines.push(format!("  {word:<9}{text}"));
        for Finding { about, says, mend } in &self.findings {
            say(about, says.clone());
            if let Some(mend) = mend {
                say("", format!("mend: {mend}"));
            }
        }
        if !self.served.unset_secrets.is_empty() {
            say("not set", self.served.unset_secrets.join(", "));
        }
        match &self.checks {
            Checks::NotMade => say(
                "checks",
                format!(
                    "not made, and nobody was asked: set {} first",
                    self.wanted().join(", ")
                ),
            ),
            Checks::Failed(failure) => {
                say("checks", format!("failed: {}", failure.error.for_people()));
                if is_refused_login(self.served, failure) {
                    say(
                        "paths",
                        "not asked: each request would log in again, and a refused login counts against the account".to_owned(),
                    );
                }
            }
            Checks::Passed(_) if !connector.has_preflight() => {
                say("checks", "the connector has none".to_owned())
            }
            Checks::Passed(warnings) => {
                say("checks", "passed".to_owned());
                warnings
                    .iter()
                    .for_each(|warning| say("warning", warning.clone()));
            }
        }
        let Some(paths) = &self.paths else {
            return lines;
        };
        match &paths.document {
            Some(document) => {
                let title = document
                    .title
                    .iter()
                    .chain(&document.version)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" ");
                let of = if title.is_empty() {
                    String::new()
                } else {
                    format!(" of {title}")
                };
                say("document", format!("{}{of}", document.path));
                let differing = self.differing().len();
                let agreeing = self.operations.saturating_sub(differing);
                say(
                    "paths",
                    format!(
                        "{agreeing} of {} are as the document has them",
                        self.operations
                    ),
                );
            }
            None if paths.is_down => {
                for (path, what) in &paths.missed {
                    say("document", format!("{path}: {what}"));
                }
            }
            None => {
                say(
                    "document",
                    "none is served: paths were not compared with one".to_owned(),
                );
                for (path, what) in &paths.missed {
                    say("", format!("{path}: {what}"));
                }
                say(
                    "paths",
                    format!("{} of {} are assumed", self.assumed, self.operations),
                );
            }
        }
        for difference in &paths.differences {
            say(word(difference), sentence(difference));
        }
        for (path, asked_path) in &paths.asked {
            say("assumed", format!("GET {path}: {}", what_came(asked_path)));
        }
        lines
    }

    /// The operations that differ, each once.
    fn differing(&self) -> Vec<(&str, &str)> {
        let mut differing: Vec<(&str, &str)> = Vec::new();
        for difference in self.paths.iter().flat_map(|paths| &paths.differences) {
            let operation = (
                difference.operation.method.as_str(),
                difference.operation.path.as_str(),
            );
            if !differing.contains(&operation) {
                differing.push(operation);
            }
        }
        differing
    }

    fn as_json(&self) -> Value {
        let connector = self.served.backend.connector();
        let checks = match &self.checks {
            Checks::NotMade => {
                json!({ "passed": false, "error": format!("not made: set {} first", self.wanted().join(", ")) })
            }
            Checks::Passed(warnings) => json!({ "passed": true, "warnings": warnings }),
            Checks::Failed(failure) => {
                json!({ "passed": false, "error": failure.error.for_people(), "is_down": failure.is_down })
            }
        };
        let mut report = json!({
            "connector": self.served.name, "title": connector.title(), "address": self.address,
            "unset_secrets": self.served.unset_secrets, "checks": checks, "operations": self.operations, "assumed": self.assumed,
            "findings": self.findings.iter().map(Finding::as_json).collect::<Vec<_>>()
        });
        if let (Some(paths), Some(entries)) = (&self.paths, report.as_object_mut()) {
            let document = paths.document.as_ref().map(|document| {
                json!({ "path": document.path, "title": document.title, "version": document.version })
            });
            let missed = paths
                .missed
                .iter()
                .map(|(path, what)| json!({ "path": path, "found": what }));
            let asked_paths = paths.asked.iter().map(|(path, asked_path)| {
                let outcome = match asked_path {
                    AskedPath::Answered => "answered",
                    AskedPath::Refused(_) => "refused",
                    AskedPath::Unclear(_) => "unclear",
                };
                json!({ "path": path, "outcome": outcome, "says": what_came(asked_path) })
            });
            entries.insert("document".to_owned(), document.unwrap_or_default());
            entries.insert("missed".to_owned(), missed.collect());
            entries.insert(
                "differences".to_owned(),
                paths.differences.iter().map(as_json).collect(),
            );
            entries.insert("asked".to_owned(), asked_paths.collect());
        }
        report
    }
}

/// The backend refused the account itself: asking on would log in again for each path.
fn is_refused_login(served: &Served, failure: &PreflightFailure) -> bool {
    let is_refusal = failure
        .error
        .status()
        .is_some_and(|status| (400..500).contains(&status));
    is_refusal && !failure.is_down && served.backend.logs_in()
}

fn word(difference: &Difference) -> &'static str {
    if difference.operation.is_assumed {
        "assumed"
    } else {
        "differs"
    }
}

fn sentence(difference: &Difference) -> String {
    let Difference {
        operation,
        users,
        differs,
    } = difference;
    format!(
        "{} {}: the document {differs} ({})",
        operation.method,
        operation.path,
        users.join(", ")
    )
}

fn as_json(difference: &Difference) -> Value {
    let Difference {
        operation,
        users,
        differs,
    } = difference;
    json!({
        "method": operation.method.as_str(), "path": operation.path, "assumed": operation.is_assumed,
        "kind": differs.kind(), "says": format!("the document {differs}"), "used_by": users
    })
}

fn what_came(asked_path: &AskedPath) -> String {
    match asked_path {
        AskedPath::Answered => "the backend answers".to_owned(),
        AskedPath::Refused(status) => format!("the backend has nothing there (status {status})"),
        AskedPath::Unclear(why) => format!("unclear: {why}"),
    }
}
