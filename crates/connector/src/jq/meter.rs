//! Puts a price on every loop of a filter, and on what makes large values, before it is compiled;
//! lists the variables it names.

use jaq_core::load::{lex, parse};
use jaq_core::ops::Math;

use super::plain_object::{self, PlainObject};

pub(crate) type Term<'s> = parse::Term<&'s str>;
pub(crate) type FilterDefinition<'s> = parse::Def<&'s str>;

/// The native that each round of a loop or recursion calls.
pub(crate) const TICK: &str = "tick__";

/// The native behind every value of `..` and `.[]`.
pub(crate) const STEP: &str = "step__";
/// The native before what makes a text of a whole value.
pub(crate) const FIT: &str = "fit__";
/// The natives for `+` and `*`.
pub(crate) const SUM: &str = "sum__";
pub(crate) const PRODUCT: &str = "product__";

/// What makes a text of a whole value.
const PRINTERS: [&str; 2] = ["tojson", "tostring"];
/// The name of a value that an update adds or multiplies by.
const OPERAND: &str = "$operand__";
/// Bytes of a text that a filter may spell out as a product.
const MAX_PRODUCT: f64 = 1e6;

/// A definition that is open while its body is walked.
struct Open<'s> {
    name: &'s str,
    arity: usize,
    recursive: bool,
}

/// The variables that a filter names, each with the first key that is read of it, when that key is
/// written down.
#[derive(Debug, Default)]
pub(crate) struct Named<'s> {
    pub(crate) uses: Vec<(&'s str, Option<&'s str>)>,
    /// Numbers by which a text is multiplied and that make it too large.
    pub(crate) large: Vec<&'s str>,
    /// The filters that are called, each with the number of its arguments.
    pub(crate) calls: Vec<(&'s str, usize)>,
    /// Where they are taken out, the objects that need no jq, in the order of their natives.
    pub(crate) objects: Option<Vec<PlainObject>>,
}

/// Makes every definition that calls itself, or one that encloses it, pay for each call; the names
/// in them all.
pub(crate) fn definitions<'s>(definitions: &mut [FilterDefinition<'s>]) -> Named<'s> {
    let mut named = Named::default();
    walk_definitions(definitions, &mut Vec::new(), &mut named);
    named
}

/// The same, and puts natives of their own in the place of objects that need no jq.
pub(crate) fn definitions_and_objects<'s>(definitions: &mut [FilterDefinition<'s>]) -> Named<'s> {
    let mut named = Named {
        objects: Some(Vec::new()),
        ..Named::default()
    };
    walk_definitions(definitions, &mut Vec::new(), &mut named);
    named
}

/// The names in one term, which is used up.
pub(crate) fn named(mut term: Term<'_>) -> Named<'_> {
    let mut named = Named::default();
    walk(&mut term, &mut Vec::new(), &mut named);
    named
}

fn walk_definitions<'s>(
    definitions: &mut [FilterDefinition<'s>],
    open: &mut Vec<Open<'s>>,
    named: &mut Named<'s>,
) {
    for definition in definitions {
        open.push(Open {
            name: definition.name,
            arity: definition.args.len(),
            recursive: false,
        });
        walk(&mut definition.body, open, named);
        if open.pop().is_some_and(|open| open.recursive) {
            definition.body = paid(std::mem::take(&mut definition.body));
        }
    }
}

fn paid(term: Term<'_>) -> Term<'_> {
    piped(Term::Call(TICK, vec![]), term)
}

fn piped<'s>(first: Term<'s>, then: Term<'s>) -> Term<'s> {
    Term::BinOp(Box::new(first), parse::BinaryOp::Pipe(None), Box::new(then))
}

/// The native that does what an operator does, where the operator can make large values.
fn native(of: Math) -> Option<&'static str> {
    match of {
        Math::Add => Some(SUM),
        Math::Mul => Some(PRODUCT),
        Math::Sub | Math::Div | Math::Rem => None,
    }
}

/// The number that makes too large a text of a written text.
fn large<'s>(left: &Term<'s>, right: &Term<'s>) -> Option<&'s str> {
    let ((Term::Str(_, parts), Term::Num(number)) | (Term::Num(number), Term::Str(_, parts))) =
        (left, right)
    else {
        return None;
    };
    let bytes = parts
        .iter()
        .map(|part| {
            if let lex::StrPart::Str(text) = part {
                text.len()
            } else {
                1
            }
        })
        .sum::<usize>();
    let bytes = u32::try_from(bytes).ok().map(f64::from)?;
    number
        .parse::<f64>()
        .ok()
        .filter(|times| times * bytes > MAX_PRODUCT)
        .map(|_| *number)
}

fn walk<'s>(term: &mut Term<'s>, open: &mut Vec<Open<'s>>, named: &mut Named<'s>) {
    match term {
        Term::Id | Term::Num(_) | Term::Break(_) => {}
        Term::Recurse => *term = piped(Term::Recurse, Term::Call(STEP, vec![])),
        Term::Var(name) => named.uses.push((name, None)),
        Term::Str(_, parts) => {
            for part in parts {
                if let lex::StrPart::Term(term) = part {
                    walk(term, open, named);
                    *term = piped(std::mem::take(term), Term::Call(FIT, vec![]));
                }
            }
        }
        Term::Arr(inner) => {
            if let Some(term) = inner {
                walk(term, open, named);
            }
        }
        Term::Obj(entries) => {
            if let Some(objects) = &mut named.objects
                && let Some(native) = plain_object::native(objects.len())
                && let Some(object) = PlainObject::of(entries)
            {
                objects.push(object);
                *term = Term::Call(native, vec![]);
                return;
            }
            for (key, value) in entries {
                walk(key, open, named);
                if let Some(value) = value {
                    walk(value, open, named);
                }
            }
        }
        Term::Neg(term) | Term::Label(_, term) => walk(term, open, named),
        Term::BinOp(left, parse::BinaryOp::Math(of), right) if native(*of).is_some() => {
            if *of == Math::Mul {
                named.large.extend(large(left, right));
            }
            walk(left, open, named);
            walk(right, open, named);
            let name = native(*of).unwrap_or_default();
            *term = Term::Call(
                name,
                vec![std::mem::take(&mut **left), std::mem::take(&mut **right)],
            );
        }
        // `l += r` is `r as $x | l |= . + $x`
        Term::BinOp(left, parse::BinaryOp::UpdateMath(of), right) if native(*of).is_some() => {
            walk(left, open, named);
            walk(right, open, named);
            let changed = Term::Call(
                native(*of).unwrap_or_default(),
                vec![Term::Id, Term::Var(OPERAND)],
            );
            let update = Term::BinOp(
                std::mem::take(left),
                parse::BinaryOp::Update,
                Box::new(changed),
            );
            let bound = parse::BinaryOp::Pipe(Some(parse::Pattern::Var(OPERAND)));
            *term = Term::BinOp(std::mem::take(right), bound, Box::new(update));
        }
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
            named.calls.push((name, arguments.len()));
            for argument in arguments.iter_mut() {
                walk(argument, open, named);
            }
            if arguments.is_empty() && (PRINTERS.contains(name) || name.starts_with('@')) {
                *term = piped(Term::Call(FIT, vec![]), std::mem::take(term));
            }
        }
        Term::Path(head, path) => {
            match (&**head, path.0.first()) {
                (Term::Var(name), Some((jaq_core::path::Part::Index(Term::Str(_, key)), _))) => {
                    let key = if let [lex::StrPart::Str(key)] = key.as_slice() {
                        Some(*key)
                    } else {
                        None
                    };
                    named.uses.push((name, key));
                }
                _ => walk(head, open, named),
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
            if path
                .0
                .iter()
                .any(|(part, _)| matches!(part, jaq_core::path::Part::Range(None, None)))
            {
                *term = piped(std::mem::take(term), Term::Call(STEP, vec![]));
            }
        }
    }
}
