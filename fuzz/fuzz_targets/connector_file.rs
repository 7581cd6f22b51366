//! Any text as a connector file, its YAML, jq filters and path templates with it: it compiles, or
//! every problem has its place in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let owned = text.to_owned();
    // Filters need a deep stack, here as in the program.
    let compiling = std::thread::Builder::new()
        .stack_size(footbridge_connector::FILTER_STACK_BYTES)
        .spawn(move || compile(&owned));
    compiling.expect("a thread").join().expect("no panic");
});

fn compile(text: &str) {
    let Err(problems) = footbridge_connector::compile("fuzz.yaml", text) else {
        return;
    };
    assert!(!problems.list().is_empty());
    for problem in problems.list() {
        assert!(problem.place.line <= lines(text) + 1, "{problem:?}");
        assert!(!problem.what.is_empty(), "{problem:?}");
    }
}

/// A line ends with a line feed, a carriage return, or both. Source: YAML 1.2.2, 5.4.
fn lines(text: &str) -> u64 {
    text.replace("\r\n", "\n").split(['\n', '\r']).count() as u64
}
