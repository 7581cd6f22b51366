//! Lists of the board read page by page: caps, cursors, and a backend that fails on the way.

use serde_json::json;
use std::collections::HashSet;

use crate::board::ids;
use crate::fake::{Fake, call};

#[tokio::test]
async fn four_hundred_and_fifty_cards_are_read_with_none_lost_and_none_twice() {
    let fake = Fake::with_cards(450);
    let board = fake.board();
    let all = call(&board, "card_list", json!({"all": true}))
        .await
        .unwrap();
    assert_eq!(
        ids(&all),
        (1..=450).map(|n| format!("id-{n:05}")).collect::<Vec<_>>()
    );
    assert!(all.get("next_cursor").is_none() && all.get("truncated").is_none());
    assert_eq!(fake.requests().len(), 3);
    for limit in [200, 7] {
        let (mut read, mut arguments) = (
            Vec::new(),
            json!({"limit": limit, "filter": {"status": "todo"}}),
        );
        loop {
            let page = call(&board, "card_list", arguments.clone()).await.unwrap();
            read.extend(ids(&page));
            match page.get("next_cursor") {
                Some(cursor) => arguments["cursor"] = cursor.clone(),
                None => break,
            }
        }
        assert_eq!(read, ids(&all), "limit {limit}");
    }
}

#[tokio::test]
async fn an_offset_bites_on_the_first_page_only() {
    let fake = Fake::with_cards(450);
    let all = call(
        &fake.board(),
        "card_list",
        json!({"all": true, "offset": 10}),
    )
    .await
    .unwrap();
    assert_eq!(
        ids(&all),
        (11..=450).map(|n| format!("id-{n:05}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_walk_ends_at_its_cap_and_its_cursor_goes_on() {
    for (count, truncated) in [(5_000, false), (5_001, true)] {
        let fake = Fake::with_cards(count);
        let board = fake.board();
        let all = call(&board, "card_list", json!({"all": true}))
            .await
            .unwrap();
        assert_eq!(
            (ids(&all).len(), all.get("truncated").is_some()),
            (5_000, truncated)
        );
        if truncated {
            let rest = call(&board, "card_list", json!({"cursor": all["next_cursor"]}))
                .await
                .unwrap();
            assert_eq!(ids(&rest), ["id-05001"]);
        }
    }
}

#[tokio::test]
async fn a_cap_within_a_page_loses_nothing() {
    let fake = Fake {
        page_rows: Some(900),
        ..Fake::with_cards(5_400)
    };
    let board = fake.board();
    let all = call(&board, "card_list", json!({"all": true}))
        .await
        .unwrap();
    let rest = call(&board, "card_list", json!({"cursor": all["next_cursor"]}))
        .await
        .unwrap();
    assert_eq!(
        (ids(&all).len(), &all["truncated"], fake.requests().len()),
        (5_000, &json!(true), 7)
    );
    let read: Vec<String> = ids(&all).into_iter().chain(ids(&rest)).collect();
    assert_eq!(
        read,
        (1..=5_400)
            .map(|n| format!("id-{n:05}"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_walk_ends_at_its_last_request_and_its_cursor_goes_on() {
    for (count, truncated) in [(500, false), (501, true)] {
        let fake = Fake {
            page_rows: Some(1),
            ..Fake::with_cards(count)
        };
        let board = fake.board();
        let all = call(&board, "card_list", json!({"all": true}))
            .await
            .unwrap();
        assert_eq!(
            (
                ids(&all).len(),
                fake.requests().len(),
                all.get("truncated").is_some()
            ),
            (500, 500, truncated)
        );
        if truncated {
            assert_eq!(
                ids(
                    &call(&board, "card_list", json!({"cursor": all["next_cursor"]}))
                        .await
                        .unwrap()
                ),
                ["id-00501"]
            );
        }
    }
}

#[tokio::test]
async fn a_backend_that_ignores_after_does_not_loop() {
    let fake = Fake {
        ignores_after: true,
        ..Fake::with_cards(450)
    };
    let all = call(&fake.board(), "card_list", json!({"all": true}))
        .await
        .unwrap();
    let distinct: HashSet<String> = ids(&all).into_iter().collect();
    assert_eq!(
        (ids(&all).len(), distinct.len(), fake.requests().len()),
        (200, 200, 2)
    );
    assert_eq!(all["truncated"], true);
}

#[tokio::test]
async fn a_page_that_fails_later_leaves_what_came_before() {
    let fake = Fake {
        fails: 2..5,
        ..Fake::with_cards(450)
    };
    let board = fake.board();
    let all = call(&board, "card_list", json!({"all": true}))
        .await
        .unwrap();
    assert_eq!((ids(&all).len(), &all["truncated"]), (200, &json!(true)));
    assert!(
        all["note"].as_str().unwrap().contains("down for a moment"),
        "{all}"
    );
    let rest = call(
        &board,
        "card_list",
        json!({"all": true, "cursor": all["next_cursor"]}),
    )
    .await
    .unwrap();
    assert_eq!(ids(&rest).len(), 250);
    let once = Fake {
        fails: 1..3,
        ..Fake::with_cards(3)
    };
    assert_eq!(
        ids(&call(&once.board(), "card_list", json!({})).await.unwrap()).len(),
        3,
        "a read is sent three times"
    );
    let write = Fake {
        fails: 1..2,
        ..Fake::with_cards(3)
    };
    assert!(
        call(&write.board(), "card_create", json!({"title": "x"}))
            .await
            .is_err(),
        "a write is sent once"
    );
    assert_eq!(write.requests().len(), 1);
    let first = Fake {
        fails: 1..4,
        ..Fake::with_cards(3)
    };
    assert!(
        call(&first.board(), "card_list", json!({"all": true}))
            .await
            .is_err(),
        "the first page must come"
    );
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_arguments_only() {
    let fake = Fake::with_cards(30);
    let board = fake.board();
    let arguments = json!({"limit": 7, "filter": {"status": "todo"}, "offset": 2});
    let page = call(&board, "card_list", arguments.clone()).await.unwrap();
    let cursor = &page["next_cursor"];
    let good =
        json!({"cursor": cursor, "limit": 5, "offset": 2, "filter": {"data__status": ["todo"]}});
    assert_eq!(
        ids(&call(&board, "card_list", good).await.unwrap())[0],
        "id-00010"
    );
    for bad in [
        json!({"cursor": cursor}),
        json!({"cursor": cursor, "filter": {"status": "done"}}),
        json!({"cursor": cursor, "filter": {"status": "todo"}, "sort": "created_at"}),
        json!({"cursor": cursor, "filter": {"status": "todo"}, "q": "x"}),
    ] {
        let error = call(&board, "card_list", bad).await.unwrap_err();
        assert!(error.message().contains("other arguments"), "{error}");
    }
    let error = call(
        &board,
        "board_list",
        json!({"cursor": cursor, "filter": {"status": "todo"}}),
    )
    .await
    .unwrap_err();
    assert!(error.message().contains("other arguments"), "{error}");
    let error = call(&board, "card_list", json!({"cursor": "nonsense"}))
        .await
        .unwrap_err();
    assert!(error.message().contains("next_cursor"), "{error}");
}
