//! Files that are wrong: every problem at once, each with its line and column.

use std::collections::BTreeSet;

use footbridge_connector::compile;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use crate::golden::connector_file;

const HEAD: &str = "format: 1\nconnector: bad\ntitle: Bad\ninstructions: None.\nupstream: { base: \"http://localhost\" }\n";

fn problems(yaml: &str) -> Vec<String> {
    let problems = compile("bad.yaml", yaml)
        .err()
        .unwrap_or_else(|| panic!("compiles:\n{yaml}"));
    problems.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn structural_faults_are_all_named_at_once() {
    let found = problems(concat!(
        "format: one\n",
        "connector: x\n",
        "zz: 1\n",
        "upstream: { base: 5, timeuot: 3s, paging: { list: { kind: page, after: a, size: s, offset: o, rows: .d, more: .m } } }\n",
        "tools:\n",
        "  - name: a\n",
        "    gett: /x\n",
        "    steps:\n",
        "      - post: /x\n",
        "  - { name: [b], effect: admire, steps: [] }\n",
    ));
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn what_is_wrong_in_meaning_is_all_named_at_once() {
    let found = problems(concat!(
        "format: 2\n",
        "connector: Bad Name\n",
        "title: Bad\n",
        "instructions: \" \"\n",
        "settings:\n",
        "  lower: {}\n",
        "  BOTH: { required: true, default: x }\n",
        "  TOKEN: { secret: true, default: x }\n",
        "  COUNT: { is: integer, default: many }\n",
        "upstream:\n",
        "  base: \"{settings.NOWHERE}/x\"\n",
        "  timeout: 30\n",
        "  headers: { \"bad header\": x, Good: \"{TOKEN}\" }\n",
        "  paging:\n",
        "    other: { kind: after, after: a, size: s, offset: o, rows: data, more: .a..b, cap: 5001 }\n",
        "  error:\n",
        "    - .a |\n",
        "    - 'it is ''.x'' & 1'\n",
        "  hints: { \"200\": fine }\n",
        "models:\n",
        "  thing:\n",
        "    path: /data/{id}\n",
        "    ops: [list, list]\n",
        "    fields:\n",
        "      id: { type: string }\n",
        "      kind: { type: enum }\n",
        "      size: { type: integer, max_len: 5, values: [a] }\n",
        "      other: { type: string, ref: { model: nowhere }, required: true }\n",
        "    create: [kind, missing]\n",
        "    filters: [data__nothing, colour, status, status]\n",
        "    sorts: [created_at]\n",
        "    default_sort: updated_at\n",
        "    max_limit: 0\n",
        "tools:\n",
        "  - name: thing_list\n",
        "    title: T\n",
        "    description: D\n",
        "    effect: write\n",
        "    input:\n",
        "      n: { type: string, description: N, minimum: 1, default: 5 }\n",
        "    steps:\n",
        "      - { get: \"/a/{+n}\" }\n",
        "      - { get: \"/a/{m}/{settings.TOKEN}/{steps.b.id}\", query: { q: $args.q } }\n",
        "      - { let: ., get: /x }\n",
        "      - get: //elsewhere/x\n",
        "        as: b\n",
        "    result: $steps.c.id\n",
    ));
    insta::assert_snapshot!(found.join("\n"));
}

/// What a person gets wrong in one evening, all of it in one file.
#[test]
fn every_kind_of_mistake_at_once_is_named() {
    let file = include_str!("every_mistake.yaml");
    let linted = footbridge_connector::lint(file);
    let lines: Vec<_> = linted
        .problems
        .iter()
        .map(|problem| problem.in_file("every_mistake.yaml"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    // Each line of the file that is marked has a problem, and no other line has one.
    let marked: BTreeSet<u64> = (1..)
        .zip(file.lines())
        .filter(|(_, line)| line.contains("# !"))
        .map(|(at, _)| at)
        .collect();
    let named: BTreeSet<u64> = linted
        .problems
        .iter()
        .map(|problem| problem.place.line)
        .collect();
    assert_eq!(named, marked);
}

#[test]
fn a_key_that_is_there_twice_hides_nothing_else() {
    let found = problems("format: 1\nformat: 1\nconnector: Bad\n");
    assert!(
        found.iter().any(|line| line.starts_with("bad.yaml:2:1: ")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|line| line.starts_with("bad.yaml:3:12: ")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|line| line.contains("`title` is missing")),
        "{found:?}"
    );
}

#[test]
fn there_is_an_end_to_the_list_of_faults() {
    let wrong = |count: usize| {
        let keys: String = (0..count)
            .map(|index| format!("wrong_{index}: 1\n"))
            .collect();
        problems(&format!("{HEAD}{keys}"))
    };
    assert_eq!(wrong(1_000).len(), 1_000);
    let tools: String = (0..1_001).map(|_| "  - {}\n").collect();
    let found = problems(&format!("{HEAD}tools:\n{tools}"));
    assert!(
        found.len() <= 1_006
            && found
                .iter()
                .any(|line| line.contains("more than 1000 faults")),
        "{}",
        found.len()
    );
}

#[test]
fn what_works_and_should_not_be_there_is_named_by_lint_alone() {
    let tool = "tools:\n  - name: a\n    title: T\n    description: D\n    effect: read\n    steps: [{ get: /x }]\n    result: 'del(.a)'\n";
    let file = format!("{HEAD}defs: 'def f: .a | f;'\n{tool}");
    assert!(compile("a.yaml", &file).is_ok());
    let linted = footbridge_connector::lint(&file);
    let named: Vec<_> = linted
        .problems
        .iter()
        .map(|problem| (problem.place.line, problem.part.as_str()))
        .collect();
    assert_eq!(named, [(6, "defs"), (13, "a.result")]);
    assert_eq!((linted.tools.len(), linted.tools[0].place.line), (1, 8));
}

#[test]
fn the_built_in_files_are_clean() {
    for name in ["board.yaml", "prodmcp.yaml", "taiga.yaml"] {
        assert_eq!(
            footbridge_connector::lint(&connector_file(name)).problems,
            [],
            "{name}"
        );
    }
}

#[test]
fn unknown_names_in_filters_are_placed_inside_every_kind_of_scalar() {
    let found = problems(&format!(
        "{HEAD}tools:\n  - name: a\n    title: T\n    description: D\n    effect: read\n    steps:\n{}{}{}{}    result: >-\n      .a\n      | nofold(1)\n",
        "      - let: .a | noplain\n",
        "      - let: '\"it''s\" | nosingle'\n",
        "      - let: \"\\\"\\u00e9\\\" | nodouble\"\n",
        "      - let: |\n          {a: .b,\n           c: $noblock}\n",
    ));
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn a_tool_that_reads_may_only_get() {
    for verb in ["post", "put", "patch", "delete"] {
        let tool = format!(
            "tools:\n  - {{ name: a, title: T, description: D, effect: read, steps: [{{ {verb}: /x }}] }}\n"
        );
        let found = problems(&format!("{HEAD}{tool}"));
        assert!(
            found[0].contains("a tool with `effect: read` may only `get`"),
            "{found:?}"
        );
    }
    for effect in ["write", "destroy"] {
        let tool = format!(
            "tools:\n  - {{ name: a, title: T, description: D, effect: {effect}, steps: [{{ get: /x }}] }}\n"
        );
        let found = problems(&format!("{HEAD}{tool}"));
        assert!(
            found
                .iter()
                .any(|line| line.contains("needs a step that writes")),
            "{found:?}"
        );
    }
}

#[test]
fn text_that_is_no_yaml_is_placed() {
    for (yaml, place) in [
        ("a: [1\n", "bad.yaml:"),
        ("a: b: c\n", "bad.yaml:1:"),
        ("", "bad.yaml:1:1"),
        ("a: *nope\n", "bad.yaml:1:4"),
    ] {
        let found = problems(yaml);
        assert!(found[0].starts_with(place), "{yaml:?}: {found:?}");
    }
}

#[test]
fn what_most_often_breaks_a_file_has_a_hint() {
    for (yaml, hint) in [
        (
            "a: { get: /items/{id}, b: 1 }\n",
            "a path such as `/items/{id}`",
        ),
        (
            "description: Lists, that is: all of them\n",
            "a text that holds `: ` needs quotes",
        ),
        (
            "format: 1\nconnector: [a]\n",
            "a text that begins with `{` or `[` needs quotes",
        ),
        ("format: 1\nconector: a\n", "did you mean `connector`?"),
    ] {
        let found = problems(yaml);
        assert!(found.iter().any(|line| line.contains(hint)), "{found:?}");
    }
}

#[test]
fn what_the_parser_refuses_is_said_to_who_writes_files() {
    let nested =
        |depth: usize| format!("{HEAD}tools: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let indented = |depth: usize| -> String {
        (0..depth)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect()
    };
    let many = |values: usize| format!("{HEAD}tools: [{}]\n", vec!["x"; values].join(", "));
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, name) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        laughs.push_str(&format!(
            "{name}: &{name} [{}]\n",
            vec![format!("*{before}"); 10].join(", ")
        ));
    }
    let whole =
        "must be a whole number: write it in digits alone; the reference says how large it may be";
    for (yaml, place, said) in [
        (HEAD.replace("format: 1", "format: 1.0"), "1:9", whole),
        (
            HEAD.replace("format: 1", "format: 99999999999999999999999999"),
            "1:9",
            whole,
        ),
        (
            format!("{HEAD}---\n{HEAD}"),
            "7:1",
            "there is more than one document: a connector file is one: take out the line `---`",
        ),
        (nested(31), "6:9", "must be"),
        (nested(32), "6:", "nested deeper than 32 levels"),
        (nested(100_000), "6:", "nested deeper than 32 levels"),
        (indented(31), "1:1", "there is no key `a` here"),
        (indented(100), "", "nested deeper than 32 levels"),
        (many(99_900), "1:1", "more than 1000 faults"),
        (many(100_000), "6:", "the file has more than 100000 values"),
        (
            format!("{HEAD}{laughs}"),
            "",
            "the file has more than 100000 values: what `*name` stands for counts at each place",
        ),
    ] {
        let found = problems(&yaml);
        let start = format!("bad.yaml:{place}");
        assert!(
            found
                .iter()
                .any(|line| line.starts_with(&start) && line.contains(said)),
            "{place} {said}: {found:?}"
        );
        assert!(!found.iter().any(|line| {
            ["budget", "invalid u", "_multiple", "recursion"]
                .iter()
                .any(|word| line.contains(word))
        }));
    }
}

#[test]
fn a_file_has_a_limit() {
    let file = connector_file("board.yaml");
    let padded = |bytes: usize| format!("{file}#{}", "x".repeat(bytes - file.len() - 1));
    assert!(compile("board.yaml", &padded(1 << 20)).is_ok());
    assert!(problems(&padded((1 << 20) + 1))[0].contains("1048577 bytes"));
}

#[test]
fn figures_of_a_file_have_limits() {
    let file = connector_file("board.yaml");
    let board = |from: &str, to: &str| {
        assert!(file.contains(from), "{from}");
        compile("board.yaml", &file.replace(from, to)).is_ok()
    };
    let name = |length: usize| board("whoami", &"w".repeat(length));
    assert!(name(40) && !name(41) && !name(0));
    for (good, bad) in [
        ("600s", "601s"),
        ("10m", "11m"),
        ("1ms", "0ms"),
        ("1s", "1h"),
    ] {
        assert!(
            board("timeout: 30s", &format!("timeout: {good}"))
                && !board("timeout: 30s", &format!("timeout: {bad}")),
            "{bad}"
        );
    }
    for (key, least, most) in [("max_limit: 200", 1, 1_000), ("cap: 5000", 1, 5_000)] {
        let set = |value: u32| board(key, &format!("{} {value}", key.split(' ').next().unwrap()));
        assert!(
            set(least) && set(most) && !set(least - 1) && !set(most + 1),
            "{key}"
        );
    }
    let steps = |count: usize| {
        board(
            "      - get: /auth/me\n",
            &"      - get: /auth/me\n".repeat(count),
        )
    };
    assert!(steps(50) && !steps(51));
}

/// The board is handed models as they were read: what none can say is refused here, with its place.
#[test]
fn a_key_that_no_model_has_is_named_with_its_place() {
    let found = problems(&format!(
        "{HEAD}{}",
        concat!(
            "models:\n",
            "  a:\n",
            "    path: /data/a\n",
            "    ops: [read, fly]\n",
            "    fields:\n",
            "      b: { type: string, colour: red }\n",
            "      c: { type: colour }\n",
            "      d: { type: string, max_len: 0, ref: { model: a, near: true } }\n",
            "      e: { type: enum, values: [] }\n",
            "    colour: red\n",
        )
    ));
    for named in [
        "bad.yaml:9:17: models.a.ops",
        "bad.yaml:11:26: models.a.fields.b: there is no key `colour`",
        "bad.yaml:12:18: models.a.fields.c.type",
        "bad.yaml:13:35: models.a.fields.d: `max_len` must be at least 1",
        "bad.yaml:13:43: models.a.fields.d.ref",
        "bad.yaml:14:32: models.a.fields.e: an enum needs at least one value",
        "bad.yaml:15:5: models.a: there is no key `colour`",
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(named)),
            "{named} in {found:#?}"
        );
    }
}

#[test]
fn a_list_needs_paging_and_names_are_given_once() {
    let model = "models:\n  a: { path: /a, ops: [list], fields: {} }\n";
    let found = problems(&format!("{HEAD}{model}"));
    assert!(
        found[0].contains("there is no paging for lists"),
        "{found:?}"
    );
    let tool = "  - { name: a, aliases: [x], title: T, description: D, effect: read, steps: [{ get: /x }] }\n";
    let found = problems(&format!(
        "{HEAD}tools:\n{tool}{}",
        tool.replace("name: a", "name: x")
    ));
    assert!(
        found
            .iter()
            .any(|line| line.contains("more than one tool called `x`")),
        "{found:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_damaged_file_compiles_or_says_where_it_is_wrong(
        guide in any::<bool>(),
        at in any::<proptest::sample::Index>(),
        cut in 0usize..12,
        put in "[a-z{}\\[\\]:'\"|>&*#.$ \n\u{e9}-]{0,6}",
    ) {
        let file = if guide { crate::guide::file() } else { connector_file("board.yaml") };
        let letters: Vec<char> = file.chars().collect();
        let at = at.index(letters.len());
        let damaged: String = letters.iter().take(at).copied().chain(put.chars()).chain(letters.iter().skip(at + cut).copied()).collect();
        if let Err(problems) = compile("board.yaml", &damaged) {
            let lines = damaged.lines().count() as u64 + 1;
            prop_assert!(!problems.list().is_empty());
            for problem in problems.list() {
                prop_assert!((1..=lines).contains(&problem.place.line) && problem.place.column >= 1, "{}", problems);
            }
        }
    }
}

/// The syntax of paths in a parameter reads as jq too, and would fail every call.
#[test]
fn braces_in_a_parameter_are_told_from_those_of_a_path() {
    let tool = |query: &str| {
        format!(
            "{HEAD}tools:\n  - name: a\n    title: A\n    description: A.\n    effect: read\n    input: {{ page: {{ type: integer, description: P }} }}\n    steps:\n      - get: /x\n        query: {{ page: '{query}' }}\n"
        )
    };
    assert_eq!(
        problems(&tool("{page}")),
        [
            "bad.yaml:14:24: a.steps[0].query.page: `{page}` makes an object, which no parameter can be: parameters are jq: write `$args.page`; braces are for paths"
        ]
    );
    for query in ["[{page}]", "{a: 1}", "{page, a}"] {
        let found = problems(&tool(query));
        assert!(
            found.len() == 1 && found[0].contains("makes an object, which no parameter can be"),
            "{found:?}"
        );
    }
    for query in [
        "$args.page",
        "[$args.page]",
        "\"{page}\"",
        "$args | {page} | .page",
    ] {
        compile("good.yaml", &tool(query)).unwrap_or_else(|problems| panic!("{query}: {problems}"));
    }
}

/// A board that goes by its name, cards in its columns, and a group of tools.
const PLACES: &str = r#"
format: 1
connector: places
title: Places
instructions: Words of models.
upstream:
  base: "http://localhost/"
  paging:
    list: { kind: after, after: after, size: limit, offset: offset, rows: .data, more: .more }
groups: { rare: false }
models:
  place:
    path: /data/place
    ops: [list, read]
    goes_by: name
    group: rare
    titles: { list: List places }
    fields:
      name: { type: string }
      columns: { type: columns }
    filters: [data__name]
  thing:
    path: /data/thing
    ops: [list, read, create, update]
    fields:
      status: { type: string, column_of: place_id }
      place_id: { type: string, ref: { model: place } }
      number: { type: integer }
"#;

#[test]
fn what_goes_by_a_name_and_what_is_a_column_must_be_found() {
    let connector = compile("places.yaml", PLACES).unwrap();
    let tool = connector.tool("place_list").unwrap();
    assert_eq!(
        (tool.title.as_str(), tool.is_listed),
        ("List places", false)
    );
    let get = connector.tool("place_get").unwrap();
    let id = &get.input_schema["properties"]["id"]["description"];
    assert_eq!(id, "Name or id of the place.");
    assert!(connector.tool("thing_list").unwrap().is_listed);
    for (from, to, needle) in [
        (
            "goes_by: name",
            "goes_by: nickname",
            "no record can be found by `nickname`",
        ),
        (
            "goes_by: name",
            "goes_by: columns",
            "no record can be found by `columns`",
        ),
        (
            "filters: [data__name]",
            "filters: []",
            "no record can be found by `name`",
        ),
        (
            "ops: [list, read]\n",
            "ops: [read]\n",
            "no record can be found by `name`",
        ),
        ("group: rare", "group: rares", "there is no group `rares`"),
        (
            "column_of: place_id",
            "column_of: number",
            "`number` names nothing that has columns",
        ),
        (
            "column_of: place_id",
            "column_of: gone",
            "`gone` names nothing that has columns",
        ),
        (
            "columns: { type: columns }",
            "columns: { type: any }",
            "`place_id` names nothing that has columns",
        ),
        ("titles: { list:", "titles: { lists:", "lists"),
    ] {
        let file = PLACES.replacen(from, to, 1);
        let problems = compile("places.yaml", &file)
            .err()
            .unwrap_or_else(|| panic!("{to}"));
        let found = problems
            .list()
            .iter()
            .any(|problem| problem.in_file("f").contains(needle));
        assert!(found, "{to}: {problems}");
    }
}
