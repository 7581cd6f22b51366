//! All filters of a connector compiled into one table, and their runs. Reads and writes no bytes
//! (see `json`).

use std::ops::Range;
use std::sync::OnceLock;

use jaq_core::compile::{TermId, Undefined};
use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader, lex, parse};
use jaq_core::{Ctx, DataT, Exn, Lut, Vars};
use jaq_json::Val;

use super::budget::{Budget, Spent};
use super::glue::Evaluation;
use super::plain_object::PlainObject;
use super::variable::{Variable, Variables};
use super::{meter, natives};

/// What jaq hands to every native.
#[derive(Clone, Copy)]
pub(crate) struct Data<'a> {
    lut: &'a Lut<JaqData>,
    pub(crate) budget: &'a Budget,
    /// Objects that natives make, each the one of its place.
    pub(crate) objects: &'a [PlainObject],
}

impl<'a> Data<'a> {
    pub(super) fn new(
        lut: &'a Lut<JaqData>,
        budget: &'a Budget,
        objects: &'a [PlainObject],
    ) -> Self {
        Self {
            lut,
            budget,
            objects,
        }
    }
}

impl<'a> HasLut<'a, JaqData> for Data<'a> {
    fn lut(&self) -> &'a Lut<JaqData> {
        self.lut
    }
}

/// The types jaq works with here.
pub(crate) struct JaqData;

impl DataT for JaqData {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

/// A fault of a filter: its bytes inside the filter's text, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FilterFault {
    pub(crate) filter: usize,
    pub(crate) bytes: Range<usize>,
    pub(crate) what: String,
}

/// Which filter, by the order in which they were compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilterId(pub(crate) usize);

/// All filters of one connector. They share jq's own definitions, which is most of the work, so
/// the first that runs compiles them all, when they were not compiled before.
pub(crate) struct Program {
    /// What is compiled with the first run: the definitions that the filters share, and the
    /// filters, of which some may need no jq. Empty when they are compiled already.
    shared: String,
    filters: Vec<String>,
    compiled: OnceLock<Result<FilterTable, String>>,
}

/// Filters, ready to run.
struct FilterTable {
    lut: Lut<JaqData>,
    entries: Vec<TermId>,
}

/// Why a run gave no value.
#[derive(Debug, PartialEq)]
pub(crate) enum Stop {
    /// The filter failed; the text may hold values, so it goes to no client and no log.
    Failed(String),
    /// The filter said why, by `error("...")`: a sentence for the caller.
    Refused(String),
    /// It was ended.
    Spent(Spent),
    /// It gave more values than wanted.
    Many,
}

pub(super) fn syntax<'s, T: Default>(
    filter: usize,
    code: &'s str,
    read: impl for<'t> FnOnce(&mut parse::Parser<'s, 't>) -> parse::Result<'s, 't, T>,
) -> Result<T, Vec<FilterFault>> {
    let span = |part: &str| jaq_core::load::span(code, part);
    let tokens = lex::Lexer::new(code).lex().map_err(|errors| {
        let fault = |(expected, part): (lex::Expect<&str>, &str)| {
            let start = span(part).start;
            let bytes = start..start + part.chars().next().map_or(0, char::len_utf8);
            FilterFault {
                filter,
                bytes,
                what: format!("expected {}", expected.as_str()),
            }
        };
        errors.into_iter().map(fault).collect::<Vec<_>>()
    })?;
    parse::Parser::new(&tokens).parse(read).map_err(|errors| {
        let faults = errors.into_iter().map(|(expected, found)| {
            let part = lex::Token::opt_as_str(found, code);
            let what = match part {
                "" => "the end of the filter".to_owned(),
                part => format!("`{}`", part.chars().take(20).collect::<String>()),
            };
            FilterFault {
                filter,
                bytes: span(part),
                what: format!("expected {}, found {what}", expected.as_str()),
            }
        });
        faults.collect()
    })
}

/// A variable and the first key that a filter reads of it, when that key is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) variable: Variable,
    pub(crate) key: Option<String>,
}

/// The variables that a filter names; none when it cannot be read.
pub(crate) fn uses(code: &str) -> Vec<Use> {
    term(code).map_or_else(Vec::new, uses_in)
}

/// The variables that a filter names, which is used up.
pub(crate) fn uses_in(term: meter::Term<'_>) -> Vec<Use> {
    let named = meter::named(term).uses.into_iter();
    named
        .filter_map(|(variable, key)| {
            Some(Use {
                variable: Variable::named(variable)?,
                key: key.map(str::to_owned),
            })
        })
        .collect()
}

/// The filter as a term, for what looks at its form.
pub(crate) fn term(code: &str) -> Option<meter::Term<'_>> {
    syntax(0, code, |parser| parser.term()).ok()
}

/// The text that a term is, where it is written down whole.
pub(super) fn text<'s>(term: &meter::Term<'s>) -> Option<&'s str> {
    match term {
        meter::Term::Str(None, parts) => match parts.as_slice() {
            [lex::StrPart::Str(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Definitions as terms; none when they cannot be read.
pub(super) fn definitions(code: &str) -> Vec<meter::FilterDefinition<'_>> {
    syntax(0, code, |parser| parser.defs()).unwrap_or_default()
}

/// The owner of a fault in the definitions that the filters share.
pub(crate) const SHARED: usize = usize::MAX;

/// The filters, compiled; see [`Program::of_sound_filters`] for those that need not be yet.
///
/// # Errors
/// Every fault, each with the filter it stands in.
pub(crate) fn compile(shared: &str, filters: &[&str]) -> Result<Program, Vec<FilterFault>> {
    Ok(Program {
        shared: String::new(),
        filters: Vec::new(),
        compiled: OnceLock::from(Ok(compile_all(shared, filters)?)),
    })
}

/// Compiles every filter; all faults at once, except that names are looked up only when all can be
/// read.
///
/// jaq compiles one main filter and copies its prelude for each, so every filter becomes a
/// definition here, and one native takes them all as arguments and hands back their ids.
fn compile_all(shared: &str, filters: &[&str]) -> Result<FilterTable, Vec<FilterFault>> {
    let mut faults = Vec::new();
    let names: Vec<String> = (0..filters.len())
        .map(|index| format!("main__{index}"))
        .collect();
    let jaq = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let mut prelude: Vec<meter::FilterDefinition<'_>> = jaq
        .filter(|d| !natives::DENIED_DEFINITIONS.contains(&d.name))
        .collect();
    prelude.extend(syntax(0, natives::OWN_DEFINITIONS, |parser| parser.defs())?);
    match syntax(SHARED, shared, |parser| parser.defs()) {
        Ok(definitions) => prelude.extend(definitions),
        Err(errors) => faults.extend(errors),
    }
    meter::definitions(&mut prelude);
    for (index, (code, name)) in filters.iter().zip(&names).enumerate() {
        match syntax(index, code, |parser| parser.term()) {
            Ok(body) => {
                let mut definition = parse::Def {
                    name: name.as_str(),
                    args: Vec::new(),
                    body,
                };
                let named = meter::definitions(std::slice::from_mut(&mut definition));
                let too_large = named.large.into_iter();
                faults.extend(too_large.map(|number| {
                    let what = "makes a text of more than a million characters".to_owned();
                    FilterFault {
                        filter: index,
                        bytes: jaq_core::load::span(code, number),
                        what,
                    }
                }));
                prelude.push(definition);
            }
            Err(errors) => faults.extend(errors),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let main = if names.is_empty() {
        "null".to_owned()
    } else {
        format!("{}({})", natives::ENTRIES, names.join("; "))
    };
    let arena = Arena::default();
    let internal = |what: &str| {
        vec![FilterFault {
            filter: 0,
            bytes: 0..0,
            what: what.to_owned(),
        }]
    };
    let modules = Loader::new(prelude)
        .load(
            &arena,
            File {
                code: main.as_str(),
                path: (),
            },
        )
        .map_err(|_| internal("filters cannot be joined"))?;
    let compiler = jaq_core::Compiler::default()
        .with_funs(natives::all(filters.len()))
        .with_global_vars(Variable::ALL.map(Variable::name));
    let main = compiler.compile(modules).map_err(|errors| {
        let errors = errors.into_iter().flat_map(|(_, errors)| errors);
        errors
            .map(|(part, kind)| unknown(shared, filters, part, &kind))
            .collect::<Vec<_>>()
    })?;
    let budget = Budget::new();
    budget.entries.set(filters.len());
    {
        let data = Data::new(&main.lut, &budget, &[]);
        let context = Ctx::<JaqData>::new(data, Vars::new(Variables::default().values()));
        main.id.run((context, Val::Null)).for_each(drop);
    }
    let mut entries = budget.taken.into_inner();
    entries.reverse();
    Ok(FilterTable {
        lut: main.lut,
        entries,
    })
}

/// A name that does not exist; jaq hands back the slice of the text it stood in.
pub(super) fn unknown(shared: &str, filters: &[&str], part: &str, kind: &Undefined) -> FilterFault {
    let at = part.as_ptr().addr();
    let holds =
        |code: &str| (code.as_ptr().addr()..=code.as_ptr().addr() + code.len()).contains(&at);
    let arity = if let Undefined::Filter(arity) = kind {
        format!("/{arity}")
    } else {
        String::new()
    };
    let what = format!("there is no {} {part}{arity}", kind.as_str());
    if holds(shared) && !part.is_empty() {
        return FilterFault {
            filter: SHARED,
            bytes: jaq_core::load::span(shared, part),
            what,
        };
    }
    let owner = filters.iter().position(|code| holds(code));
    match owner.and_then(|index| {
        filters
            .get(index)
            .map(|code| (index, jaq_core::load::span(code, part)))
    }) {
        Some((filter, bytes)) => FilterFault {
            filter,
            bytes,
            what,
        },
        None => FilterFault {
            filter: 0,
            bytes: 0..0,
            what,
        },
    }
}

impl Program {
    /// Filters that are known to have no fault: they are compiled with the first that runs.
    pub(crate) fn of_sound_filters(shared: &str, filters: &[&str]) -> Self {
        Self {
            shared: shared.to_owned(),
            filters: filters.iter().map(|&filter| filter.to_owned()).collect(),
            compiled: OnceLock::new(),
        }
    }

    /// Compiles what is not compiled yet, so that a run spends its time on nothing else.
    pub(crate) fn prepare(&self) {
        let _is_ready = self.compiled().is_ok();
    }

    fn compiled(&self) -> Result<&FilterTable, Stop> {
        let compiled = self.compiled.get_or_init(|| {
            let all = self.filters.iter().map(String::as_str);
            let codes = all.map(|code| Evaluation::plain(code).map_or(code, |_| "."));
            compile_all(&self.shared, &codes.collect::<Vec<_>>()).map_err(|faults| {
                let faults: Vec<String> = faults.into_iter().map(|fault| fault.what).collect();
                faults.join("; ")
            })
        });
        compiled
            .as_ref()
            .map_err(|faults| Stop::Failed(faults.clone()))
    }

    /// The one value of a filter; none when it gives none.
    ///
    /// # Errors
    /// When it fails, gives a second value, or spends more than a run may.
    pub(crate) fn run_one(
        &self,
        filter: FilterId,
        variables: &Variables,
        input: Val,
    ) -> Result<Option<Val>, Stop> {
        self.prepare();
        self.run_one_on(&Budget::new(), filter, variables, input)
    }

    /// The same, on a budget that the caller made.
    pub(super) fn run_one_on(
        &self,
        budget: &Budget,
        filter: FilterId,
        variables: &Variables,
        input: Val,
    ) -> Result<Option<Val>, Stop> {
        let mut found = self.first_on(budget, filter, variables, input, 2)?;
        if found.len() > 1 {
            Err(Stop::Many)
        } else {
            Ok(found.pop())
        }
    }

    /// The first values of a filter, at most `limit`; it is not asked for more.
    ///
    /// # Errors
    /// When it fails, or spends more than a run may.
    pub(crate) fn run_first(
        &self,
        filter: FilterId,
        variables: &Variables,
        input: Val,
        limit: usize,
    ) -> Result<Vec<Val>, Stop> {
        self.prepare();
        self.first_on(&Budget::new(), filter, variables, input, limit)
    }

    fn first_on(
        &self,
        budget: &Budget,
        filter: FilterId,
        variables: &Variables,
        input: Val,
        limit: usize,
    ) -> Result<Vec<Val>, Stop> {
        let compiled = self.compiled()?;
        let Some(entry) = compiled.entries.get(filter.0) else {
            return Err(Stop::Failed("no such filter".into()));
        };
        let context = Ctx::<JaqData>::new(
            Data::new(&compiled.lut, budget, &[]),
            Vars::new(variables.values()),
        );
        entry
            .run((context, input))
            .take(limit)
            .map(|value| value.map_err(stop))
            .collect()
    }
}

pub(super) fn stop(error: Exn<'_, Val>) -> Stop {
    match error.get_err() {
        Ok(error) => {
            let value = error.into_val();
            match super::get(&value, natives::REFUSED).and_then(super::text) {
                Some(sentence) => Stop::Refused(sentence.into_owned()),
                None => Stop::Failed(
                    super::text(&value).map_or_else(String::new, std::borrow::Cow::into_owned),
                ),
            }
        }
        Err(other) => match other.get_halt().ok().and_then(Spent::from_code) {
            Some(spent) => Stop::Spent(spent),
            None => Stop::Failed("unfinished control flow".into()),
        },
    }
}
