//! All filters of a connector compiled into one table, and their runs. Reads and writes no bytes
//! (see `json`).

use std::ops::Range;

use jaq_core::compile::{TermId, Undefined};
use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader, lex, parse};
use jaq_core::{Ctx, DataT, Exn, Lut, Vars};
use jaq_json::Val;

use super::budget::{Budget, Spent};
use super::{meter, natives};

/// Variables that a filter may name, in the order of their values. Which of them mean something
/// depends on where the filter stands.
///
/// `$args`: the arguments, names resolved; `$given`: the arguments as the caller passed them;
/// `$settings`: settings that are no secrets; `$me`: who the credential belongs to; `$login`: the
/// answer to the login; `$steps`: values of named steps; `$before`, `$after`: the record before and
/// after the change; `$item`: the item of a `for_each`; `$value`: a name that is looked up; `$in`:
/// where it is looked up; `$status`, `$headers`: HTTP status and headers of an answer; `$today`:
/// the date (UTC).
pub(crate) const VARIABLES: [&str; 14] = [
    "$args",
    "$given",
    "$settings",
    "$me",
    "$login",
    "$steps",
    "$before",
    "$after",
    "$item",
    "$value",
    "$in",
    "$status",
    "$headers",
    "$today",
];

/// What each variable is, for the reference.
pub(crate) const VARIABLE_MEANINGS: [(&str, &str); VARIABLES.len()] = [
    (
        "$args",
        "the arguments: names are ids where they have a lookup, defaults are filled in",
    ),
    ("$given", "the arguments as the caller passed them"),
    (
        "$settings",
        "settings that are no secrets; in the login, all of them",
    ),
    (
        "$me",
        "who the credential belongs to, as `login.me` or `upstream.me` says",
    ),
    ("$login", "the answer to the login, in its renewal"),
    ("$steps", "values of the named steps that ran"),
    ("$before", "the record before the change"),
    ("$after", "the record after the change, in an undo"),
    ("$item", "the value of a `for_each`"),
    ("$value", "the name that is looked up"),
    ("$in", "the scope that it is looked up in"),
    ("$status", "HTTP status of an answer that is no success"),
    (
        "$headers",
        "headers of an answer, their names in lower case",
    ),
    ("$today", "the date in UTC, such as `2026-11-21`"),
];

/// A variable by its place in [`VARIABLES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable {
    Args,
    Given,
    Settings,
    Me,
    Login,
    Steps,
    Before,
    After,
    Item,
    Value,
    In,
    Status,
    Headers,
    Today,
}

/// The values of all variables.
pub(crate) type Variables = [Val; VARIABLES.len()];

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
    /// The filter said why, by `error("...")`: a sentence for the caller.
    Refused(String),
    /// It was ended.
    Spent(Spent),
    /// It gave more values than wanted.
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
            Fault {
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
            Fault {
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
    pub(crate) variable: String,
    pub(crate) key: Option<String>,
}

/// The variables that a filter names; none when it cannot be read.
pub(crate) fn uses(code: &str) -> Vec<Use> {
    let Ok(term) = syntax(0, code, |parser| parser.term()) else {
        return Vec::new();
    };
    let named = meter::named(&term).uses.into_iter();
    named
        .map(|(variable, key)| Use {
            variable: variable.to_owned(),
            key: key.map(str::to_owned),
        })
        .collect()
}

/// The filter as a term, for what looks at its form.
pub(super) fn term(code: &str) -> Option<meter::Term<'_>> {
    syntax(0, code, |parser| parser.term()).ok()
}

/// Definitions as terms; none when they cannot be read.
pub(super) fn definitions(code: &str) -> Vec<meter::Definition<'_>> {
    syntax(0, code, |parser| parser.defs()).unwrap_or_default()
}

/// The owner of a fault in the definitions that the filters share.
pub(crate) const SHARED: usize = usize::MAX;

/// Compiles every filter; all faults at once, except that names are looked up only when all can be
/// read.
///
/// jaq compiles one main filter and copies its prelude for each, so every filter becomes a
/// definition here, and one native takes them all as arguments and hands back their ids.
pub(crate) fn compile(shared: &str, filters: &[&str]) -> Result<Program, Vec<Fault>> {
    let mut faults = Vec::new();
    let names: Vec<String> = (0..filters.len())
        .map(|index| format!("main__{index}"))
        .collect();
    let jaq = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let mut prelude: Vec<meter::Definition<'_>> = jaq
        .filter(|d| !natives::DENIED_DEFINITIONS.contains(&d.name))
        .collect();
    prelude.extend(syntax(0, natives::OWN_DEFINITIONS, |parser| parser.defs())?);
    match syntax(SHARED, shared, |parser| parser.defs()) {
        Ok(definitions) => prelude.extend(definitions),
        Err(errors) => faults.extend(errors),
    }
    for (index, (code, name)) in filters.iter().zip(&names).enumerate() {
        match syntax(index, code, |parser| parser.term()) {
            Ok(body) => {
                let too_large = meter::named(&body).large.into_iter();
                faults.extend(too_large.map(|number| {
                    let what = "makes a text of more than a million characters".to_owned();
                    Fault {
                        filter: index,
                        bytes: jaq_core::load::span(code, number),
                        what,
                    }
                }));
                prelude.push(parse::Def {
                    name,
                    args: vec![],
                    body,
                });
            }
            Err(errors) => faults.extend(errors),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    meter::definitions(&mut prelude);
    let main = if names.is_empty() {
        "null".to_owned()
    } else {
        format!("{}({})", natives::ENTRIES, names.join("; "))
    };
    let arena = Arena::default();
    let internal = |what: &str| {
        vec![Fault {
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
        .with_global_vars(VARIABLES);
    let main = compiler.compile(modules).map_err(|errors| {
        let errors = errors.into_iter().flat_map(|(_, errors)| errors);
        errors
            .map(|(part, kind)| unknown(shared, filters, part, &kind))
            .collect::<Vec<_>>()
    })?;
    let budget = Budget::new();
    budget.entries.set(filters.len());
    {
        let data = Data {
            lut: &main.lut,
            budget: &budget,
        };
        let context = Ctx::<Kind>::new(data, Vars::new(VARIABLES.iter().map(|_| Val::Null)));
        main.id.run((context, Val::Null)).for_each(drop);
    }
    let mut entries = budget.taken.into_inner();
    entries.reverse();
    Ok(Program {
        lut: main.lut,
        entries,
    })
}

/// A name that does not exist; jaq hands back the slice of the text it stood in.
fn unknown(shared: &str, filters: &[&str], part: &str, kind: &Undefined) -> Fault {
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
        return Fault {
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
        Some((filter, bytes)) => Fault {
            filter,
            bytes,
            what,
        },
        None => Fault {
            filter: 0,
            bytes: 0..0,
            what,
        },
    }
}

impl Program {
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
        let Some(entry) = self.entries.get(filter.0) else {
            return Err(Stop::Failed("no such filter".into()));
        };
        let context = Ctx::<Kind>::new(
            Data {
                lut: &self.lut,
                budget,
            },
            Vars::new(variables.iter().cloned()),
        );
        entry
            .run((context, input))
            .take(limit)
            .map(|value| value.map_err(stop))
            .collect()
    }
}

fn stop(error: Exn<'_, Val>) -> Stop {
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
