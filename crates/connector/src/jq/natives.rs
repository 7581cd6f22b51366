//! The functions a filter has: jaq's, less those that reach outside, plus ours.

use jaq_core::native::{Fun, v};
use jaq_core::{Bind, Cv, Exn, Native, ValXs};
use jaq_json::Val;

use super::budget::BYTES_A_ROUND;
use super::meter::{FIT, PRODUCT, STEP, SUM, TICK};
use super::program::JaqData;

/// Natives that do not exist for a connector: clock, environment, process, log, local time zone;
/// `range` is ours.
const DENIED: &[&str] = &[
    "env",
    "now",
    "debug_empty",
    "stderr_empty",
    "halt",
    "localtime",
    "strflocaltime",
    "mktime_local",
    "range",
];
/// Definitions that lean on those.
pub(crate) const DENIED_DEFINITIONS: &[&str] = &["debug", "stderr", "halt", "halt_error"];

/// The native that takes every filter of a program as an argument and keeps their ids.
pub(crate) const ENTRIES: &str = "entries__";

/// The key under which `error("...")` hands a sentence out.
pub(crate) const REFUSED: &str = "refused__";

/// Definitions that every filter may use.
pub(crate) const OWN_DEFINITIONS: &str = r#"
def some: with_entries(select(.value != null));
def slug: ascii_downcase | gsub("[^a-z0-9]+"; "-") | ltrimstr("-") | rtrimstr("-");
def csv: if . == null then null else map(tostring) | join(",") end;
def without($names): with_entries(select(.key as $k | $names | index([$k]) == null));
def only($names): only__($names);
def rename($names): with_entries(.key |= ($names[.] // .));
def IN(f): . as $x | any(f; . == $x);
def has_text($q): . != null and (tostring | ascii_downcase | contains($q | ascii_downcase));
def given: with_entries(select(.key as $k | $given | has($k)));
def passed($names): [$names[] as $n | select($given[$n] != null)] | length;
def passed_or_null($names): [$names[] as $n | select($given | has($n))] | length;
def error($sentence): {refused__: $sentence} | error;
def touched($keys): $keys | with_entries(select(.key as $k | $before[$k] != $after[$k]));
"#;

/// What each of ours does, for the reference.
pub(crate) const OWN_MEANINGS: &[(&str, &str)] = &[
    ("some", "an object without the keys whose value is null"),
    (
        "slug",
        "a text in lower case, everything but letters and digits made one hyphen",
    ),
    ("csv", "a list joined by commas; null stays null"),
    (
        "without($names)",
        "an object without these keys, the others in their order",
    ),
    (
        "only($names)",
        "an object with these keys alone, in the order of the names, as far as it has them",
    ),
    (
        "rename($names)",
        "an object with keys renamed by a map of old to new",
    ),
    ("IN(f)", "true when the input is one of the values of `f`"),
    (
        "has_text($q)",
        "true when the input contains the text, whatever its case",
    ),
    (
        "given",
        "an object without the keys that the caller did not pass",
    ),
    (
        "passed($names)",
        "how many of these arguments were passed and are not null",
    ),
    (
        "passed_or_null($names)",
        "how many of these arguments were passed, null included",
    ),
    (
        "error($sentence)",
        "ends the call; the caller reads the sentence",
    ),
    (
        "touched($keys)",
        "the keys of an object whose values differ between `$before` and `$after`",
    ),
];

/// jq's own functions that a filter may call, as `name/arguments`.
pub(crate) fn names() -> std::collections::BTreeSet<String> {
    let definitions = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let defined = definitions
        .filter(|d| !DENIED_DEFINITIONS.contains(&d.name))
        .map(|d| (d.name.to_owned(), d.args.len()));
    let natives = all(0).map(|(name, arguments, _)| (name.to_owned(), arguments.len()));
    let shown = |(name, _): &(String, usize)| {
        !name.ends_with("_empty") && !name.contains("__") && !name.starts_with('@')
    };
    defined
        .chain(natives)
        .filter(shown)
        .map(|(name, arguments)| format!("{name}/{arguments}"))
        .collect()
}

/// Every native of a program with `filters` entry points.
pub(crate) fn all(filters: usize) -> impl Iterator<Item = Fun<JaqData>> {
    let entries: Fun<JaqData> = (
        ENTRIES,
        std::iter::repeat_n(Bind::Fun(()), filters).collect(),
        Native::<JaqData>::new(take_entries),
    );
    let jaq = jaq_core::funs::<JaqData>()
        .chain(jaq_std::funs::<JaqData>())
        .chain(jaq_json::funs::<JaqData>());
    jaq.filter(|fun| !DENIED.contains(&fun.0)).chain([
        tick(),
        range(),
        only(),
        step(),
        fit(),
        sum(),
        product(),
        entries,
    ])
}

fn once<'a>(result: Result<Val, Exn<'a, Val>>) -> ValXs<'a, Val> {
    Box::new(std::iter::once(result))
}

fn take_entries<'a>(mut cv: Cv<'a, JaqData>) -> ValXs<'a, Val> {
    let budget = cv.0.data().budget;
    for _ in 0..budget.entries.get() {
        let (id, _) = cv.0.pop_fun();
        budget.taken.borrow_mut().push(id);
    }
    once(Ok(Val::Null))
}

/// Rounds that a copy of the value costs.
fn size(value: &Val) -> u64 {
    let size = match value {
        Val::Arr(list) => list.len() / 64,
        Val::Obj(map) => map.len() / 64,
        Val::TStr(text) | Val::BStr(text) => text.len() / BYTES_A_ROUND,
        _ => 0,
    };
    size as u64
}

/// Rounds that a sum or a text may cost for nothing: loops pay for what they gather already.
const FREE_ROUNDS: u64 = 64;

/// One value of many, which says nothing of its size.
fn step() -> Fun<JaqData> {
    let native = Native::<JaqData>::new(|cv| {
        let paid = cv.0.data().budget.step();
        once(paid.map(|()| cv.1).map_err(Exn::halt))
    })
    .with_paths(|cv| {
        let paid = cv.0.data().budget.step();
        Box::new(std::iter::once(paid.map(|()| cv.1).map_err(Exn::halt)))
    })
    .with_update(|cv, update| match cv.0.data().budget.step() {
        Ok(()) => update(cv.1),
        Err(code) => once(Err(Exn::halt(code))),
    });
    (STEP, v(0), native)
}

/// A value that is about to become a text: what that will have is paid for.
fn fit() -> Fun<JaqData> {
    /// About the bytes of the text and of the work to make it, as far as anybody can pay for them.
    fn printed(value: &Val, most: usize) -> usize {
        let (mut left, mut bytes) = (vec![value], 0usize);
        while let Some(value) = left.pop() {
            bytes += match value {
                Val::TStr(text) | Val::BStr(text) => text.len() + 8,
                Val::Arr(list) => {
                    left.extend(list.iter());
                    32
                }
                Val::Obj(map) => {
                    left.extend(map.iter().flat_map(|(key, value)| [key, value]));
                    32
                }
                _ => 8,
            };
            if bytes > most || left.len() > most {
                return most.saturating_add(BYTES_A_ROUND);
            }
        }
        bytes
    }
    let native = Native::<JaqData>::new(|cv| {
        let budget = cv.0.data().budget;
        let rounds = (printed(&cv.1, budget.bytes_left()) / BYTES_A_ROUND) as u64;
        let paid = if rounds < FREE_ROUNDS {
            Ok(())
        } else {
            budget.spend(rounds)
        };
        once(paid.map(|()| cv.1).map_err(Exn::halt))
    });
    (FIT, v(0), native)
}

/// `+`, where large values pay for being copied.
fn sum() -> Fun<JaqData> {
    let native = Native::<JaqData>::new(|mut cv| {
        let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
        let rounds = size(&left) + size(&right);
        if rounds >= FREE_ROUNDS
            && let Err(code) = cv.0.data().budget.spend(rounds)
        {
            return once(Err(Exn::halt(code)));
        }
        once((left + right).map_err(Into::into))
    });
    (SUM, v(2), native)
}

/// `*`, where a text that is repeated is paid for before it is made.
fn product() -> Fun<JaqData> {
    let native = Native::<JaqData>::new(|mut cv| {
        let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
        if let (Val::TStr(text) | Val::BStr(text), Val::Num(times))
        | (Val::Num(times), Val::TStr(text) | Val::BStr(text)) = (&left, &right)
        {
            let times = times.to_string().parse::<f64>().unwrap_or(f64::MAX);
            let rounds = times * u32::try_from(text.len()).map_or(f64::MAX, f64::from)
                / BYTES_A_ROUND as f64;
            let budget = cv.0.data().budget;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast that saturates is wanted"
            )]
            let paid = if rounds >= 1.0 {
                budget.spend(rounds as u64)
            } else {
                Ok(())
            };
            if let Err(code) = paid {
                return once(Err(Exn::halt(code)));
            }
        }
        once((left * right).map_err(Into::into))
    });
    (PRODUCT, v(2), native)
}

/// One round; growth of the value in hand is paid for too.
fn tick() -> Fun<JaqData> {
    fn rounds(value: &Val) -> u64 {
        1 + size(value)
    }
    let native = Native::<JaqData>::new(|cv| {
        let paid = cv.0.data().budget.spend(rounds(&cv.1));
        once(paid.map(|()| cv.1).map_err(Exn::halt))
    })
    .with_paths(|cv| {
        let paid = cv.0.data().budget.spend(1);
        Box::new(std::iter::once(paid.map(|()| cv.1).map_err(Exn::halt)))
    })
    .with_update(|cv, update| match cv.0.data().budget.spend(1) {
        Ok(()) => update(cv.1),
        Err(code) => once(Err(Exn::halt(code))),
    });
    (TICK, v(0), native)
}

/// `only/1`, which is asked of every row of a long list, without a round for each key.
fn only() -> Fun<JaqData> {
    let native = Native::<JaqData>::new(|mut cv| {
        let names = cv.0.pop_var();
        once(match (&cv.1, &names) {
            (Val::Obj(object), Val::Arr(names)) => {
                let members = names
                    .iter()
                    .filter_map(|name| Some((name.clone(), object.get(name)?.clone())));
                Ok(Val::obj(members.collect()))
            }
            _ => Err(jaq_core::Error::str("only takes a list of names, and an object").into()),
        })
    });
    ("only__", v(1), native)
}

/// `range/3` that pays for every number.
fn range() -> Fun<JaqData> {
    fn run<'a>(mut cv: Cv<'a, JaqData>) -> ValXs<'a, Val> {
        let (by, to, mut at) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
        let budget = cv.0.data().budget;
        let zero = Val::from(0isize);
        let up = by > zero;
        let mut done = by == zero;
        Box::new(std::iter::from_fn(move || {
            if done || !(if up { at < to } else { at > to }) {
                return None;
            }
            if let Err(code) = budget.spend(1) {
                done = true;
                return Some(Err(Exn::halt(code)));
            }
            match at.clone() + by.clone() {
                Ok(next) => Some(Ok(std::mem::replace(&mut at, next))),
                Err(error) => {
                    done = true;
                    Some(Err(error.into()))
                }
            }
        }))
    }
    ("range", v(3), Native::<JaqData>::new(run))
}
