//! A filter that a caller wrote, over the results of calls by their names: compiled alone, with
//! the functions and limits of connector files and no variable but those names. Knows no call.

use std::collections::HashMap;
use std::sync::OnceLock;

use bytes::Bytes;
use jaq_core::load::{Arena, File, Loader, parse};
use jaq_core::{Ctx, Vars};
use jaq_json::Val;

use super::budget::{Budget, Spent};
use super::message::without_values;
use super::program::{self, Data, FilterFault, JaqData, Stop, syntax};
use super::{meter, natives};
use crate::json;

/// Characters of a sentence that a filter may hand out.
const MAX_SENTENCE: usize = 500;
/// Bytes of a filter: what its reader can take on the stack that filters have.
const MAX_CODE: usize = 2_000;
/// Signs of it that may stand around others, each of which may take some stack.
const MAX_SIGNS: usize = 600;
/// The name that the filter has as a definition.
const MAIN: &str = "main__0";
/// Definitions of ours that name what only the filters of a connector file have.
const OF_FILES: [&str; 4] = ["given", "passed", "passed_or_null", "touched"];

/// What is wrong with a filter that a caller wrote, or with what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFault {
    /// The line of the filter, from 1 on; none for what came of all of it.
    pub line: Option<usize>,
    /// What it is, without the full stop.
    pub what: String,
}

/// The result of a call as filters see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryValue {
    value: Val,
    /// As it was read; none for what a filter made.
    json: Option<Bytes>,
}

impl QueryValue {
    /// The value of a JSON text that this crate made, such as [`Outcome::json`](crate::Outcome).
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn read(json: String) -> Result<Self, QueryFault> {
        let read = json::Admitted::new(json.into()).ok().and_then(|json| {
            let value = super::read(&json).ok()?;
            Some((value, json.bytes().clone()))
        });
        let (value, json) = read.ok_or(QueryFault {
            line: None,
            what: "an answer could not be read".to_owned(),
        })?;
        Ok(Self {
            value,
            json: Some(json),
        })
    }

    fn made(value: Val) -> Self {
        Self { value, json: None }
    }

    /// A list of these.
    pub fn list(items: Vec<Self>) -> Self {
        Self::made(items.into_iter().map(|item| item.value).collect())
    }

    /// An object of named results as compact JSON, without a filter: as they were read.
    pub fn object_json(names: &[&str], results: &[Self]) -> String {
        let texts = results.iter().map(|result| result.json.as_deref());
        let texts = texts.map(|json| std::str::from_utf8(json.unwrap_or_default()));
        let mut out = String::from("{");
        for (name, text) in names.iter().zip(texts) {
            if out.len() > 1 {
                out.push(',');
            }
            json::push_string(&mut out, name);
            out.push(':');
            // each was read from a compact JSON text
            out.push_str(text.ok().filter(|text| !text.is_empty()).unwrap_or("null"));
        }
        out.push('}');
        out
    }

    /// Items of a list, or of an object's `items`; none for what is neither.
    pub fn rows(&self) -> usize {
        let items = super::get(&self.value, "items").unwrap_or(&self.value);
        match items {
            Val::Arr(items) => items.len(),
            _ => 0,
        }
    }

    /// The value of a key, when this is an object that has it.
    pub fn get(&self, key: &str) -> Option<Self> {
        super::get(&self.value, key).cloned().map(Self::made)
    }

    /// As compact JSON.
    ///
    /// # Errors
    /// When JSON cannot say it.
    pub fn json(&self) -> Result<String, QueryFault> {
        let mut out = String::new();
        match super::sound(&self.value).and_then(|()| super::write(&mut out, &self.value)) {
            Ok(()) => Ok(out),
            Err(why) => Err(QueryFault {
                line: None,
                what: format!("it made a value that cannot be given: {why}"),
            }),
        }
    }

    /// Whether any text or name in it is not one of those that `own` holds word for word, so that
    /// it may be somebody else's.
    pub fn has_text_beside(&self, known_text: &str) -> bool {
        has_text_beside(&self.value, known_text)
    }
}

fn has_text_beside(value: &Val, known_text: &str) -> bool {
    let is_other = |text: &Val| super::text(text).is_some_and(|text| !known_text.contains(&*text));
    match value {
        Val::Null | Val::Bool(_) | Val::Num(_) => false,
        Val::TStr(_) => is_other(value),
        Val::BStr(_) => true,
        Val::Arr(items) => items.iter().any(|item| has_text_beside(item, known_text)),
        Val::Obj(members) => members
            .iter()
            .any(|(name, value)| is_other(name) || has_text_beside(value, known_text)),
    }
}

/// A filter over named results, compiled.
pub struct QueryFilter {
    lut: jaq_core::Lut<JaqData>,
    main: jaq_core::compile::TermId,
    code: String,
}

impl std::fmt::Debug for QueryFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("QueryFilter").field(&self.code).finish()
    }
}

impl QueryFilter {
    /// Compiles a filter that may name these results, each as a variable, and nothing else. Needs
    /// the stack that running one needs.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn compile(code: &str, names: &[&str]) -> Result<Self, QueryFault> {
        if code.len() > MAX_CODE {
            return Err(QueryFault {
                line: None,
                what: format!(
                    "it has {} characters, and at most {MAX_CODE} are read",
                    code.len()
                ),
            });
        }
        let signs = code.bytes().filter(|byte| b"-([{|,+*/=".contains(byte));
        if signs.count() > MAX_SIGNS {
            return Err(QueryFault {
                line: None,
                what: "it has more brackets and operators than are read".to_owned(),
            });
        }
        let variables: Vec<String> = names.iter().map(|name| format!("${name}")).collect();
        let faults = match compile(code, &variables) {
            Ok((lut, main)) => {
                let code = code.to_owned();
                return Ok(Self { lut, main, code });
            }
            Err(faults) => faults,
        };
        let fault = faults.into_iter().next();
        let (byte, mut what) = fault.map_or((0, "it cannot be read".to_owned()), |fault| {
            (fault.bytes.start, fault.what)
        });
        if what.starts_with("there is no variable") && !variables.is_empty() {
            what = format!("{what}; there are {}", variables.join(", "));
        }
        let before = code.get(..byte).unwrap_or_default();
        Err(QueryFault {
            line: Some(1 + before.matches('\n').count()),
            what,
        })
    }

    /// What the filter gives for these results, in the order of their names, and this input: its
    /// values, at most `most`. Runs on the thread that calls it, which needs
    /// [`FILTER_STACK_BYTES`](crate::FILTER_STACK_BYTES) of stack.
    ///
    /// # Errors
    /// When it fails, spends more than a filter may, or gives more values.
    pub fn run(
        &self,
        results: &[QueryValue],
        input: &QueryValue,
        most: usize,
    ) -> Result<Vec<QueryValue>, QueryFault> {
        let budget = Budget::new();
        let data = Data::new(&self.lut, &budget);
        let values = results.iter().map(|result| result.value.clone());
        let context = Ctx::<JaqData>::new(data, Vars::new(values));
        let found: Result<Vec<Val>, Stop> = self
            .main
            .run((context, input.value.clone()))
            .take(most.saturating_add(1))
            .map(|value| value.map_err(program::stop))
            .collect();
        let fault = |what: String| QueryFault {
            line: None,
            what: match what.trim().is_empty() {
                true => "it ended itself by `error`, with no words".to_owned(),
                false => what,
            },
        };
        match found {
            Ok(values) if values.len() > most => Err(fault(match most {
                1 => "it gives more than one value; make one list of them, as [...]".to_owned(),
                most => format!("it gives more than {most} values; make a shorter list of them"),
            })),
            Ok(values) => {
                let unsound = values.iter().find_map(|value| super::sound(value).err());
                unsound.map_or_else(
                    || Ok(values.into_iter().map(QueryValue::made).collect()),
                    |why| {
                        Err(fault(format!(
                            "it made a value that cannot be given: {why}"
                        )))
                    },
                )
            }
            Err(Stop::Refused(sentence)) => {
                Err(fault(sentence.chars().take(MAX_SENTENCE).collect()))
            }
            Err(Stop::Spent(spent)) => Err(fault(spent_sentence(spent).to_owned())),
            Err(Stop::Many) => Err(fault("it gives more than one value".to_owned())),
            Err(Stop::Failed(message)) => Err(fault(without_values(&message, &self.code))),
        }
    }

    /// An object of named results, for a filter that begins with `.`.
    pub fn input(names: &[&str], results: &[QueryValue]) -> QueryValue {
        let members = names.iter().zip(results);
        let members = members.map(|(name, result)| {
            let name = Val::utf8_str((*name).to_owned());
            (name, result.value.clone())
        });
        QueryValue::made(Val::obj(members.collect()))
    }
}

fn spent_sentence(spent: Spent) -> &'static str {
    match spent {
        Spent::Fuel => {
            "it was ended, because it makes more rounds or larger values than a filter may; use less \
             of the rows, and no loops of its own"
        }
        Spent::Time => {
            "it was ended, because it worked longer than a filter may; use less of the rows"
        }
        Spent::Stack => "it was ended, because its calls are nested too deep",
    }
}

/// jq's definitions and ours, read and priced once.
struct Prelude {
    definitions: Vec<PreludeDefinition>,
    /// The places of the definitions of a name, in their order.
    places: HashMap<(&'static str, usize), Vec<usize>>,
}

struct PreludeDefinition {
    definition: meter::FilterDefinition<'static>,
    calls: Vec<(&'static str, usize)>,
}

fn prelude() -> &'static Prelude {
    static PRELUDE: OnceLock<Prelude> = OnceLock::new();
    PRELUDE.get_or_init(|| {
        let jaq = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|d| !natives::DENIED_DEFINITIONS.contains(&d.name));
        let own_definitions = program::definitions(natives::OWN_DEFINITIONS)
            .into_iter()
            .filter(|definition| !OF_FILES.contains(&definition.name));
        let definitions: Vec<_> = jaq
            .chain(own_definitions)
            .map(|mut definition| {
                let priced = meter::definitions(std::slice::from_mut(&mut definition));
                PreludeDefinition {
                    definition,
                    calls: priced.calls,
                }
            })
            .collect();
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, PreludeDefinition { definition, .. }) in definitions.iter().enumerate() {
            let signature = (definition.name, definition.args.len());
            places.entry(signature).or_default().push(place);
        }
        Prelude {
            definitions,
            places,
        }
    })
}

/// The definitions that these calls need, with all that those need, in their order.
fn needed(calls: &[(&str, usize)]) -> Vec<meter::FilterDefinition<'static>> {
    let prelude = prelude();
    let mut is_needed = vec![false; prelude.definitions.len()];
    let mut left: Vec<usize> = Vec::new();
    let mut take = |left: &mut Vec<usize>, calls: &[(&str, usize)]| {
        for (name, arguments) in calls {
            let places = prelude.places.get(&(*name, *arguments));
            for place in places.into_iter().flatten() {
                if let Some(is_needed) = is_needed.get_mut(*place)
                    && !std::mem::replace(is_needed, true)
                {
                    left.push(*place);
                }
            }
        }
    };
    take(&mut left, calls);
    while let Some(place) = left.pop() {
        if let Some(needed) = prelude.definitions.get(place) {
            take(&mut left, &needed.calls);
        }
    }
    let definitions = prelude.definitions.iter().zip(is_needed);
    definitions
        .filter(|(_, is_needed)| *is_needed)
        .map(|(needed, _)| needed.definition.clone())
        .collect()
}

fn compile(
    code: &str,
    variables: &[String],
) -> Result<(jaq_core::Lut<JaqData>, jaq_core::compile::TermId), Vec<FilterFault>> {
    let body = syntax(0, code, |parser| parser.term())?;
    let mut definition = parse::Def {
        name: MAIN,
        args: Vec::new(),
        body,
    };
    let priced = meter::definitions(std::slice::from_mut(&mut definition));
    if let Some(number) = priced.large.first() {
        return Err(vec![FilterFault {
            filter: 0,
            bytes: jaq_core::load::span(code, number),
            what: "it makes a text of more than a million characters".to_owned(),
        }]);
    }
    let mut definitions: Vec<meter::FilterDefinition<'_>> = needed(&priced.calls);
    definitions.push(definition);
    let arena = Arena::default();
    let main = File {
        code: MAIN,
        path: (),
    };
    let modules = Loader::new(definitions).load(&arena, main).map_err(|_| {
        vec![FilterFault {
            filter: 0,
            bytes: 0..0,
            what: "it cannot be read".to_owned(),
        }]
    })?;
    let compiled = jaq_core::Compiler::default()
        .with_funs(natives::all(0))
        .with_global_vars(variables.iter().map(String::as_str))
        .compile(modules);
    compiled
        .map(|filter| (filter.lut, filter.id))
        .map_err(|errors| {
            let errors = errors.into_iter().flat_map(|(_, errors)| errors);
            let of_names = |(part, kind): (&str, _)| program::unknown("", &[code], part, &kind);
            errors.map(of_names).collect()
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{QueryFilter, QueryValue};
    use crate::jq::{FilterId, Variables, compile, function_names, read_text};

    fn value(json: &serde_json::Value) -> QueryValue {
        QueryValue::read(json.to_string()).unwrap()
    }

    /// What a filter gives over `$a` and `$b`, each value as JSON; else its line and what is wrong.
    fn run(code: &str) -> Result<Vec<String>, (Option<usize>, String)> {
        let names = ["a", "b"];
        let results = [
            value(&json!({"items": [{"id": 1, "n": "x"}, {"id": 2}], "total_count": 2})),
            value(&json!([3, 1, 2])),
        ];
        let input = QueryFilter::input(&names, &results);
        let ran = QueryFilter::compile(code, &names)
            .and_then(|filter| filter.run(&results, &input, 3))
            .and_then(|values| values.iter().map(QueryValue::json).collect());
        ran.map_err(|fault| (fault.line, fault.what))
    }

    #[test]
    fn an_error_without_words_has_a_sentence() {
        for code in [r#"error("")"#, r#"$a | error(" ")"#] {
            let (_, what) = run(code).unwrap_err();
            assert_eq!(what, "it ended itself by `error`, with no words", "{code}");
        }
    }

    #[test]
    fn results_are_variables_and_members_of_the_input() {
        for code in ["$a.items | map(.id)", ".a.items | map(.id)"] {
            assert_eq!(run(code), Ok(vec!["[1,2]".to_owned()]), "{code}");
        }
        assert_eq!(
            run("$b | sort, (to_entries | length), ($a | only([\"total_count\"]))").unwrap(),
            ["[1,2,3]", "3", r#"{"total_count":2}"#]
        );
    }

    #[test]
    fn a_fault_names_its_line() {
        let fault = |code| run(code).unwrap_err();
        let variable = "there is no variable $args; there are $a, $b";
        assert_eq!(fault("$a\n| $args"), (Some(2), variable.to_owned()));
        assert_eq!(
            fault("$a\n\n| nope(1)"),
            (Some(3), "there is no filter nope/1".to_owned())
        );
        assert_eq!(fault("map(").0, Some(1));
        for code in [
            "now",
            "env",
            "$ENV",
            "input",
            "$__prog_args",
            "debug",
            "halt",
            "given",
        ] {
            assert!(fault(code).1.starts_with("there is no "), "{code}");
        }
        assert!(fault("import \"a\" as a; .").0.is_some());
        assert_eq!(
            fault("$a.items[0].n.x"),
            (None, r#"cannot index a text with "x""#.to_owned())
        );
        assert_eq!(
            fault("error(\"No sprint.\")"),
            (None, "No sprint.".to_owned())
        );
    }

    #[test]
    fn what_a_filter_may_spend_has_an_end() {
        for code in [
            "def f: f; f",
            "[limit(1000000000; repeat(1))]",
            "reduce range(40) as $i ([1]; . + .)",
            "\"x\" * 1000000000",
            "[range(1; 100000000)]",
            "def f: 1 + f; f",
            "reduce range(60) as $i (\"xxxxxxxxxx\"; . + .)",
            "$b[] , 4",
            "nan",
            "[.. | ..] | [.[] as $x | .[] as $y | .[] as $z | .[] as $w | 1] | length",
        ] {
            assert!(run(code).is_err() || code.starts_with("[.."), "{code}");
        }
    }

    /// However deep it is, it is read or refused, on half of the stack that there is.
    #[test]
    fn a_deep_filter_ends_nothing() {
        let with_stack = |work: fn()| {
            let thread = std::thread::Builder::new().stack_size(crate::FILTER_STACK_BYTES / 2);
            thread.spawn(work).unwrap().join().unwrap();
        };
        with_stack(|| {
            for (open, inner, close) in [
                ("(", "1", ")"),
                ("[", "1", "]"),
                ("{a:", "1", "}"),
                ("-", "1", ""),
                ("1|", "1", ""),
                ("1,", "1", ""),
                ("1+", "1", ""),
                ("1//", "1", ""),
                (".a|=", "1", ""),
                ("try ", "1", ""),
                ("if ", "1", " then 1 end"),
                ("def f: ", "1", ";1"),
                ("reduce ", "1", " as $x (1;1)"),
                (". as $x|", "1", ""),
                ("\"\\(", "1", ")\""),
                (".[", "1", "]"),
                ("map(", "1", ")"),
                ("label $x|", "1", ""),
                (".", "a", ""),
                ("(", "", ""),
                (". as [", "$a", "]|1"),
            ] {
                let signs = |text: &str| text.bytes().filter(|b| b"-([{|,+*/=".contains(b)).count();
                let times = ((super::MAX_CODE - 10) / (open.len() + close.len()))
                    .min((super::MAX_SIGNS - 5) / signs(open).max(1));
                let deep = format!("{}{inner}{}", open.repeat(times), close.repeat(times));
                if let Ok(filter) = QueryFilter::compile(&deep, &[]) {
                    let _ended = filter.run(&[], &value(&json!(null)), 5);
                }
            }
        });
        assert!(QueryFilter::compile(&" ".repeat(5_000), &[]).is_err());
    }

    /// Only what a filter needs is compiled with it; nothing that every filter has is missing.
    #[test]
    fn every_function_is_there_and_does_the_same() {
        let names = function_names();
        let codes: Vec<String> = names
            .iter()
            .map(|name| {
                let (name, arity) = name.split_once('/').unwrap();
                match vec!["."; arity.parse().unwrap()].join("; ").as_str() {
                    "" => name.to_owned(),
                    arguments => format!("{name}({arguments})"),
                }
            })
            .collect();
        let program = compile("", &codes.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        for (place, code) in codes.iter().enumerate() {
            let query = QueryFilter::compile(code, &[]).unwrap();
            for input in ["[3,1,[2]]", r#"{"a":[1,"b"]}"#, r#""a,b""#, "7", "null"] {
                let own = read_text(input).unwrap();
                let whole = program.run_first(FilterId(place), &Variables::default(), own, 20);
                let Ok(values) = query.run(&[], &QueryValue::read(input.to_owned()).unwrap(), 20)
                else {
                    continue;
                };
                let values: Vec<_> = values.into_iter().map(|value| value.value).collect();
                let whole = whole.map(|values| format!("{values:?}")).map_err(drop);
                assert_eq!(Ok(format!("{values:?}")), whole, "{code} over {input}");
            }
        }
    }
}
