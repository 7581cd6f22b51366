//! The part of a backend in `search` and `fetch`: the arguments of the calls, and what is made of
//! their results. Calls nothing itself.

use std::sync::Arc;

use jaq_json::Val;
use serde_json::{Map, Value};

use super::tidy::{self, TidyRules};
use super::values::{self, Held, to_json};
use super::{Backend, Inner, MAX_REQUESTS};
use crate::connector::{DocumentKind, SearchPart};
use crate::failure::BackendError;
use crate::fence::Fencing;
use crate::jq::{self, Glue, Variable};
use crate::json::Admitted;

/// Records that one tool may find: those that come first.
const MAX_HITS: usize = 20;
/// Characters of an id.
const MAX_ID: usize = 200;
/// Characters of a title; what is longer is cut.
const MAX_TITLE: usize = 300;
/// Characters of an address.
const MAX_URL: usize = 2_000;
/// Bytes of what else is known of a record; more is left out.
const MAX_METADATA: usize = 8 << 10;

/// A record that was found, without the fence around its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// Its kind, one of those that `fetch` reads.
    pub kind: String,
    /// Its id among those of its kind: letters, digits and `_.~-`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Where a person reads it; empty where there is no such place.
    pub url: String,
}

/// A record that was read whole, without fences around title and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedDocument {
    /// What people call it.
    pub title: String,
    /// All there is to read.
    pub text: String,
    /// Where a person reads it; empty where there is no such place.
    pub url: String,
    /// What else is known of it: a JSON object, fenced as results of this backend are.
    pub metadata: Option<String>,
}

impl Backend {
    /// The arguments for a tool that finds records by words, by its place among those that do.
    ///
    /// # Errors
    /// When there is no such tool, or the file's filter fails.
    pub fn find_arguments(
        &self,
        find: usize,
        words: &str,
    ) -> impl Future<Output = Result<Map<String, Value>, BackendError>> + Send + 'static + use<>
    {
        let (inner, words) = (self.begin(MAX_REQUESTS), words.to_owned());
        async move {
            let found = part(&inner)?.finds.get(find).ok_or_else(nothing)?;
            arguments(&inner, &found.arguments, words).await
        }
    }

    /// What that tool found, of its result as JSON without fences. `base` is where paths go under;
    /// none where there is no such place.
    ///
    /// # Errors
    /// When the file's filter does not fit the result.
    pub fn hits(
        &self,
        (find, words): (usize, &str),
        result: String,
        base: Option<&str>,
    ) -> impl Future<Output = Result<Vec<SearchHit>, BackendError>> + Send + 'static + use<> {
        let (inner, base) = (self.begin(MAX_REQUESTS), base.map(str::to_owned));
        let words = Val::utf8_str(words.to_owned());
        async move {
            let part = part(&inner)?;
            let found = part.finds.get(find).ok_or_else(nothing)?;
            let (input, mut variables) = (received(result)?, inner.variables());
            variables.set(Variable::Value, words);
            let hits =
                values::several(&inner, &found.results, &input, &variables, MAX_HITS).await?;
            let hits = hits
                .iter()
                .filter_map(|hit| hit_of(hit, part, base.as_deref()));
            Ok(hits.collect())
        }
    }

    /// The arguments for the tool that reads a record of this kind.
    ///
    /// # Errors
    /// When there is no such kind, or the file's filter refuses the id.
    pub fn fetch_arguments(
        &self,
        kind: &str,
        id: &str,
    ) -> impl Future<Output = Result<Map<String, Value>, BackendError>> + Send + 'static + use<>
    {
        let (inner, kind, id) = (self.begin(MAX_REQUESTS), kind.to_owned(), id.to_owned());
        async move { arguments(&inner, &document(&inner, &kind)?.arguments, id).await }
    }

    /// The record of the result of that tool, as JSON without fences. `base` is where a path goes
    /// under; `is_plain` as in [`Options`](crate::Options).
    ///
    /// # Errors
    /// When the file's filters do not fit the result.
    pub fn fetched(
        &self,
        kind: &str,
        result: String,
        base: Option<&str>,
        is_plain: bool,
    ) -> impl Future<Output = Result<FetchedDocument, BackendError>> + Send + 'static + use<> {
        let fencing = match is_plain {
            true => Fencing::Nobody,
            false => self.fencing,
        };
        let (inner, kind) = (self.begin(MAX_REQUESTS), kind.to_owned());
        let base = base.map(str::to_owned);
        async move {
            let document = document(&inner, &kind)?;
            let (input, variables) = (received(result)?, inner.variables());
            let filters = [&document.title, &document.text, &document.url];
            let work = filters.into_iter().chain(&document.metadata);
            let work = work.map(|glue| (glue.clone(), input.clone())).collect();
            let mut parts = values::each(&inner, work, &variables).await?.into_iter();
            let mut next = || parts.next().flatten().unwrap_or_default();
            let (title, text, url, metadata) = (next(), next(), next(), next());
            Ok(FetchedDocument {
                title: cut(&text_of(&title)?, MAX_TITLE),
                text: text_of(&text)?,
                url: link(&text_of(&url)?, base.as_deref()),
                metadata: metadata_of(&inner, &metadata, fencing)?,
            })
        }
    }
}

fn nothing() -> BackendError {
    BackendError::caller("This backend takes no part in searches.")
}

fn part(inner: &Inner) -> Result<&SearchPart, BackendError> {
    inner.compiled().search.as_ref().ok_or_else(nothing)
}

fn document<'i>(inner: &'i Inner, kind: &str) -> Result<&'i DocumentKind, BackendError> {
    let found = part(inner)?.document(kind);
    found.ok_or_else(|| BackendError::caller(format!("There are no records of kind {kind:?}.")))
}

async fn arguments(
    inner: &Arc<Inner>,
    filter: &Glue,
    search_text: String,
) -> Result<Map<String, Value>, BackendError> {
    let input = Held::Made(Val::utf8_str(search_text));
    let arguments = values::one(inner, filter, &input, &inner.variables()).await?;
    serde_json::from_str(&to_json(&arguments)?).map_err(|error| {
        BackendError::ours("This search does not make arguments.", error.to_string())
    })
}

fn received(json: String) -> Result<Held, BackendError> {
    let admitted = Admitted::new(json.into());
    admitted
        .map(Held::received)
        .map_err(|why| BackendError::ours("The result could not be read.", why.to_string()))
}

/// A record that was found; none where it is no record that `fetch` could read.
fn hit_of(hit: &Val, part: &SearchPart, base: Option<&str>) -> Option<SearchHit> {
    let of = |key| jq::get(hit, key).and_then(jq::plain_text);
    let (kind, id) = (of("kind")?, of("id")?);
    part.document(&kind).filter(|_| is_id(&id))?;
    Some(SearchHit {
        kind,
        id,
        title: cut(&of("title").unwrap_or_default(), MAX_TITLE),
        url: link(&of("url").unwrap_or_default(), base),
    })
}

/// Whether a text may be the id of a record, among those of its kind.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte);
    !text.is_empty() && text.len() <= MAX_ID && text.bytes().all(plain)
}

/// A text as it is, nothing for null, anything else as JSON.
fn text_of(value: &Val) -> Result<String, BackendError> {
    match (value, jq::text(value)) {
        (Val::Null, _) => Ok(String::new()),
        (_, Some(text)) => Ok(text.into_owned()),
        (_, None) => to_json(value),
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((byte, _)) => format!("{}…", text.get(..byte).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// An address that a browser opens, and in which nothing else can stand; empty for what is none.
fn link(written: &str, base: Option<&str>) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"'`\\^{}|".contains(&byte);
    let address = match (written.starts_with('/'), base) {
        (true, Some(base)) => format!("{}{written}", base.trim_end_matches('/')),
        (true, None) => return String::new(),
        (false, _) => written.to_owned(),
    };
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    match has_host && address.len() <= MAX_URL && address.bytes().all(plain) {
        true => address,
        false => String::new(),
    }
}

/// What else is known, tidied as results are; none for what is no object, or too large.
fn metadata_of(
    inner: &Inner,
    metadata: &Val,
    fencing: Fencing,
) -> Result<Option<String>, BackendError> {
    if !matches!(metadata, Val::Obj(_)) {
        return Ok(None);
    }
    let rules = TidyRules {
        keeps_empty: false,
        ..TidyRules::whole(fencing, Arc::clone(&inner.compiled().untrusted))
    };
    let mut out = String::new();
    tidy::push(&mut out, &to_json(metadata)?, &rules);
    Ok((out.len() <= MAX_METADATA).then_some(out))
}

#[cfg(test)]
mod tests {
    use super::{cut, is_id, link};

    #[test]
    fn an_address_is_one_or_nothing() {
        let base = Some("https://example.org/api/");
        for (written, address) in [
            ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
            ("/cards/7", "https://example.org/api/cards/7"),
            ("javascript:alert(1)", ""),
            ("https://", ""),
            ("https:///x", ""),
            ("https://a.example/<b>", ""),
            ("https://a.example/a b", ""),
            ("https://a.example/ä", ""),
            ("", ""),
        ] {
            assert_eq!(link(written, base), address, "{written}");
        }
        assert_eq!(link("/cards/7", None), "");
        assert_eq!(link(&format!("https://a/{}", "x".repeat(2_000)), base), "");
    }

    #[test]
    fn an_id_has_plain_letters_and_an_end() {
        assert!(is_id("0-a_B.~9") && is_id(&"x".repeat(200)));
        for bad in ["", "a:b", "a b", "ä", "a/b", "a\n", &"x".repeat(201)] {
            assert!(!is_id(bad), "{bad}");
        }
        assert_eq!(cut("äbc", 2), "äb…");
        assert_eq!(cut("äb", 2), "äb");
    }
}
