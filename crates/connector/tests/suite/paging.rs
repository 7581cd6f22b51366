//! Lists: four ways of paging, each complete, in order, and with honest totals.

use footbridge_connector::compile;
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use crate::fake::Seen;
use crate::scripted::{Answer, HEAD, Scripted, number, ok, refused};

const KINDS: [&str; 4] = ["page", "offset", "link", "after"];

fn file(more: &str) -> String {
    format!(
        r#"{HEAD}upstream:
  base: http://localhost/api
  error: [.message?]
  paging:
    page: {{ kind: page, page: page, size: size, max_size: 7, total: '$headers["x-total"] | tonumber?', next: '$headers["x-next"]', cap: 60 }}
    offset: {{ kind: offset, offset: offset, size: size, max_size: 7, total: .total, rows: .rows, cap: 60 }}
    link: {{ kind: link, next: .next, rows: '.rows // .', size: size, max_size: 7, cap: 60 }}
    after: {{ kind: after, after: after, size: size, max_size: 7, rows: .rows, next: .next, cap: 60 }}
tools:
{}"#,
        KINDS
            .map(|kind| format!(
                "  - name: {kind}\n    title: T\n    description: D\n    effect: read\n    input:\n      page: {{ type: integer, description: P }}\n      all: {{ type: boolean, description: A }}\n      least: {{ type: integer, description: L }}\n    steps:\n      - {{ get: /rows, query: {{ page: $args.page }}, pages: {kind}{more} }}\n"
            ))
            .join("")
    )
}

/// `count` rows, and at most `most` of them a page, whatever is asked for.
fn rows(count: usize, most: usize) -> impl Fn(&Seen) -> Answer + Send + Sync + 'static {
    move |seen| {
        let size = number(seen, "size").unwrap_or(most).min(most);
        let from = number(seen, "after")
            .or(number(seen, "offset"))
            .unwrap_or_else(|| (number(seen, "page").unwrap_or(1) - 1) * size);
        let rows: Vec<Value> = (from..count.min(from + size))
            .map(|n| json!({"id": n, "n": n, "text": "x"}))
            .collect();
        let more = from + size < count;
        if seen.path.contains("page=") && !seen.path.contains("offset=") {
            let answer = ok(json!(rows)).with("x-total", count);
            return if more {
                answer.with("x-next", "http://elsewhere/")
            } else {
                answer
            };
        }
        let next = json!(from + size);
        let link = json!(format!(
            "http://inside:8080/api/rows?size={size}&offset={}",
            from + size
        ));
        let next = if seen.path.contains("after=") || number(seen, "offset").is_none() {
            next
        } else {
            link
        };
        ok(json!({"rows": rows, "total": count, "next": if more { next } else { Value::Null }}))
    }
}

/// The same for the kind `link`, whose first request has no start.
fn linked(count: usize, most: usize) -> impl Fn(&Seen) -> Answer + Send + Sync + 'static {
    move |seen| {
        let size = number(seen, "size").unwrap_or(most).min(most);
        let from = number(seen, "at").unwrap_or_default();
        let rows: Vec<Value> = (from..count.min(from + size))
            .map(|n| json!({"id": n, "n": n, "text": "x"}))
            .collect();
        let next = (from + size < count)
            .then(|| format!("http://inside:8080/api/rows?size={size}&at={}", from + size));
        ok(json!({"rows": rows, "next": next}))
    }
}

fn scripted(kind: &str, more: &str, count: usize, most: usize) -> Scripted {
    if kind == "link" {
        Scripted::new(&file(more), linked(count, most))
    } else {
        Scripted::new(&file(more), rows(count, most))
    }
}

fn numbers(page: &Value) -> Vec<usize> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| usize::try_from(row["n"].as_u64().unwrap()).unwrap())
        .collect()
}

/// Every page by its cursor.
async fn walk(scripted: &Scripted, kind: &str, limit: usize) -> Vec<usize> {
    let mut all = Vec::new();
    let mut cursor = Value::Null;
    for _ in 0..200 {
        let page = scripted
            .call(kind, json!({"limit": limit, "cursor": cursor}))
            .await
            .unwrap();
        assert!(numbers(&page).len() <= limit);
        all.extend(numbers(&page));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            assert!(page.get("truncated").is_none());
            return all;
        }
    }
    panic!("no end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_row_comes_once_and_in_order(kind in 0usize..4, count in 0usize..55, limit in 1usize..20, most in 7usize..9) {
        let kind = KINDS[kind];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(async { walk(&scripted(kind, "", count, most), kind, limit).await });
        prop_assert_eq!(found, (0..count).collect::<Vec<_>>(), "{}", kind);
    }
    #[test]
    fn rows_that_are_chosen_here_come_once_too(kind in 0usize..4, count in 0usize..55, limit in 1usize..20) {
        let kind = KINDS[kind];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(async { walk(&scripted(kind, ", where: .n % 3 == 0", count, 7), kind, limit).await });
        prop_assert!(found == (0..count).filter(|n| n % 3 == 0).collect::<Vec<_>>(), "{}: {:?}", kind, found);
    }
}

/// A filter about arguments that nobody passed costs nothing: pages as small as asked for, and an
/// honest total.
#[tokio::test]
async fn a_filter_about_an_argument_is_left_out_without_it() {
    let more = ", where: .n >= $args.least, where_passed: [least]";
    let scripted = scripted("page", more, 30, 7);
    let page = scripted.call("page", json!({"limit": 5})).await.unwrap();
    assert_eq!(
        (numbers(&page), &page["total_count"]),
        ((0..5).collect(), &json!(30))
    );
    assert!(
        scripted
            .seen()
            .iter()
            .all(|seen| seen.path.contains("size=5")),
        "{:?}",
        scripted.seen()
    );
    let page = scripted
        .call("page", json!({"limit": 5, "least": 27}))
        .await
        .unwrap();
    assert_eq!(
        (numbers(&page), &page["total_count"]),
        (vec![27, 28, 29], &json!(3))
    );
    let problems = compile("x.yaml", &file(", where_passed: [least]"))
        .unwrap_err()
        .to_string();
    assert!(
        problems.contains("`where_passed` is for a step with `where`"),
        "{problems}"
    );
    let problems = compile("x.yaml", &file(", where: 'true', where_passed: [most]"))
        .unwrap_err()
        .to_string();
    assert!(
        problems.contains("there is no argument `most`"),
        "{problems}"
    );
}

#[tokio::test]
async fn totals_are_told_where_they_are_known() {
    for (kind, total) in [
        ("page", json!(30)),
        ("offset", json!(30)),
        ("link", Value::Null),
        ("after", Value::Null),
    ] {
        let scripted = scripted(kind, "", 30, 7);
        let page = scripted.call(kind, json!({"limit": 10})).await.unwrap();
        assert_eq!(
            (numbers(&page).len(), &page["total_count"]),
            (10, &total),
            "{kind}"
        );
        assert!(page["next_cursor"].is_string() && page.get("truncated").is_none());
        let whole = scripted.call(kind, json!({})).await.unwrap();
        assert_eq!(
            (numbers(&whole).len(), &whole["total_count"]),
            (30, &json!(30)),
            "{kind}: a list that ended is counted"
        );
        let tool = scripted.backend.connector().tool(kind).unwrap();
        assert_eq!(tool.input_schema["properties"]["limit"]["maximum"], 60);
        assert!(
            tool.argument_aliases
                .contains(&("page_size".into(), "limit".into()))
        );
    }
}

#[tokio::test]
async fn all_is_one_result_up_to_the_cap() {
    for kind in KINDS {
        for (count, cut) in [(60, false), (61, true)] {
            let scripted = scripted(kind, "", count, 7);
            let page = scripted.call(kind, json!({"all": true})).await.unwrap();
            assert_eq!(
                (
                    numbers(&page).len(),
                    page["truncated"] == true,
                    page["next_cursor"].is_string()
                ),
                (60, cut, cut),
                "{kind} {count}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_of_the_callers_choice_is_read_alone() {
    let scripted = scripted("page", "", 30, 7);
    let page = scripted
        .call("page", json!({"page": 2, "page_size": 5}))
        .await
        .unwrap();
    assert_eq!(
        (
            numbers(&page),
            page["total_count"].clone(),
            page.get("next_cursor")
        ),
        (vec![5, 6, 7, 8, 9], json!(30), None)
    );
    assert_eq!(scripted.lines(), ["GET /api/rows?page=2&size=5"]);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_tool_and_arguments() {
    let scripted = scripted("page", ", where: .n >= ($args.least // 0)", 30, 7);
    let cursor = scripted
        .call("page", json!({"limit": 3, "least": 1}))
        .await
        .unwrap()["next_cursor"]
        .clone();
    assert_eq!(
        numbers(
            &scripted
                .call("page", json!({"limit": 2, "least": 1, "cursor": cursor}))
                .await
                .unwrap()
        ),
        [4, 5]
    );
    for (tool, arguments) in [
        ("page", json!({"cursor": cursor})),
        ("offset", json!({"least": 1, "cursor": cursor})),
        ("page", json!({"cursor": "zz"})),
    ] {
        assert!(
            scripted
                .refusal(tool, arguments)
                .await
                .starts_with("`cursor` ")
        );
    }
}

#[tokio::test]
async fn a_later_page_that_fails_leaves_what_came() {
    let scripted = Scripted::new(&file(""), |seen| {
        if seen.path.contains("page=3") {
            refused(500, json!({"message": "broken"}))
        } else {
            rows(30, 7)(seen)
        }
    });
    let page = scripted.call("page", json!({"limit": 30})).await.unwrap();
    assert_eq!(
        (numbers(&page).len(), &page["truncated"]),
        (14, &json!(true))
    );
    assert!(page["note"].as_str().unwrap().contains("broken") && page["next_cursor"].is_string());
    let first = Scripted::new(&file(""), |_| refused(500, json!({"message": "broken"})));
    assert!(first.refusal("page", json!({})).await.contains("broken"));
}

#[tokio::test]
async fn a_page_that_fails_of_a_list_inside_a_tool_is_told() {
    let tool = format!(
        "{}  - name: inside\n    title: T\n    description: D\n    effect: read\n    steps:\n      - {{ as: a, get: /rows, pages: offset, row: .n }}\n      - {{ as: b, get: /rows, pages: page, row: .n }}\n    result: '{{a: ($steps.a.items | length), b: ($steps.b.items | length)}}'\n",
        file("")
    );
    for (fails, expected) in [
        (false, json!({"a": 30, "b": 30})),
        (true, json!({"a": 14, "b": 30})),
    ] {
        let scripted = Scripted::new(&tool, move |seen| {
            if fails && seen.path.contains("offset=14") {
                refused(400, json!({"message": "broken"}))
            } else {
                rows(30, 7)(seen)
            }
        });
        let mut found = scripted.call("inside", json!({})).await.unwrap();
        let told = found.as_object_mut().unwrap().remove("unavailable");
        assert_eq!((found, told.is_some()), (expected, fails));
        if let Some(told) = told {
            assert!(
                told["a"].as_str().is_some_and(
                    |why| why.contains("A later page failed") && why.contains("broken")
                ),
                "{told}"
            );
        }
    }
}

#[tokio::test]
async fn behind_a_prefix_that_a_proxy_takes_off_the_query_of_a_link_is_taken() {
    let file = file("").replace(
        "base: http://localhost/api",
        "base: http://localhost/outside/api",
    );
    assert!(file.contains("/outside/api"));
    let scripted = Scripted::new(&file, |seen| {
        let at = number(seen, "at").unwrap_or(0);
        assert!(seen.path.starts_with("/outside/api/rows?"), "{}", seen.path);
        let next = (at < 3).then(|| format!("http://inside:8080/api/rows?at={}", at + 1));
        ok(json!({"rows": [{"id": at, "n": at}], "next": next}))
    });
    let page = scripted.call("link", json!({"limit": 20})).await.unwrap();
    assert_eq!(
        (numbers(&page), scripted.lines().len()),
        (vec![0, 1, 2, 3], 4)
    );
}

#[tokio::test]
async fn a_link_stays_under_the_base_and_a_loop_ends() {
    let linking = |next: &'static str| {
        Scripted::new(&file(""), move |_| {
            ok(json!({"rows": [{"id": 1, "n": 1}], "next": next}))
        })
    };
    for next in [
        "http://other.example/else/where",
        "/apis/rows",
        "//other.example/x",
        "../x",
        "/api/../secret",
        "http://[bad",
    ] {
        assert!(
            linking(next)
                .refusal("link", json!({}))
                .await
                .contains("never followed"),
            "{next}"
        );
    }
    let same = linking("http://other.example/api/rows?at=5");
    let page = same.call("link", json!({"limit": 20})).await.unwrap();
    assert_eq!(
        (numbers(&page).len(), &page["truncated"]),
        (1, &json!(true)),
        "a row that comes again is not given again"
    );
    assert_eq!(
        same.lines(),
        ["GET /api/rows?size=7", "GET /api/rows?at=5"],
        "the other host was never asked"
    );
    let endless = Scripted::new(&file(", where: 'false'"), |seen| {
        ok(
            json!({"rows": [{"n": number(seen, "after")}], "total": 1_000_000, "next": number(seen, "after").unwrap_or(0) + 1}),
        )
    });
    let page = endless.call("after", json!({})).await.unwrap();
    assert_eq!(
        (
            numbers(&page).len(),
            endless.lines().len(),
            page["next_cursor"].is_string()
        ),
        (0, 10, true)
    );
    assert!(
        page["note"].as_str().unwrap().contains("10 requests"),
        "{page}"
    );
}

#[tokio::test]
async fn a_list_inside_a_tool_is_read_to_its_cap() {
    let tool = format!(
        "{}  - name: both\n    title: T\n    description: D\n    effect: read\n    steps:\n      - {{ as: a, get: /rows, pages: offset, row: .n }}\n      - {{ as: b, get: /rows, pages: offset, row: .n }}\n    result: '{{a: ($steps.a.items | length), more: $steps.a.truncated, b: $steps.b.first_page.total}}'\n",
        file("")
    );
    let scripted = Scripted::new(&tool, rows(61, 7));
    assert_eq!(
        scripted.call("both", json!({})).await.unwrap(),
        json!({"a": 60, "more": true, "b": 61})
    );
    let tool = scripted.backend.connector().tool("both").unwrap();
    assert!(
        tool.input_schema["properties"]
            .as_object()
            .unwrap()
            .is_empty(),
        "two lists have no one limit"
    );
}

#[tokio::test]
async fn a_page_that_is_too_large_ends_earlier_with_a_cursor() {
    let big = |seen: &Seen| {
        let Answer(status, headers, body) = rows(30, 7)(seen);
        Answer(
            status,
            headers,
            body.replace("\"x\"", &format!("\"{}\"", "y".repeat(10_000))),
        )
    };
    let scripted = Scripted::new(&file(""), big);
    let first = scripted.call("page", json!({"limit": 20})).await.unwrap();
    assert_eq!(
        (numbers(&first), &first["truncated"]),
        (vec![0, 1, 2, 3], &json!(true))
    );
    assert_eq!(
        walk(&scripted, "page", 20).await,
        (0..30).collect::<Vec<_>>()
    );
    assert_eq!(
        numbers(&scripted.call("page", json!({"all": true})).await.unwrap()).len(),
        30,
        "who wants all gets all"
    );
}

#[test]
fn what_a_way_of_paging_needs_is_said() {
    let text = format!(
        "{HEAD}upstream:\n  base: http://h\n  paging:\n    a: {{ kind: page, offset: o }}\n    b: {{ kind: link, more: .m }}\n    c: {{ kind: after, page: p, max_size: 1001, cap: 0 }}\n    d: {{ kind: offset, offset: o }}\n    e: {{ kind: page, page: p, size: s, max_size: 1000, cap: 5000 }}\n"
    );
    insta::assert_snapshot!(compile("x.yaml", &text).unwrap_err().to_string());
}

#[tokio::test]
async fn an_empty_list_is_asked_about_where_the_file_says_so() {
    let yaml = file(", empty: \"/project\"");
    for kind in KINDS {
        for (count, status, lines) in [(0, 200, 2), (0, 403, 2), (3, 403, 1)] {
            let rows = rows(count, 5);
            let scripted =
                Scripted::new(&yaml, move |seen| match seen.path.ends_with("/project") {
                    true => refused(status, json!({"message": "not yours"})),
                    false => rows(seen),
                });
            let called = scripted.call(kind, json!({})).await;
            assert_eq!(scripted.lines().len(), lines, "{kind} {count} {status}");
            match called {
                Ok(found) => assert!(
                    count > 0 || (status == 200 && found["items"] == json!([])),
                    "{kind}: {found}"
                ),
                Err(error) => assert!(
                    count == 0 && status == 403 && error.message().contains("not yours"),
                    "{kind}: {error}"
                ),
            }
        }
    }
    let alone = file("").replace(", pages: page }", ", empty: \"/project\" }");
    assert!(
        compile("x.yaml", &alone)
            .unwrap_err()
            .to_string()
            .contains("`empty` is for a step with `pages`")
    );
}

#[tokio::test]
async fn rows_that_a_filter_finds_have_a_limit() {
    let file = format!(
        "{HEAD}upstream: {{ base: \"http://localhost\", paging: {{ pages: {{ kind: offset, offset: o, size: s, rows: '.rows[] | select(.id)' }} }} }}\n\
         tools:\n  - {{ name: t, title: T, description: D, effect: read, steps: [{{ get: /rows, pages: pages }}] }}\n"
    );
    for (count, passes) in [(5_000, true), (5_001, false), (6_000, false)] {
        let rows: Vec<Value> = (1..=count).map(|n| json!({"id": n})).collect();
        let scripted = Scripted::new(&file, move |_| ok(json!({"rows": rows})));
        let called = scripted
            .call("t", json!({"limit": 1}))
            .await
            .map_err(|error| error.message().to_owned());
        let refusal = "X answered a page of more than 5000 rows. Ask for less, with a smaller limit or a filter.".to_owned();
        assert_eq!(
            called.map(|page| page["items"][0]["id"].clone()),
            if passes { Ok(json!(1)) } else { Err(refusal) }
        );
    }
}
