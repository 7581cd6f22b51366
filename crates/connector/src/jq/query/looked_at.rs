//! The parts of values that a query's filter may look at: the rest is not read. When in doubt, all
//! of them.

use std::collections::BTreeSet;

use jaq_core::load::{lex, parse};
use jaq_core::path::Part as Step;

use super::super::meter::Term;
use super::super::program::text;

/// The place of a part among all of a filter.
pub(crate) type PartId = usize;

/// What a filter may look at, of its input and of the values that it names.
#[derive(Debug, Default)]
pub(crate) struct LookedAt {
    parts: Vec<LookedPart>,
}

/// A value as far as a filter may look at it. What is looked at in no way may be any other value.
#[derive(Debug, Default)]
struct LookedPart {
    /// All that is in it.
    is_whole: bool,
    members: Vec<(String, PartId)>,
    /// Every item of a list, every member of an object.
    each: Option<PartId>,
}

/// Where the values that a term gives come from, besides those that the filter made of what it may
/// look at anyway.
#[derive(Debug, Clone, Default)]
struct TermSource {
    /// They are values of these parts, in which nothing was looked at yet.
    parts: BTreeSet<PartId>,
    /// They are lists that the filter made, with items that come from there.
    items: Option<Box<TermSource>>,
}

impl TermSource {
    fn part(part: PartId) -> Self {
        Self {
            parts: BTreeSet::from([part]),
            items: None,
        }
    }

    fn list_of(items: Self) -> Self {
        Self {
            parts: BTreeSet::new(),
            items: Some(Box::new(items)),
        }
    }

    /// These values and those.
    fn or(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self.items = match (self.items, other.items) {
            (Some(own), Some(others)) => Some(Box::new(own.or(*others))),
            (own, others) => own.or(others),
        };
        self
    }
}

/// Variables and where their values come from, the innermost last.
type Bindings = Vec<(String, TermSource)>;

/// Parts that are told apart: a filter of more is given everything.
const MAX_PARTS: usize = 200;
/// The part that is the filter's input.
pub(crate) const INPUT: PartId = 0;

impl LookedAt {
    /// What a filter may look at, whose input has these names, each of them a variable too.
    pub(super) fn of(term: &Term<'_>, names: &[String]) -> Self {
        let mut looked_at = Self {
            parts: vec![LookedPart::default()],
        };
        if looked_at.look_through(term, names).is_none() {
            looked_at.take_whole(&TermSource::part(INPUT));
        }
        looked_at
    }

    /// Everything.
    #[cfg(test)]
    fn all() -> Self {
        let mut looked_at = Self {
            parts: vec![LookedPart::default()],
        };
        looked_at.take_whole(&TermSource::part(INPUT));
        looked_at
    }

    fn look_through(&mut self, term: &Term<'_>, names: &[String]) -> Option<()> {
        let mut scope = Bindings::new();
        for variable in names {
            let part = self.member_of(INPUT, variable.trim_start_matches('$'))?;
            scope.push((variable.clone(), TermSource::part(part)));
        }
        self.consume(term, &TermSource::part(INPUT), &mut scope)
    }

    /// Whether all of a part may be looked at.
    pub(crate) fn is_whole(&self, part: PartId) -> bool {
        self.parts.get(part).is_none_or(|part| part.is_whole)
    }

    /// Whether a part is looked at in any way: its kind matters.
    pub(crate) fn is_looked_at(&self, part: PartId) -> bool {
        let looked =
            |part: &LookedPart| part.is_whole || part.each.is_some() || !part.members.is_empty();
        self.parts.get(part).is_none_or(looked)
    }

    /// The part that every item of a list is; none when none of them matters, nor how many.
    pub(crate) fn each(&self, part: PartId) -> Option<PartId> {
        self.parts.get(part)?.each
    }

    /// The part that a member of an object is; none when it does not matter that it is there.
    pub(crate) fn member(&self, part: PartId, name: &str) -> Option<PartId> {
        let part = self.parts.get(part)?;
        let named = part.members.iter().find(|(known, _)| known == name);
        named.map(|(_, member)| *member).or(part.each)
    }

    /// How many members of an object matter, where those that do are named.
    pub(crate) fn only_names(&self, part: PartId) -> Option<usize> {
        let part = self.parts.get(part)?;
        part.each.is_none().then_some(part.members.len())
    }

    fn add(&mut self) -> Option<PartId> {
        let place = self.parts.len();
        if place == MAX_PARTS {
            return None;
        }
        self.parts.push(LookedPart::default());
        Some(place)
    }

    fn member_of(&mut self, part: PartId, name: &str) -> Option<PartId> {
        let whole = self.parts.get(part)?;
        if let Some((_, member)) = whole.members.iter().find(|(known, _)| known == name) {
            return Some(*member);
        }
        let member = self.add()?;
        let whole = self.parts.get_mut(part)?;
        whole.members.push((name.to_owned(), member));
        // by its name and as one of all: two ways to look at one value
        whole.is_whole |= whole.each.is_some();
        Some(member)
    }

    fn each_of(&mut self, part: PartId) -> Option<PartId> {
        if let Some(each) = self.parts.get(part)?.each {
            return Some(each);
        }
        let each = self.add()?;
        let whole = self.parts.get_mut(part)?;
        whole.each = Some(each);
        whole.is_whole |= !whole.members.is_empty();
        Some(each)
    }

    fn take_whole(&mut self, given: &TermSource) {
        for part in &given.parts {
            if let Some(part) = self.parts.get_mut(*part) {
                part.is_whole = true;
            }
        }
        if let Some(items) = &given.items {
            self.take_whole(items);
        }
    }

    /// The values of a name in these; a list has none.
    fn named(&mut self, given: &TermSource, name: &str) -> Option<TermSource> {
        let parts = given.parts.iter().map(|part| self.member_of(*part, name));
        Some(TermSource {
            parts: parts.collect::<Option<_>>()?,
            items: None,
        })
    }

    /// The items of these lists, and the members of these objects.
    fn every(&mut self, given: &TermSource) -> Option<TermSource> {
        let parts = given.parts.iter().map(|part| self.each_of(*part));
        let every = TermSource {
            parts: parts.collect::<Option<_>>()?,
            items: None,
        };
        Some(match &given.items {
            Some(items) => every.or((**items).clone()),
            None => every,
        })
    }

    /// Goes through a term and takes for whole what is looked at by more than its place; where the
    /// values that it gives come from. None where that cannot be told.
    fn walk(
        &mut self,
        term: &Term<'_>,
        input: &TermSource,
        scope: &mut Bindings,
    ) -> Option<TermSource> {
        match term {
            Term::Id => Some(input.clone()),
            Term::Num(_) | Term::Break(_) | Term::Arr(None) => Some(TermSource::default()),
            Term::Var(name) => {
                let known = scope.iter().rev().find(|(known, _)| known == name);
                Some(known.map(|(_, given)| given.clone()).unwrap_or_default())
            }
            Term::Recurse => {
                self.take_whole(input);
                Some(TermSource::default())
            }
            Term::Str(_, parts) => {
                for part in parts {
                    if let lex::StrPart::Term(term) = part {
                        self.consume(term, input, scope)?;
                    }
                }
                Some(TermSource::default())
            }
            Term::Arr(Some(items)) => Some(TermSource::list_of(self.walk(items, input, scope)?)),
            Term::Obj(entries) => {
                for (key, value) in entries {
                    self.entry(key, value.as_ref(), input, scope)?;
                }
                Some(TermSource::default())
            }
            Term::Neg(term) => {
                self.consume(term, input, scope)?;
                Some(TermSource::default())
            }
            Term::Label(_, term) | Term::TryCatch(term, None) => self.walk(term, input, scope),
            Term::BinOp(left, operator, right) => {
                self.operation(left, operator, right, input, scope)
            }
            Term::IfThenElse(cases, otherwise) => {
                let mut given = match otherwise {
                    Some(otherwise) => self.walk(otherwise, input, scope)?,
                    None => input.clone(),
                };
                for (condition, then) in cases {
                    self.consume(condition, input, scope)?;
                    let then = self.walk(then, input, scope)?;
                    given = given.or(then);
                }
                Some(given)
            }
            Term::Path(head, steps) => {
                let mut at = self.walk(head, input, scope)?;
                for (step, _) in &steps.0 {
                    at = self.step(&at, step, input, scope)?;
                }
                Some(at)
            }
            Term::Call(name, arguments) => self.call(name, arguments, input, scope),
            // a message of jq's may hold values; what a definition or a loop does is not followed
            Term::TryCatch(_, Some(_)) | Term::Def(..) | Term::Fold(..) => None,
        }
    }

    /// A term whose values are looked at as a whole.
    fn consume(&mut self, term: &Term<'_>, input: &TermSource, scope: &mut Bindings) -> Option<()> {
        let given = self.walk(term, input, scope)?;
        self.take_whole(&given);
        Some(())
    }

    fn entry(
        &mut self,
        key: &Term<'_>,
        value: Option<&Term<'_>>,
        input: &TermSource,
        scope: &mut Bindings,
    ) -> Option<()> {
        match (key, value) {
            (key, Some(value)) => {
                self.consume(key, input, scope)?;
                self.consume(value, input, scope)
            }
            (key, None) if text(key).is_some() => {
                let member = self.named(input, text(key)?)?;
                self.take_whole(&member);
                Some(())
            }
            (Term::Var(_), None) => self.consume(key, input, scope),
            (key, None) => {
                self.take_whole(input);
                self.consume(key, input, scope)
            }
        }
    }

    fn operation(
        &mut self,
        left: &Term<'_>,
        operator: &parse::BinaryOp<&str>,
        right: &Term<'_>,
        input: &TermSource,
        scope: &mut Bindings,
    ) -> Option<TermSource> {
        match operator {
            parse::BinaryOp::Pipe(None) => {
                let piped = self.walk(left, input, scope)?;
                self.walk(right, &piped, scope)
            }
            parse::BinaryOp::Pipe(Some(parse::Pattern::Var(name))) => {
                let bound = self.walk(left, input, scope)?;
                scope.push(((*name).to_owned(), bound));
                let given = self.walk(right, input, scope);
                scope.pop();
                given
            }
            parse::BinaryOp::Pipe(Some(_)) => None,
            parse::BinaryOp::Comma => {
                let first = self.walk(left, input, scope)?;
                let then = self.walk(right, input, scope)?;
                Some(first.or(then))
            }
            parse::BinaryOp::Alt => {
                self.consume(left, input, scope)?;
                self.walk(right, input, scope)
            }
            parse::BinaryOp::Or
            | parse::BinaryOp::And
            | parse::BinaryOp::Math(_)
            | parse::BinaryOp::Cmp(_) => {
                self.consume(left, input, scope)?;
                self.consume(right, input, scope)?;
                Some(TermSource::default())
            }
            parse::BinaryOp::Assign
            | parse::BinaryOp::Update
            | parse::BinaryOp::UpdateMath(_)
            | parse::BinaryOp::UpdateAlt => {
                self.take_whole(input);
                self.consume(left, input, scope)?;
                self.consume(right, &TermSource::default(), scope)?;
                // the right of all but `|=` is given the input, which is whole
                Some(TermSource::default())
            }
        }
    }

    fn step(
        &mut self,
        at: &TermSource,
        step: &Step<Term<'_>>,
        input: &TermSource,
        scope: &mut Bindings,
    ) -> Option<TermSource> {
        match step {
            Step::Index(Term::Num(_)) | Step::Range(None, None) => self.every(at),
            Step::Index(Term::Neg(number)) if matches!(**number, Term::Num(_)) => self.every(at),
            Step::Index(key) => match text(key) {
                Some(name) => self.named(at, name),
                None => {
                    self.take_whole(at);
                    self.consume(key, input, scope)?;
                    Some(TermSource::default())
                }
            },
            Step::Range(from, to) => {
                for end in [from, to].into_iter().flatten() {
                    self.consume(end, input, scope)?;
                }
                self.every(at)?;
                Some(at.clone())
            }
        }
    }

    /// A call: of a function whose ways are known, else of one that may look at everything.
    fn call(
        &mut self,
        name: &str,
        arguments: &[Term<'_>],
        input: &TermSource,
        scope: &mut Bindings,
    ) -> Option<TermSource> {
        match (name, arguments) {
            ("empty" | "null" | "true" | "false", []) => Some(TermSource::default()),
            ("length", []) => {
                self.every(input)?;
                Some(TermSource::default())
            }
            ("first" | "last", []) => self.every(input),
            ("first" | "last", [values]) => self.walk(values, input, scope),
            ("select", [condition]) => {
                self.consume(condition, input, scope)?;
                Some(input.clone())
            }
            ("map", [change]) => {
                let every = self.every(input)?;
                Some(TermSource::list_of(self.walk(change, &every, scope)?))
            }
            ("any" | "all", [condition]) => {
                let every = self.every(input)?;
                self.consume(condition, &every, scope)?;
                Some(TermSource::default())
            }
            ("sort_by" | "unique_by" | "group_by" | "min_by" | "max_by", [key]) => {
                let every = self.every(input)?;
                self.consume(key, &every, scope)?;
                Some(match name {
                    "min_by" | "max_by" => every,
                    "group_by" => TermSource::list_of(TermSource::list_of(every)),
                    _ => TermSource::list_of(every),
                })
            }
            (_, arguments) => {
                self.take_whole(input);
                for argument in arguments {
                    self.consume(argument, &TermSource::default(), scope)?;
                }
                Some(TermSource::default())
            }
        }
    }
}

#[cfg(test)]
mod tests;
