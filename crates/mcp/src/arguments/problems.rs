//! Sentences about what is wrong with a call's arguments, on which a client can act. The validator
//! finds the problems; here they get their words.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value};

use super::choice;
use crate::limits;
use crate::protocol_error::excerpt;

/// One text that names every problem, with the accepted names where a name was wrong.
pub(super) fn describe(
    tool: &str,
    schema: &Value,
    nullable: &[String],
    validator: &jsonschema::Validator,
    arguments: &Value,
) -> String {
    if !has_at_most(limits::EXAMINED_VALUES, arguments) {
        let limit = limits::EXAMINED_VALUES;
        return format!(
            "{tool}: the arguments do not fit the tool's schema, and with more than {limit} values the problems are not named. Send less in one call."
        );
    }
    let mut problems = ProblemSentences::default();
    for error in validator.iter_errors(arguments) {
        collect(&error, schema, nullable, arguments, &mut problems);
    }
    let ProblemSentences { sentences, count } = problems;
    let mut text = match count {
        1 => format!("{tool}: the arguments have a problem."),
        _ => format!("{tool}: the arguments have {count} problems."),
    };
    for sentence in &sentences {
        text.push_str("\n- ");
        text.push_str(sentence);
    }
    if count > sentences.len() {
        text.push_str(&format!("\n- and {} more", count - sentences.len()));
    }
    text
}

/// Whether a JSON value consists of at most so many values, itself and the names in objects not
/// counted.
fn has_at_most(limit: usize, value: &Value) -> bool {
    let mut left = limit;
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        let inside = match value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        };
        match left.checked_sub(inside) {
            Some(rest) => left = rest,
            None => return false,
        }
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(members) => waiting.extend(members.values()),
            _ => {}
        }
    }
    true
}

/// The first problems in words, and how many there are. A flood of them costs no words.
#[derive(Default)]
struct ProblemSentences {
    sentences: Vec<String>,
    count: usize,
}

impl ProblemSentences {
    fn add(&mut self, sentence: impl FnOnce() -> String) {
        if self.sentences.len() >= limits::REPORTED_PROBLEMS {
            self.count += 1;
            return;
        }
        let sentence = sentence();
        if self.sentences.last() != Some(&sentence) {
            self.sentences.push(sentence);
            self.count += 1;
        }
    }
}

/// The problems that one error of the validator stands for.
fn collect(
    error: &jsonschema::ValidationError<'_>,
    schema: &Value,
    nullable: &[String],
    arguments: &Value,
    problems: &mut ProblemSentences,
) {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let place = place(error.instance_path().as_str());
            let known = known_names(schema, error);
            unexpected
                .iter()
                .for_each(|name| problems.add(|| unknown_name(&place, name, &known)));
        }
        // Where no name is known, the validator names the value of the first unknown one only.
        ValidationErrorKind::FalseSchema
            if error
                .schema_path()
                .as_str()
                .ends_with("/additionalProperties") =>
        {
            let place = place(error.instance_path().as_str());
            let members = arguments
                .pointer(error.instance_path().as_str())
                .and_then(Value::as_object);
            members
                .into_iter()
                .flat_map(Map::keys)
                .for_each(|name| problems.add(|| unknown_name(&place, name, &[])));
        }
        ValidationErrorKind::AnyOf { context }
            if nullable.contains(&place(error.instance_path().as_str())) =>
        {
            let before = problems.count;
            for inner in context
                .iter()
                .flatten()
                .filter(|inner| !is_null_type(inner))
            {
                collect(inner, schema, &[], arguments, problems);
            }
            if problems.count == before {
                problems.add(|| sentence(error));
            }
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let choices = schema.pointer(error.schema_path().as_str());
            let meant = choices
                .and_then(|choices| choice::meant(choices, error.instance()))
                .map(|(place, _)| place);
            match meant
                .and_then(|place| context.get(place))
                .filter(|inner| !inner.is_empty())
            {
                Some(inner) => inner
                    .iter()
                    .for_each(|inner| collect(inner, schema, &[], arguments, problems)),
                None => problems.add(|| {
                    choices
                        .and_then(|choices| no_choice(choices, error))
                        .unwrap_or_else(|| sentence(error))
                }),
            }
        }
        _ => problems.add(|| sentence(error)),
    }
}

fn sentence(error: &jsonschema::ValidationError<'_>) -> String {
    let place = place(error.instance_path().as_str());
    let subject = subject(&place);
    let value = excerpt(&error.instance().to_string()).into_owned();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            format!("`{}` is required", join(&place, name))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(bare).collect();
            format!(
                "{subject} is {value}, but must be one of: {}",
                options.join(", ")
            )
        }
        ValidationErrorKind::Type { kind } => {
            format!("{subject} is {value}, but must be {}", kind_name(kind))
        }
        ValidationErrorKind::AnyOf { .. } => format!("{subject} is {value}, which does not fit"),
        ValidationErrorKind::MaxLength { limit } => {
            format!("{subject} is longer than {limit} characters")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("{subject} is shorter than {limit} characters")
        }
        ValidationErrorKind::MaxItems { limit } => format!("{subject} has more than {limit} items"),
        ValidationErrorKind::MinItems { limit } => {
            format!("{subject} has fewer than {limit} items")
        }
        ValidationErrorKind::Minimum { limit } => {
            format!("{subject} is {value}, but must be at least {limit}")
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("{subject} is {value}, but must be at most {limit}")
        }
        ValidationErrorKind::Pattern { pattern } => {
            format!("{subject} is {value}, but must match {pattern}")
        }
        ValidationErrorKind::Format { format } => {
            format!("{subject} is {value}, but must be {}", format_name(format))
        }
        _ => format!("{subject}: {}", excerpt(&error.to_string())),
    }
}

fn subject(place: &str) -> String {
    if place.is_empty() {
        "the arguments".to_owned()
    } else {
        format!("`{place}`")
    }
}

/// What is wrong with the tag of an object that is none of several choices.
fn no_choice(choices: &Value, error: &jsonschema::ValidationError<'_>) -> Option<String> {
    let whole = place(error.instance_path().as_str());
    let Some((name, words)) = choice::tag(choices) else {
        let words = choice::words(choices)?;
        let known: Vec<&str> = words.iter().map(String::as_str).collect();
        let instance = error.instance();
        let close = instance.as_str().and_then(|word| closest(word, &known));
        let hint = close.map_or_else(String::new, |close| format!("; did you mean `{close}`?"));
        return Some(format!(
            "{} is {}, but must be one of: {}{hint}",
            subject(&whole),
            excerpt(&instance.to_string()),
            words.join(", ")
        ));
    };
    let place = join(&whole, name);
    let Some(value) = error.instance().as_object()?.get(name) else {
        return Some(format!(
            "`{place}` is required, one of: {}",
            words.join(", ")
        ));
    };
    let close = value.as_str().and_then(|word| closest(word, &words));
    let hint = close.map_or_else(String::new, |close| format!("; did you mean `{close}`?"));
    Some(format!(
        "`{place}` is {}, but must be one of: {}{hint}",
        excerpt(&value.to_string()),
        words.join(", ")
    ))
}

fn unknown_name(place: &str, name: &str, known: &[&str]) -> String {
    let shown = join(place, &excerpt(name));
    match closest(name, known) {
        Some(close) => format!("`{shown}` is not known; did you mean `{close}`?"),
        None if known.is_empty() && place.is_empty() => {
            format!("`{shown}` is not known; there are no arguments")
        }
        None if known.is_empty() => format!("`{shown}` is not known; `{place}` takes nothing"),
        None => format!("`{shown}` is not known; known are: {}", known.join(", ")),
    }
}

/// `/a/0/b` as `a[0].b`.
fn place(pointer: &str) -> String {
    let mut place = String::new();
    for segment in pointer.split('/').skip(1) {
        if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            place.push_str(&format!("[{segment}]"));
        } else {
            if !place.is_empty() {
                place.push('.');
            }
            place.push_str(&segment.replace("~1", "/").replace("~0", "~"));
        }
    }
    place
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

/// The names that an object may have, where one was not known: those beside the keyword that closes
/// it, or along the way that the value took.
fn known_names<'a>(schema: &'a Value, error: &jsonschema::ValidationError<'_>) -> Vec<&'a str> {
    let beside = error
        .schema_path()
        .as_str()
        .rsplit_once('/')
        .and_then(|(beside, _)| schema.pointer(beside)?.get("properties"));
    match beside.and_then(Value::as_object) {
        Some(properties) => properties.keys().map(String::as_str).collect(),
        None => names_at(schema, error.instance_path().as_str()),
    }
}

fn names_at<'a>(schema: &'a Value, pointer: &str) -> Vec<&'a str> {
    let mut here = schema;
    for segment in pointer.split('/').skip(1) {
        let next = here
            .get("properties")
            .and_then(|properties| properties.get(segment))
            .or_else(|| here.get("items"));
        match next {
            Some(next) => here = next,
            None => return Vec::new(),
        }
    }
    here.get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect()
}

/// The known name that is at most two edits away, when there is one.
fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    const EDITS: usize = 2;
    if name.len() > 64 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (strsim::levenshtein(name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= EDITS)
        .min()
        .map(|found| found.1)
}

fn is_null_type(error: &jsonschema::ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(kind) } if kind.to_string() == "null")
}

fn kind_name(kind: &TypeKind) -> String {
    let with_article = |name: &str| match name {
        "integer" => "an integer".to_owned(),
        "array" => "an array".to_owned(),
        "object" => "an object".to_owned(),
        "null" => "null".to_owned(),
        other => format!("a {other}"),
    };
    match kind {
        TypeKind::Single(kind) => with_article(&kind.to_string()),
        TypeKind::Multiple(kinds) => kinds
            .iter()
            .map(|kind| with_article(&kind.to_string()))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// A format in words, with an example where one is needed to write it.
fn format_name(format: &str) -> String {
    match format {
        "date" => "a date such as 2026-11-28".to_owned(),
        "date-time" => "a date and time with its offset, such as 2026-11-28T10:00:00Z".to_owned(),
        "time" => "a time with its offset, such as 10:00:00Z".to_owned(),
        "duration" => "a duration such as P3DT4H".to_owned(),
        "email" | "idn-email" => "an e-mail address".to_owned(),
        "uri" | "iri" => "an address with its scheme, such as https://example.org/page".to_owned(),
        "uuid" => "a UUID such as 67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned(),
        other => format!("in the format `{other}`"),
    }
}

fn bare(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{closest, place};

    #[test]
    fn the_closest_name_is_offered_and_no_wild_guess() {
        assert_eq!(closest("titel", &["title", "tags"]), Some("title"));
        assert_eq!(closest("wholly_other", &["title", "tags"]), None);
    }

    #[test]
    fn places() {
        assert_eq!(place(""), "");
        assert_eq!(place("/a/0/b~1c"), "a[0].b/c");
    }
}
