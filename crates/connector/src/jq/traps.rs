//! Forms that a filter can have and should not: what they cost, and what to write instead. They
//! compile; only `lint` speaks of them.

use jaq_core::load::{lex, parse};
use jaq_core::ops::Math;
use jaq_core::path::Part;

use super::budget::FUEL;
use super::meter::{FilterDefinition, Term};
use super::program::{definitions, term};

/// Characters of a text in a filter: longer ones are data, which belongs elsewhere.
const MAX_TEXT: usize = 4_096;
/// Times that a filter may repeat a text.
const MAX_REPEATS: u64 = 1_000;
/// Functions that go through a whole value, or on without an end of their own.
const WALKERS: [&str; 3] = ["recurse", "walk", "repeat"];

/// A form that should not be there: the byte of the filter where it begins, what it is, and what to
/// do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trap {
    pub(crate) byte: usize,
    pub(crate) what: String,
    pub(crate) hint: String,
}

/// The traps of one filter; none when it cannot be read, which is said elsewhere.
pub(crate) fn of_filter(code: &str) -> Vec<Trap> {
    let mut finder = Finder {
        code,
        traps: Vec::new(),
        open: Vec::new(),
    };
    if let Some(term) = term(code) {
        finder.walk(&term);
    }
    finder.traps
}

/// The traps of shared definitions.
pub(crate) fn of_definitions(code: &str) -> Vec<Trap> {
    let mut finder = Finder {
        code,
        traps: Vec::new(),
        open: Vec::new(),
    };
    finder.definitions(&definitions(code));
    finder.traps
}

struct Finder<'s> {
    code: &'s str,
    traps: Vec<Trap>,
    /// Definitions around the place, by name and number of arguments.
    open: Vec<(&'s str, usize)>,
}

impl<'s> Finder<'s> {
    fn add(&mut self, byte: usize, what: impl Into<String>, hint: impl Into<String>) {
        self.traps.push(Trap {
            byte,
            what: what.into(),
            hint: hint.into(),
        });
    }

    fn at(&self, part: &str) -> usize {
        jaq_core::load::span(self.code, part).start
    }

    fn definitions(&mut self, definitions: &[FilterDefinition<'s>]) {
        for definition in definitions {
            self.open.push((definition.name, definition.args.len()));
            self.walk(&definition.body);
            self.open.pop();
        }
    }

    fn walk(&mut self, term: &Term<'s>) {
        match term {
            Term::Id | Term::Num(_) | Term::Var(_) | Term::Break(_) | Term::Arr(None) => {}
            Term::Recurse => {
                let byte = self.code.find("..").unwrap_or_default();
                self.add(
                    byte,
                    "`..` goes through the whole value",
                    "name the paths; what is empty is dropped without a filter",
                );
            }
            Term::Str(_, parts) => self.text(parts),
            Term::Arr(Some(inner)) | Term::Neg(inner) | Term::Label(_, inner) => self.walk(inner),
            Term::Obj(entries) => {
                for (key, value) in entries {
                    self.walk(key);
                    value.iter().for_each(|value| self.walk(value));
                }
            }
            Term::BinOp(left, operator, right) => {
                if matches!(operator, parse::BinaryOp::Math(Math::Mul)) {
                    self.repeated(left, right);
                }
                self.walk(left);
                self.walk(right);
            }
            Term::Fold(_, source, _, parts) => {
                self.walk(source);
                parts.iter().for_each(|part| self.walk(part));
            }
            Term::TryCatch(body, handler) => {
                self.walk(body);
                handler.iter().for_each(|handler| self.walk(handler));
            }
            Term::IfThenElse(cases, otherwise) => {
                for (condition, then) in cases {
                    self.walk(condition);
                    self.walk(then);
                }
                otherwise.iter().for_each(|otherwise| self.walk(otherwise));
            }
            Term::Def(inner, term) => {
                self.definitions(inner);
                self.walk(term);
            }
            Term::Call(name, arguments) => self.call(name, arguments),
            Term::Path(start, path) => {
                self.walk(start);
                for (part, _) in &path.0 {
                    match part {
                        Part::Index(term) => self.walk(term),
                        Part::Range(from, to) => [from, to]
                            .into_iter()
                            .flatten()
                            .for_each(|term| self.walk(term)),
                    }
                }
            }
        }
    }

    fn call(&mut self, name: &'s str, arguments: &[Term<'s>]) {
        let at = self.at(name);
        if self.open.contains(&(name, arguments.len())) {
            let hint = format!(
                "a run makes at most {FUEL} rounds; use map, select or reduce over what is there"
            );
            self.add(at, format!("`{name}` calls itself"), hint);
        } else if WALKERS.contains(&name) {
            let hint = format!("a run makes at most {FUEL} rounds; name the paths");
            self.add(at, format!("`{name}` goes on through everything"), hint);
        }
        if let ("del", [path]) = (name, arguments)
            && let Some(keys) = deleted_keys(path)
        {
            let names: Vec<_> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            let hint = format!(
                "write `without([{}])` over the object that has them",
                names.join(", ")
            );
            self.add(at, "`del` of a key moves the last key to its place", hint);
        }
        let count = match (name, arguments) {
            ("range", [to] | [_, to] | [_, to, _]) | ("limit", [to, _]) => number(to),
            _ => None,
        };
        if let Some(count) = count.filter(|count| *count > FUEL as f64) {
            self.add(
                at,
                format!("`{name}` up to {count}"),
                format!("a run makes at most {FUEL} rounds"),
            );
        }
        arguments.iter().for_each(|argument| self.walk(argument));
    }

    fn text(&mut self, parts: &[lex::StrPart<&'s str, Term<'s>>]) {
        for part in parts {
            match part {
                lex::StrPart::Str(text) if text.chars().count() > MAX_TEXT => {
                    let what = format!("a text of {} characters", text.chars().count());
                    self.add(
                        self.at(text),
                        what,
                        format!("at most {MAX_TEXT}; it is data, which the backend or a setting should hold"),
                    );
                }
                lex::StrPart::Term(term) => self.walk(term),
                lex::StrPart::Str(_) | lex::StrPart::Char(_) => {}
            }
        }
    }

    /// `"x" * n` makes a text n times as long, whatever n is.
    fn repeated(&mut self, left: &Term<'s>, right: &Term<'s>) {
        let (text, times) = match (left, right) {
            (Term::Str(_, parts), times) | (times, Term::Str(_, parts)) => (parts, times),
            _ => return,
        };
        let byte = text.iter().find_map(|part| {
            if let lex::StrPart::Str(text) = part {
                Some(self.at(text))
            } else {
                None
            }
        });
        let byte = byte.unwrap_or_default().saturating_sub(1);
        let hint = format!("at most {MAX_REPEATS} times, and by a number that is written down");
        match number(times) {
            Some(count) if count <= MAX_REPEATS as f64 => {}
            Some(count) => self.add(byte, format!("a text repeated {count} times"), hint),
            None => self.add(byte, "a text repeated as often as a value says", hint),
        }
    }
}

/// The keys that `del` takes away, when the last step of one of its paths is a key.
fn deleted_keys<'s>(path: &Term<'s>) -> Option<Vec<&'s str>> {
    match path {
        Term::BinOp(left, parse::BinaryOp::Comma, right) => {
            let both = [deleted_keys(left), deleted_keys(right)];
            both.iter()
                .any(Option::is_some)
                .then(|| both.into_iter().flatten().flatten().collect())
        }
        Term::BinOp(_, parse::BinaryOp::Pipe(None), right) => deleted_keys(right),
        Term::Path(_, parts) => match parts.0.last() {
            Some((Part::Index(Term::Str(None, key)), _)) => match key.as_slice() {
                [lex::StrPart::Str(key)] => Some(vec![key]),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// A number that is written down.
fn number(term: &Term<'_>) -> Option<f64> {
    if let Term::Num(text) = term {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TEXT, of_definitions, of_filter};

    fn found(code: &str) -> Vec<(usize, String)> {
        of_filter(code)
            .into_iter()
            .map(|trap| (trap.byte, trap.what))
            .collect()
    }

    #[test]
    fn each_form_is_found_where_it_stands() {
        for (code, byte, what) in [
            (".a | del(.b)", 5, "`del` of a key"),
            ("del(.a.b)", 0, "`del` of a key"),
            ("del(.a, .b[0])", 0, "`del` of a key"),
            ("[..]", 1, "`..` goes"),
            ("map(recurse)", 4, "`recurse` goes on"),
            ("walk(.)", 0, "`walk` goes on"),
            ("first(repeat(1))", 6, "`repeat` goes on"),
            ("def f: .a | f; f", 12, "`f` calls itself"),
            ("[range(20001)]", 1, "`range` up to 20001"),
            ("[range(0; 1e9; 2)]", 1, "`range` up to 1000000000"),
            ("[limit(1e9; .[])]", 1, "`limit` up to"),
            ("\"x\" * 1001", 0, "a text repeated 1001 times"),
            (". as $n | \"x\" * $n", 10, "a text repeated as often"),
            ("\"a\\(del(.x))\"", 4, "`del` of a key"),
        ] {
            let traps = found(code);
            assert_eq!(traps.len(), 1, "{code}: {traps:?}");
            assert_eq!(traps[0].0, byte, "{code}: {traps:?}");
            assert!(traps[0].1.contains(what), "{code}: {traps:?}");
        }
        assert_eq!(
            of_definitions("def a: .x; def f($n): if $n > 0 then f($n - 1) else . end;")[0].what,
            "`f` calls itself"
        );
        assert_eq!(
            of_filter("del(.a, .b)")[0].hint,
            "write `without([\"a\", \"b\"])` over the object that has them"
        );
    }

    #[test]
    fn what_is_small_and_straight_is_left_alone() {
        for code in [
            "del(.[0])",
            "del(.[] | select(.a))",
            "[range(20000)]",
            "\"x\" * 1000",
            ".a * 3",
            "def f: .a; f",
            "def f: .a; def g: f; g",
            "map(select(.a)) | first",
            "reduce .[] as $x (0; . + $x)",
            "without([\"a\"])",
            "not a filter (",
        ] {
            assert_eq!(found(code), [], "{code}");
        }
        let text = |length: usize| format!("\"{}\"", "x".repeat(length));
        assert_eq!(found(&text(MAX_TEXT)), []);
        assert_eq!(found(&text(MAX_TEXT + 1)).len(), 1);
    }
}
