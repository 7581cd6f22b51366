//! Lists that tell the truth: only what the backend says ends one, whatever it does to the size of
//! its pages, and every row comes once.

use std::collections::BTreeSet;

use footbridge_connector::BoxFuture;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::{Value, json};

use crate::fake::Seen;
use crate::scripted::{Answer, HEAD, Scripted, ids, number, ok, refused};

/// What a backend says about the rows that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    Nothing,
    Total,
    Next,
}

/// A backend with a list.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) kind: &'static str,
    pub(crate) tells: Tells,
    /// Ids of the rows.
    pub(crate) rows: Vec<u64>,
    /// Rows that a page may have, whatever is asked for.
    pub(crate) most: usize,
    /// Rows that a page has at least.
    pub(crate) least: usize,
    /// Pages without rows that stand before each page with some; only where something is told.
    pub(crate) empty: usize,
    /// A page past the end is 404.
    pub(crate) refuses_past_the_end: bool,
}

impl World {
    pub(crate) fn new(kind: &'static str, tells: Tells, count: u64, most: usize) -> Self {
        Self {
            kind,
            tells,
            rows: (1..=count).collect(),
            most,
            least: 0,
            empty: 0,
            refuses_past_the_end: false,
        }
    }

    fn paging(&self) -> String {
        let own = match self.kind {
            "page" => "page: page",
            "offset" => "offset: offset",
            "after" => "after: after",
            _ => "max_size: 100",
        };
        let tells = match self.tells {
            Tells::Nothing => "",
            Tells::Total => ", total: .total",
            Tells::Next => ", next: .next",
        };
        let size = if self.kind == "link" {
            ""
        } else {
            ", max_size: 100"
        };
        format!(
            "{{ kind: {}, {own}, size: size{size}, rows: .rows{tells}, cap: 5000 }}",
            self.kind
        )
    }

    pub(crate) fn file(&self) -> String {
        format!(
            "{HEAD}upstream:\n  base: http://localhost/api\n  paging:\n    pages: {}\ntools:\n{}{}",
            self.paging(),
            "  - { name: rows, title: T, description: D, effect: read, input: { all: { type: boolean, description: A } }, steps: [{ get: /rows, pages: pages }] }\n",
            "  - { name: inside, title: T, description: D, effect: read, steps: [{ as: a, get: /rows, pages: pages, at_most: 200, row: .id }, { let: 'null' }], result: '{count: ($steps.a.items | length), more: $steps.a.truncated, total: $steps.a.total_count}' }\n",
        )
    }

    /// The answer to one request, as a backend of this kind gives it.
    pub(crate) fn answer(&self, seen: &Seen) -> Answer {
        let number = |name: &str| number(seen, name);
        let size = number("size").unwrap_or(20).min(self.most).max(self.least);
        // pages in turn: `empty` without rows, then one with
        let turn = self.empty + 1;
        let page = match self.kind {
            "page" => number("page").unwrap_or(1) - 1,
            "link" | "after" if self.empty > 0 => {
                number(if self.kind == "link" { "at" } else { "after" }).unwrap_or(0)
            }
            _ => 0,
        };
        let from = match self.kind {
            "offset" => number("offset").unwrap_or(0),
            "after" if self.empty == 0 => match number("after") {
                Some(id) => self.rows.iter().position(|row| *row == id as u64).unwrap() + 1,
                None => 0,
            },
            "link" if self.empty == 0 => number("at").unwrap_or(0),
            _ => page / turn * size,
        };
        let is_empty = page % turn < self.empty && self.empty > 0;
        let to = if is_empty {
            from
        } else {
            (from + size).min(self.rows.len())
        };
        let from = from.min(self.rows.len());
        let rows = &self.rows[from..to.max(from)];
        if rows.is_empty()
            && !is_empty
            && self.refuses_past_the_end
            && seen.path.contains(&format!("{}=", self.kind))
            && page != 0
        {
            return refused(404, json!({"message": "no such page"}));
        }
        let goes_on = if is_empty {
            from < self.rows.len()
        } else {
            to < self.rows.len()
        };
        let next = match self.kind {
            "link" if self.empty > 0 => json!(format!("/api/rows?size={size}&at={}", page + 1)),
            "link" => json!(format!("/api/rows?size={size}&at={to}")),
            "after" if self.empty > 0 => json!(page + 1),
            "after" => json!(rows.last()),
            _ => json!("there is one"),
        };
        let rows: Vec<Value> = rows
            .iter()
            .map(|id| json!({"id": id, "text": "x"}))
            .collect();
        ok(
            json!({"rows": rows, "total": self.rows.len(), "next": if goes_on { next } else { Value::Null }}),
        )
    }

    pub(crate) fn serve(&self) -> Scripted {
        let world = self.clone();
        Scripted::new(&self.file(), move |seen| world.answer(seen))
    }
}

/// Every page by its cursor: the ids, and whether a page said something wrong about how many there
/// are.
async fn walk(scripted: &Scripted, limit: usize, count: usize) -> Vec<u64> {
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    for _ in 0..1_000 {
        let page = scripted
            .call("rows", json!({"limit": limit, "cursor": cursor}))
            .await
            .unwrap();
        assert!(ids(&page).len() <= limit);
        assert!(
            page.get("total_count")
                .is_none_or(|total| *total == json!(count)),
            "{page}"
        );
        all.extend(ids(&page));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            assert!(
                page.get("truncated").is_none() && page.get("note").is_none(),
                "{page}"
            );
            return all;
        }
    }
    panic!("no end");
}

#[tokio::test]
async fn a_backend_that_caps_its_pages_loses_no_row() {
    for (kind, tells) in [
        ("page", Tells::Total),
        ("page", Tells::Nothing),
        ("page", Tells::Next),
        ("offset", Tells::Total),
        ("offset", Tells::Nothing),
        ("after", Tells::Total),
        ("after", Tells::Nothing),
        ("after", Tells::Next),
        ("link", Tells::Next),
    ] {
        for refuses_past_the_end in [false, true] {
            let world = World {
                refuses_past_the_end,
                ..World::new(kind, tells, 250, 30)
            };
            let scripted = world.serve();
            let page = scripted.call("rows", json!({"limit": 250})).await.unwrap();
            assert_eq!(ids(&page), world.rows, "{world:?}");
            assert!(
                page.get("truncated").is_none() && page.get("note").is_none(),
                "{world:?}"
            );
            let total = page.get("total_count");
            assert!(
                total.map_or(tells != Tells::Total, |total| *total == json!(250)),
                "{world:?}: {total:?}"
            );
            let all = scripted.call("rows", json!({"all": true})).await.unwrap();
            assert_eq!(
                (ids(&all), &all["total_count"]),
                (world.rows.clone(), &json!(250)),
                "{world:?}"
            );
            assert_eq!(walk(&scripted, 60, 250).await, world.rows, "{world:?}");
            assert_eq!(walk(&scripted, 7, 250).await, world.rows, "{world:?}");
        }
    }
}

#[tokio::test]
async fn an_earlier_step_says_that_there_are_more() {
    for (kind, tells) in [
        ("page", Tells::Nothing),
        ("offset", Tells::Nothing),
        ("offset", Tells::Total),
        ("after", Tells::Nothing),
    ] {
        let total = |count: u64| {
            if tells == Tells::Total {
                json!(count)
            } else {
                Value::Null
            }
        };
        let found = World::new(kind, tells, 250, 30)
            .serve()
            .call("inside", json!({}))
            .await
            .unwrap();
        assert_eq!(
            (&found["count"], &found["more"], &found["total"]),
            (&json!(200), &json!(true), &total(250)),
            "{kind}"
        );
        // all of them is not said to be cut, and so counted
        for count in [180, 200] {
            let found = World::new(kind, tells, count, 30)
                .serve()
                .call("inside", json!({}))
                .await
                .unwrap();
            assert_eq!(
                found,
                json!({"count": count, "total": count}),
                "{kind} {count}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_page_that_names_a_next_one_is_no_end() {
    for kind in ["after", "link"] {
        let world = World {
            empty: 1,
            ..World::new(kind, Tells::Next, 3, 30)
        };
        let scripted = world.serve();
        let page = scripted.call("rows", json!({})).await.unwrap();
        assert_eq!(
            (ids(&page), &page["total_count"]),
            (vec![1, 2, 3], &json!(3)),
            "{kind}"
        );
        // the same by a Link header
        let link = r#"next: '($headers.link // "") | ltrimstr("<") | split(">") | .[0]'"#;
        let by_header = world.file().replace("next: .next", link);
        let scripted = Scripted::new(&by_header, move |seen| {
            let Answer(status, headers, body) = world.answer(seen);
            let body: Value = serde_json::from_str(&body).unwrap();
            let answer = Answer(status, headers, json!({"rows": body["rows"]}).to_string());
            match &body["next"] {
                Value::Null => answer,
                next => answer.with(
                    "link",
                    format!(
                        "<{}>; rel=\"next\"",
                        next.as_str().map_or(next.to_string(), str::to_owned)
                    ),
                ),
            }
        });
        assert_eq!(
            ids(&scripted.call("rows", json!({})).await.unwrap()),
            [1, 2, 3],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn empty_pages_in_a_row_have_a_limit_and_a_cursor() {
    for kind in ["after", "link"] {
        for (empty, found) in [(5, vec![1, 2, 3]), (6, vec![])] {
            let scripted = World {
                empty,
                ..World::new(kind, Tells::Next, 3, 30)
            }
            .serve();
            let page = scripted.call("rows", json!({})).await.unwrap();
            assert_eq!(
                (ids(&page), page["truncated"] == true),
                (found, empty == 6),
                "{kind}"
            );
            if empty == 6 {
                assert!(
                    page["note"]
                        .as_str()
                        .unwrap()
                        .contains("6 pages without a new row"),
                    "{page}"
                );
                assert!(page.get("total_count").is_none());
                let rest = scripted
                    .call("rows", json!({"cursor": page["next_cursor"]}))
                    .await
                    .unwrap();
                assert_eq!(ids(&rest), [1, 2, 3], "{kind}");
            }
        }
    }
}

/// As a live TruePPM: a page of 500 rows takes longer than the caller waits, one of 50 does not.
#[tokio::test]
async fn a_page_that_takes_too_long_is_asked_for_in_halves() {
    for (kind, tells) in [
        ("page", Tells::Total),
        ("offset", Tells::Nothing),
        ("link", Tells::Next),
        ("after", Tells::Next),
    ] {
        // slow from the start, or only in the middle
        for slow_from in [0, 150] {
            if kind == "link" && slow_from > 0 {
                continue;
            }
            let world = World::new(kind, tells, 250, 100);
            let file = world
                .file()
                .replace("base: http", "timeout: 50ms\n  base: http");
            let script = world.clone();
            let scripted = Scripted::later(&file, &[], move |seen| -> BoxFuture<'static, Answer> {
                let world = script.clone();
                Box::pin(async move {
                    let answer = world.answer(&seen);
                    let rows: Value = serde_json::from_str(&answer.2).unwrap();
                    let rows = rows["rows"].as_array().unwrap();
                    if rows.len() > 60 && rows[0]["id"].as_u64() > Some(slow_from) {
                        std::future::pending::<()>().await;
                    }
                    answer
                })
            });
            let page = scripted.call("rows", json!({"limit": 250})).await.unwrap();
            assert_eq!(
                (ids(&page), page.get("truncated")),
                (world.rows.clone(), None),
                "{kind} {slow_from}: {:?}",
                scripted.lines()
            );
        }
    }
}

/// A model whose backend gives `most` rows a page, and says in `more` whether others follow, or
/// nothing.
fn model(count: u64, most: usize, says: bool) -> Scripted {
    let file = format!(
        "{HEAD}upstream:\n  base: http://localhost/api\n  paging:\n    list: {{ kind: after, after: after, size: size, offset: offset, rows: .rows, more: .more, identity: .id, cap: 5000 }}\nmodels:\n  thing: {{ path: /things, ops: [list], fields: {{ name: {{ type: string }} }} }}\n"
    );
    Scripted::new(&file, move |seen| {
        let (after, size) = (
            number(seen, "after").unwrap_or(0) as u64,
            number(seen, "size").unwrap_or(20).min(most) as u64,
        );
        let rows: Vec<Value> = (after + 1..=(after + size).min(count))
            .map(|id| json!({"id": id, "data": {"name": "x"}}))
            .collect();
        let more = if says {
            json!(after + size < count)
        } else {
            Value::Null
        };
        ok(json!({"rows": rows, "more": more}))
    })
}

#[tokio::test]
async fn a_list_of_a_model_loses_no_row_either() {
    for says in [true, false] {
        let scripted = model(250, 30, says);
        let page = scripted
            .call("thing_list", json!({"limit": 100}))
            .await
            .unwrap();
        assert_eq!(
            (ids(&page), page.get("truncated")),
            ((1..=100).collect(), None),
            "{says}"
        );
        let (mut found, mut cursor) = (ids(&page), page["next_cursor"].clone());
        while !cursor.is_null() {
            let page = scripted
                .call("thing_list", json!({"limit": 70, "cursor": cursor}))
                .await
                .unwrap();
            assert!(
                page.get("truncated").is_none() && page.get("note").is_none(),
                "{page}"
            );
            found.extend(ids(&page));
            cursor = page["next_cursor"].clone();
        }
        assert_eq!(found, (1..=250).collect::<Vec<u64>>(), "{says}");
        let all = scripted
            .call("thing_list", json!({"all": true}))
            .await
            .unwrap();
        assert_eq!(
            (ids(&all), all.get("truncated"), all.get("next_cursor")),
            ((1..=250).collect(), None, None),
            "{says}"
        );
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let kinds = prop_oneof![Just("page"), Just("offset"), Just("after"), Just("link")];
    let tells = prop_oneof![Just(Tells::Nothing), Just(Tells::Total), Just(Tells::Next)];
    (
        kinds,
        tells,
        0u64..80,
        1usize..40,
        0usize..12,
        0usize..4,
        any::<bool>(),
    )
        .prop_map(
            |(kind, tells, count, most, least, empty, refuses_past_the_end)| {
                let tells = if kind == "link" { Tells::Next } else { tells };
                // an empty page ends a list where nothing is told, and names no place to go on from
                // by offset or by row
                let may_be_empty = match kind {
                    "page" => tells != Tells::Nothing,
                    "after" | "link" => tells == Tells::Next,
                    _ => false,
                };
                World {
                    least: least.min(most),
                    empty: if may_be_empty { empty } else { 0 },
                    refuses_past_the_end,
                    ..World::new(kind, tells, count, most)
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_row_comes_exactly_once(world in worlds(), limit in 1usize..60) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let scripted = world.serve();
        let found = runtime.block_on(walk(&scripted, limit, world.rows.len()));
        prop_assert_eq!(&found, &world.rows);
        let all = runtime.block_on(scripted.call("rows", json!({"all": true}))).unwrap();
        // more requests than one call has: the rest is at its cursor
        let found: BTreeSet<u64> = ids(&all).into_iter().collect();
        prop_assert_eq!(found.len(), ids(&all).len());
        prop_assert!(all.get("total_count").is_none_or(|total| *total == json!(world.rows.len())));
        prop_assert!(ids(&all) == world.rows || all["next_cursor"].is_string(), "{}", all);
    }
}
