//! Filters of queries: what they give, what is said of their faults, and what they may spend.

use serde_json::json;

use super::{QueryFilter, QueryResult, QueryValue};
use crate::jq::{FilterId, Variables, compile, function_names, read_text};

fn value(json: &serde_json::Value) -> QueryResult {
    QueryResult::of_outcome(json.to_string())
}

/// What a filter gives over `$a` and `$b`, each value as JSON; else its line and what is wrong.
fn run(code: &str) -> Result<Vec<String>, (Option<usize>, String)> {
    let names = ["a", "b"];
    let results = [
        value(&json!({"items": [{"id": 1, "n": "x"}, {"id": 2}], "total_count": 2})),
        value(&json!([3, 1, 2])),
    ];
    let ran = QueryFilter::compile(code, &names)
        .and_then(|filter| filter.run(&results, 3))
        .and_then(|values| values.iter().map(QueryValue::json).collect());
    ran.map_err(|fault| (fault.line, fault.what))
}

#[test]
fn an_error_without_words_has_a_sentence() {
    for code in [r#"error("")"#, r#"$a | error(" ")"#] {
        let (_, what) = run(code).unwrap_err();
        assert_eq!(what, "it ended itself by `error`, with no words", "{code}");
    }
}

#[test]
fn results_are_variables_and_members_of_the_input() {
    for code in ["$a.items | map(.id)", ".a.items | map(.id)"] {
        assert_eq!(run(code), Ok(vec!["[1,2]".to_owned()]), "{code}");
    }
    assert_eq!(
        run("$b | sort, (to_entries | length), ($a | only([\"total_count\"]))").unwrap(),
        ["[1,2,3]", "3", r#"{"total_count":2}"#]
    );
}

#[test]
fn a_fault_names_its_line() {
    let fault = |code| run(code).unwrap_err();
    let variable = "there is no variable $args; there are $a, $b";
    assert_eq!(fault("$a\n| $args"), (Some(2), variable.to_owned()));
    assert_eq!(
        fault("$a\n\n| nope(1)"),
        (Some(3), "there is no filter nope/1".to_owned())
    );
    assert_eq!(fault("map(").0, Some(1));
    for code in [
        "now",
        "env",
        "$ENV",
        "input",
        "$__prog_args",
        "debug",
        "halt",
        "given",
    ] {
        assert!(fault(code).1.starts_with("there is no "), "{code}");
    }
    assert!(fault("import \"a\" as a; .").0.is_some());
    assert_eq!(
        fault("$a.items[0].n.x"),
        (None, r#"cannot index a text with "x""#.to_owned())
    );
    assert_eq!(
        fault("error(\"No sprint.\")"),
        (None, "No sprint.".to_owned())
    );
}

#[test]
fn what_a_filter_may_spend_has_an_end() {
    for code in [
        "def f: f; f",
        "[limit(1000000000; repeat(1))]",
        "reduce range(40) as $i ([1]; . + .)",
        "\"x\" * 1000000000",
        "[range(1; 100000000)]",
        "def f: 1 + f; f",
        "reduce range(60) as $i (\"xxxxxxxxxx\"; . + .)",
        "$b[] , 4",
        "nan",
        "[.. | ..] | [.[] as $x | .[] as $y | .[] as $z | .[] as $w | 1] | length",
    ] {
        assert!(run(code).is_err() || code.starts_with("[.."), "{code}");
    }
}

/// However deep it is, it is read or refused, on half of the stack that there is.
#[test]
fn a_deep_filter_ends_nothing() {
    let with_stack = |work: fn()| {
        let thread = std::thread::Builder::new().stack_size(crate::FILTER_STACK_BYTES / 2);
        thread.spawn(work).unwrap().join().unwrap();
    };
    with_stack(|| {
        for (open, inner, close) in [
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("{a:", "1", "}"),
            ("-", "1", ""),
            ("1|", "1", ""),
            ("1,", "1", ""),
            ("1+", "1", ""),
            ("1//", "1", ""),
            (".a|=", "1", ""),
            ("try ", "1", ""),
            ("if ", "1", " then 1 end"),
            ("def f: ", "1", ";1"),
            ("reduce ", "1", " as $x (1;1)"),
            (". as $x|", "1", ""),
            ("\"\\(", "1", ")\""),
            (".[", "1", "]"),
            ("map(", "1", ")"),
            ("label $x|", "1", ""),
            (".", "a", ""),
            ("(", "", ""),
            (". as [", "$a", "]|1"),
        ] {
            let signs = |text: &str| text.bytes().filter(|b| b"-([{|,+*/=".contains(b)).count();
            let times = ((super::MAX_CODE - 10) / (open.len() + close.len()))
                .min((super::MAX_SIGNS - 5) / signs(open).max(1));
            let deep = format!("{}{inner}{}", open.repeat(times), close.repeat(times));
            if let Ok(filter) = QueryFilter::compile(&deep, &[]) {
                let _ended = filter.run_over(&value(&json!(null)), 5);
            }
        }
    });
    assert!(QueryFilter::compile(&" ".repeat(5_000), &[]).is_err());
}

/// Only what a filter needs is compiled with it; nothing that every filter has is missing.
#[test]
fn every_function_is_there_and_does_the_same() {
    let names = function_names();
    let codes: Vec<String> = names
        .iter()
        .map(|name| {
            let (name, arity) = name.split_once('/').unwrap();
            match vec!["."; arity.parse().unwrap()].join("; ").as_str() {
                "" => name.to_owned(),
                arguments => format!("{name}({arguments})"),
            }
        })
        .collect();
    let program = compile("", &codes.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    for (place, code) in codes.iter().enumerate() {
        let query = QueryFilter::compile(code, &[]).unwrap();
        for input in ["[3,1,[2]]", r#"{"a":[1,"b"]}"#, r#""a,b""#, "7", "null"] {
            let own = read_text(input).unwrap();
            let whole = program.run_first(FilterId(place), &Variables::default(), own, 20);
            let Ok(values) = query.run_over(&QueryResult::of_outcome(input.to_owned()), 20) else {
                continue;
            };
            let values: Vec<_> = values.into_iter().map(|value| value.0).collect();
            let whole = whole.map(|values| format!("{values:?}")).map_err(drop);
            assert_eq!(Ok(format!("{values:?}")), whole, "{code} over {input}");
        }
    }
}
