//! What a list shows and in which order: filters, sorts, search, and the sentences for those that
//! cannot be.

use serde_json::{Value, json};

use crate::harness::{TestBoard, column, create, get, id, refused};

async fn four_cards() -> TestBoard {
    let board = TestBoard::new().await;
    let service = board.local();
    let cards = [
        json!({ "title": "Alpha", "status": "todo", "priority": "high", "position": 10, "tags": ["a", "b"], "assignee": "anna", "due_date": "2026-12-01" }),
        json!({ "title": "Beta", "status": "done", "priority": "low", "position": 9.5, "tags": ["b"], "assignee": "" }),
        json!({ "title": "Gamma 100%", "status": "todo", "priority": "critical", "position": -1, "due_date": "2026-11-30" }),
        json!({ "title": "Über_Straße", "description": "say \\o/ to ANNA", "priority": "medium", "tags": [] }),
    ];
    for card in cards {
        create(&service, "card", card).await;
    }
    board
}

fn titles(page: &Value) -> Vec<&str> {
    column(page, "title")
        .into_iter()
        .map(|title| title.as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn each_sort_has_its_order_and_missing_values_come_last_both_ways() {
    let board = four_cards().await;
    let (a, b, c, u) = ("Alpha", "Beta", "Gamma 100%", "Über_Straße");
    let cases = [
        ("", [c, b, a, u]),
        ("sort=data__position", [c, b, a, u]),
        ("sort=-data__position", [a, b, c, u]),
        ("sort=data__priority", [b, u, a, c]),
        ("sort=-data__priority", [c, a, u, b]),
        ("sort=data__due_date", [c, a, b, u]),
        ("sort=-data__due_date", [a, c, u, b]),
        ("sort=created_at", [a, b, c, u]),
        ("sort=-created_at", [u, c, b, a]),
        ("sort=-updated_at", [u, c, b, a]),
    ];
    for (query, expected) in cases {
        assert_eq!(
            titles(&get(&board.local(), &format!("/xapi2/data/card?{query}")).await),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn filters_take_wire_and_friendly_keys_and_any_of_several_values() {
    let board = four_cards().await;
    let (a, b, c, u) = ("Alpha", "Beta", "Gamma 100%", "Über_Straße");
    let cases: [(&str, &[&str]); 13] = [
        ("data__status=todo", &[c, a]),
        ("status=todo", &[c, a]),
        ("status=active", &[]),
        ("status=todo&data__status=done", &[c, b, a]),
        ("priority=low&priority=medium", &[b, u]),
        ("data__priority=low&status=todo", &[]),
        ("tags=a", &[a]),
        ("tags=a&tags=b", &[b, a]),
        ("data__assignee=anna", &[a]),
        ("assignee=", &[c, b, u]),
        ("assignee=&assignee=anna", &[c, b, a, u]),
        ("priority=", &[]),
        ("tags=", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(
            titles(&get(&board.local(), &format!("/xapi2/data/card?{query}")).await),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn on_a_board_status_is_the_row_s_own() {
    let board = TestBoard::new().await;
    let service = board.local();
    create(&service, "board", json!({ "name": "B" })).await;
    assert_eq!(
        get(&service, "/xapi2/data/board?status=active").await["meta"]["count"],
        1
    );
    assert_eq!(
        get(&service, "/xapi2/data/board?status=archived").await["meta"]["count"],
        0
    );
}

#[tokio::test]
async fn a_search_looks_into_all_texts_without_case_and_takes_wildcards_literally() {
    let board = four_cards().await;
    let (c, u, a) = ("Gamma 100%", "Über_Straße", "Alpha");
    let cases: [(&str, &[&str]); 10] = [
        ("%C3%BCBER", &[u]),
        ("STRASSE", &[]),
        ("anna", &[a, u]),
        ("%25", &[c]),
        ("_", &[u]),
        ("%5Co", &[u]),
        ("0%25", &[c]),
        ("a_pha", &[]),
        ("todo", &[c, a]),
        ("2026-12", &[a]),
    ];
    for (q, expected) in cases {
        assert_eq!(
            titles(&get(&board.local(), &format!("/xapi2/data/card?q={q}")).await),
            expected,
            "{q}"
        );
    }
    let card = get(&board.local(), "/xapi2/data/card?q=alpha").await["data"][0].clone();
    let path = format!("/xapi2/data/card/{}", id(&card));
    crate::harness::send(
        &board.local(),
        "PATCH",
        &path,
        Some(&json!({ "title": "Omega" })),
    )
    .await;
    assert_eq!(
        titles(&get(&board.local(), "/xapi2/data/card?q=alpha").await),
        Vec::<&str>::new()
    );
    assert_eq!(
        titles(&get(&board.local(), "/xapi2/data/card?q=omega").await),
        ["Omega"]
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_named_with_what_can() {
    let board = TestBoard::new().await;
    let cases = [
        (
            "colour=red",
            r#""colour" is no filter of a card: filter by status, priority, tags, assignee, board_id, is_archived, owned_by"#,
        ),
        ("data__title=x", r#""data__title" is no filter"#),
        ("id=1", r#""id" is no filter"#),
        ("is_deleted=True", r#""is_deleted" is no filter"#),
        (
            "sort=title",
            "sort must be one of created_at, updated_at, data__position, data__status, data__priority, data__due_date, with - before",
        ),
        ("sort=--created_at", "sort must be one of"),
        (
            "limit=0",
            r#"limit must be an integer of at least 1, not "0""#,
        ),
        ("limit=-1", "limit must be"),
        ("limit=5.0", "limit must be"),
        ("limit=True", "limit must be"),
        ("limit=", "limit must be"),
        ("limit=1&limit=2", "limit is given twice"),
        ("offset=-1", "offset must be"),
        ("offset=x", "offset must be"),
        (
            "after=none",
            r#"after must be the id of a card, not "none""#,
        ),
        (
            "after=0193e8a0-5d4c-7b6a-8f10-2c3d4e5f6071",
            "after names no card",
        ),
        (
            "priority=urgent",
            r#"priority must be one of low, medium, high, critical, not "urgent""#,
        ),
        ("is_archived=maybe", "is_archived must be true or false"),
        ("is_archived=", "is_archived must be true or false"),
    ];
    for (query, named) in cases {
        let detail = refused(
            &board.local(),
            "GET",
            &format!("/xapi2/data/card?{query}"),
            None,
            400,
        )
        .await;
        assert!(detail.contains(named), "{named} in {detail}");
    }
    let detail = refused(
        &board.local(),
        "GET",
        "/xapi2/data/card?a=1&b=2&limit=x&sort=y&is_archived=z",
        None,
        400,
    )
    .await;
    for part in ["\"a\"", "\"b\"", "limit", "sort", "is_archived"] {
        assert!(detail.contains(part), "{part} in {detail}");
    }
}

#[tokio::test]
async fn text_that_looks_like_sql_is_only_text() {
    let board = four_cards().await;
    for value in ["'%20OR%201=1%20--", "%22;DROP%20TABLE%20record;", "x'%29"] {
        for key in ["status", "tags", "assignee", "q", "owned_by"] {
            assert_eq!(
                get(&board.local(), &format!("/xapi2/data/card?{key}={value}")).await["meta"]["count"],
                0,
                "{key}={value}"
            );
        }
    }
    assert_eq!(
        get(&board.local(), "/xapi2/data/card").await["meta"]["count"],
        4
    );
}
