//! Values that somebody was to put another in the place of: a variable that no program filled in,
//! or the words of an example.

/// Whether the whole of a value is such a one: `${NAME}`, `$NAME`, `$(NAME)`, `%NAME%`, `{{ name
/// }}`, `<your-token>`, behind a word such as `Bearer` too.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let is_scheme = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic());
    let value = value
        .split_once(' ')
        .filter(|(scheme, _)| is_scheme(scheme))
        .map_or(value, |(_, rest)| rest.trim());
    let inside = |start: &str, end: &str| {
        value
            .strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(end))
    };
    inside("${", "}").is_some_and(is_reference)
        || inside("$(", ")").is_some_and(is_variable)
        || inside("%", "%").is_some_and(is_variable)
        || inside("{{", "}}").is_some_and(|name| is_reference(name.trim()))
        || inside("$", "")
            .is_some_and(|name| is_variable(name.strip_prefix("env:").unwrap_or(name)))
        || inside("<", ">").is_some_and(is_words)
}

/// Whether a value has such a one in it, as an address may: `https://${HOST}/api`.
pub(crate) fn holds_placeholder(value: &str) -> bool {
    let mut starts = value
        .match_indices("${")
        .filter_map(|(at, start)| value.get(at + start.len()..));
    is_placeholder(value)
        || starts.any(|rest| {
            rest.split_once('}')
                .is_some_and(|(name, _)| is_reference(name))
        })
}

/// A name of a variable, in capitals. Anything else behind a `$` may well be a password.
fn is_variable(name: &str) -> bool {
    name.len() > 2
        && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// What stands between braces: a name in any letters, and what is said of it, such as `input:token`
/// or `NAME:-default`.
fn is_reference(name: &str) -> bool {
    let name = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'))
        .unwrap_or(name)
        .trim();
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.:-?/ ".contains(c))
}

/// Words of an example.
fn is_words(words: &str) -> bool {
    words.starts_with(char::is_alphabetic)
        && words
            .chars()
            .all(|c| c.is_alphanumeric() || "_.:-/' ".contains(c))
}

#[cfg(test)]
mod tests {
    use super::{holds_placeholder, is_placeholder};

    #[test]
    fn what_nobody_filled_in_is_known() {
        for value in [
            "${TAIGA_PASSWORD}",
            " ${input:token} ",
            "${NAME:-}",
            "${{ secrets.TOKEN }}",
            "$TRUEPPM_API_TOKEN",
            "$env:TOKEN",
            "$(TOKEN)",
            "%TOKEN%",
            "{{token}}",
            "{{ api.token }}",
            "<your-token>",
            "<your token here>",
            "<TOKEN>",
            "Bearer ${TOKEN}",
            "Bearer <token>",
        ] {
            assert!(is_placeholder(value) && holds_placeholder(value), "{value}");
        }
        for value in ["https://${HOST}/api", "https://h/${TENANT}", "a${b}c"] {
            assert!(
                holds_placeholder(value) && !is_placeholder(value),
                "{value}"
            );
        }
    }

    #[test]
    fn what_may_be_a_secret_is_none() {
        for value in [
            "",
            "$",
            "$$",
            "${",
            "${}",
            "${1}",
            "$ecret",
            "$Ab1",
            "$AB",
            "%%",
            "%41",
            "<",
            "<>",
            "<3",
            "a<b>",
            "<a>b",
            "<a&b>",
            "pa$$WORD",
            "correct horse",
            "pat_abc-123",
            "{{}}",
            "{\"a\":1}",
            "a b $C",
            "$TOKEN!",
            "100%",
        ] {
            assert!(!is_placeholder(value), "{value}");
            assert!(!holds_placeholder(value), "{value}");
        }
    }
}
