//! What a connector asks beside what a document describes: the differences, those of assumed paths
//! first.

use std::fmt;

use http::Method;

use super::{Described, Document, DocumentPath, shown_text};
use crate::operation::{BackendOperation, Sent, nameless};

/// Paths of a document that are looked through for one that is like another.
const MAX_LIKENESSES: usize = 10_000;
/// How alike two paths must be, of 1, for one to be named beside the other.
const LIKE: f64 = 0.9;

/// Something that a connector asks and its backend's document does not describe.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The method and path.
    pub operation: BackendOperation,
    /// What asks it so: all users of the operation, or those whose keys differ.
    pub users: Vec<String>,
    /// How it differs.
    pub differs: Differs,
}

/// How a request differs from the document. `Display` is a sentence without its subject, the
/// document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Differs {
    /// There is no such path; perhaps one like it.
    NoPath {
        /// Method and path of the one that is like it.
        like: Option<String>,
    },
    /// The path is there, and takes these methods.
    OtherMethod(Vec<Method>),
    /// A parameter that a request must have is never sent.
    MissingParameter(String),
    /// A parameter that is sent is none of those there are.
    UnknownParameter(String),
    /// A key that the body must have is never sent.
    MissingKey(String),
    /// A key of the body is none of those there are.
    UnknownKey(String),
}

impl Differs {
    /// Its name for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoPath { .. } => "no_path",
            Self::OtherMethod(_) => "other_method",
            Self::MissingParameter(_) => "missing_parameter",
            Self::UnknownParameter(_) => "unknown_parameter",
            Self::MissingKey(_) => "missing_key",
            Self::UnknownKey(_) => "unknown_key",
        }
    }
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath { like: Some(like) } => write!(f, "has no such path; it has {like}"),
            Self::NoPath { like: None } => f.write_str("has no such path"),
            Self::OtherMethod(methods) if methods.is_empty() => {
                f.write_str("has this path with no method")
            }
            Self::OtherMethod(methods) => {
                let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
                write!(f, "has this path with {} alone", methods.join(", "))
            }
            Self::MissingParameter(name) => {
                write!(f, "requires the parameter {name}, which is not sent")
            }
            Self::UnknownParameter(name) => write!(f, "has no parameter {name}, which is sent"),
            Self::MissingKey(name) => {
                write!(f, "requires the key {name} in the body, which is not sent")
            }
            Self::UnknownKey(name) => write!(f, "has no key {name} in the body, which is sent"),
        }
    }
}

impl Document {
    /// Compares every operation of a connector whose base has this path, such as `/api/v1`.
    pub(crate) fn differences(
        &self,
        operations: &[BackendOperation],
        base_path: &str,
    ) -> Vec<Difference> {
        let base_path = base_path.trim_end_matches('/');
        let mut found: Vec<Difference> = operations
            .iter()
            .flat_map(|operation| self.of_one(operation, base_path))
            .collect();
        found.sort_by_key(|difference| !difference.operation.is_assumed);
        found
    }

    fn of_one(&self, operation: &BackendOperation, base_path: &str) -> Vec<Difference> {
        let all = |differs| {
            let users = operation.users().into_iter().map(str::to_owned).collect();
            vec![Difference {
                operation: operation.clone(),
                users,
                differs,
            }]
        };
        let paths = self.paths_of(operation, base_path);
        if paths.is_empty() {
            return all(Differs::NoPath {
                like: self.like(operation, base_path),
            });
        }
        let described = || paths.iter().flat_map(|path| &path.operations);
        let Some(with_method) = described().find(|described| described.method == operation.method)
        else {
            return all(Differs::OtherMethod(
                described()
                    .map(|described| described.method.clone())
                    .collect(),
            ));
        };
        let mut found: Vec<Difference> = Vec::new();
        for request in &operation.requests {
            for differs in keys(request, with_method) {
                match found.iter_mut().find(|known| known.differs == differs) {
                    Some(known) if known.users.contains(&request.by) => {}
                    Some(known) => known.users.push(request.by.clone()),
                    None => found.push(Difference {
                        operation: operation.clone(),
                        users: vec![request.by.clone()],
                        differs,
                    }),
                }
            }
        }
        found
    }

    /// The paths of the document that a request for this one reaches.
    fn paths_of(&self, operation: &BackendOperation, base_path: &str) -> Vec<&DocumentPath> {
        // behind a proxy, a document may not know what stands before its paths
        let mut written = vec![format!("{base_path}{}", operation.path)];
        if !self.knows_its_address && !base_path.is_empty() {
            written.push(operation.path.clone());
        }
        let at = |places: &Vec<usize>| places.iter().filter_map(|at| self.paths.get(*at)).collect();
        if let Some(paths) = written
            .iter()
            .find_map(|path| self.by_form.get(&nameless(path)).map(at))
        {
            return paths;
        }
        // what a step computes may be a word, which a document writes out
        if !has_computed_words(&operation.path) {
            return Vec::new();
        }
        let fits = |form: &String| written.iter().any(|path| is_covered(path, form));
        self.paths
            .iter()
            .filter(|path| path.forms.iter().any(fits))
            .collect()
    }

    /// A path that was probably meant: the same under something else, or the one that reads most
    /// alike.
    fn like(&self, operation: &BackendOperation, base_path: &str) -> Option<String> {
        let wanted = nameless(&operation.path);
        let bare = wanted.trim_end_matches('/');
        let is_under_another = |path: &&DocumentPath| {
            // every path begins with a slash, so that a suffix begins with a segment
            path.forms
                .iter()
                .any(|form| !bare.is_empty() && form.trim_end_matches('/').ends_with(bare))
        };
        let shortest = self
            .paths
            .iter()
            .filter(is_under_another)
            .min_by_key(|path| path.shown.len());
        let path = shortest.or_else(|| {
            // what stands before every path makes none more alike
            let below_base =
                |form: &String| form.strip_prefix(base_path).unwrap_or(form).to_owned();
            let likeness = |path: &DocumentPath| {
                path.forms
                    .iter()
                    .map(|form| strsim::jaro_winkler(&below_base(form), &wanted))
                    .fold(0.0, f64::max)
            };
            let alike = self
                .paths
                .iter()
                .take(MAX_LIKENESSES)
                .map(|path| (likeness(path), path));
            let (likeness, path) = alike.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
            (likeness > LIKE).then_some(path)
        })?;
        let methods: Vec<&str> = path
            .operations
            .iter()
            .map(|described| described.method.as_str())
            .collect();
        Some(
            format!("{} {}", methods.join(", "), path.shown)
                .trim_start()
                .to_owned(),
        )
    }
}

fn keys(request: &Sent, described: &Described) -> Vec<Differs> {
    let mut found = Vec::new();
    if let Some(sent) = &request.query {
        let missing = described
            .query
            .required
            .difference(sent)
            .map(|key| Differs::MissingParameter(shown_text(key)));
        found.extend(missing);
        let known = described.query.known.iter();
        found.extend(
            known
                .flat_map(|known| sent.difference(known))
                .map(|key| Differs::UnknownParameter(key.clone())),
        );
    }
    if let Some(sent) = &request.body {
        found.extend(
            described
                .body
                .required
                .difference(sent)
                .map(|key| Differs::MissingKey(shown_text(key))),
        );
        let known = described.body.known.iter();
        found.extend(
            known
                .flat_map(|known| sent.difference(known))
                .map(|key| Differs::UnknownKey(key.clone())),
        );
    }
    found
}

/// True when some segment is partly a name, such as `report.{steps.ext}`, or the value of a step.
fn has_computed_words(path: &str) -> bool {
    path.split('/').any(is_computed)
}

fn is_computed(segment: &str) -> bool {
    let is_whole =
        segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1;
    segment.contains('{') && (!is_whole || segment.starts_with("{steps."))
}

/// True when the path reaches the form, with words for what is computed.
fn is_covered(path: &str, form: &str) -> bool {
    let (mut ours, mut theirs) = (path.split('/'), form.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(ours), Some(theirs)) if nameless(ours) == theirs => {}
            (Some(ours), Some(theirs))
                if is_computed(ours) && !theirs.contains('{') && fills(ours, theirs) => {}
            _ => return false,
        }
    }
}

/// True when a word begins and ends as the segment does around its names.
fn fills(segment: &str, word: &str) -> bool {
    let head = segment.split('{').next().unwrap_or_default();
    let tail = segment.rsplit('}').next().unwrap_or_default();
    word.len() > head.len() + tail.len() && word.starts_with(head) && word.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
    use serde_json::{Map, Value, json};

    use super::super::Document;
    use super::is_covered;
    use crate::operation::{BackendOperation, Sent};

    fn operation(path: &str) -> BackendOperation {
        let sent = Sent {
            by: "x".into(),
            query: Some(["a".into()].into()),
            body: Some([].into()),
        };
        BackendOperation {
            method: Method::GET,
            path: path.into(),
            is_assumed: false,
            requests: vec![sent],
        }
    }

    #[test]
    fn a_word_takes_the_place_of_what_is_computed_and_of_nothing_else() {
        for (path, form) in [
            ("/a/report.{steps.ext}", "/a/report.md"),
            ("/a/{steps.kind}/b", "/a/stories/b"),
            ("/a/{id}/x-{steps.n}-y", "/a/{}/x-1-y"),
        ] {
            assert!(is_covered(path, form), "{path} {form}");
        }
        for (path, form) in [
            ("/a/{id}", "/a/stories"),
            ("/a/report.{steps.ext}", "/a/report."),
            ("/a/report.{steps.ext}", "/a/reports"),
            ("/a/report.{steps.ext}", "/a/report.md/b"),
            ("/a/{steps.kind}", "/a/{}-{}"),
            ("/a/compare", "/a/{}"),
        ] {
            assert!(!is_covered(path, form), "{path} {form}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_document_of_any_paths_is_compared(
            paths in proptest::collection::vec("(/?[a-z.{}]{0,5}){0,4}", 0..6),
            servers in proptest::collection::vec(any::<String>(), 0..3),
            asked in "/[a-z{}./]{0,12}",
            base in "(/[a-z]{1,3}){0,2}/?",
        ) {
            let described: Map<String, Value> = paths.iter().map(|path| (path.clone(), json!({"get": {}}))).collect();
            let servers: Vec<_> = servers.iter().map(|url| json!({"url": url})).collect();
            let text = json!({"openapi": "3.1.0", "paths": described, "servers": servers}).to_string();
            let document = Document::read(&text).unwrap();
            let found = document.differences(&[operation(&asked)], &base);
            prop_assert!(found.len() <= 1 && found.iter().all(|one| !one.differs.to_string().is_empty()));
        }

        #[test]
        fn any_text_is_a_document_or_a_reason(text in any::<String>()) {
            prop_assert!(Document::read(&text).is_ok_and(|one| one.paths.is_empty()) || !Document::read(&text).unwrap_err().is_empty());
        }
    }
}
