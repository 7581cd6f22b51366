//! Between JSON and jq's values: bytes in, bytes out, arguments in. Strict both ways; numbers stay as written.

use jaq_json::{Map, Num, Val};
use serde_json::Value;

use crate::json::{Admitted, MAX_DEPTH, push_string};

/// Admitted JSON as a value.
pub(crate) fn read(json: &Admitted) -> Result<Val, &'static str> {
    jaq_json::read::parse_single(json.text().as_bytes()).map_err(|_| "it is not JSON")
}

/// A value as compact JSON; refuses what JSON cannot say and what is nested deeper than [`MAX_DEPTH`].
pub(crate) fn write(out: &mut String, value: &Val) -> Result<(), &'static str> {
    write_at(out, value, MAX_DEPTH + 1)
}

fn write_at(out: &mut String, value: &Val, depth: usize) -> Result<(), &'static str> {
    let Some(inner) = depth.checked_sub(1) else { return Err("it is nested too deep") };
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(true) => out.push_str("true"),
        Val::Bool(false) => out.push_str("false"),
        Val::Num(Num::Float(number)) if !number.is_finite() => return Err("it holds a number that JSON cannot say"),
        Val::Num(number) => {
            use std::fmt::Write;
            write!(out, "{number}").map_err(|_| "it cannot be written")?;
        }
        Val::TStr(text) => push_string(out, &String::from_utf8_lossy(text)),
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
                let Val::TStr(key) = key else { return Err("it holds a key that is not a text") };
                push_string(out, &String::from_utf8_lossy(key));
                out.push(':');
                write_at(out, value, inner)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// Arguments as a value.
pub(crate) fn from_json(value: &Value) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(bool) => Val::Bool(*bool),
        Value::Number(number) => {
            match (number.as_i64().and_then(|n| isize::try_from(n).ok()), number.as_u64().and_then(|n| usize::try_from(n).ok())) {
                (Some(signed), _) => Val::from(signed),
                (None, Some(unsigned)) => Val::from(unsigned),
                (None, None) => Val::from(number.as_f64().unwrap_or_default()),
            }
        }
        Value::String(text) => Val::from(text.clone()),
        Value::Array(list) => list.iter().map(from_json).collect(),
        Value::Object(map) => Val::obj(map.iter().map(|(k, v)| (Val::utf8_str(k.clone()), from_json(v))).collect::<Map>()),
    }
}
