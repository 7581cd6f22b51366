//! Counts of requests for whoever watches the program: how many, how they ended, how long they took
//! and how many are under way, as the text that Prometheus reads. Knows no door.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use footbridge_mcp::{EndpointBuilder, EndpointRequest, Next, OutcomeKind};

use crate::build;
use crate::caller::Caller;

/// The upper bounds of the durations that are told apart, in seconds.
const BOUNDS: [f64; 8] = [0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];
/// Kinds of requests that are told apart; a client cannot make more.
const MAX_KINDS: usize = 1_000;
/// The method of calls.
const CALL: &str = "tools/call";
/// What stands for a name that nobody serves.
const OTHER: &str = "other";

/// The counts. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    under_way: AtomicU64,
    ended: Mutex<BTreeMap<RequestKind, EndedRequests>>,
}

/// What requests are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RequestKind {
    method: String,
    /// Empty for what is no call.
    tool: String,
}

#[derive(Debug, Default)]
struct EndedRequests {
    outcomes: BTreeMap<&'static str, u64>,
    /// How many took no longer than each bound, and longer than the one before.
    within: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// The same endpoint, counted.
    pub(crate) fn around(&self, endpoint: EndpointBuilder<Caller>) -> EndpointBuilder<Caller> {
        let metrics = self.clone();
        endpoint.layer(move |request: EndpointRequest<Caller>, next: Next| {
            let under_way = metrics.begin(&request);
            async move {
                let outcome = next.run().await;
                under_way.ended(outcome.kind());
                Ok(outcome)
            }
        })
    }

    fn begin(&self, request: &EndpointRequest<Caller>) -> CountedRequest {
        let method = request.method();
        let tool = request.name().filter(|_| method == CALL);
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        CountedRequest {
            metrics: self.clone(),
            kind: RequestKind {
                method: method.to_owned(),
                tool: tool.unwrap_or_default().to_owned(),
            },
            began: Instant::now(),
            outcome: "cancelled",
        }
    }

    fn count(&self, kind: RequestKind, outcome: &'static str, seconds: f64) {
        let mut ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = ended.len() >= MAX_KINDS && !ended.contains_key(&kind);
        let kind = match is_full {
            true => RequestKind {
                method: OTHER.to_owned(),
                tool: String::new(),
            },
            false => kind,
        };
        let ended = ended.entry(kind).or_default();
        *ended.outcomes.entry(outcome).or_default() += 1;
        ended.count += 1;
        ended.seconds += seconds;
        let bound = BOUNDS.iter().position(|bound| seconds <= *bound);
        if let Some(count) = bound.and_then(|bound| ended.within.get_mut(bound)) {
            *count += 1;
        }
    }

    /// All of it, with the refusals that the audit knows of.
    pub(crate) fn text(&self, refusals: &BTreeMap<String, u64>) -> String {
        let mut text = MetricsText::default();
        text.family("footbridge_build_info", "gauge", "The running program.");
        let commit = build::COMMIT.unwrap_or_default();
        text.sample(
            "footbridge_build_info",
            &[("version", build::VERSION), ("commit", commit)],
            1,
        );
        text.family(
            "footbridge_requests_under_way",
            "gauge",
            "Requests of clients and calls of programs that have not ended.",
        );
        let under_way = self.0.under_way.load(Ordering::Relaxed);
        text.sample("footbridge_requests_under_way", &[], under_way);
        let ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        text.family(
            "footbridge_requests_total",
            "counter",
            "Requests of clients and calls of programs, by how they ended.",
        );
        for (kind, ended) in ended.iter() {
            for (outcome, count) in &ended.outcomes {
                let [method, tool] = kind.labels();
                let labels = [method, tool, ("outcome", *outcome)];
                text.sample("footbridge_requests_total", &labels, count);
            }
        }
        text.family(
            "footbridge_request_duration_seconds",
            "histogram",
            "How long they took.",
        );
        for (kind, ended) in ended.iter() {
            text.histogram(kind.labels(), ended);
        }
        text.family(
            "footbridge_refusals_total",
            "counter",
            "Calls and logins that were refused, by what refused them.",
        );
        for (by, count) in refusals {
            text.sample("footbridge_refusals_total", &[("by", by)], count);
        }
        text.0
    }
}

impl RequestKind {
    fn labels(&self) -> [(&'static str, &str); 2] {
        [("method", &self.method), ("tool", &self.tool)]
    }
}

/// A request under way. One that is dropped was cancelled.
struct CountedRequest {
    metrics: Metrics,
    kind: RequestKind,
    began: Instant,
    outcome: &'static str,
}

impl CountedRequest {
    fn ended(mut self, outcome: OutcomeKind) {
        self.outcome = match outcome {
            OutcomeKind::Answered => "answered",
            OutcomeKind::ToolFailed(_) => "failed",
            OutcomeKind::Refused(_) => "refused",
            OutcomeKind::InputRequired => "asked",
            OutcomeKind::BecameTask => "task",
            _ => OTHER,
        };
        if matches!(outcome, OutcomeKind::Refused(_)) {
            // what nobody serves has any name that a client likes
            self.kind.tool.clear();
            if self.kind.method != CALL {
                OTHER.clone_into(&mut self.kind.method);
            }
        }
    }
}

impl Drop for CountedRequest {
    fn drop(&mut self) {
        self.metrics.0.under_way.fetch_sub(1, Ordering::Relaxed);
        let kind = RequestKind {
            method: std::mem::take(&mut self.kind.method),
            tool: std::mem::take(&mut self.kind.tool),
        };
        let seconds = self.began.elapsed().as_secs_f64();
        self.metrics.count(kind, self.outcome, seconds);
    }
}

/// The text, line by line.
#[derive(Default)]
struct MetricsText(String);

impl MetricsText {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // a text takes everything
        let _written = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (number, (label, of)) in labels.iter().enumerate() {
            let before = if number == 0 { '{' } else { ',' };
            let _written = write!(self.0, "{before}{label}=\"{}\"", escaped(of));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _written = writeln!(self.0, " {value}");
    }

    fn histogram(&mut self, [method, tool]: [(&str, &str); 2], ended: &EndedRequests) {
        let mut so_far = 0;
        for (bound, within) in BOUNDS.iter().zip(ended.within) {
            so_far += within;
            let bound = bound.to_string();
            let labels = [method, tool, ("le", bound.as_str())];
            self.sample(
                "footbridge_request_duration_seconds_bucket",
                &labels,
                so_far,
            );
        }
        let labels = [method, tool, ("le", "+Inf")];
        self.sample(
            "footbridge_request_duration_seconds_bucket",
            &labels,
            ended.count,
        );
        let labels = [method, tool];
        self.sample(
            "footbridge_request_duration_seconds_sum",
            &labels,
            ended.seconds,
        );
        self.sample(
            "footbridge_request_duration_seconds_count",
            &labels,
            ended.count,
        );
    }
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{MAX_KINDS, Metrics, RequestKind};

    fn kind(tool: &str) -> RequestKind {
        RequestKind {
            method: "tools/call".to_owned(),
            tool: tool.to_owned(),
        }
    }

    #[test]
    fn counts_are_lines_and_bounds_add_up() {
        let metrics = Metrics::default();
        metrics.count(kind("a\"b\\c\nd"), "answered", 0.02);
        metrics.count(kind("a\"b\\c\nd"), "failed", 99.0);
        let refusals = [("gate".to_owned(), 3)].into();
        let text = metrics.text(&refusals);
        let labels = r#"method="tools/call",tool="a\"b\\c\nd""#;
        for line in [
            format!("footbridge_requests_total{{{labels},outcome=\"answered\"}} 1"),
            format!("footbridge_request_duration_seconds_bucket{{{labels},le=\"0.005\"}} 0"),
            format!("footbridge_request_duration_seconds_bucket{{{labels},le=\"60\"}} 1"),
            format!("footbridge_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 2"),
            format!("footbridge_request_duration_seconds_count{{{labels}}} 2"),
            "footbridge_requests_under_way 0".to_owned(),
            "footbridge_refusals_total{by=\"gate\"} 3".to_owned(),
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }

    #[test]
    fn names_that_clients_make_up_take_no_more_room() {
        let metrics = Metrics::default();
        for number in 0..2 * MAX_KINDS {
            metrics.count(kind(&number.to_string()), "failed", 0.0);
        }
        let text = metrics.text(&Default::default());
        let counted = text.lines().filter(|line| line.contains("_count{")).count();
        assert_eq!(counted, MAX_KINDS + 1);
    }
}
