//! Puts a price on every loop of a filter before it is compiled, and lists the variables it names.

use jaq_core::load::{lex, parse};

pub(crate) type Term<'s> = parse::Term<&'s str>;
pub(crate) type Definition<'s> = parse::Def<&'s str>;

/// The native that each round of a loop or recursion calls.
pub(crate) const TICK: &str = "tick__";

/// A definition that is open while its body is walked.
struct Open<'s> {
    name: &'s str,
    arity: usize,
    recursive: bool,
}

/// The variables that a filter names, each with the first key that is read of it, when that key is written down.
#[derive(Debug, Default)]
pub(crate) struct Named<'s> {
    pub(crate) uses: Vec<(&'s str, Option<&'s str>)>,
}

/// Makes every definition that calls itself, or one that encloses it, pay for each call.
pub(crate) fn definitions<'s>(definitions: &mut [Definition<'s>]) {
    walk_definitions(definitions, &mut Vec::new(), &mut Named::default());
}

/// The names in one term; leaves it as it is.
pub(crate) fn named<'s>(term: &Term<'s>) -> Named<'s> {
    let mut named = Named::default();
    walk(&mut term.clone(), &mut Vec::new(), &mut named);
    named
}

fn walk_definitions<'s>(definitions: &mut [Definition<'s>], open: &mut Vec<Open<'s>>, named: &mut Named<'s>) {
    for definition in definitions {
        open.push(Open { name: definition.name, arity: definition.args.len(), recursive: false });
        walk(&mut definition.body, open, named);
        if open.pop().is_some_and(|open| open.recursive) {
            definition.body = paid(std::mem::take(&mut definition.body));
        }
    }
}

fn paid(term: Term<'_>) -> Term<'_> {
    Term::BinOp(Box::new(Term::Call(TICK, vec![])), parse::BinaryOp::Pipe(None), Box::new(term))
}

fn walk<'s>(term: &mut Term<'s>, open: &mut Vec<Open<'s>>, named: &mut Named<'s>) {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) => {}
        Term::Var(name) => named.uses.push((name, None)),
        Term::Str(_, parts) => {
            for part in parts {
                if let lex::StrPart::Term(term) = part {
                    walk(term, open, named);
                }
            }
        }
        Term::Arr(inner) => {
            if let Some(term) = inner {
                walk(term, open, named);
            }
        }
        Term::Obj(entries) => {
            for (key, value) in entries {
                walk(key, open, named);
                if let Some(value) = value {
                    walk(value, open, named);
                }
            }
        }
        Term::Neg(term) | Term::Label(_, term) => walk(term, open, named),
        Term::BinOp(left, _, right) => {
            walk(left, open, named);
            walk(right, open, named);
        }
        Term::Fold(_, source, _, parts) => {
            walk(source, open, named);
            for part in parts.iter_mut() {
                walk(part, open, named);
            }
            if let Some(body) = parts.get_mut(1) {
                *body = paid(std::mem::take(body));
            }
        }
        Term::TryCatch(body, handler) => {
            walk(body, open, named);
            if let Some(handler) = handler {
                walk(handler, open, named);
            }
        }
        Term::IfThenElse(cases, otherwise) => {
            for (condition, then) in cases {
                walk(condition, open, named);
                walk(then, open, named);
            }
            if let Some(otherwise) = otherwise {
                walk(otherwise, open, named);
            }
        }
        Term::Def(inner, term) => {
            walk_definitions(inner, open, named);
            walk(term, open, named);
        }
        Term::Call(name, arguments) => {
            let same = |open: &&mut Open<'s>| open.name == *name && open.arity == arguments.len();
            if let Some(open) = open.iter_mut().rev().find(same) {
                open.recursive = true;
            }
            for argument in arguments {
                walk(argument, open, named);
            }
        }
        Term::Path(term, path) => {
            match (&**term, path.0.first()) {
                (Term::Var(name), Some((jaq_core::path::Part::Index(Term::Str(_, key)), _))) => {
                    let key = if let [lex::StrPart::Str(key)] = key.as_slice() { Some(*key) } else { None };
                    named.uses.push((name, key));
                }
                _ => walk(term, open, named),
            }
            for (part, _) in &mut path.0 {
                match part {
                    jaq_core::path::Part::Index(term) => walk(term, open, named),
                    jaq_core::path::Part::Range(from, to) => {
                        for term in [from, to].into_iter().flatten() {
                            walk(term, open, named);
                        }
                    }
                }
            }
        }
    }
}
