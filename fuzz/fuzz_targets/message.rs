//! Any body, as a client of either era sends it: an answer that is JSON-RPC, and never a panic, not
//! even one that is caught.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    check(body, fuzz::ask(Method::POST, fuzz::headers(None), body));
    // What the body says of itself is what the headers say, so that the request gets past them.
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(method) = parsed["method"]
        .as_str()
        .filter(|method| http::HeaderValue::from_str(method).is_ok())
    else {
        return;
    };
    let mut headers = fuzz::headers(Some(method));
    let name = parsed
        .pointer("/params/name")
        .or(parsed.pointer("/params/uri"))
        .and_then(Value::as_str);
    if let Some(Ok(name)) = name.map(http::HeaderValue::from_str) {
        headers.insert("mcp-name", name);
    }
    check(body, fuzz::ask(Method::POST, headers, body));
});

fn check(body: &[u8], answer: fuzz::Answer) {
    // A stream is the business of another target.
    if answer
        .headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
    {
        return;
    }
    let answers = answer.json();
    // Half a character in a text that nobody needs is no reason to refuse a message, but this
    // reader cannot tell who asked then.
    let sent: Option<Value> = serde_json::from_slice(body).ok();
    for one in answers
        .as_array()
        .into_iter()
        .flatten()
        .chain(answers.is_object().then_some(&answers))
    {
        assert_eq!(one["jsonrpc"], "2.0", "{one}");
        assert!(
            one.get("result").is_some() ^ one.get("error").is_some(),
            "{one}"
        );
        // Nobody is answered who did not ask: the id is the one that came, or none.
        if let (Some(id), Some(sent)) = (one.get("id").filter(|id| !id.is_null()), &sent) {
            let asked = sent
                .as_array()
                .map_or(std::slice::from_ref(sent), Vec::as_slice);
            assert!(
                asked.iter().any(|asked| asked.get("id") == Some(id)),
                "{one}"
            );
        }
    }
}
