//! Filters that are only a path, a literal, or one path or another: read once, evaluated without
//! jq. What they give is what jq would give.

use std::fmt;
use std::sync::{Arc, LazyLock};

use jaq_core::load::{lex, parse};
use jaq_core::path::{Opt, Part};
use jaq_json::{Num, Val};

use super::json::{get, read_text};
use super::message;
use super::meter::Term;
use super::program::{FilterId, term};
use super::variable::{Variable, Variables};
use crate::json;

/// A filter as it is evaluated, and which of the file it is. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Glue {
    evaluation: Arc<LateEvaluation>,
    /// Its place among the filters of the file; none for one that the format itself brings.
    pub(crate) origin: Option<usize>,
}

/// How a filter is evaluated, which is not read from its text before somebody asks.
type LateEvaluation = LazyLock<Evaluation, Box<dyn FnOnce() -> Evaluation + Send>>;

/// Where a filter stands in its file, for whoever wrote it.
#[derive(Debug, Clone)]
pub(crate) struct FilterOrigin {
    /// The tool and the key, such as `hear.steps[0].query.since`.
    pub(crate) part: String,
    pub(crate) line: u64,
    /// The filter as written.
    pub(crate) code: String,
}

/// How a filter is evaluated.
#[derive(Debug, Clone)]
pub(crate) enum Evaluation {
    Plain(Plain),
    /// The first that is neither null nor false: `a // b`.
    Either(Plain, Plain),
    Filter(FilterId),
}

/// A path or a literal.
#[derive(Debug, Clone)]
pub(crate) enum Plain {
    Literal(Val),
    Path(Path),
}

/// Names below a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// The variable that is its root; none is the input.
    pub(crate) variable: Option<Variable>,
    pub(crate) keys: Vec<Key>,
    /// Ends in `| tonumber?`.
    number: bool,
}

/// A name of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: String,
    optional: bool,
}

/// A value that does not have the form that a path expects: what its author reads of it, without
/// the value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit(pub(crate) String);

impl Misfit {
    /// A key was asked of a value that has none.
    fn index(value: &Val, key: &str) -> Self {
        Self(format!(
            "cannot index {} with {}",
            message::kind(value),
            message::quoted(key)
        ))
    }
}

impl Path {
    /// Names below the input, when it is nothing but that.
    pub(crate) fn of_input(&self) -> Option<&[Key]> {
        (self.variable.is_none() && !self.number).then_some(self.keys.as_slice())
    }

    fn value(&self, variables: &Variables, input: &Val) -> Result<Option<Val>, Misfit> {
        let mut at = match self.variable {
            Some(variable) => variables.get(variable),
            None => input,
        };
        for key in &self.keys {
            at = match at {
                Val::Null => return Ok(if self.number { None } else { Some(Val::Null) }),
                Val::Obj(_) => match get(at, &key.name) {
                    Some(inner) => inner,
                    None => return Ok(if self.number { None } else { Some(Val::Null) }),
                },
                _ if key.optional => return Ok(None),
                other => return Err(Misfit::index(other, &key.name)),
            };
        }
        if !self.number {
            return Ok(Some(at.clone()));
        }
        Ok(match at {
            Val::Num(_) => Some(at.clone()),
            Val::TStr(text) => std::str::from_utf8(text).ok().and_then(number),
            _ => None,
        })
    }
}

/// Digits only: what else jq takes for a number is of no use in a header.
fn number(text: &str) -> Option<Val> {
    let text = text.trim();
    let decimal = || {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
            && text.parse::<f64>().is_ok()
    };
    text.parse::<isize>()
        .ok()
        .map(Val::from)
        .or_else(|| decimal().then(|| Val::Num(Num::from_dec_str(text))))
}

impl Plain {
    /// The same over JSON that was admitted and is still text: only what the path leads to is read.
    pub(crate) fn value_in(
        &self,
        variables: &Variables,
        text: &str,
    ) -> Result<Option<Val>, Misfit> {
        let path = match self {
            Self::Path(path) if path.variable.is_none() => path,
            _ => return self.value(variables, &Val::Null),
        };
        let mut at = text.trim();
        let mut keys = path.keys.as_slice();
        while let Some((key, rest)) = keys.split_first().filter(|_| at.starts_with('{')) {
            match json::pick(at, [key.name.as_str()]) {
                Some([Some(inner)]) => at = inner,
                _ => return Ok(if path.number { None } else { Some(Val::Null) }),
            }
            keys = rest;
        }
        let value = read_text(at).map_err(|why| Misfit(why.to_owned()))?;
        Path {
            variable: None,
            keys: keys.to_vec(),
            number: path.number,
        }
        .value(variables, &value)
    }

    pub(crate) fn value(&self, variables: &Variables, input: &Val) -> Result<Option<Val>, Misfit> {
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Path(path) => path.value(variables, input),
        }
    }
}

impl Evaluation {
    /// The filter without jq, when its form allows.
    pub(crate) fn plain(code: &str) -> Option<Self> {
        Self::plain_in(&term(code)?)
    }

    /// The filter without jq, when its form allows.
    pub(crate) fn plain_in(term: &Term<'_>) -> Option<Self> {
        match term {
            Term::BinOp(left, parse::BinaryOp::Alt, right) => {
                Some(Self::Either(plain(left)?, plain(right)?))
            }
            other => Some(Self::Plain(plain(other)?)),
        }
    }
}

impl fmt::Debug for Glue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glue")
            .field("evaluation", self.evaluation())
            .field("origin", &self.origin)
            .finish()
    }
}

impl Glue {
    /// A filter whose evaluation is known.
    pub(crate) fn known(evaluation: Evaluation, origin: Option<usize>) -> Self {
        Self::late(Box::new(|| evaluation), origin)
    }

    /// A filter of a file that is known to be sound; where it needs jq, it is this one of the
    /// program.
    pub(crate) fn unread(code: &str, id: FilterId, origin: usize) -> Self {
        let code = code.to_owned();
        let read = move || Evaluation::plain(&code).unwrap_or(Evaluation::Filter(id));
        Self::late(Box::new(read), Some(origin))
    }

    fn late(read: Box<dyn FnOnce() -> Evaluation + Send>, origin: Option<usize>) -> Self {
        Self {
            evaluation: Arc::new(LazyLock::new(read)),
            origin,
        }
    }

    /// How it is evaluated.
    pub(crate) fn evaluation(&self) -> &Evaluation {
        &self.evaluation
    }

    /// A value that is always the same.
    pub(crate) fn literal(value: Val) -> Self {
        Self::known(Evaluation::Plain(Plain::Literal(value)), None)
    }

    /// A plain filter that the format itself brings; null when it is not plain.
    pub(crate) fn of_format(code: &str) -> Self {
        Evaluation::plain(code).map_or_else(
            || Self::literal(Val::Null),
            |evaluation| Self::known(evaluation, None),
        )
    }

    /// The value under this name of the input, whatever characters the name has.
    pub(crate) fn of_input_key(name: &str) -> Self {
        let key = Key {
            name: name.to_owned(),
            optional: false,
        };
        let path = Path {
            variable: None,
            keys: vec![key],
            number: false,
        };
        Self::known(Evaluation::Plain(Plain::Path(path)), None)
    }

    /// It needs jq.
    pub(crate) fn needs_jq(&self) -> bool {
        matches!(self.evaluation(), Evaluation::Filter(_))
    }

    /// Names below the input, when it is nothing but that.
    pub(crate) fn of_input(&self) -> Option<&[Key]> {
        match self.evaluation() {
            Evaluation::Plain(Plain::Path(path)) => path.of_input(),
            _ => None,
        }
    }

    /// It is a literal or a variable: its input does not matter.
    pub(crate) fn needs_no_input(&self) -> bool {
        let free = |plain: &Plain| match plain {
            Plain::Literal(_) => true,
            Plain::Path(path) => path.variable.is_some(),
        };
        match self.evaluation() {
            Evaluation::Plain(plain) => free(plain),
            Evaluation::Either(a, b) => free(a) && free(b),
            Evaluation::Filter(_) => false,
        }
    }

    /// The argument that it is, when it is `$args.name` and nothing else.
    pub(crate) fn argument(&self) -> Option<&str> {
        match self.evaluation() {
            Evaluation::Plain(Plain::Path(Path {
                variable: Some(Variable::Args),
                keys,
                number: false,
            })) => match keys.as_slice() {
                [key] => Some(&key.name),
                _ => None,
            },
            _ => None,
        }
    }
}

fn plain(term: &Term<'_>) -> Option<Plain> {
    match term {
        Term::Str(None, parts) => match parts.as_slice() {
            [] => Some(Plain::Literal(Val::utf8_str(String::new()))),
            [lex::StrPart::Str(text)] => Some(Plain::Literal(Val::utf8_str((*text).to_owned()))),
            _ => None,
        },
        Term::Num(number) => number
            .parse::<isize>()
            .ok()
            .map(|number| Plain::Literal(Val::from(number))),
        Term::Call("true", arguments) if arguments.is_empty() => {
            Some(Plain::Literal(Val::Bool(true)))
        }
        Term::Call("false", arguments) if arguments.is_empty() => {
            Some(Plain::Literal(Val::Bool(false)))
        }
        Term::Call("null", arguments) if arguments.is_empty() => Some(Plain::Literal(Val::Null)),
        Term::BinOp(left, parse::BinaryOp::Pipe(None), right) => match (path(left)?, &**right) {
            (path, Term::TryCatch(body, None)) if matches!(&**body, Term::Call("tonumber", a) if a.is_empty()) => {
                Some(Plain::Path(Path {
                    number: true,
                    ..path
                }))
            }
            _ => None,
        },
        other => path(other).map(Plain::Path),
    }
}

fn path(term: &Term<'_>) -> Option<Path> {
    let root = |term: &Term<'_>| match term {
        Term::Id => Some(None),
        Term::Var(name) => Variable::named(name).map(Some),
        _ => None,
    };
    match term {
        Term::Path(start, parts) => {
            let keys = parts.0.iter().map(|(part, optional)| match part {
                Part::Index(Term::Str(None, name)) => match name.as_slice() {
                    [lex::StrPart::Str(name)] => Some(Key {
                        name: (*name).to_owned(),
                        optional: matches!(optional, Opt::Optional),
                    }),
                    _ => None,
                },
                _ => None,
            });
            Some(Path {
                variable: root(start)?,
                keys: keys.collect::<Option<_>>()?,
                number: false,
            })
        }
        other => Some(Path {
            variable: root(other)?,
            keys: Vec::new(),
            number: false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::Evaluation;
    use crate::jq::{FilterId, Variable, Variables, compile, read, write};
    use crate::json::Admitted;
    use jaq_json::Val;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set(Variable::Args, value(r#"{"a":{"b":"5"},"n":null}"#));
        variables
    }

    fn value(json: &str) -> Val {
        read(&Admitted::new(json.to_owned().into()).unwrap()).unwrap()
    }

    #[test]
    fn what_needs_no_jq_gives_what_jq_gives() {
        let codes = [
            ".",
            ".a",
            ".a.b",
            ".a?.b?",
            ".a.b?",
            "$args",
            "$args.a.b",
            "$args.n.x",
            r#"$args["a"].b | tonumber?"#,
            ".a | tonumber?",
            r#""text""#,
            r#""""#,
            "5",
            "true",
            "null",
            ".a // .b",
            "$args.n // .a",
            ".a?",
            r#".["a b"]"#,
            ".x // 3",
        ];
        let inputs = [
            "null",
            "{}",
            r#"{"a":{"b":1.10}}"#,
            r#"{"a":"7","b":false}"#,
            r#"{"a":[1]}"#,
            "[1]",
            "3",
            r#""t""#,
            r#"{"a b":2}"#,
        ];
        for code in codes {
            let glue = Evaluation::plain(code).unwrap_or_else(|| panic!("{code} is plain"));
            let program = compile("", &[code]).unwrap();
            for input in inputs {
                let by_jq = program
                    .run_one(FilterId(0), &variables(), value(input))
                    .map_err(|_| ());
                let own = match &glue {
                    Evaluation::Plain(plain) => {
                        plain.value(&variables(), &value(input)).map_err(|_| ())
                    }
                    Evaluation::Either(a, b) => {
                        super::super::either(a, b, &variables(), &value(input)).map_err(|_| ())
                    }
                    Evaluation::Filter(_) => unreachable!(),
                };
                let show = |value: Result<Option<Val>, ()>| {
                    value.map(|value| {
                        value.map(|value| {
                            let mut out = String::new();
                            write(&mut out, &value).unwrap();
                            out
                        })
                    })
                };
                let in_text = match &glue {
                    Evaluation::Plain(plain) => plain.value_in(&variables(), input).map_err(|_| ()),
                    Evaluation::Either(a, b) => {
                        super::super::either_in(a, b, &variables(), input).map_err(|_| ())
                    }
                    Evaluation::Filter(_) => unreachable!(),
                };
                assert_eq!(show(own), show(by_jq.clone()), "{code} over {input}");
                assert_eq!(show(in_text), show(by_jq), "{code} over the text {input}");
            }
        }
    }

    #[test]
    fn what_needs_jq_is_left_to_it() {
        for code in [
            ".a[]",
            ".a + 1",
            ".a | .b",
            "$x",
            "\"a\\(.b)\"",
            ".[0]",
            "empty",
            "-1",
            "{a: 1}",
            ".a // .b // .c",
            "f",
        ] {
            assert!(Evaluation::plain(code).is_none(), "{code}");
        }
    }
}
