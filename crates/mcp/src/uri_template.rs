//! URI templates: RFC 6570 level 1 and `{+name}`, matched against an address. Expands nothing.

use percent_encoding::percent_decode_str;

use crate::limits;

/// A template such as `notes://{id}/text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UriTemplate {
    parts: Vec<AddressPart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum AddressPart {
    Literal(String),
    Variable {
        name: String,
        /// Written `{+name}`: it may hold `/`.
        is_path: bool,
    },
}

impl UriTemplate {
    /// Reads a template; the error is one sentence for the developer.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| format!("{text:?} has a {{ without its }}"))?;
            let (is_path, name) = match name.strip_prefix('+') {
                Some(name) => (true, name),
                None => (false, name),
            };
            if let Some(AddressPart::Variable {
                name: path,
                is_path: true,
            }) = parts
                .iter()
                .rfind(|part| matches!(part, AddressPart::Variable { .. }))
            {
                return Err(format!(
                    "{{+{path}}} in {text:?} takes everything up to its end, so no name can follow it"
                ));
            }
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                return Err(format!(
                    "{{{name}}} in {text:?} is no simple name; of the operators, `+` alone is supported"
                ));
            }
            let is_same = |part: &AddressPart| matches!(part, AddressPart::Variable { name: known, .. } if known == name);
            if parts.iter().any(is_same) {
                return Err(format!("{{{name}}} stands twice in {text:?}"));
            }
            if literal.is_empty() && matches!(parts.last(), Some(AddressPart::Variable { .. })) {
                return Err(format!(
                    "two names stand side by side in {text:?}; put something between them"
                ));
            }
            if !literal.is_empty() {
                parts.push(AddressPart::Literal(literal.to_owned()));
            }
            parts.push(AddressPart::Variable {
                name: name.to_owned(),
                is_path,
            });
            rest = after;
        }
        if rest.contains('}') {
            return Err(format!("{text:?} has a }} without its {{"));
        }
        if !rest.is_empty() {
            parts.push(AddressPart::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The names of the variables, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            AddressPart::Variable { name, .. } => Some(name.as_str()),
            AddressPart::Literal(_) => None,
        })
    }

    /// The values of the variables when the address fits: each is at least one character, without
    /// `/` unless it is written `{+name}`, percent-decoded.
    pub(crate) fn captures(&self, uri: &str) -> Option<Vec<(String, String)>> {
        if uri.len() > limits::URI_BYTES {
            return None;
        }
        let (mut parts, mut rest, mut found) = (self.parts.as_slice(), uri, Vec::new());
        loop {
            match parts {
                [] => return rest.is_empty().then_some(found),
                [AddressPart::Literal(literal), others @ ..] => {
                    rest = rest.strip_prefix(literal.as_str())?;
                    parts = others;
                }
                [AddressPart::Variable { name, is_path }, others @ ..] => {
                    let (value, after) = rest.split_at_checked(value_end(rest, others)?)?;
                    if value.is_empty() || (!is_path && value.contains('/')) {
                        return None;
                    }
                    found.push((
                        name.clone(),
                        percent_decode_str(value).decode_utf8().ok()?.into_owned(),
                    ));
                    rest = after;
                    parts = others;
                }
            }
        }
    }
}

/// Where the value at the start of `rest` ends: at the first place where the next literal stands,
/// and for the last literal at the end. A later place can fit only where this one does too, so none
/// is ever tried again and a long address costs no more than its length.
fn value_end(rest: &str, others: &[AddressPart]) -> Option<usize> {
    match others {
        [AddressPart::Literal(last)] => rest
            .strip_suffix(last.as_str())
            .map(str::len)
            .filter(|end| !is_inside_encoded(rest, *end)),
        [AddressPart::Literal(next), ..] => {
            let mut from = rest.chars().next()?.len_utf8();
            loop {
                let end = from + rest.get(from..)?.find(next.as_str())?;
                if !is_inside_encoded(rest, end) {
                    return Some(end);
                }
                from = end + 1;
            }
        }
        [] | [AddressPart::Variable { .. }, ..] => Some(rest.len()),
    }
}

/// Whether a place is within an encoded byte such as `%C3`, which is one thing: its digits are
/// nobody's literal.
fn is_inside_encoded(text: &str, place: usize) -> bool {
    let is_encoded = |start: usize| matches!(text.as_bytes().get(start..start + 3), Some([b'%', digits @ ..]) if digits.iter().all(u8::is_ascii_hexdigit));
    (1..=2).any(|back| place.checked_sub(back).is_some_and(is_encoded))
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::{Strategy as _, any, proptest};

    use super::UriTemplate;

    fn captures(template: &str, uri: &str) -> Option<Vec<String>> {
        let found = UriTemplate::parse(template).unwrap().captures(uri)?;
        Some(found.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn addresses_fit_or_not() {
        assert_eq!(
            captures("test://template/{id}/data", "test://template/123/data").unwrap(),
            ["123"]
        );
        assert_eq!(captures("a://{x}-{y}", "a://1-2-3").unwrap(), ["1", "2-3"]);
        assert_eq!(captures("a://{x}", "a://w%20%C3%A9%2F").unwrap(), ["w é/"]);
        for (template, uri) in [
            ("a://{x}", "a://"),
            ("a://{x}", "a://b/c"),
            ("a://{x}/d", "a://b"),
            ("a://{x}", "b://c"),
            ("a://{x}", "a://%ff"),
        ] {
            assert_eq!(captures(template, uri), None, "{template} {uri}");
        }
    }

    #[test]
    fn an_address_may_have_2048_bytes_and_no_more() {
        let uri = |length: usize| format!("a://{}", "b".repeat(length - 4));
        assert!(captures("a://{x}", &uri(2048)).is_some());
        assert!(captures("a://{x}", &uri(2049)).is_none());
    }

    #[test]
    fn a_path_holds_slashes_and_is_the_last_name() {
        for (template, uri, values) in [
            (
                "files://{+path}",
                "files://a/b%20c/d.txt",
                vec!["a/b c/d.txt"],
            ),
            (
                "files://{user}/{+path}",
                "files://ada/a/b",
                vec!["ada", "a/b"],
            ),
            (
                "files://{+path}/text",
                "files://a/text/b/text",
                vec!["a/text/b"],
            ),
        ] {
            assert_eq!(captures(template, uri).unwrap(), values, "{template} {uri}");
        }
        assert_eq!(captures("files://{+path}", "files://"), None);
        assert_eq!(captures("files://{path}", "files://a/b"), None);
        let names = UriTemplate::parse("files://{user}/{+path}").unwrap();
        assert_eq!(names.names().collect::<Vec<_>>(), ["user", "path"]);
        let error = UriTemplate::parse("files://{+path}/{line}").unwrap_err();
        assert!(error.contains("no name can follow it"), "{error}");
    }

    /// Trying every place for every value would take hours here.
    #[test]
    fn an_address_that_nearly_fits_costs_no_more_than_its_length() {
        let uri = format!("a://{}", "-".repeat(2000));
        assert_eq!(captures("a://{a}-{b}-{c}-{d}-{e}-{f}!", &uri), None);
        assert_eq!(captures("a://{a}-{b}", "a://---").unwrap(), ["-", "-"]);
        assert_eq!(captures("a://{a}ab/{b}", "a://aab/b").unwrap(), ["a", "b"]);
        assert_eq!(captures("a://{a}-x", "a://-x-x").unwrap(), ["-x"]);
    }

    #[test]
    fn an_encoded_byte_is_one_thing() {
        assert_eq!(captures("a://{x}A{y}", "a://%C3%A9Az").unwrap(), ["é", "z"]);
        assert_eq!(captures("a://{x}9", "a://%C3%A99").unwrap(), ["é"]);
        assert_eq!(captures("a://{x}9", "a://%A9"), None);
        assert_eq!(captures("a://{x}2{y}", "a://%252"), None);
        assert_eq!(
            captures("a://{x}2{y}", "a://%2z2%").unwrap(),
            ["%", "z2%"],
            "no encoded byte"
        );
    }

    #[test]
    fn other_templates_are_refused() {
        for bad in [
            "a://{",
            "a://}",
            "a://{}",
            "a://{+x}/{+y}",
            "a://{+}",
            "a://{#x}",
            "a://{?x}",
            "a://{x,y}",
            "a://{x}{y}",
            "a://{x}/{x}",
            "a://{x*}",
        ] {
            assert!(UriTemplate::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in any::<String>().prop_filter("not empty", |value| !value.is_empty() && value.len() < 500)) {
            let uri = format!("a://{}/b", utf8_percent_encode(&value, NON_ALPHANUMERIC));
            if uri.len() <= 2048 {
                assert_eq!(captures("a://{x}/b", &uri).unwrap(), [value]);
            }
        }

        #[test]
        fn no_text_ends_the_reader(template in any::<String>(), uri in any::<String>()) {
            if let Ok(template) = UriTemplate::parse(&template) {
                let _ = template.captures(&uri);
            }
        }
    }
}
