//! The headers by which a client asks for less than the operator opened. They only tighten: what is
//! not understood closes.

use ::http::{HeaderMap, HeaderName};

use crate::allow::{AllowWord, AllowedEffect, Passage};
use crate::caller::Tightening;

/// What of reading, proposing, writing and destroying the client wants to be able to do.
const ALLOW: HeaderName = HeaderName::from_static("footbridge-allow");
/// The same as reading alone, as clients send it to other servers.
const READ_ONLY: HeaderName = HeaderName::from_static("x-mcp-readonly");

/// What a request asks to be held to; none where it says nothing.
pub(super) fn tightening(headers: &HeaderMap) -> Option<Tightening> {
    let reads_only = headers.get_all(READ_ONLY).iter().any(|value| {
        let value = value.to_str().map(|text| text.trim().to_ascii_lowercase());
        !matches!(value.as_deref(), Ok("false" | "0"))
    });
    let values = headers.get_all(ALLOW).iter();
    let tightenings = values.map(|value| value.to_str().map_or(Tightening::READING, words));
    let reading = reads_only.then_some(Tightening::READING);
    reading
        .into_iter()
        .chain(tightenings)
        .reduce(Tightening::and)
}

fn words(text: &str) -> Tightening {
    let mut effects = Vec::new();
    for word in text.split(',').filter(|word| !word.trim().is_empty()) {
        match word.parse() {
            Ok(AllowWord::Effect(effect)) => effects.push(effect),
            // a tool may only be closed by the operator
            Ok(AllowWord::Tool(..)) | Err(_) => return Tightening::READING,
        }
    }
    let passage = |effect| {
        if effects.contains(&effect) {
            Passage::Open
        } else if effects.contains(&AllowedEffect::Propose) {
            Passage::Proposed
        } else {
            Passage::Closed
        }
    };
    Tightening {
        write: passage(AllowedEffect::Write),
        destroy: passage(AllowedEffect::Destroy),
    }
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderMap, HeaderName, HeaderValue};

    use super::tightening;
    use crate::allow::Passage::{self, Closed, Open, Proposed};

    fn said(headers: &[(&'static str, &'static str)]) -> Option<(Passage, Passage)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        tightening(&map).map(|tightening| (tightening.write, tightening.destroy))
    }

    #[test]
    fn a_header_tightens_and_what_is_not_understood_closes() {
        let allow = |value| said(&[("footbridge-allow", value)]);
        assert_eq!(said(&[]), None);
        assert_eq!(allow("read"), Some((Closed, Closed)));
        assert_eq!(allow("write"), Some((Open, Closed)));
        assert_eq!(allow("write, destroy"), Some((Open, Open)));
        assert_eq!(allow("propose"), Some((Proposed, Proposed)));
        assert_eq!(allow("write,propose"), Some((Open, Proposed)));
        for wrong in ["", "everything", "write,everything", "card_create=open"] {
            assert_eq!(allow(wrong), Some((Closed, Closed)), "{wrong}");
        }
        for value in ["true", "1", "yes", ""] {
            let read_only = said(&[("x-mcp-readonly", value)]);
            assert_eq!(read_only, Some((Closed, Closed)), "{value}");
        }
        assert_eq!(said(&[("x-mcp-readonly", "false")]), None);
        let both = [
            ("footbridge-allow", "write,destroy"),
            ("footbridge-allow", "write,propose"),
        ];
        assert_eq!(said(&both), Some((Open, Proposed)));
        let both = [("footbridge-allow", "write"), ("x-mcp-readonly", "true")];
        assert_eq!(said(&both), Some((Closed, Closed)));
    }
}
