//! Between JSON and jq's values: bytes in, bytes out, arguments in. Strict both ways; numbers stay
//! as written.

use std::borrow::Cow;

use jaq_json::{Map, Num, Val};
use serde_json::Value;

use crate::json::{MAX_DEPTH, push_string};

/// Part of admitted JSON as a value: it is no deeper than the whole.
pub(crate) fn read_text(json: &str) -> Result<Val, &'static str> {
    jaq_json::read::parse_single(json.as_bytes()).map_err(|_| "it is not JSON")
}

/// A value as compact JSON; refuses what JSON cannot say and what is nested deeper than
/// [`MAX_DEPTH`].
pub(crate) fn write(out: &mut String, value: &Val) -> Result<(), &'static str> {
    write_at(out, value, MAX_DEPTH + 1)
}

fn write_at(out: &mut String, value: &Val, depth: usize) -> Result<(), &'static str> {
    let Some(inner) = depth.checked_sub(1) else {
        return Err("it is nested too deep");
    };
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(true) => out.push_str("true"),
        Val::Bool(false) => out.push_str("false"),
        Val::Num(Num::Float(number)) if !number.is_finite() => {
            return Err("it holds a number that JSON cannot say");
        }
        Val::Num(number) => {
            use std::fmt::Write;
            write!(out, "{number}").map_err(|_| "it cannot be written")?;
        }
        Val::TStr(text) => push_string(out, &as_text(text)),
        Val::BStr(_) => return Err("it holds a byte string"),
        Val::Arr(list) => {
            if inner == 0 {
                return Err("it is nested too deep");
            }
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_at(out, value, inner)?;
            }
            out.push(']');
        }
        Val::Obj(map) => {
            if inner == 0 {
                return Err("it is nested too deep");
            }
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let Val::TStr(key) = key else {
                    return Err("it holds a key that is not a text");
                };
                push_string(out, &as_text(key));
                out.push(':');
                write_at(out, value, inner)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// What [`write()`] would refuse, without writing.
pub(crate) fn sound(value: &Val) -> Result<(), &'static str> {
    sound_at(value, MAX_DEPTH + 1, &mut { MAX_BYTES })
}

/// Bytes of JSON that a value may make.
const MAX_BYTES: usize = 32 << 20;

fn sound_at(value: &Val, depth: usize, left: &mut usize) -> Result<(), &'static str> {
    let Some(inner) = depth.checked_sub(1) else {
        return Err("it is nested too deep");
    };
    let bytes = if let Val::TStr(text) = value {
        text.len() + 2
    } else {
        2
    };
    // a value may hold the same part many times, so what it makes is counted and not what it takes
    *left = left.checked_sub(bytes).ok_or("it is too large")?;
    match value {
        Val::Num(Num::Float(number)) if !number.is_finite() => {
            Err("it holds a number that JSON cannot say")
        }
        Val::BStr(_) => Err("it holds a byte string"),
        Val::Arr(list) if inner > 0 => list
            .iter()
            .try_for_each(|value| sound_at(value, inner, left)),
        Val::Obj(map) if inner > 0 => map.iter().try_for_each(|(key, value)| match key {
            Val::TStr(key) => {
                *left = left.checked_sub(key.len() + 4).ok_or("it is too large")?;
                sound_at(value, inner, left)
            }
            _ => Err("it holds a key that is not a text"),
        }),
        Val::Arr(_) | Val::Obj(_) => Err("it is nested too deep"),
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) => Ok(()),
    }
}

/// What a text says. Nearly all are UTF-8, which is seen at once.
fn as_text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A text value.
pub(crate) fn text(value: &Val) -> Option<Cow<'_, str>> {
    match value {
        Val::TStr(text) => Some(as_text(text)),
        _ => None,
    }
}

/// A text, number or boolean as the text that a path or query carries.
pub(crate) fn plain_text(value: &Val) -> Option<String> {
    match value {
        Val::TStr(text) => Some(as_text(text).into_owned()),
        Val::Num(Num::Float(number)) if !number.is_finite() => None,
        Val::Num(number) => Some(number.to_string()),
        Val::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// The value of a key of an object.
pub(crate) fn get<'v>(value: &'v Val, key: &str) -> Option<&'v Val> {
    match value {
        Val::Obj(map) => map.get(&Val::utf8_str(key.to_owned())),
        _ => None,
    }
}

/// True for anything but null and false, as jq sees it.
pub(crate) fn is_true(value: &Val) -> bool {
    !matches!(value, Val::Null | Val::Bool(false))
}

/// Arguments as a value.
pub(crate) fn from_json(value: &Value) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(bool) => Val::Bool(*bool),
        Value::Number(number) => {
            match (
                number.as_i64().and_then(|n| isize::try_from(n).ok()),
                number.as_u64().and_then(|n| usize::try_from(n).ok()),
            ) {
                (Some(signed), _) => Val::from(signed),
                (None, Some(unsigned)) => Val::from(unsigned),
                (None, None) => Val::from(number.as_f64().unwrap_or_default()),
            }
        }
        Value::String(text) => Val::from(text.clone()),
        Value::Array(list) => list.iter().map(from_json).collect(),
        Value::Object(map) => Val::obj(
            map.iter()
                .map(|(k, v)| (Val::utf8_str(k.clone()), from_json(v)))
                .collect::<Map>(),
        ),
    }
}
