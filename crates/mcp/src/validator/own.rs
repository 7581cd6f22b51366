//! The validator of plain schemas: those of whose words each is known here. It walks the schema
//! along the value, and compiles nothing but patterns.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use regex::Regex;
use serde_json::{Map, Value};

use super::formats;
use super::likeness::{is_equal, is_kind, kinds, number_fault};
use super::problem::{SchemaFault, SchemaProblem};
use crate::canonical::canonical_json;

/// The deepest way into a schema, references followed: a schema that refers to itself without an
/// end takes no value.
const MAX_STEPS: usize = 1000;

/// The patterns of a schema, compiled.
#[derive(Debug, Default)]
pub(super) struct Patterns(HashMap<String, Regex>);

impl Patterns {
    /// Those anywhere in a plain schema.
    pub(super) fn of(schema: &Value) -> Self {
        let mut patterns = HashMap::new();
        let mut waiting = vec![schema];
        while let Some(value) = waiting.pop() {
            match value {
                Value::Array(items) => waiting.extend(items),
                Value::Object(members) => {
                    for (name, member) in members {
                        match member {
                            Value::String(text) if name == "pattern" => {
                                patterns
                                    .entry(text.clone())
                                    .or_insert_with(|| compiled(text));
                            }
                            Value::Object(named) if name == "patternProperties" => {
                                for text in named.keys() {
                                    patterns
                                        .entry(text.clone())
                                        .or_insert_with(|| compiled(text));
                                }
                            }
                            _ => {}
                        }
                        waiting.push(member);
                    }
                }
                _ => {}
            }
        }
        let known = patterns
            .into_iter()
            .filter_map(|(text, pattern)| Some((text, pattern?)));
        Self(known.collect())
    }

    /// A pattern that could not be compiled matches nothing; none of a plain schema is such.
    fn matches(&self, pattern: &str, text: &str) -> bool {
        self.0
            .get(pattern)
            .is_some_and(|known| known.is_match(text))
    }
}

/// Digits are those of ASCII, as in every dialect but the crate's.
fn compiled(pattern: &str) -> Option<Regex> {
    Regex::new(&pattern.replace("\\d", "[0-9]")).ok()
}

/// What a problem is given to; it may say that it wants no more.
type ToldProblem<'f, 'v> = &'f mut dyn FnMut(SchemaProblem<'v>) -> ControlFlow<()>;

/// A schema about to judge a value.
#[derive(Clone, Copy)]
pub(super) struct Judge<'s> {
    root: &'s Value,
    patterns: &'s Patterns,
    /// It is only asked whether, not why not.
    is_quick: bool,
}

/// The way from the root to where somebody is, in a value or a schema.
#[derive(Clone, Copy)]
struct Trail<'w> {
    before: Option<&'w Trail<'w>>,
    step: TrailStep<'w>,
    length: usize,
}

#[derive(Clone, Copy)]
enum TrailStep<'w> {
    Root,
    Name(&'w str),
    Item(usize),
    /// To a definition at the root of the schema.
    Definition(&'w str),
    /// To the schema as a whole.
    Whole,
}

impl<'w> Trail<'w> {
    const ROOT: Self = Self {
        before: None,
        step: TrailStep::Root,
        length: 0,
    };

    fn to(&'w self, step: TrailStep<'w>) -> Self {
        Self {
            before: Some(self),
            step,
            length: self.length + 1,
        }
    }

    fn name(&'w self, name: &'w str) -> Self {
        self.to(TrailStep::Name(name))
    }

    fn item(&'w self, place: usize) -> Self {
        self.to(TrailStep::Item(place))
    }

    fn pointer(&self) -> String {
        let before = || self.before.map(Trail::pointer).unwrap_or_default();
        match self.step {
            TrailStep::Root | TrailStep::Whole => String::new(),
            TrailStep::Name(name) => {
                format!(
                    "{}/{}",
                    before(),
                    name.replace('~', "~0").replace('/', "~1")
                )
            }
            TrailStep::Item(place) => format!("{}/{place}", before()),
            TrailStep::Definition(name) => format!("/$defs/{name}"),
        }
    }
}

/// A value in its place, and the schema that it is held against in its own.
#[derive(Clone, Copy)]
struct Meeting<'s, 'v, 'w> {
    schema: &'s Value,
    value: &'v Value,
    at: &'w Trail<'w>,
    by: &'w Trail<'w>,
}

impl<'v> Meeting<'_, 'v, '_> {
    /// A problem with a keyword.
    fn problem(&self, keyword: &str, fault: SchemaFault<'v>) -> SchemaProblem<'v> {
        SchemaProblem {
            place: self.at.pointer(),
            schema_place: self.by.name(keyword).pointer(),
            value: self.value,
            fault,
        }
    }
}

impl<'s> Judge<'s> {
    pub(super) fn of(root: &'s Value, patterns: &'s Patterns) -> Self {
        Self {
            root,
            patterns,
            is_quick: false,
        }
    }

    pub(super) fn is_valid(self, value: &Value) -> bool {
        let quick = Self {
            is_quick: true,
            ..self
        };
        quick
            .judge(value, &mut |_| ControlFlow::Break(()))
            .is_continue()
    }

    pub(super) fn problems<'v>(self, value: &'v Value, found: &mut dyn FnMut(SchemaProblem<'v>)) {
        let all = &mut |problem| {
            found(problem);
            ControlFlow::Continue(())
        };
        // It never wants to stop.
        let (ControlFlow::Continue(()) | ControlFlow::Break(())) = self.judge(value, all);
    }

    fn judge<'v>(self, value: &'v Value, found: ToldProblem<'_, 'v>) -> ControlFlow<()> {
        let meeting = Meeting {
            schema: self.root,
            value,
            at: &Trail::ROOT,
            by: &Trail::ROOT,
        };
        self.meet(meeting, found)
    }

    /// Whether a value is what a schema says, wherever the schema stands.
    fn fits(self, meeting: Meeting<'_, '_, '_>) -> bool {
        let quick = Self {
            is_quick: true,
            ..self
        };
        let found = &mut |_| ControlFlow::Break(());
        quick.meet(meeting, found).is_continue()
    }

    /// Tells of a problem, if anybody wants to know which.
    fn tell<'v>(
        self,
        meeting: Meeting<'_, 'v, '_>,
        keyword: &str,
        fault: impl FnOnce() -> SchemaFault<'v>,
        found: ToldProblem<'_, 'v>,
    ) -> ControlFlow<()> {
        if self.is_quick {
            return ControlFlow::Break(());
        }
        found(meeting.problem(keyword, fault()))
    }

    fn meet<'v>(self, meeting: Meeting<'_, 'v, '_>, found: ToldProblem<'_, 'v>) -> ControlFlow<()> {
        let keywords = match meeting.schema {
            Value::Object(keywords) => keywords,
            Value::Bool(false) if self.is_quick => return ControlFlow::Break(()),
            Value::Bool(false) => {
                let text = format!("False schema does not allow {}", meeting.value);
                return found(SchemaProblem {
                    place: meeting.at.pointer(),
                    schema_place: meeting.by.pointer(),
                    value: meeting.value,
                    fault: match meeting.by.step {
                        TrailStep::Name("additionalProperties") => SchemaFault::NoNames,
                        _ => SchemaFault::Other(text),
                    },
                });
            }
            _ => return ControlFlow::Continue(()),
        };
        if meeting.by.length > MAX_STEPS {
            let text = || "the schema refers to itself without an end".to_owned();
            return self.tell(meeting, "$ref", || SchemaFault::Other(text()), found);
        }
        for (keyword, word) in keywords {
            self.word(meeting, keywords, (keyword, word), found)?;
        }
        ControlFlow::Continue(())
    }

    /// Holds a value against one keyword of its schema.
    fn word<'v>(
        self,
        meeting: Meeting<'_, 'v, '_>,
        keywords: &Map<String, Value>,
        (keyword, word): (&str, &Value),
        found: ToldProblem<'_, 'v>,
    ) -> ControlFlow<()> {
        let Meeting { value, at, by, .. } = meeting;
        let here = by.name(keyword);
        if let Some(fault) = self.fault(value, keyword, word) {
            return self.tell(meeting, keyword, || fault, found);
        }
        let under = |schema| Meeting {
            schema,
            by: &here,
            ..meeting
        };
        match (keyword, word, value) {
            ("$ref", Value::String(target), _) => {
                let name = target.strip_prefix("#/$defs/");
                let schema = match name {
                    Some(name) => self.root.get("$defs").and_then(|all| all.get(name)),
                    None => Some(self.root).filter(|_| target == "#"),
                };
                let definition = here.to(name.map_or(TrailStep::Whole, TrailStep::Definition));
                match schema {
                    Some(schema) => self.meet(
                        Meeting {
                            by: &definition,
                            ..under(schema)
                        },
                        found,
                    ),
                    None => ControlFlow::Continue(()),
                }
            }
            ("allOf", Value::Array(schemas), _) => {
                for (place, schema) in schemas.iter().enumerate() {
                    let way = here.item(place);
                    self.meet(
                        Meeting {
                            by: &way,
                            ..under(schema)
                        },
                        found,
                    )?;
                }
                ControlFlow::Continue(())
            }
            ("anyOf" | "oneOf", Value::Array(schemas), _) => {
                let fitting = schemas
                    .iter()
                    .filter(|schema| self.fits(under(schema)))
                    .take(2)
                    .count();
                let fault = || match fitting {
                    0 => SchemaFault::NoChoice(self.context(under(word), schemas)),
                    _ => SchemaFault::Other(format!(
                        "{value} is valid under more than one of the schemas listed in the \
                         'oneOf' keyword"
                    )),
                };
                match (keyword, fitting) {
                    (_, 0) | ("oneOf", 2) => self.tell(meeting, keyword, fault, found),
                    _ => ControlFlow::Continue(()),
                }
            }
            ("not", schema, _) if self.fits(under(schema)) => {
                let text = || format!("{schema} is not allowed for {value}");
                self.tell(meeting, keyword, || SchemaFault::Other(text()), found)
            }
            ("properties", Value::Object(named), Value::Object(members)) => {
                let Some(others) = keywords.get("additionalProperties") else {
                    for (name, schema) in named {
                        if let Some(member) = members.get(name) {
                            self.member(meeting, (name, schema, member), found)?;
                        }
                    }
                    return ControlFlow::Continue(());
                };
                // In the order in which they were sent, and what is not known last.
                for (name, member) in members {
                    if let Some(schema) = named.get(name) {
                        self.member(meeting, (name, schema, member), found)?;
                    }
                }
                self.other_members(meeting, keywords, others, members, found)
            }
            ("patternProperties", Value::Object(named), Value::Object(members)) => {
                for (pattern, schema) in named {
                    for (name, member) in members {
                        if self.patterns.matches(pattern, name) {
                            let inner = Meeting {
                                schema,
                                value: member,
                                at: &at.name(name),
                                by: &here.name(pattern),
                            };
                            self.meet(inner, found)?;
                        }
                    }
                }
                ControlFlow::Continue(())
            }
            ("additionalProperties", schema, Value::Object(members))
                if !keywords.contains_key("properties") =>
            {
                self.other_members(meeting, keywords, schema, members, found)
            }
            ("propertyNames", schema, Value::Object(members)) => {
                for name in members.keys() {
                    let text = Value::from(name.as_str());
                    let inner = Meeting {
                        schema,
                        value: &text,
                        at: &Trail::ROOT,
                        by: &here,
                    };
                    if !self.fits(inner) {
                        let sentence = || format!("the name {text} does not fit");
                        self.tell(meeting, keyword, || SchemaFault::Other(sentence()), found)?;
                    }
                }
                ControlFlow::Continue(())
            }
            ("prefixItems", Value::Array(schemas), Value::Array(items)) => {
                for (place, (schema, item)) in schemas.iter().zip(items).enumerate() {
                    let inner = Meeting {
                        schema,
                        value: item,
                        at: &at.item(place),
                        by: &here.item(place),
                    };
                    self.meet(inner, found)?;
                }
                ControlFlow::Continue(())
            }
            ("items", schema, Value::Array(items)) => {
                let first = keywords.get("prefixItems").and_then(Value::as_array);
                let first = first.map_or(0, Vec::len);
                for (place, item) in items.iter().enumerate().skip(first) {
                    let inner = Meeting {
                        schema,
                        value: item,
                        at: &at.item(place),
                        by: &here,
                    };
                    self.meet(inner, found)?;
                }
                ControlFlow::Continue(())
            }
            ("contains", schema, Value::Array(items)) => {
                let is_there = items.iter().any(|item| {
                    self.fits(Meeting {
                        schema,
                        value: item,
                        at,
                        by: &here,
                    })
                });
                if is_there {
                    return ControlFlow::Continue(());
                }
                let text = || format!("None of {value} are valid under the given schema");
                self.tell(meeting, keyword, || SchemaFault::Other(text()), found)
            }
            ("required", Value::Array(names), Value::Object(members)) => {
                for name in names.iter().filter_map(Value::as_str) {
                    if !members.contains_key(name) {
                        let fault = || SchemaFault::Missing(name.to_owned());
                        self.tell(meeting, keyword, fault, found)?;
                    }
                }
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// A member that `properties` speaks of.
    fn member<'v>(
        self,
        meeting: Meeting<'_, 'v, '_>,
        (name, schema, value): (&str, &Value, &'v Value),
        found: ToldProblem<'_, 'v>,
    ) -> ControlFlow<()> {
        let properties = meeting.by.name("properties");
        let inner = Meeting {
            schema,
            value,
            at: &meeting.at.name(name),
            by: &properties.name(name),
        };
        self.meet(inner, found)
    }

    /// The members that neither `properties` nor `patternProperties` speak of.
    fn other_members<'v>(
        self,
        meeting: Meeting<'_, 'v, '_>,
        keywords: &Map<String, Value>,
        schema: &Value,
        members: &'v Map<String, Value>,
        found: ToldProblem<'_, 'v>,
    ) -> ControlFlow<()> {
        let named = |keyword| keywords.get(keyword).and_then(Value::as_object);
        let (properties, patterns) = (named("properties"), named("patternProperties"));
        let others = members.iter().filter(|(name, _)| {
            let has_pattern = |patterns: &Map<String, Value>| {
                patterns
                    .keys()
                    .any(|pattern| self.patterns.matches(pattern, name))
            };
            !properties.is_some_and(|known| known.contains_key(*name))
                && !patterns.is_some_and(has_pattern)
        });
        let keyword = "additionalProperties";
        if *schema == Value::Bool(false) {
            let names: Vec<String> = others.map(|(name, _)| name.clone()).collect();
            if names.is_empty() {
                return ControlFlow::Continue(());
            }
            return self.tell(meeting, keyword, || SchemaFault::UnknownNames(names), found);
        }
        for (name, member) in others {
            let inner = Meeting {
                schema,
                value: member,
                at: &meeting.at.name(name),
                by: &meeting.by.name(keyword),
            };
            self.meet(inner, found)?;
        }
        ControlFlow::Continue(())
    }

    /// The problems of a value with each of several schemas.
    fn context<'v>(
        self,
        meeting: Meeting<'_, 'v, '_>,
        schemas: &[Value],
    ) -> Vec<Vec<SchemaProblem<'v>>> {
        let of = |(place, schema)| {
            let mut problems = Vec::new();
            let inner = Meeting {
                schema,
                by: &meeting.by.item(place),
                ..meeting
            };
            let all = &mut |problem| {
                problems.push(problem);
                ControlFlow::Continue(())
            };
            let (ControlFlow::Continue(()) | ControlFlow::Break(())) = self.meet(inner, all);
            problems
        };
        schemas.iter().enumerate().map(of).collect()
    }

    /// What is wrong with a value by a keyword that looks at nothing inside of it.
    fn fault<'v>(self, value: &Value, keyword: &str, word: &Value) -> Option<SchemaFault<'v>> {
        let other = |text: String| Some(SchemaFault::Other(text));
        let limit = word.as_u64();
        let exceeds = |count: usize| limit.is_some_and(|limit| count as u64 > limit);
        let misses = |count: usize| limit.is_some_and(|limit| (count as u64) < limit);
        match (keyword, word, value) {
            ("type", _, _) => {
                let kinds = kinds(word);
                let is_one = kinds.iter().any(|kind| is_kind(value, kind));
                let kinds = kinds.into_iter().map(str::to_owned).collect();
                (!is_one).then_some(SchemaFault::Kind(kinds))
            }
            ("enum", Value::Array(members), _) => {
                let is_member = members.iter().any(|member| is_equal(member, value));
                (!is_member).then(|| SchemaFault::NotListed(members.clone()))
            }
            ("const", _, _) if !is_equal(word, value) => other(format!("{word} was expected")),
            ("minLength", _, Value::String(text)) if misses(text.chars().count()) => {
                limit.map(SchemaFault::TooShort)
            }
            ("maxLength", _, Value::String(text)) if exceeds(text.chars().count()) => {
                limit.map(SchemaFault::TooLong)
            }
            ("pattern", Value::String(pattern), Value::String(text)) => {
                let fits = self.patterns.matches(pattern, text);
                (!fits).then(|| SchemaFault::Pattern(pattern.clone()))
            }
            ("format", Value::String(format), Value::String(text)) => {
                let fits = formats::is_in_format(format, text);
                (fits == Some(false)).then(|| SchemaFault::Format(format.clone()))
            }
            ("minItems", _, Value::Array(items)) if misses(items.len()) => {
                limit.map(SchemaFault::TooFewItems)
            }
            ("maxItems", _, Value::Array(items)) if exceeds(items.len()) => {
                limit.map(SchemaFault::TooManyItems)
            }
            ("uniqueItems", Value::Bool(true), Value::Array(items)) => {
                let mut seen = HashSet::new();
                let is_twice = |item: &Value| !seen.insert(canonical_json(item));
                if items.iter().any(is_twice) {
                    return other(format!("{value} has non-unique elements"));
                }
                None
            }
            ("minProperties", _, Value::Object(members)) if misses(members.len()) => {
                other(format!("{value} has less than {word} properties"))
            }
            ("maxProperties", _, Value::Object(members)) if exceeds(members.len()) => {
                other(format!("{value} has more than {word} properties"))
            }
            (_, Value::Number(_), Value::Number(_)) => number_fault(keyword, word, value),
            _ => None,
        }
    }
}
