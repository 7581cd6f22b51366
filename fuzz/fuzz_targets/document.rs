//! Any text as a backend's OpenAPI document, JSON or YAML: it is compared with what a connector
//! asks, or it is said why it is none; in sentences of bounded length without control characters,
//! and no difference twice.
#![no_main]

use std::cell::LazyCell;

use bytes::Bytes;
use footbridge_connector::{Backend, BoxFuture, Limits, Unanswered, Upstream};
use http::{Request, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

const FILE: &str = r#"
format: 1
connector: fuzz
title: Fuzz
instructions: None.
upstream: { base: "http://localhost/api", openapi: [/document] }
tools:
  - { name: things, title: T, description: D, effect: read, steps: [{ get: /things, query: { size: "1" } }] }
  - { name: thing, title: T, description: D, effect: read, input: { id: { type: string, description: D, required: true } }, steps: [{ get: "/things/{id}" }] }
  - { name: make, title: T, description: D, effect: write, no_undo: None., steps: [{ post: /things, assumed: true, body: { name: '"x"' } }] }
"#;

/// Characters that a sentence may have: two texts of the document at most, and ours.
const LONGEST: usize = 2_000;

fuzz_target!(|text: &str| {
    let text = Bytes::copy_from_slice(text.as_bytes());
    let found = CHECKED.with(|checked| {
        let backend = checked.backend.clone();
        checked.document.replace(text);
        checked.runtime.block_on(backend.check_paths())
    });
    let document = found
        .document
        .iter()
        .flat_map(|one| one.title.iter().chain(&one.version).cloned());
    let differences = found.differences.iter().map(|one| one.differs.to_string());
    let missed = found.missed.iter().map(|(_, why)| why.clone());
    for sentence in document.chain(differences).chain(missed) {
        assert!(
            sentence.chars().count() <= LONGEST && !sentence.chars().any(char::is_control),
            "{sentence:?}"
        );
    }
    assert_eq!(
        found.document.is_none(),
        found.missed.len() == 1,
        "one or the other: {found:?}"
    );
    for (at, one) in found.differences.iter().enumerate() {
        assert!(
            !found
                .differences
                .iter()
                .skip(at + 1)
                .any(|other| other == one),
            "twice: {one:?}"
        );
    }
});

struct Checked {
    runtime: Runtime,
    backend: Backend,
    document: Document,
}

thread_local! {
    static CHECKED: LazyCell<Checked> = LazyCell::new(|| {
        let connector = footbridge_connector::compile("fuzz.yaml", FILE).expect("a connector");
        let settings = connector.settings(&|_| None).expect("no settings");
        let document = Document::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Checked { runtime, backend: connector.connect(settings, document.clone()), document }
    });
}

/// A backend that has one document and nothing else.
#[derive(Clone, Default)]
struct Document(std::sync::Arc<std::sync::Mutex<Bytes>>);

impl Document {
    fn replace(&self, text: Bytes) {
        *self.0.lock().expect("nobody panics with it") = text;
    }
}

impl Upstream for Document {
    fn send(
        &self,
        request: Request<Bytes>,
        _: Limits,
    ) -> BoxFuture<'_, Result<Response<Bytes>, Unanswered>> {
        let is_document = request.uri().path() == "/api/document";
        let mut response = Response::new(if is_document {
            self.0.lock().expect("a document").clone()
        } else {
            Bytes::new()
        });
        *response.status_mut() = if is_document {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        Box::pin(async move { Ok(response) })
    }
}
