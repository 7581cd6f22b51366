//! The front matter of a `SKILL.md`: YAML between two lines of three hyphens, as a JSON object with
//! every field that its author wrote.

use serde_json::{Map, Value};

/// Most values in a front matter.
const VALUES: usize = 1000;

/// Longest name of a skill, in characters. Source: Agent Skills specification, `name`.
const NAME_CHARACTERS: usize = 64;

/// Longest description, in characters. Source: Agent Skills specification, `description`.
const DESCRIPTION_CHARACTERS: usize = 1024;

/// The front matter of a text; the error is one sentence for whoever wrote the skill.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, String> {
    let missing = "it has no front matter: a skill begins with a line `---`, then YAML with `name` \
                   and `description`, then another line `---`";
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text
        .strip_prefix("---\n")
        .or_else(|| text.strip_prefix("---\r\n"))
        .ok_or(missing)?;
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" && line.starts_with("---") {
            let yaml = rest.get(..length).unwrap_or_default();
            return checked(yaml);
        }
        length += line.len();
    }
    Err(missing.to_owned())
}

fn checked(yaml: &str) -> Result<Map<String, Value>, String> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_nodes: VALUES }
    };
    let fields: Map<String, Value> = serde_saphyr::from_str_with_options(yaml, options)
        .map_err(|error| format!("its front matter is no YAML object: {error}"))?;
    let text = |field: &str| {
        let value = fields.get(field).and_then(Value::as_str);
        value.ok_or_else(|| format!("its front matter has no text `{field}`"))
    };
    let (name, description) = (text("name")?, text("description")?);
    if !is_name(name) {
        return Err(format!(
            "`name` is {name:?}, but must be 1 to {NAME_CHARACTERS} of a-z, 0-9 and single hyphens \
             between them"
        ));
    }
    let characters = description.chars().count();
    if description.trim().is_empty() || characters > DESCRIPTION_CHARACTERS {
        return Err(format!(
            "`description` has {characters} characters, but must have 1 to {DESCRIPTION_CHARACTERS}"
        ));
    }
    Ok(fields)
}

/// Source: Agent Skills specification, `name`.
fn is_name(name: &str) -> bool {
    (1..=NAME_CHARACTERS).contains(&name.len())
        && name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    #[test]
    fn every_field_is_kept_as_it_was_written() {
        let text = "---\nname: pdf-forms\ndescription: >-\n  Fill in\n  forms.\nlicense: MIT\n\
                    metadata:\n  version: \"2.1\"\n  3: yes\n  on: 2026-11-28\nweight: 1.5\n\
                    allowed-tools: [Read, Bash]\nnothing:\n---\n# Body\n---\n";
        let expected = json!({
            "name": "pdf-forms", "description": "Fill in forms.", "license": "MIT",
            "metadata": {"version": "2.1", "3": "yes", "on": "2026-11-28"}, "weight": 1.5,
            "allowed-tools": ["Read", "Bash"], "nothing": null
        });
        assert_eq!(Value::Object(read(text).unwrap()), expected);
        for other in [
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            text.replace("---\n# Body", "---  \n# Body"),
        ] {
            assert_eq!(Value::Object(read(&other).unwrap()), expected, "{other:?}");
        }
    }

    #[test]
    fn what_is_no_front_matter_is_said() {
        let whole = |fields: &str| format!("---\n{fields}\n---\n");
        for (text, reason) in [
            (String::new(), "no front matter"),
            ("# Only a text".to_owned(), "no front matter"),
            (
                "---\nname: a\ndescription: b\n".to_owned(),
                "no front matter",
            ),
            (
                " ---\nname: a\ndescription: b\n---\n".to_owned(),
                "no front matter",
            ),
            (whole(""), "no text `name`"),
            (whole("- a"), "no YAML object"),
            (whole("name: [a"), "no YAML object"),
            (whole("name: a\nname: b\ndescription: c"), "no YAML object"),
            (whole("name: a"), "no text `description`"),
            (whole("description: a"), "no text `name`"),
            (whole("name: 7\ndescription: a"), "no text `name`"),
            (whole("name: ../a\ndescription: b"), "`name` is \"../a\""),
            (whole("name: A\ndescription: b"), "`name` is \"A\""),
            (whole("name: a--b\ndescription: b"), "`name` is \"a--b\""),
            (whole("name: -a\ndescription: b"), "`name` is \"-a\""),
            (
                whole("name: a\ndescription: ' '"),
                "`description` has 1 characters",
            ),
            (
                whole(&format!("name: a\ndescription: {}", "d".repeat(1025))),
                "`description` has 1025 characters",
            ),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        // Aliases upon aliases, and more values than anybody writes.
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (of, next) in "abcdefgh".chars().zip("bcdefghi".chars()) {
            let aliases = vec![format!("*{of}"); 9].join(",");
            bomb.push_str(&format!("{next}: &{next} [{aliases}]\n"));
        }
        let many = format!("many: [{}]", "1,".repeat(2000));
        for text in [bomb, many] {
            assert!(read(&whole(&format!("name: a\ndescription: b\n{text}"))).is_err());
        }
    }
}
