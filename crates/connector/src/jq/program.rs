//! All filters of a connector compiled into one table, and their runs. Reads and writes no bytes (see `json`).

use std::ops::Range;

use jaq_core::compile::{TermId, Undefined};
use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader, lex, parse};
use jaq_core::{Ctx, DataT, Exn, Lut, Vars};
use jaq_json::Val;

use super::budget::{Budget, Spent};
use super::{meter, natives};

/// Variables that every filter may name, in the order of their values.
///
/// `$args`: the arguments; `$settings`: settings that are no secrets; `$steps`: values of named steps; `$status`: HTTP status of an error.
pub(crate) const VARIABLES: [&str; 4] = ["$args", "$settings", "$steps", "$status"];

/// What jaq hands to every native.
#[derive(Clone, Copy)]
pub(crate) struct Data<'a> {
    lut: &'a Lut<Kind>,
    pub(crate) budget: &'a Budget,
}

impl<'a> HasLut<'a, Kind> for Data<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

/// The types jaq works with here.
pub(crate) struct Kind;

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

/// A fault of a filter: its bytes inside the filter's text, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) filter: usize,
    pub(crate) bytes: Range<usize>,
    pub(crate) what: String,
}

/// Which filter, by the order in which they were compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilterId(pub(crate) usize);

/// All filters of one connector.
pub(crate) struct Program {
    lut: Lut<Kind>,
    entries: Vec<TermId>,
}

/// Why a run gave no value.
#[derive(Debug, PartialEq)]
pub(crate) enum Stop {
    /// The filter failed; the text may hold values, so it goes to no client and no log.
    Failed(String),
    /// It was ended.
    Spent(Spent),
    /// It gave more than one value.
    Many,
}

fn syntax<'s, T: Default>(
    filter: usize,
    code: &'s str,
    read: impl for<'t> FnOnce(&mut parse::Parser<'s, 't>) -> parse::Result<'s, 't, T>,
) -> Result<T, Vec<Fault>> {
    let span = |part: &str| jaq_core::load::span(code, part);
    let tokens = lex::Lexer::new(code).lex().map_err(|errors| {
        let fault = |(expected, part): (lex::Expect<&str>, &str)| {
            let start = span(part).start;
            let bytes = start..start + part.chars().next().map_or(0, char::len_utf8);
            Fault { filter, bytes, what: format!("expected {}", expected.as_str()) }
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
            Fault { filter, bytes: span(part), what: format!("expected {}, found {what}", expected.as_str()) }
        });
        faults.collect()
    })
}

/// The steps that a filter names under `$steps`; none when it cannot be read.
pub(crate) fn steps_named(code: &str) -> Vec<String> {
    let Ok(term) = syntax(0, code, |parser| parser.term()) else { return Vec::new() };
    meter::named(&term).steps.into_iter().map(str::to_owned).collect()
}

/// Compiles every filter; all faults at once, except that names are looked up only when all can be read.
///
/// jaq compiles one main filter and copies its prelude for each, so every filter becomes a definition here, and one
/// native takes them all as arguments and hands back their ids.
pub(crate) fn compile(filters: &[&str]) -> Result<Program, Vec<Fault>> {
    let mut faults = Vec::new();
    let names: Vec<String> = (0..filters.len()).map(|index| format!("main__{index}")).collect();
    let jaq = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let mut prelude: Vec<meter::Definition<'_>> = jaq.filter(|d| !natives::DENIED_DEFINITIONS.contains(&d.name)).collect();
    prelude.extend(syntax(0, natives::OWN_DEFINITIONS, |parser| parser.defs())?);
    for (index, (code, name)) in filters.iter().zip(&names).enumerate() {
        match syntax(index, code, |parser| parser.term()) {
            Ok(body) => prelude.push(parse::Def { name, args: vec![], body }),
            Err(errors) => faults.extend(errors),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    meter::definitions(&mut prelude);
    let main = if names.is_empty() { "null".to_owned() } else { format!("{}({})", natives::ENTRIES, names.join("; ")) };
    let arena = Arena::default();
    let internal = |what: &str| vec![Fault { filter: 0, bytes: 0..0, what: what.to_owned() }];
    let modules = Loader::new(prelude)
        .load(&arena, File { code: main.as_str(), path: () })
        .map_err(|_| internal("filters cannot be joined"))?;
    let compiler = jaq_core::Compiler::default().with_funs(natives::all(filters.len())).with_global_vars(VARIABLES);
    let main = compiler.compile(modules).map_err(|errors| {
        let errors = errors.into_iter().flat_map(|(_, errors)| errors);
        errors.map(|(part, kind)| unknown(filters, part, &kind)).collect::<Vec<_>>()
    })?;
    let budget = Budget::new();
    budget.entries.set(filters.len());
    {
        let data = Data { lut: &main.lut, budget: &budget };
        let context = Ctx::<Kind>::new(data, Vars::new(VARIABLES.iter().map(|_| Val::Null)));
        main.id.run((context, Val::Null)).for_each(drop);
    }
    let mut entries = budget.taken.into_inner();
    entries.reverse();
    Ok(Program { lut: main.lut, entries })
}

/// A name that does not exist; jaq hands back the slice of the text it stood in.
fn unknown(filters: &[&str], part: &str, kind: &Undefined) -> Fault {
    let at = part.as_ptr().addr();
    let owner = filters.iter().position(|code| (code.as_ptr().addr()..=code.as_ptr().addr() + code.len()).contains(&at));
    let arity = if let Undefined::Filter(arity) = kind { format!("/{arity}") } else { String::new() };
    let what = format!("there is no {} {part}{arity}", kind.as_str());
    match owner.and_then(|index| filters.get(index).map(|code| (index, jaq_core::load::span(code, part)))) {
        Some((filter, bytes)) => Fault { filter, bytes, what },
        None => Fault { filter: 0, bytes: 0..0, what },
    }
}

impl Program {
    /// The value of a filter; `None` when it gives none (`empty`).
    ///
    /// # Errors
    /// When it fails, gives several values, or spends more than a run may.
    pub(crate) fn run(&self, filter: FilterId, variables: &[Val; VARIABLES.len()], input: Val) -> Result<Option<Val>, Stop> {
        let Some(entry) = self.entries.get(filter.0) else { return Err(Stop::Failed("no such filter".into())) };
        let budget = Budget::new();
        let context = Ctx::<Kind>::new(Data { lut: &self.lut, budget: &budget }, Vars::new(variables.iter().cloned()));
        let mut values = entry.run((context, input));
        let first = match values.next() {
            None => return Ok(None),
            Some(result) => result.map_err(stop)?,
        };
        match values.next() {
            None => Ok(Some(first)),
            Some(Ok(_)) => Err(Stop::Many),
            Some(Err(error)) => Err(stop(error)),
        }
    }
}

fn stop(error: Exn<'_, Val>) -> Stop {
    match error.get_err() {
        Ok(error) => Stop::Failed(error.into_val().to_string()),
        Err(other) => match other.get_halt().ok().and_then(Spent::from_code) {
            Some(spent) => Stop::Spent(spent),
            None => Stop::Failed("unfinished control flow".into()),
        },
    }
}
