//! Objects of paths and literals, such as `{id, status: .status.name}`, made in one step. jq's own
//! way makes an object of each member and adds them up, and a filter does so for every row.

use jaq_core::load::lex;
use jaq_core::native::{Fun, v};
use jaq_core::path::{Opt, Part};
use jaq_core::{Cv, Exn, Native, RunPtr, ValT as _, ValXs};
use jaq_json::{Map, Val};

use super::meter::Term;
use super::program::JaqData;

/// An object whose members do not need jq.
#[derive(Debug)]
pub(crate) struct PlainObject(Vec<(Val, PlainMember)>);

#[derive(Debug)]
enum PlainMember {
    Literal(Val),
    /// Names and places below the input.
    Path(Vec<Val>),
    Object(PlainObject),
}

impl PlainObject {
    /// The object of these entries; none when one of them needs jq.
    pub(crate) fn of(entries: &[(Term<'_>, Option<Term<'_>>)]) -> Option<Self> {
        let entry = |(key, value): &(Term<'_>, Option<Term<'_>>)| {
            let name = text(key)?;
            let member = match value {
                Some(value) => PlainMember::of(value)?,
                None => PlainMember::Path(vec![name.clone()]),
            };
            Some((name, member))
        };
        let members: Option<Vec<_>> = entries.iter().map(entry).collect();
        members.filter(|members| !members.is_empty()).map(Self)
    }

    fn value(&self, input: &Val) -> Result<Val, jaq_core::Error<Val>> {
        if self.is_all_of(input) {
            return Ok(input.clone());
        }
        let mut members = Map::with_capacity_and_hasher(self.0.len(), Default::default());
        for (name, member) in &self.0 {
            members.insert(name.clone(), member.value(input)?);
        }
        Ok(Val::obj(members))
    }

    /// Whether it is the input itself: all that a query reads of a row is often what its filter
    /// makes the row anew of.
    fn is_all_of(&self, input: &Val) -> bool {
        let Val::Obj(members) = input else {
            return false;
        };
        members.len() == self.0.len()
            && members
                .keys()
                .zip(&self.0)
                .all(|(key, (name, member))| member.is_of_name(name) && key == name)
    }
}

impl PlainMember {
    /// Whether it is the member of this name of the input.
    fn is_of_name(&self, name: &Val) -> bool {
        matches!(self, Self::Path(steps) if matches!(steps.as_slice(), [step] if step == name))
    }

    fn of(term: &Term<'_>) -> Option<Self> {
        match term {
            Term::Id => Some(Self::Path(Vec::new())),
            Term::Obj(entries) => PlainObject::of(entries).map(Self::Object),
            Term::Path(head, steps) if matches!(**head, Term::Id) => {
                let steps = steps.0.iter().map(|step| match step {
                    (Part::Index(key), Opt::Essential) => text(key).or_else(|| number(key)),
                    _ => None,
                });
                steps.collect::<Option<_>>().map(Self::Path)
            }
            other => text(other).or_else(|| number(other)).map(Self::Literal),
        }
    }

    fn value(&self, input: &Val) -> Result<Val, jaq_core::Error<Val>> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Path(steps) => at_path(input, steps),
            Self::Object(object) => object.value(input),
        }
    }
}

/// The value below another; nothing but that is copied on the way through objects.
fn at_path(value: &Val, steps: &[Val]) -> Result<Val, jaq_core::Error<Val>> {
    match (value, steps) {
        (Val::Obj(members), [step @ Val::TStr(_), below @ ..]) => {
            at_path(members.get(step).unwrap_or(&Val::Null), below)
        }
        (value, steps) => steps
            .iter()
            .try_fold(value.clone(), |value, step| value.index(step)),
    }
}

/// A text that is written down.
fn text(term: &Term<'_>) -> Option<Val> {
    match term {
        Term::Str(None, parts) => match parts.as_slice() {
            [lex::StrPart::Str(text)] => Some(Val::utf8_str((*text).to_owned())),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number that is written down.
fn number(term: &Term<'_>) -> Option<Val> {
    match term {
        Term::Num(number) => number.parse::<isize>().ok().map(Val::from),
        _ => None,
    }
}

/// Makes a plain object of the filter that runs: the one of its place.
type Maker = (&'static str, RunPtr<JaqData>);

/// One for each plain object of a filter; objects beyond them are left to jq.
const MAKERS: [Maker; 8] = [
    ("object0__", make::<0>),
    ("object1__", make::<1>),
    ("object2__", make::<2>),
    ("object3__", make::<3>),
    ("object4__", make::<4>),
    ("object5__", make::<5>),
    ("object6__", make::<6>),
    ("object7__", make::<7>),
];

/// The native that makes the object of a place; none beyond those that there are.
pub(crate) fn native(place: usize) -> Option<&'static str> {
    MAKERS.get(place).map(|(name, _)| *name)
}

/// Every native that makes a plain object.
pub(crate) fn natives() -> impl Iterator<Item = Fun<JaqData>> {
    MAKERS
        .into_iter()
        .map(|(name, make)| (name, v(0), Native::<JaqData>::new(make)))
}

fn make<'a, const PLACE: usize>(cv: Cv<'a, JaqData>) -> ValXs<'a, Val> {
    let object = cv.0.data().objects.get(PLACE);
    let value = object.map_or(Ok(Val::Null), |object| object.value(&cv.1));
    Box::new(std::iter::once(value.map_err(Exn::from)))
}

#[cfg(test)]
mod tests {
    use crate::jq::{
        FilterId, QueryFilter, QueryResult, QueryValue, Stop, Variables, compile, read_text,
        without_values,
    };

    /// The number of plain objects in a filter, and what it gives by them and by jq alone.
    type Ran = (
        usize,
        Result<Vec<String>, String>,
        Result<Vec<String>, String>,
    );

    fn both(code: &str, input: &str) -> Ran {
        let query = QueryFilter::compile(code, &[]).unwrap();
        let own = query.run_over(&QueryResult::of_outcome(input.to_owned()), 20);
        let program = compile("", &[code]).unwrap();
        let value = read_text(input).unwrap();
        let by_jq = program.run_first(FilterId(0), &Variables::default(), value, 20);
        let by_jq = by_jq.map_err(|stop| match stop {
            Stop::Failed(message) => without_values(&message, code),
            other => format!("{other:?}"),
        });
        let shown = |value: QueryValue| value.json().unwrap();
        (
            query.plain_objects(),
            own.map(|values| values.into_iter().map(shown).collect())
                .map_err(|fault| fault.what),
            by_jq.map(|values| {
                let values = values.into_iter().map(QueryValue::checked);
                values.map(Result::unwrap).map(shown).collect()
            }),
        )
    }

    #[test]
    fn a_plain_object_is_what_jq_makes() {
        for (code, objects) in [
            ("{id}", 1),
            ("{id, n: .a.b}", 1),
            ("{id, a}", 1),
            ("{id: .a, a: .id}", 1),
            ("[{id, a}, .] | .[0].id = 7", 1),
            (r#"{"x y": .id, "id"}"#, 1),
            ("{a: 1, id, a: .id}", 1),
            ("{id: .[0], n: .a[0]}", 1),
            (r#"{a: {b: .id, c: "t"}, d: .}"#, 1),
            ("[.[]? | {id}]", 1),
            ("{id} + {a}", 2),
            ("{id: {a: .a[-1]}}", 0),
            ("{id: .id?}", 0),
            ("{(.id | tostring): 1}", 0),
            ("{id: (.id, .a)}", 0),
            ("{n: length, o: {id}}", 1),
            ("{}", 0),
            ("def f: {id}; f, {a: .a}", 2),
            ("try {id: .id.x} catch 7", 1),
            (
                "[{id}, {id}, {id}, {id}, {id}, {id}, {id}, {id}, {id}, {id}]",
                8,
            ),
            ("path({id})", 1),
            ("{id} |= 1", 1),
        ] {
            for input in [
                "null",
                "7",
                r#""t""#,
                r#"{"id":1,"a":{"b":[2]}}"#,
                r#"[{"id":1},{"a":2,"id":{"x":1}},null]"#,
                r#"{"x":{"id":3},"id":[4],"a":[5,6]}"#,
                r#"{"id":1}"#,
                r#"{"a":{"b":1},"id":2}"#,
                r#"{"id":2,"a":1}"#,
            ] {
                let (found, own, by_jq) = both(code, input);
                assert_eq!(own, by_jq, "{code} over {input}");
                assert_eq!(found, objects, "{code}");
            }
        }
    }
}
