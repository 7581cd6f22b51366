//! Templates: RFC 6570 level 1, where names may have dots. Expands them; does not match them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters is encoded, `/` included.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A template, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

/// A template that cannot be read: the byte where the fault is, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TemplateFault {
    pub(crate) byte: usize,
    pub(crate) what: String,
}

/// A template that cannot be filled in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfilled {
    #[error("`{0}` is missing")]
    Missing(String),
    #[error("`{name}` must not be {value:?}")]
    NotASegment { name: String, value: String },
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut at = 0;
        while let Some((before, after)) = rest.split_once('{') {
            literal(&mut parts, before, at)?;
            let open = at + before.len();
            let Some((name, next)) = after.split_once('}') else {
                return Err(TemplateFault {
                    byte: open,
                    what: "a `{` without `}`".into(),
                });
            };
            if !is_name(name) {
                return Err(TemplateFault {
                    byte: open,
                    what: format!("`{{{name}}}` is not a simple name; operators are not supported"),
                });
            }
            parts.push(Part::Name(name.to_owned()));
            at = open + name.len() + 2;
            rest = next;
        }
        literal(&mut parts, rest, at)?;
        Ok(Self(parts))
    }

    /// The names in the template, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The literal text before the first name.
    pub(crate) fn head(&self) -> &str {
        match self.0.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The literal parts, in their order.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Name(_) => None,
        })
    }

    /// As a path: each value becomes exactly one encoded segment part; empty, `.` and `..` are
    /// refused.
    pub(crate) fn path(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, Unfilled> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => {
                    let value = value(name).ok_or_else(|| Unfilled::Missing(name.clone()))?;
                    out.push_str(&segment(name, &value)?);
                }
            }
        }
        Ok(out)
    }

    /// As plain text, for a base address or a header; `None` when a value is not set.
    pub(crate) fn text<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => out.push_str(value(name)?),
            }
        }
        Some(out)
    }
}

/// One path segment: encoded, never empty, `.` or `..`.
pub(crate) fn segment(name: &str, value: &str) -> Result<String, Unfilled> {
    if matches!(value, "" | "." | "..") {
        return Err(Unfilled::NotASegment {
            name: name.to_owned(),
            value: value.to_owned(),
        });
    }
    Ok(utf8_percent_encode(value, ENCODED).to_string())
}

fn literal(parts: &mut Vec<Part>, text: &str, at: usize) -> Result<(), TemplateFault> {
    if let Some(byte) = text.find('}') {
        return Err(TemplateFault {
            byte: at + byte,
            what: "a `}` without `{`".into(),
        });
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.split('.').all(|part| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::{Template, Unfilled, segment};
    use proptest::prelude::{
        ProptestConfig, any, prop_assert, prop_assert_eq, prop_assume, proptest,
    };

    #[test]
    fn a_template_is_filled_in() {
        let template = Template::parse("/a/{id}/x/{steps.one.id}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["id", "steps.one.id"]);
        assert_eq!(
            template.path(|_| Some("../b c/é".into())).unwrap(),
            "/a/..%2Fb%20c%2F%C3%A9/x/..%2Fb%20c%2F%C3%A9"
        );
        assert_eq!(template.path(|_| None), Err(Unfilled::Missing("id".into())));
        for value in ["", ".", ".."] {
            assert!(
                matches!(
                    template.path(|_| Some(value.into())),
                    Err(Unfilled::NotASegment { .. })
                ),
                "{value}"
            );
        }
    }

    #[test]
    fn a_bad_template_is_refused_with_its_place() {
        for (text, byte) in [
            ("/a/{+id}", 3),
            ("/a/{", 3),
            ("/a/}", 3),
            ("/a/{x}/}", 7),
            ("{}", 0),
            ("{a..b}", 0),
            ("{a,b}", 0),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().byte, byte, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_value_stays_one_segment_and_decodes_back(value in any::<String>()) {
            prop_assume!(!matches!(value.as_str(), "" | "." | ".."));
            let encoded = segment("id", &value).unwrap();
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            prop_assert_eq!(percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap(), value.as_str());
            let url = url::Url::parse(&format!("http://h/a/{encoded}/z")).unwrap();
            prop_assert_eq!(url.path_segments().unwrap().count(), 3);
        }
        #[test]
        fn any_text_is_a_template_or_a_placed_fault(text in any::<String>()) {
            match Template::parse(&text) {
                Ok(template) => prop_assert_eq!(template.text(|_| Some("")).is_some(), true),
                Err(fault) => prop_assert!(text.is_char_boundary(fault.byte) && fault.byte < text.len()),
            }
        }
    }
}
