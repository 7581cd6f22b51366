//! The pages over HTTP, with the headers that keep other pages away from them. A page holds no
//! data: it asks for it as any client does.

use std::io::Write as _;
use std::sync::LazyLock;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::BrowserRule;
use crate::pages;

/// A document as it is served.
struct ServedPage {
    html: &'static str,
    /// The same, compressed; none where that failed.
    gzip: Option<Bytes>,
    policy: HeaderValue,
    tag: String,
}

static WORK: LazyLock<ServedPage> = LazyLock::new(|| ServedPage::new(pages::WORK.html));
static CHANGES: LazyLock<ServedPage> = LazyLock::new(|| ServedPage::new(pages::CHANGES.html));

/// Whether a page is what a request gets: a browser asks for one, and pages are there for it.
pub(in crate::serve) fn has_page(browser: Option<&BrowserRule>, head: &Parts) -> bool {
    browser.is_some_and(|browser| browser.is_open_to(head)) && wants_html(&head.headers)
}

/// The page of work.
pub(in crate::serve) fn work(headers: &HeaderMap) -> Response {
    WORK.answer(headers)
}

/// The page of changes.
pub(in crate::serve) fn changes(headers: &HeaderMap) -> Response {
    CHANGES.answer(headers)
}

/// Whether a request names HTML among what it takes, as browsers do and programs do not.
fn wants_html(headers: &HeaderMap) -> bool {
    listed(headers, &header::ACCEPT, "text/html")
}

/// Whether a word is in a list of a header's, and not with the weight 0.
fn listed(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    let entries = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    entries.into_iter().any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(word));
        let is_refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or(part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.trim().parse() == Ok(0.0_f32))
        });
        is_it && !is_refused
    })
}

impl ServedPage {
    fn new(html: &'static str) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = encoder
            .write_all(html.as_bytes())
            .and_then(|()| encoder.finish());
        let digest = Sha256::digest(html.as_bytes());
        Self {
            html,
            gzip: gzip.ok().map(Bytes::from),
            policy: HeaderValue::try_from(policy(html))
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
            tag: digest
                .iter()
                .take(16)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let gzip = self.gzip.as_ref();
        let gzip = gzip.filter(|_| listed(headers, &header::ACCEPT_ENCODING, "gzip"));
        let tag = match gzip {
            Some(_) => format!("\"{}-gzip\"", self.tag),
            None => format!("\"{}\"", self.tag),
        };
        let mut response = match (is_known(headers, &tag), gzip) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, Some(gzip)) => {
                let encoding = [(header::CONTENT_ENCODING, "gzip")];
                (encoding, gzip.clone()).into_response()
            }
            (false, None) => self.html.into_response(),
        };
        let response_headers = response.headers_mut();
        for (name, value) in HEADERS {
            response_headers.insert(name, HeaderValue::from_static(value));
        }
        response_headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        if let Ok(tag) = HeaderValue::try_from(tag) {
            response_headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// What every page is served with, beside its policy.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-cache"),
    (header::VARY, "Accept, Accept-Encoding"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (OPENER_POLICY, "same-origin"),
    (RESOURCE_POLICY, "same-origin"),
];
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Whether the browser has this very document.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// The policy of a document: its own scripts and styles by their digests, its own server, and
/// nothing else.
fn policy(html: &str) -> String {
    let (mut scripts, mut styles) = (Vec::new(), Vec::new());
    for (element, text) in inline(html) {
        let digest = STANDARD.encode(Sha256::digest(text.as_bytes()));
        let sources = match element {
            InlineElement::Script => &mut scripts,
            InlineElement::Style => &mut styles,
        };
        sources.push(format!("'sha256-{digest}'"));
    }
    for sources in [&mut scripts, &mut styles] {
        if sources.is_empty() {
            sources.push("'none'".to_owned());
        }
    }
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        scripts.join(" "),
        styles.join(" ")
    )
}

/// An element whose text a policy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InlineElement {
    Script,
    Style,
}

/// The texts of scripts and styles, in their order: what looks like one inside another is none.
fn inline(html: &str) -> impl Iterator<Item = (InlineElement, &str)> {
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once("<s")?;
            rest = after;
            let (script, style) = (after.strip_prefix("cript"), after.strip_prefix("tyle"));
            let (element, after, close) = match (script, style) {
                (Some(after), _) => (InlineElement::Script, after, "</script"),
                (None, Some(after)) => (InlineElement::Style, after, "</style"),
                (None, None) => continue,
            };
            // another name that begins the same
            if !after.starts_with(['>', ' ', '\n']) {
                continue;
            }
            let (_, text) = after.split_once('>')?;
            let (text, after) = text.split_once(close)?;
            rest = after;
            return Some((element, text));
        }
    })
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderMap, HeaderValue, StatusCode, header};

    use super::{InlineElement, ServedPage, inline, is_known, policy, wants_html};
    use crate::pages;

    fn with(name: header::HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))]
            .into_iter()
            .collect()
    }

    #[test]
    fn who_names_html_gets_it() {
        let wants = |value| wants_html(&with(header::ACCEPT, value));
        for browser in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html",
            "application/json, TEXT/HTML; q=0.1",
        ] {
            assert!(wants(browser), "{browser}");
        }
        for program in [
            "*/*",
            "text/*",
            "application/json",
            "",
            "text/html;q=0",
            "text/html; q=0.0",
            "text/html5",
            "application/json, text/event-stream",
        ] {
            assert!(!wants(program), "{program}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }

    #[test]
    fn the_policy_names_each_script_and_style_by_its_digest() {
        let html = "<style>a{}</style><styled><script type=\"module\">1<2 \"<style>x</style>\"\
                    </script><script\n></script>";
        let found: Vec<_> = inline(html).collect();
        assert_eq!(
            found,
            [
                (InlineElement::Style, "a{}"),
                (InlineElement::Script, "1<2 \"<style>x</style>\""),
                (InlineElement::Script, "")
            ]
        );
        let said = policy(html);
        // echo -n 'a{}' | openssl dgst -sha256 -binary | base64
        assert!(
            said.contains("style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; "),
            "{said}"
        );
        assert_eq!(said.matches("'sha256-").count(), 3, "{said}");
        assert!(policy("").contains("script-src 'none'; style-src 'none'"));
        for page in [pages::WORK.html, pages::CHANGES.html] {
            let said = policy(page);
            assert!(!said.contains("unsafe") && said.contains("frame-ancestors 'none'"));
            let found: Vec<_> = inline(page).map(|(element, _)| element).collect();
            assert!(found.contains(&InlineElement::Script));
            assert!(found.contains(&InlineElement::Style));
        }
    }

    #[test]
    fn a_browser_that_has_the_page_gets_no_second_one() {
        let page = ServedPage::new("<p>x</p>");
        let first = page.answer(&HeaderMap::new());
        let tag = first.headers().get(header::ETAG).unwrap().clone();
        let again: HeaderMap = [(header::IF_NONE_MATCH, tag)].into_iter().collect();
        assert_eq!(page.answer(&again).status(), StatusCode::NOT_MODIFIED);
        let mut packed = again;
        packed.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("br, gzip"),
        );
        let packed = page.answer(&packed);
        assert_eq!(packed.status(), StatusCode::OK, "another form of it");
        assert_eq!(
            packed.headers().get(header::CONTENT_ENCODING).unwrap(),
            "gzip"
        );
        let weak = with(header::IF_NONE_MATCH, "\"other\", W/\"tag\"");
        assert!(is_known(&weak, "\"tag\"") && !is_known(&weak, "\"ta\""));
    }
}
