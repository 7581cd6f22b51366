//! The cursor: pages follow each other without a gap or a repeat, whatever the order, and whatever
//! happens in between.

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::harness::{TestBoard, column, create, get, id, send};

const SORTS: [&str; 6] = [
    "created_at",
    "updated_at",
    "data__position",
    "data__status",
    "data__priority",
    "data__due_date",
];

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(id).collect()
}

async fn walk(service: &footbridge_board::BoardService, query: &str, limit: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    loop {
        let after = rows
            .last()
            .map(|last| format!("&after={last}"))
            .unwrap_or_default();
        let page = get(
            service,
            &format!("/xapi2/data/card?{query}&limit={limit}{after}"),
        )
        .await;
        let has_more = page["meta"]["has_more"].as_bool().unwrap();
        assert_eq!(
            page["meta"]["count"],
            page["data"].as_array().unwrap().len()
        );
        assert!(
            !has_more || page["meta"]["count"] == limit,
            "a page with more behind it is full"
        );
        rows.extend(ids(&page));
        if !has_more {
            return rows;
        }
    }
}

/// A card with few different values, so that ties and missing values are common.
fn any_card() -> impl Strategy<Value = Value> {
    let position = prop_oneof![
        Just(Value::Null),
        (-2..3_i32).prop_map(Value::from),
        Just(json!(0.5)),
        Just(json!(1e18))
    ];
    let status = prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!("todo")),
        Just(json!("Ä")),
        Just(json!("done"))
    ];
    let priority = prop_oneof![
        Just(Value::Null),
        Just(json!("low")),
        Just(json!("high")),
        Just(json!("critical"))
    ];
    let due_date = prop_oneof![
        Just(Value::Null),
        Just(json!("2026-01-01")),
        Just(json!("2027"))
    ];
    (position, status, priority, due_date).prop_map(|(position, status, priority, due_date)| {
        json!({ "title": "Card", "position": position, "status": status, "priority": priority, "due_date": due_date })
    })
}

#[tokio::test]
async fn pages_of_any_size_add_up_to_the_whole_list_under_every_order() {
    let mut runner = TestRunner::default();
    let board = TestBoard::new().await;
    let service = board.local();
    let mut made = Vec::new();
    for _ in 0..60 {
        let card = any_card().new_tree(&mut runner).unwrap().current();
        made.push(id(&create(&service, "card", card).await));
    }
    made.sort();
    for sort in SORTS {
        for direction in ["", "-"] {
            for filter in ["", "&data__status=todo&data__status="] {
                let query = format!("sort={direction}{sort}{filter}");
                let whole =
                    ids(&get(&service, &format!("/xapi2/data/card?{query}&limit=200")).await);
                for limit in [1, 7, 59, 60, 61] {
                    assert_eq!(
                        walk(&service, &query, limit).await,
                        whole,
                        "{query} by {limit}"
                    );
                }
                let mut sorted = whole.clone();
                sorted.sort();
                assert!(
                    !filter.is_empty() || sorted == made,
                    "{query} shows every card once"
                );
            }
        }
    }
}

#[tokio::test]
async fn rows_made_meanwhile_neither_repeat_nor_hide_another() {
    let board = TestBoard::new().await;
    let service = board.local();
    for number in 0..20 {
        create(
            &service,
            "card",
            json!({ "title": format!("Old {number}"), "position": number }),
        )
        .await;
    }
    let mut seen: Vec<Value> = Vec::new();
    let mut after = String::new();
    for _ in 0..100 {
        let page = get(&service, &format!("/xapi2/data/card?limit=3{after}")).await;
        seen.extend(column(&page, "title").into_iter().cloned());
        if page["meta"]["has_more"] == false {
            break;
        }
        after = format!("&after={}", ids(&page).last().unwrap());
        create(
            &service,
            "card",
            json!({ "title": "New in front", "position": -1 }),
        )
        .await;
    }
    assert_eq!(
        seen,
        (0..20)
            .map(|number| json!(format!("Old {number}")))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_cursor_holds_when_its_row_is_deleted_meanwhile() {
    let board = TestBoard::new().await;
    let service = board.local();
    for sort in ["data__position", "-data__position", "data__due_date"] {
        for number in 0..9 {
            create(
                &service,
                "card",
                json!({ "title": sort, "position": number, "assignee": sort }),
            )
            .await;
        }
        let query = format!("assignee={sort}&sort={sort}");
        let whole = walk(&service, &query, 200).await;
        let first = get(&service, &format!("/xapi2/data/card?{query}&limit=4")).await;
        let last = ids(&first).pop().unwrap();
        assert_eq!(
            send(
                &service,
                "DELETE",
                &format!("/xapi2/data/card/{last}"),
                None
            )
            .await
            .0,
            204
        );
        let rest = get(
            &service,
            &format!("/xapi2/data/card?{query}&limit=200&after={last}"),
        )
        .await;
        assert_eq!(ids(&rest), whole[4..], "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_at_the_same_time_lose_nothing() {
    let board = TestBoard::new().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let service = board.local();
        writers.spawn(async move {
            let mut made = Vec::new();
            for card in 0..25 {
                made.push(id(&create(
                    &service,
                    "card",
                    json!({ "title": format!("{writer}/{card}") }),
                )
                .await));
            }
            made
        });
    }
    let mut made: Vec<String> = writers.join_all().await.concat();
    let mut listed = walk(&board.local(), "sort=created_at", 33).await;
    made.sort();
    listed.sort();
    assert_eq!(listed, made);
}
