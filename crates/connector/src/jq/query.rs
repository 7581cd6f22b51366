//! A filter that a caller wrote, over the results of calls by their names: compiled alone, with
//! the functions and limits of connector files and no variable but those names. Knows no call.

mod looked_at;
mod value;

use std::collections::HashMap;
use std::sync::OnceLock;

use jaq_core::load::{Arena, File, Loader, parse};
use jaq_core::{Ctx, Vars};
use jaq_json::Val;

use super::budget::{Budget, Spent};
use super::message::without_values;
use super::plain_object::{self, PlainObject};
use super::program::{self, Data, FilterFault, JaqData, Stop, syntax};
use super::{meter, natives, shared};
use looked_at::INPUT;
pub(super) use looked_at::{LookedAt, PartId};
pub(super) use value::RowPlaces;
pub use value::{QueryResult, QueryValue};

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

/// A filter over named results, compiled.
pub struct QueryFilter {
    lut: jaq_core::Lut<JaqData>,
    main: jaq_core::compile::TermId,
    code: String,
    names: Vec<String>,
    looked_at: LookedAt,
    objects: Vec<PlainObject>,
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
            Ok(compiled) => {
                return Ok(Self {
                    lut: compiled.filter.lut,
                    main: compiled.filter.id,
                    code: code.to_owned(),
                    names: names.iter().map(|&name| name.to_owned()).collect(),
                    looked_at: compiled.looked_at,
                    objects: compiled.objects,
                });
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

    /// What the filter gives for these results, in the order of their names, which are its input
    /// by their names: its values, at most `most`. Runs on the thread that calls it, which needs
    /// [`FILTER_STACK_BYTES`](crate::FILTER_STACK_BYTES) of stack.
    ///
    /// # Errors
    /// When it fails, spends more than a filter may, or gives more values.
    pub fn run(&self, results: &[QueryResult], most: usize) -> Result<Vec<QueryValue>, QueryFault> {
        let is_whole = self.looked_at.is_whole(INPUT);
        let mut values = Vec::with_capacity(results.len());
        for (name, result) in self.names.iter().zip(results) {
            let member = self.looked_at.member(INPUT, name);
            let part = member.filter(|_| !is_whole);
            values.push(self.read(result, part.unwrap_or(INPUT))?);
        }
        let members = self.names.iter().zip(&values);
        let members = members.map(|(name, value)| (Val::utf8_str(name.clone()), value.clone()));
        let input = Val::obj(members.collect());
        self.run_with(values, input, most)
    }

    /// What a filter without names gives for one result: see [`run`](Self::run).
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_over(
        &self,
        result: &QueryResult,
        most: usize,
    ) -> Result<Vec<QueryValue>, QueryFault> {
        let input = self.read(result, INPUT)?;
        self.run_with(Vec::new(), input, most)
    }

    /// A result, as far as the filter may look at it.
    fn read(&self, result: &QueryResult, part: PartId) -> Result<Val, QueryFault> {
        shared::read_part(result, &self.looked_at, part).map_err(|_| value::unreadable())
    }

    /// How many of its objects need no jq.
    #[cfg(test)]
    pub(super) fn plain_objects(&self) -> usize {
        self.objects.len()
    }

    fn run_with(
        &self,
        variables: Vec<Val>,
        input: Val,
        most: usize,
    ) -> Result<Vec<QueryValue>, QueryFault> {
        let budget = Budget::new();
        let data = Data::new(&self.lut, &budget, &self.objects);
        let context = Ctx::<JaqData>::new(data, Vars::new(variables));
        let found: Result<Vec<Val>, Stop> = self
            .main
            .run((context, input))
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
            Ok(values) => values.into_iter().map(QueryValue::checked).collect(),
            Err(Stop::Refused(sentence)) => {
                Err(fault(sentence.chars().take(MAX_SENTENCE).collect()))
            }
            Err(Stop::Spent(spent)) => Err(fault(spent_sentence(spent).to_owned())),
            Err(Stop::Many) => Err(fault("it gives more than one value".to_owned())),
            Err(Stop::Failed(message)) => Err(fault(without_values(&message, &self.code))),
        }
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

/// A filter, compiled.
struct CompiledQuery {
    filter: jaq_core::Filter<JaqData>,
    looked_at: LookedAt,
    objects: Vec<PlainObject>,
}

fn compile(code: &str, variables: &[String]) -> Result<CompiledQuery, Vec<FilterFault>> {
    let body = syntax(0, code, |parser| parser.term())?;
    let looked_at = LookedAt::of(&body, variables);
    let mut definition = parse::Def {
        name: MAIN,
        args: Vec::new(),
        body,
    };
    let priced = meter::definitions_and_objects(std::slice::from_mut(&mut definition));
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
        .with_funs(natives::all(0).chain(plain_object::natives()))
        .with_global_vars(variables.iter().map(String::as_str))
        .compile(modules);
    let objects = priced.objects.unwrap_or_default();
    compiled
        .map(|filter| CompiledQuery {
            filter,
            looked_at,
            objects,
        })
        .map_err(|errors| {
            let errors = errors.into_iter().flat_map(|(_, errors)| errors);
            let of_names = |(part, kind): (&str, _)| program::unknown("", &[code], part, &kind);
            errors.map(of_names).collect()
        })
}

#[cfg(test)]
mod tests;
