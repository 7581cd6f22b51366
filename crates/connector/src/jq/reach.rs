//! Which keys of its input a filter may look at: rows are then read only that far. When in doubt,
//! all of them.

use std::collections::BTreeSet;

use jaq_core::load::{lex, parse};
use jaq_core::path::Part;

use super::meter::{FilterDefinition, Term};
use super::program::{definitions, term};

/// Definitions that call definitions, at most so deep.
const MAX_CALLS: usize = 8;

/// Finds the keys that filters look at; reads the definitions that they share once.
pub(crate) struct Reach<'d> {
    shared: Vec<FilterDefinition<'d>>,
}

impl<'d> Reach<'d> {
    pub(crate) fn new(shared: &'d str) -> Self {
        Self {
            shared: definitions(shared),
        }
    }

    /// The keys of its input that a filter may look at; none when it may look at all of it.
    pub(crate) fn keys(&self, code: &str) -> Option<BTreeSet<String>> {
        let term = term(code)?;
        let mut keys = BTreeSet::new();
        walk(&term, &self.shared, 0, &mut keys)?;
        Some(keys)
    }
}

fn walk(
    term: &Term<'_>,
    shared: &[FilterDefinition<'_>],
    calls: usize,
    keys: &mut BTreeSet<String>,
) -> Option<()> {
    let mut inside = |term: &Term<'_>| walk(term, shared, calls, keys);
    match term {
        Term::Id | Term::Recurse | Term::Def(..) => None,
        Term::Num(_) | Term::Var(_) | Term::Break(_) | Term::Arr(None) => Some(()),
        Term::Str(_, parts) => parts.iter().try_for_each(|part| match part {
            lex::StrPart::Term(term) => inside(term),
            lex::StrPart::Str(_) | lex::StrPart::Char(_) => Some(()),
        }),
        Term::Arr(Some(term))
        | Term::Neg(term)
        | Term::Label(_, term)
        | Term::TryCatch(term, _) => inside(term),
        Term::Obj(entries) => entries.iter().try_for_each(|entry| match entry {
            (key, Some(value)) => {
                walk(key, shared, calls, keys).and_then(|()| walk(value, shared, calls, keys))
            }
            (Term::Str(None, name), None) => match name.as_slice() {
                [lex::StrPart::Str(name)] => {
                    keys.insert((*name).to_owned());
                    Some(())
                }
                _ => None,
            },
            (Term::Var(_), None) => Some(()),
            (_, None) => None,
        }),
        Term::BinOp(left, op, right) => match op {
            parse::BinaryOp::Pipe(None) => inside(left),
            parse::BinaryOp::Assign
            | parse::BinaryOp::Update
            | parse::BinaryOp::UpdateMath(_)
            | parse::BinaryOp::UpdateAlt => None,
            _ => inside(left).and_then(|()| inside(right)),
        },
        Term::Fold(_, source, _, parts) => {
            inside(source).and_then(|()| parts.first().map_or(Some(()), inside))
        }
        Term::IfThenElse(cases, Some(otherwise)) => cases
            .iter()
            .try_for_each(|(when, then)| inside(when).and_then(|()| inside(then)))
            .and_then(|()| inside(otherwise)),
        Term::IfThenElse(_, None) => None,
        Term::Call("empty" | "null" | "true" | "false", arguments) if arguments.is_empty() => {
            Some(())
        }
        Term::Call(name, arguments) if arguments.is_empty() && calls < MAX_CALLS => {
            let definition = shared
                .iter()
                .rev()
                .find(|definition| definition.name == *name && definition.args.is_empty())?;
            walk(&definition.body, shared, calls + 1, keys)
        }
        Term::Call(..) => None,
        Term::Path(start, parts) => {
            match (&**start, parts.0.first()) {
                (Term::Id, Some((Part::Index(Term::Str(None, name)), _))) => {
                    match name.as_slice() {
                        [lex::StrPart::Str(name)] => {
                            keys.insert((*name).to_owned());
                        }
                        _ => return None,
                    }
                }
                (start, _) => walk(start, shared, calls, keys)?,
            }
            parts.0.iter().try_for_each(|(part, _)| match part {
                Part::Index(term) => walk(term, shared, calls, keys),
                Part::Range(from, to) => [from, to]
                    .into_iter()
                    .flatten()
                    .try_for_each(|term| walk(term, shared, calls, keys)),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn the_keys_that_a_filter_looks_at_are_known_or_it_is_all_of_them() {
        let shared = "def names: [.tags[]? | if type == \"array\" then .[0] else . end]; def all: .; def loop: loop;";
        for (code, expected) in [
            (".a", Some("a")),
            (".a.b // .c", Some("a c")),
            ("names", Some("tags")),
            ("[.e[]? | {id, ref}]", Some("e")),
            (
                "if .is_blocked then .note // \"x\" else null end",
                Some("is_blocked note"),
            ),
            ("{id, x: .y, $args}", Some("id y")),
            ("\"#\\(.ref)\"", Some("ref")),
            (".a as $x | .b[$x]", Some("a b")),
            (".a[.b]", Some("a b")),
            ("$args.a", Some("")),
            ("reduce .a[] as $x (.b; . + $x)", Some("a b")),
            (".", None),
            ("all", None),
            ("loop", None),
            (". + {kind: 1}", None),
            (".[\"a\\(.b)\"]", None),
            ("if .a then .b end", None),
            ("keys", None),
            (".a = 1", None),
            ("..", None),
            (".[]", None),
        ] {
            let found = Reach::new(shared)
                .keys(code)
                .map(|keys| keys.into_iter().collect::<Vec<_>>().join(" "));
            assert_eq!(found.as_deref(), expected, "{code}");
        }
    }
}
