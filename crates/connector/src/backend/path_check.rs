//! How the paths of a connector fit its backend: its OpenAPI document is fetched and compared;
//! where there is none, the assumed paths that need no value are asked. Only reads.

use std::sync::Arc;

use http::Method;

use super::exchange::{self, Ask};
use super::sentence;
use super::{Inner, charset};
use crate::document::{Difference, Document};
use crate::failure::{BackendError, Fault};

/// Assumed paths that are asked where there is no document.
const MAX_ASKED: usize = 20;

/// How the paths of a connector fit its backend.
#[derive(Debug, Clone)]
pub struct PathCheck {
    /// Where a document was looked for and was not, with what was there instead; in their order.
    pub missed: Vec<(String, String)>,
    /// The document that the paths were compared with.
    pub document: Option<FoundDocument>,
    /// What the document does not describe so; those of assumed paths first.
    pub differences: Vec<Difference>,
    /// The backend did not answer, so that nothing more was asked.
    pub is_down: bool,
    /// Without a document: the assumed paths that could be asked, and what came of it.
    pub asked: Vec<(String, AskedPath)>,
}

/// An OpenAPI document and where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDocument {
    /// Path under the base.
    pub path: String,
    /// Its title.
    pub title: Option<String>,
    /// The version of the API that it describes.
    pub version: Option<String>,
}

/// What came of asking an assumed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedPath {
    /// There is something at this path.
    Answered,
    /// There is nothing at this path, or not for this method; the status.
    Refused(u16),
    /// The answer does not say it: a sentence.
    Unclear(String),
}

pub(super) async fn run(inner: &Arc<Inner>) -> PathCheck {
    let compiled = inner.compiled();
    let mut missed = Vec::new();
    for path in &compiled.document_paths {
        let ask = Ask {
            is_whole: true,
            ..Ask::get(path.clone())
        };
        let why = match exchange::send(inner, ask).await {
            // a document that says our credential is shown to nobody with it
            Ok(answer) => match charset::text(&answer.headers, &answer.body)
                .and_then(|text: String| Document::read(&inner.secrets.hide_in_sentence(&text)))
            {
                Ok(document) => {
                    let differences =
                        document.differences(&compiled.operations, inner.settings.base.path());
                    let found = FoundDocument {
                        path: path.clone(),
                        title: document.title,
                        version: document.version,
                    };
                    return PathCheck {
                        missed,
                        document: Some(found),
                        differences,
                        is_down: false,
                        asked: Vec::new(),
                    };
                }
                Err(_) if sentence::is_web_page(&answer.body) => "a web page".to_owned(),
                Err(why) => why,
            },
            Err(error) => {
                // a backend that does not answer is not asked again and again
                let is_down = error.status().is_none()
                    && error.fault() == Fault::Backend
                    && error.retry_is_safe();
                missed.push((path.clone(), refusal_words(&error)));
                if is_down {
                    return PathCheck {
                        missed,
                        document: None,
                        differences: Vec::new(),
                        is_down,
                        asked: Vec::new(),
                    };
                }
                continue;
            }
        };
        missed.push((path.clone(), why));
    }
    let mut asked = Vec::new();
    let open = compiled.operations.iter().filter(|operation| {
        operation.is_assumed && operation.method == Method::GET && !operation.path.contains('{')
    });
    for operation in open.take(MAX_ASKED) {
        let ask = Ask {
            takes_any: true,
            is_whole: true,
            ..Ask::get(operation.path.clone())
        };
        let outcome = match exchange::send(inner, ask).await {
            Ok(_) => AskedPath::Answered,
            Err(error) => match error.status() {
                Some(400 | 422) => AskedPath::Answered,
                Some(status @ (404 | 405 | 410 | 501)) => AskedPath::Refused(status),
                _ => AskedPath::Unclear(refusal_words(&error)),
            },
        };
        asked.push((operation.path.clone(), outcome));
    }
    PathCheck {
        missed,
        document: None,
        differences: Vec::new(),
        is_down: false,
        asked,
    }
}

/// A refusal by its status, which is what matters here; anything else in its words.
fn refusal_words(error: &BackendError) -> String {
    match error.status() {
        Some(status @ 400..) => format!("status {status}"),
        _ => error.for_people().to_owned(),
    }
}
