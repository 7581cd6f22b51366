//! Any text as the filter of a query, over two results: it is compiled or what is wrong is said with
//! its line; what it gives is JSON, and what it may spend has an end.
#![no_main]

use footbridge_connector::{FILTER_STACK_BYTES, QueryFilter, QueryResult};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

/// Values that a filter may give.
const MOST: usize = 100;

fuzz_target!(|text: &str| {
    let owned = text.to_owned();
    // Filters need a deep stack, here as in the program.
    let asking = std::thread::Builder::new()
        .stack_size(FILTER_STACK_BYTES)
        .spawn(move || ask(&owned));
    asking.expect("a thread").join().expect("no panic");
});

fn ask(code: &str) {
    let names = ["a", "b"];
    let filter = match QueryFilter::compile(code, &names) {
        Ok(filter) => filter,
        Err(fault) => {
            assert!(!fault.what.is_empty());
            assert!(
                fault
                    .line
                    .is_none_or(|line| line <= code.split('\n').count())
            );
            return;
        }
    };
    let results = [
        r#"{"items":[{"id":1,"name":"a <b>","n":1.10},{"id":2,"tags":["x",null]}],"total_count":2}"#,
        r#"[3,1,2,"é",{"a":{"b":null}}]"#,
    ]
    .map(|json| QueryResult::of_outcome(json.to_owned()));
    match filter.run(&results, MOST) {
        Ok(values) => {
            assert!(values.len() <= MOST);
            for value in values {
                if let Ok(json) = value.json() {
                    assert!(serde_json::from_str::<&RawValue>(&json).is_ok(), "{json}");
                }
            }
        }
        Err(fault) => assert!(!fault.what.is_empty()),
    }
}
