//! Headers that repeat the body, in plain and in Base64: a request passes exactly when they say
//! what the body says.
//!
//! Input, by lines: the name and the region in the headers, the region in the body; then, or not,
//! the size in the body and in the headers.
#![no_main]

use base64::Engine as _;
use http::{HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(5, |byte| *byte == b'\n');
    let (Some(name), Some(region), Some(meant_region)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let Ok(meant_region) = std::str::from_utf8(meant_region) else {
        return;
    };
    let meant_size = lines
        .next()
        .and_then(|size| std::str::from_utf8(size).ok()?.parse::<i64>().ok());
    let size = lines.next();
    let (Ok(name_value), Ok(region_value)) = (
        HeaderValue::from_bytes(name),
        HeaderValue::from_bytes(region),
    ) else {
        return;
    };
    let Ok(size_value) = size.map(HeaderValue::from_bytes).transpose() else {
        return;
    };
    let mut headers = fuzz::headers(Some("tools/call"));
    headers.insert("mcp-name", name_value);
    headers.insert("mcp-param-region", region_value);
    if let Some(size) = size_value {
        headers.insert("mcp-param-size", size);
    }
    let mut arguments = json!({ "region": meant_region });
    if let Some(size) = meant_size {
        arguments["size"] = size.into();
    }
    let body = fuzz::request(
        "tools/call",
        json!({"name": "mirrored", "arguments": arguments}),
    );
    let answer = fuzz::ask(Method::POST, headers, body.to_string().as_bytes());
    let passed = answer.json().get("result").is_some();
    let same_size = match (size.and_then(said), meant_size) {
        (None, None) => size.is_none(),
        (Some(said), Some(meant)) => is_number(&said, meant),
        _ => false,
    };
    let same = said(name).as_deref() == Some("mirrored")
        && said(region).as_deref() == Some(meant_region)
        && same_size;
    assert_eq!(passed, same, "{}", String::from_utf8_lossy(&answer.body));
});

/// What a header says, by the text of the specification; `None` when it says nothing.
fn said(value: &[u8]) -> Option<String> {
    // Nothing but visible ASCII, blanks and tabs stands in a header as it is.
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')))?;
    match text
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    {
        Some(encoded) => String::from_utf8(
            base64::engine::general_purpose::STANDARD
                .decode(encoded)
                .ok()?,
        )
        .ok(),
        None => Some(text.to_owned()),
    }
}

/// Integers are compared as numbers: 42, 42.0 and 4.2e1 are the same.
fn is_number(said: &str, meant: i64) -> bool {
    let (integer, fraction) = said.split_once('.').unwrap_or((said, ""));
    if fraction.bytes().all(|digit| digit == b'0')
        && let Ok(said) = integer.parse::<i128>()
    {
        return said == i128::from(meant);
    }
    // Outside of decimal notation there are only the numbers that a float holds.
    #[allow(clippy::cast_precision_loss)]
    said.parse::<f64>().is_ok_and(|said| said == meant as f64)
}
