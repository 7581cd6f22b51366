//! Words of the command line that meant something else once, in the words of today.

use std::ffi::{OsStr, OsString};

/// What is said to whoever writes `call --json OBJECT`.
pub(super) const JSON_NOTE: &str =
    "footbridge: note: --arguments OBJECT says the arguments; --json prints the answer as JSON";

/// The words of today, and whether one was an older one: `call TOOL --json OBJECT` gave the
/// arguments. An object, or anything else of JSON that is no key=value, is an argument; what looks
/// like another word of the command line is none.
pub(super) fn modernised(typed: Vec<OsString>) -> (Vec<OsString>, bool) {
    let is_call = typed.get(1).is_some_and(|verb| verb == "call");
    if !is_call {
        return (typed, false);
    }
    let mut is_older = false;
    let mut words = Vec::with_capacity(typed.len());
    let mut rest = typed.into_iter().peekable();
    while let Some(word) = rest.next() {
        if word == "--" {
            words.push(word);
            words.extend(rest);
            break;
        }
        let object = word.to_str().and_then(|text| text.strip_prefix("--json="));
        if let Some(object) = object {
            words.push(OsString::from(format!("--arguments={object}")));
            is_older = true;
        } else if word == "--json" && rest.peek().is_some_and(|next| is_json(next)) {
            words.push(OsString::from("--arguments"));
            is_older = true;
        } else {
            words.push(word);
        }
    }
    (words, is_older)
}

fn is_json(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    text.trim_start().starts_with(['{', '[', '"'])
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::modernised;

    #[test]
    fn an_object_after_json_is_the_arguments() {
        let modern = |line: &str| {
            let words = line.split(' ').map(OsString::from).collect();
            let (words, is_older) = modernised(words);
            let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
            (words.join(" "), is_older)
        };
        for (line, wanted) in [
            (
                "f call t --json {\"a\":1}",
                Some("f call t --arguments {\"a\":1}"),
            ),
            ("f call --json={} t", Some("f call --arguments={} t")),
            ("f call t --json [1]", Some("f call t --arguments [1]")),
            ("f call t --json a=1", None),
            ("f call --json t", None),
            ("f call t -- --json {}", None),
            ("f tools --json", None),
        ] {
            let wanted = (wanted.unwrap_or(line).to_owned(), wanted.is_some());
            assert_eq!(modern(line), wanted);
        }
    }
}
