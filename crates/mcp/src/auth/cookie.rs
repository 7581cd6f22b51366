//! Cookie sessions: reading the cookie, and the rule that a request with one must come from the
//! application's own pages.

use http::header::{COOKIE, ORIGIN};
use http::request::Parts;
use secrecy::SecretString;

use crate::http::Refusal;
use crate::protocol_error::excerpt;

/// The value of a cookie; none when it is there twice, for then somebody else may have set one of
/// the two.
#[must_use]
pub fn cookie(head: &Parts, name: &str) -> Option<SecretString> {
    let pairs = head
        .headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let mut found = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) if !value.is_empty() => Some(SecretString::from(value)),
        _ => None,
    }
}

/// The rule for endpoints that know their callers by a cookie: a browser sends it along whoever
/// made it ask, so the request must name one of the application's own origins.
///
/// Stricter than the check of `Origin` that every endpoint makes ([`crate::http::AllowedOrigins`]):
/// it has to be there, and pages of other origins that may use an endpoint are none of the
/// application's.
#[derive(Debug, Clone)]
pub struct SameOrigin {
    origins: Vec<String>,
}

impl SameOrigin {
    /// The origins of the application's pages, such as `https://notes.example`.
    #[must_use]
    pub fn new<S: AsRef<str>>(origins: impl IntoIterator<Item = S>) -> Self {
        Self {
            origins: origins
                .into_iter()
                .map(|origin| origin.as_ref().trim_end_matches('/').to_ascii_lowercase())
                .collect(),
        }
    }

    /// Checks the head of one request.
    ///
    /// # Errors
    /// HTTP 403, with the origin that was refused.
    pub fn check(&self, head: &Parts) -> Result<(), Refusal> {
        let mut origins = head.headers.get_all(ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return Err(Refusal::forbidden(
                "this endpoint knows its callers by a cookie, so it answers the application's own pages only: the Origin header is missing",
            ));
        };
        let origin = origin.to_str().unwrap_or_default();
        if self
            .origins
            .iter()
            .any(|known| known.eq_ignore_ascii_case(origin))
        {
            return Ok(());
        }
        Err(Refusal::forbidden(format!(
            "the Origin '{}' is not one of this application",
            excerpt(origin)
        )))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::Parts;
    use secrecy::ExposeSecret as _;

    use super::{SameOrigin, cookie};

    fn head(headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::builder(), |request, (name, value)| {
                request.header(*name, *value)
            });
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name() {
        let read = |value: &str| {
            cookie(&head(&[("cookie", value)]), "sid").map(|value| value.expose_secret().to_owned())
        };
        assert_eq!(read("a=1; sid=x=y; b=2").as_deref(), Some("x=y"));
        for none in ["", "xsid=1", "SID=1", "sid", "sid=", "sid=1; sid=2"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn only_the_own_origin_is_let_in() {
        let rule = SameOrigin::new(["https://notes.example/", "http://localhost:8000"]);
        let allows = |origins: &[&str]| {
            let headers: Vec<_> = origins.iter().map(|origin| ("origin", *origin)).collect();
            rule.check(&head(&headers)).is_ok()
        };
        assert!(
            allows(&["https://notes.example"])
                && allows(&["http://localhost:8000"])
                && allows(&["HTTPS://Notes.Example"])
        );
        for bad in [
            "http://notes.example",
            "https://notes.example:8443",
            "http://localhost",
            "null",
            "",
            "https://notes.example.evil",
        ] {
            assert!(!allows(&[bad]), "{bad}");
        }
        assert!(!allows(&[]) && !allows(&["https://notes.example", "https://notes.example"]));
    }
}
