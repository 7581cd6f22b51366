//! Sentences about what is wrong with a call's arguments, on which a client can act. The validator
//! finds the problems; here they get their words.

use serde_json::{Map, Value};

use super::choice;
use crate::limits;
use crate::protocol_error::excerpt;
use crate::validator::{BuiltValidator, SchemaFault, SchemaProblem};

/// One text that names every problem, with the accepted names where a name was wrong.
pub(super) fn describe(
    tool: &str,
    schema: &Value,
    nullable: &[String],
    validator: &BuiltValidator,
    arguments: &Value,
) -> String {
    if !has_at_most(limits::EXAMINED_VALUES, arguments) {
        let limit = limits::EXAMINED_VALUES;
        return format!(
            "{tool}: the arguments do not fit the tool's schema, and with more than {limit} values the problems are not named. Send less in one call."
        );
    }
    let mut problems = ProblemSentences::default();
    validator.problems(arguments, &mut |problem| {
        collect(&problem, schema, nullable, arguments, &mut problems);
    });
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

/// The sentences that one problem of the validator stands for.
fn collect(
    problem: &SchemaProblem<'_>,
    schema: &Value,
    nullable: &[String],
    arguments: &Value,
    problems: &mut ProblemSentences,
) {
    match &problem.fault {
        SchemaFault::UnknownNames(unexpected) => {
            let place = place(&problem.place);
            let known = known_names(schema, problem);
            unexpected
                .iter()
                .for_each(|name| problems.add(|| unknown_name(&place, name, &known)));
        }
        // Where no name is known, the validator names the value of the first unknown one only.
        SchemaFault::NoNames => {
            let place = place(&problem.place);
            let members = arguments.pointer(&problem.place).and_then(Value::as_object);
            members
                .into_iter()
                .flat_map(Map::keys)
                .for_each(|name| problems.add(|| unknown_name(&place, name, &[])));
        }
        SchemaFault::NoChoice(context) if nullable.contains(&place(&problem.place)) => {
            let before = problems.count;
            for inner in context
                .iter()
                .flatten()
                .filter(|inner| !is_null_type(inner))
            {
                collect(inner, schema, &[], arguments, problems);
            }
            if problems.count == before {
                problems.add(|| sentence(problem));
            }
        }
        SchemaFault::NoChoice(context) => {
            let choices = schema.pointer(&problem.schema_place);
            let meant = choices
                .and_then(|choices| choice::meant(choices, problem.value))
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
                        .and_then(|choices| no_choice(choices, problem))
                        .unwrap_or_else(|| sentence(problem))
                }),
            }
        }
        _ => problems.add(|| sentence(problem)),
    }
}

fn sentence(problem: &SchemaProblem<'_>) -> String {
    let place = place(&problem.place);
    let subject = subject(&place);
    let value = excerpt(&problem.value.to_string()).into_owned();
    match &problem.fault {
        SchemaFault::Missing(name) => format!("`{}` is required", join(&place, name)),
        SchemaFault::NotListed(options) => {
            let options: Vec<String> = options.iter().map(bare).collect();
            format!(
                "{subject} is {value}, but must be one of: {}",
                options.join(", ")
            )
        }
        SchemaFault::Kind(kinds) => {
            format!("{subject} is {value}, but must be {}", kind_names(kinds))
        }
        SchemaFault::TooLong(limit) => format!("{subject} is longer than {limit} characters"),
        SchemaFault::TooShort(limit) => format!("{subject} is shorter than {limit} characters"),
        SchemaFault::TooManyItems(limit) => format!("{subject} has more than {limit} items"),
        SchemaFault::TooFewItems(limit) => format!("{subject} has fewer than {limit} items"),
        SchemaFault::TooSmall(limit) => {
            format!("{subject} is {value}, but must be at least {limit}")
        }
        SchemaFault::TooLarge(limit) => {
            format!("{subject} is {value}, but must be at most {limit}")
        }
        SchemaFault::Pattern(pattern) => {
            format!("{subject} is {value}, but must match {pattern}")
        }
        SchemaFault::Format(format) => {
            format!("{subject} is {value}, but must be {}", format_name(format))
        }
        SchemaFault::Other(text) => format!("{subject}: {}", excerpt(text)),
        SchemaFault::NoChoice(_) | SchemaFault::UnknownNames(_) | SchemaFault::NoNames => {
            format!("{subject} is {value}, which does not fit")
        }
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
fn no_choice(choices: &Value, problem: &SchemaProblem<'_>) -> Option<String> {
    let whole = place(&problem.place);
    let Some((name, words)) = choice::tag(choices) else {
        let words = choice::words(choices)?;
        let known: Vec<&str> = words.iter().map(String::as_str).collect();
        let instance = problem.value;
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
    let Some(value) = problem.value.as_object()?.get(name) else {
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
fn known_names<'a>(schema: &'a Value, problem: &SchemaProblem<'_>) -> Vec<&'a str> {
    let beside = problem
        .schema_place
        .rsplit_once('/')
        .and_then(|(beside, _)| schema.pointer(beside)?.get("properties"));
    match beside.and_then(Value::as_object) {
        Some(properties) => properties.keys().map(String::as_str).collect(),
        None => names_at(schema, &problem.place),
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

fn is_null_type(problem: &SchemaProblem<'_>) -> bool {
    matches!(&problem.fault, SchemaFault::Kind(kinds) if *kinds == ["null"])
}

fn kind_names(kinds: &[String]) -> String {
    let with_article = |name: &String| match name.as_str() {
        "integer" => "an integer".to_owned(),
        "array" => "an array".to_owned(),
        "object" => "an object".to_owned(),
        "null" => "null".to_owned(),
        other => format!("a {other}"),
    };
    let names: Vec<String> = kinds.iter().map(with_article).collect();
    names.join(" or ")
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
