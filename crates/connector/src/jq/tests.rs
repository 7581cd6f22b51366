//! What filters can do and cannot do, on both sides of every limit.

use std::time::{Duration, Instant};

use jaq_json::Val;

use super::budget::{Budget, FILTER_STACK_BYTES, FUEL, STEP_TIME, Spent, TIME};
use super::program::{FilterFault, FilterId, Program, Stop, compile};
use super::variable::Variables;
use super::{from_json, read, uses, write};
use crate::json::{Admitted, MAX_DEPTH};

fn nulls() -> Variables {
    Variables::default()
}

fn value(json: &str) -> Val {
    read(&Admitted::new(json.to_owned().into()).unwrap()).unwrap()
}

fn text(value: &Val) -> String {
    let mut out = String::new();
    write(&mut out, value).unwrap();
    out
}

/// Longer than any test takes: what ends a run is not the clock, however busy the machine is.
const LONG: Duration = Duration::from_secs(3600);
/// A hang is a failure, not a wait without end; how quick the machine is, is not looked at.
const SOON: Duration = Duration::from_secs(60);

/// The one value of a filter.
fn one(
    program: &Program,
    filter: FilterId,
    variables: &Variables,
    input: Val,
) -> Result<Option<Val>, Stop> {
    one_on(
        &Budget::within(LONG, LONG),
        program,
        filter,
        variables,
        input,
    )
}

fn one_on(
    budget: &Budget,
    program: &Program,
    filter: FilterId,
    variables: &Variables,
    input: Val,
) -> Result<Option<Val>, Stop> {
    program.run_one_on(budget, filter, variables, input)
}

/// On a thread with the stack that filters are promised.
fn on_filter_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new()
        .stack_size(FILTER_STACK_BYTES)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap()
}

fn run(code: &str, input: &str) -> Result<Option<String>, Stop> {
    run_within(LONG, LONG, code, input)
}

fn run_within(
    time: Duration,
    step_time: Duration,
    code: &str,
    input: &str,
) -> Result<Option<String>, Stop> {
    let (code, input) = (code.to_owned(), input.to_owned());
    on_filter_stack(move || {
        let program = compile("", &[&code]).unwrap();
        let budget = Budget::within(time, step_time);
        one_on(&budget, &program, FilterId(0), &nulls(), value(&input))
            .map(|value| value.map(|value| text(&value)))
    })
}

#[test]
fn a_program_is_shared_between_threads() {
    fn needs<T: Send + Sync>() {}
    needs::<Program>();
}

#[test]
fn every_filter_of_a_program_keeps_its_place() {
    let codes: Vec<String> = (0..300).map(|n| format!(".a + {n}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let program = compile("", &codes).unwrap();
    for n in [0, 1, 150, 299] {
        let result = one(&program, FilterId(n), &nulls(), value("{\"a\":1000}"))
            .unwrap()
            .unwrap();
        assert_eq!(text(&result), (1000 + n).to_string());
    }
    assert!(compile("", &[]).is_ok());
}

#[test]
fn numbers_stay_as_written_and_keys_in_their_order() {
    for json in [
        "12345678901234567890123",
        "1.10",
        "1e400",
        "9007199254740993",
        r#"{"z":1,"a":{"y":[1.0]}}"#,
        r#""\" \\ \n \u0001 é""#,
    ] {
        assert_eq!(run(".", json), Ok(Some(json.to_owned())));
    }
    assert_eq!(
        run("{b, z: .z} + {a: 1}", r#"{"z":1,"b":3}"#),
        Ok(Some(r#"{"b":3,"z":1,"a":1}"#.into()))
    );
}

#[test]
fn arguments_become_values() {
    let json = serde_json::json!({"a": [1, -2, 1.5, "x", null, true], "big": u64::MAX});
    assert_eq!(text(&from_json(&json)), json.to_string());
}

#[test]
fn one_value_is_wanted() {
    assert_eq!(run("empty", "1"), Ok(None));
    assert_eq!(run("1, 2", "1"), Err(Stop::Many));
    assert!(run("1, error", "1").is_err());
}

#[test]
fn nothing_outside_is_reached() {
    let outside = [
        "env",
        "$ENV",
        "now",
        "input",
        "inputs",
        "debug",
        "debug(1)",
        "halt",
        "halt_error",
        "stderr",
        "input_filename",
        "localtime",
        "strflocaltime(\"%H\")",
        "$__prog_args",
        "$__loc__",
        "get_search_list",
        "input_line_number",
        "import \"a\" as a; 1",
        "include \"a\"; 1",
    ];
    for code in outside {
        assert!(compile("", &[code]).is_err(), "{code}");
    }
    for code in [
        "ascii_downcase",
        "test(\"^a+$\")",
        "@uri",
        "tojson | fromjson",
        "todate? // 1",
        "IN(\"a\")",
        "slug",
        "csv? // 1",
        "ltrimstr(\"a\")",
    ] {
        assert!(compile("", &[code]).is_ok(), "{code}");
    }
}

#[test]
fn our_own_functions_work() {
    assert_eq!(
        run("some", r#"{"a":null,"b":1}"#),
        Ok(Some(r#"{"b":1}"#.into()))
    );
    assert_eq!(
        run("slug", r#"" In Progress! ""#),
        Ok(Some(r#""in-progress""#.into()))
    );
    assert_eq!(run("csv", r#"[1,"a"]"#), Ok(Some(r#""1,a""#.into())));
    assert_eq!(
        run("without([\"b\"])", r#"{"a":1,"b":2,"c":3}"#),
        Ok(Some(r#"{"a":1,"c":3}"#.into()))
    );
    assert_eq!(run("IN(1, 2)", "2"), Ok(Some("true".into())));
    assert_eq!(run("has_text(\"B\")", "\"abc\""), Ok(Some("true".into())));
}

#[test]
fn every_endless_filter_ends() {
    let endless = [
        "def f: f; f",
        "[range(0; infinite)] | length",
        "[limit(1e9; repeat(1))] | length",
        "[range(0; 1000000000)] | length",
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: f | .; f",
        "def f: (f, 1); [f]",
        "def f: {a: f}; f",
        "reduce range(0; 300000) as $i (0; [.])",
        "reduce range(0; 40) as $i ([1]; . + .) | length",
        "last(repeat(1))",
        "until(false; . + 1)",
        "[recurse(. + 1)] | length",
        "try (def f: f; f) catch 1",
        "def f: try f catch f; f",
        "[while(true; . + 1)] | length",
        "label $x | def f: f; f",
        "reduce range(0; 1000000000) as $i (0; . + $i)",
        "foreach range(0; 1000000000) as $i (0; . + $i) | empty",
        "def f(g): g | f(g); f(.)",
        "first(range(0; infinite) | select(false))",
        "path(def f: f; f)",
        "(def f: f; f) |= 1",
        "[range(0; 1000) as $a | range(0; 1000) as $b | $a * $b] | length",
        "def f: def g: f; g; f",
        "def f($n): f($n + 1); f(0)",
        "[range(0; 1; 0.00001)] | length",
    ];
    for code in endless {
        let started = Instant::now();
        let result = run_within(TIME, STEP_TIME, code, "0");
        assert!(matches!(result, Err(Stop::Spent(_))), "{code}: {result:?}");
        assert!(
            started.elapsed() < TIME + SOON,
            "{code}: {:?}",
            started.elapsed()
        );
    }
    assert_eq!(run("[range(0; 10; 0)] | length", "0"), Ok(Some("0".into())));
}

#[test]
fn a_filter_that_builds_a_gigabyte_ends_before_it_has_one() {
    let many = |code: &str| format!(". {}", format!("| {code} ").repeat(60));
    for code in [
        r#". as $n | "x" * $n"#.to_owned(),
        r#". as $n | $n * "x""#.to_owned(),
        r#". as $n | {a: "x"} | .a *= $n"#.to_owned(),
        format!(r#""x" | {}"#, many(". + .")),
        format!(r#"{{a: "x"}} | {}"#, many(".a += .a")),
        format!("[1] | {}", many(". + .")),
        format!(r#""x" | {}"#, many(r#""\(.)\(.)""#)),
        format!("{} | tojson | length", many("[., .]")),
        format!("{} | tostring | length", many("[., .]")),
        format!("{} | @json | length", many("{a: ., b: .}")),
        format!(r#"{} | "\(.)" | length"#, many("[., .]")),
        format!("{} | [..] | length", many("[., .]")),
        format!("{} | [.. | numbers] | length", many("[., .]")),
        "[range(2000)] | [.[] as $a | .[] as $b | .[] as $c | $c] | length".to_owned(),
    ] {
        let started = Instant::now();
        let result = run_within(TIME, STEP_TIME, &code, "1000000000");
        assert!(matches!(result, Err(Stop::Spent(_))), "{code}: {result:?}");
        assert!(
            started.elapsed() < STEP_TIME + SOON,
            "{code}: {:?}",
            started.elapsed()
        );
    }
    let shared = run(&format!("{} | length", many("[., .]")), "1");
    assert_eq!(
        shared,
        Ok(Some("2".into())),
        "shared parts take no room until somebody writes them"
    );
}

#[test]
fn paying_for_size_changes_no_result() {
    for (code, result) in [
        ("[(1, 2) * (10, 20)]", "[10,20,20,40]"),
        ("[(1, 2) + (10, 20)]", "[11,21,12,22]"),
        (r#""ab" * 3"#, r#""ababab""#),
        (r#"3 * "ab""#, r#""ababab""#),
        (r#""ab" * 0"#, "null"),
        (r#"{a: 1} * {a: {b: 2}}"#, r#"{"a":{"b":2}}"#),
        ("{a: 1} | .a += 2 | .a *= 3", r#"{"a":9}"#),
        ("[[1, 2], [3]] | [.[][]]", "[1,2,3]"),
        ("[[1, [2]] | ..]", "[[1,[2]],1,[2],2]"),
        ("[1, [2]] | (.. | numbers) |= . + 1", "[2,[3]]"),
        ("[1, 2] | .[] += 1", "[2,3]"),
        ("[1, [2]] | [path(..)]", "[[],[0],[1],[1,0]]"),
        (r#"[1, "a"] | tojson"#, r#""[1,\"a\"]""#),
        (r#""\(1 + 1) and \([.])""#, r#""2 and [0]""#),
        (r#"@json "a \("b")""#, r#""a \"b\"""#),
    ] {
        assert_eq!(run(code, "0"), Ok(Some(result.to_owned())), "{code}");
    }
    let filled = |times: usize| {
        run(
            &format!(r#"(. * "x") | length | . == {times}"#),
            &times.to_string(),
        )
    };
    assert_eq!(filled(FUEL as usize * 1024 - 1024), Ok(Some("true".into())));
    assert_eq!(
        filled(FUEL as usize * 1024 + 1024),
        Err(Stop::Spent(Spent::Fuel))
    );
}

#[test]
fn a_text_that_is_spelled_out_too_large_is_a_fault_of_the_filter() {
    for (code, good) in [
        (r#""x" * 1000000"#, true),
        (r#""x" * 1000001"#, false),
        (r#"[1 as $n | 1e9 * "xy"]"#, false),
    ] {
        let compiled = compile("", &[code]);
        assert_eq!(compiled.is_ok(), good, "{code}");
        if let Err(faults) = compiled {
            assert!(faults[0].what.contains("more than a million"), "{faults:?}");
        }
    }
}

#[test]
fn fuel_has_an_edge() {
    let sum = |rounds: u64| run(&format!("[limit({rounds}; range(0; 1e9))] | length"), "0");
    assert_eq!(sum(FUEL - 100), Ok(Some((FUEL - 100).to_string())));
    assert_eq!(sum(FUEL + 1), Err(Stop::Spent(Spent::Fuel)));
}

#[test]
fn time_has_an_edge_of_its_own_for_steps() {
    let (rounds, steps) = (
        "[range(0; 1000)] | length",
        format!("[{}]", vec!["0"; 1000].join(",")),
    );
    let none = Duration::ZERO;
    assert_eq!(run_within(LONG, none, rounds, "0"), Ok(Some("1000".into())));
    assert_eq!(
        run_within(none, LONG, rounds, "0"),
        Err(Stop::Spent(Spent::Time))
    );
    assert_eq!(
        run_within(none, LONG, "[.[]] | length", &steps),
        Ok(Some("1000".into()))
    );
    assert_eq!(
        run_within(LONG, none, "[.[]] | length", &steps),
        Err(Stop::Spent(Spent::Time))
    );
}

#[test]
fn the_stack_has_an_edge() {
    let nested = |depth: u32| {
        run(
            &format!("def f($n): if $n == 0 then 0 else 1 + f($n - 1) end; f({depth})"),
            "0",
        )
    };
    assert_eq!(nested(20), Ok(Some("20".into())));
    assert_eq!(nested(9_000), Err(Stop::Spent(Spent::Stack)));
}

#[test]
fn a_deep_value_ends_no_process_on_the_promised_stack() {
    let deep = format!("reduce range(0; {}) as $i (0; [.])", FUEL / 2 - 10);
    for after in [
        "tojson | length",
        "tostring | length",
        ". + 1",
        "length",
        "[.. | 1] | length",
        ".. |= .",
        "error(.)",
        ". == .",
        "[., .] | sort | length",
    ] {
        let code = format!("{deep} | {after}");
        let ended = on_filter_stack(move || {
            let program = compile("", &[&code]).unwrap();
            let ended = one(&program, FilterId(0), &nulls(), Val::from(0isize));
            ended.map(|value| value.map(|value| write(&mut String::new(), &value).is_ok()))
        });
        assert!(
            !matches!(ended, Err(Stop::Many | Stop::Spent(Spent::Fuel))),
            "{after}: {ended:?}"
        );
    }
}

#[test]
fn a_value_that_json_cannot_say_is_not_written() {
    let write_of = |code: &str| {
        let program = compile("", &[code]).unwrap();
        let value = one(&program, FilterId(0), &nulls(), Val::Null)
            .unwrap()
            .unwrap();
        let mut out = String::new();
        write(&mut out, &value).map(|()| out)
    };
    assert!(
        write_of("nan").is_err()
            && write_of("infinite").is_err()
            && write_of("{(1 | tostring): 1}").is_ok()
    );
    let nested = |depth: usize| format!("reduce range(0; {depth}) as $i (0; [.])");
    assert!(write_of(&nested(MAX_DEPTH)).is_ok());
    assert!(write_of(&nested(MAX_DEPTH + 1)).is_err());
}

#[test]
fn faults_are_placed_in_their_filter() {
    let faults = |codes: &[&str]| compile("", codes).err().unwrap();
    let all = faults(&[".a |", ".b", "if .a then 1", ".a & .b"]);
    assert_eq!(
        all.iter().map(|fault| fault.filter).collect::<Vec<_>>(),
        [0, 2, 3]
    );
    assert!(all[0].what.contains("the end of the filter"), "{all:?}");
    let named = faults(&[".a", "{\n a: .b,\n c: $nope | fooo(1)}"]);
    let mut what: Vec<(usize, &str)> = named
        .iter()
        .map(|fault| (fault.bytes.start, fault.what.as_str()))
        .collect();
    what.sort_unstable();
    assert_eq!(
        what,
        [
            (14, "there is no variable $nope"),
            (22, "there is no filter fooo/1")
        ]
    );
    assert!(named.iter().all(|FilterFault { filter, .. }| *filter == 1));
}

#[test]
fn named_steps_are_found() {
    let named = |code: &str| {
        let of = |found: super::Use| {
            format!(
                "{}{}",
                found.variable.name(),
                found.key.map(|key| format!(".{key}")).unwrap_or_default()
            )
        };
        uses(code).into_iter().map(of).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        named("$steps.one.id + ($steps[\"two\"] | .x)"),
        "$steps.one $steps.two"
    );
    assert_eq!(
        named("$args.steps | . as $x | [$x, $steps[.a]]"),
        "$args.steps $steps"
    );
}

#[test]
fn only_keeps_the_keys_there_are_in_the_order_of_the_names() {
    let run = |code: &str, input: &str| run(code, input).unwrap().unwrap();
    assert_eq!(
        run(r#"only(["b", "none", "a"])"#, r#"{"a":1,"b":null,"c":3}"#),
        r#"{"b":null,"a":1}"#
    );
    let many = vec![r#"{"a":1,"b":2}"#; 5_000].join(",");
    let names = r#"["a", "b", "c", "d", "e", "f", "g", "h"]"#;
    assert_eq!(
        run(
            &format!("[.[] | only({names})] | length"),
            &format!("[{many}]")
        ),
        "5000",
        "it costs no fuel a row"
    );
    for (code, input) in [(r#"only("a")"#, "{}"), (r#"only(["a"])"#, "5")] {
        assert_eq!(
            run(&format!("try {code} catch \"no\""), input),
            r#""no""#,
            "{code} of {input}"
        );
    }
}

#[test]
fn every_function_of_ours_has_its_meaning() {
    let defined: Vec<&str> = super::natives::OWN_DEFINITIONS
        .lines()
        .filter_map(|line| line.strip_prefix("def "))
        .collect();
    assert_eq!(defined.len(), super::OWN_MEANINGS.len());
    for (name, _) in super::OWN_MEANINGS {
        assert!(
            defined
                .iter()
                .any(|definition| definition.starts_with(&format!("{name}:"))),
            "{name}"
        );
    }
    let names = super::function_names();
    assert!(
        names.contains("map/1")
            && names.contains("test/1")
            && !names.contains("now/0")
            && !names.contains("env/0"),
        "{names:?}"
    );
}

#[test]
fn filters_that_are_known_to_be_sound_are_compiled_with_the_first_run() {
    let program = Program::of_sound_filters("def two: 2;", &[".a + two", ".b + two"]);
    let run = |filter| program.run_one(FilterId(filter), &nulls(), value(r#"{"a":1,"b":5}"#));
    assert_eq!(
        run(1).unwrap().map(|found| text(&found)),
        Some("7".to_owned())
    );
    assert_eq!(
        run(0).unwrap().map(|found| text(&found)),
        Some("3".to_owned())
    );
    let faulty = Program::of_sound_filters("", &["nothing_of_that_name"]);
    assert_eq!(
        faulty.run_one(FilterId(0), &nulls(), Val::Null),
        Err(Stop::Failed(
            "there is no filter nothing_of_that_name/0".to_owned()
        ))
    );
}
