//! Pictures of a backend and of its tools: what a file may say, and where it shows.

use footbridge_connector::compile;

/// Bytes that the address of a picture may have.
const MOST_BYTES: usize = 1_024;

fn file(of_connector: &str, of_model: &str, of_tool: &str) -> String {
    let quoted = |icon: &str| match icon {
        "" => String::new(),
        icon => format!("icon: \"{icon}\""),
    };
    format!(
        "format: 1
connector: x
title: X
{}
instructions: None.
upstream: {{ base: \"http://localhost\" }}
models:
  thing:
    path: /things
    ops: [read]
    {}
    fields: {{ name: {{ type: string, description: Name. }} }}
tools:
  - name: look
    title: Look
    {}
    description: Looks.
    effect: read
    steps: [{{ get: /look }}]
",
        quoted(of_connector),
        quoted(of_model),
        quoted(of_tool)
    )
}

#[test]
fn a_picture_is_that_of_the_backend_a_model_or_a_tool() {
    let connector = compile(
        "x.yaml",
        &file("https://x/a.svg", "data:image/png;base64,eA", "https://x/b"),
    )
    .expect("compiles");
    assert_eq!(connector.icon(), Some("https://x/a.svg"));
    let icon = |name| connector.tool(name).expect("is there").icon.as_deref();
    assert_eq!(icon("thing_get"), Some("data:image/png;base64,eA"));
    assert_eq!(icon("look"), Some("https://x/b"));
    let plain = compile("x.yaml", &file("", "", "")).expect("compiles");
    assert_eq!(plain.icon(), None);
    assert!(plain.tools().iter().all(|tool| tool.icon.is_none()));
}

#[test]
fn what_is_no_picture_is_named_wherever_it_stands() {
    let wrong = file("http://x/a", "data:text/html,x", "javascript:alert(1)");
    let problems = compile("x.yaml", &wrong)
        .expect_err("is refused")
        .to_string();
    insta::assert_snapshot!(problems);
}

#[test]
fn a_picture_has_a_limit_of_bytes() {
    let of = |bytes: usize| format!("data:image/png,{}", "x".repeat(bytes - 15));
    assert!(compile("x.yaml", &file("", "", &of(MOST_BYTES))).is_ok());
    for larger in [
        file(&of(MOST_BYTES + 1), "", ""),
        file("", &of(MOST_BYTES + 1), ""),
        file("", "", &of(MOST_BYTES + 1)),
    ] {
        let problems = compile("x.yaml", &larger)
            .expect_err("is refused")
            .to_string();
        assert!(
            problems.contains("icon: has 1025 bytes; at most 1024"),
            "{problems}"
        );
    }
}
