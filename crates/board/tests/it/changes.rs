//! Creates, updates and deletes: what is kept, what is refused, and every problem at once.

use serde_json::{Value, json};

use crate::harness::{TestBoard, column, create, get, id, refused, send};

#[tokio::test]
async fn every_problem_is_named_in_one_sentence() {
    let board = TestBoard::new().await;
    let body = json!({
        "description": 7, "priority": "urgent", "position": "first", "tags": "a", "data": { "title": "nested" }, "colour": "red",
        "status": "x".repeat(65), "board_id": null,
    });
    let detail = refused(&board.local(), "POST", "/xapi2/data/card", Some(&body), 400).await;
    for part in [
        "title is required",
        "description must be a string, not 7",
        r#"priority must be one of low, medium, high, critical, not "urgent""#,
        r#"position must be a number, not "first""#,
        r#"tags must be a list of strings, not "a""#,
        r#""data" is no field of a card: the fields are title, description, status"#,
        r#""colour" is no field"#,
        "status has 65 characters, at most 64 are allowed",
    ] {
        assert!(detail.contains(part), "{part} in {detail}");
    }
    assert!(
        !detail.contains("board_id has") && !detail.contains('\n'),
        "{detail}"
    );
    assert_eq!(
        get(&board.local(), "/xapi2/data/card").await["meta"]["count"],
        0
    );
}

#[tokio::test]
async fn required_fields_must_be_there_and_not_blank() {
    let board = TestBoard::new().await;
    let service = board.local();
    for (model, field) in [("board", "name"), ("card", "title")] {
        for body in [json!({}), json!({ field: null })] {
            let detail = refused(
                &service,
                "POST",
                &format!("/xapi2/data/{model}"),
                Some(&body),
                400,
            )
            .await;
            assert_eq!(detail, format!("{field} is required"));
        }
        for blank in ["", "  \t"] {
            let detail = refused(
                &service,
                "POST",
                &format!("/xapi2/data/{model}"),
                Some(&json!({ field: blank })),
                400,
            )
            .await;
            assert_eq!(detail, format!("{field} must not be empty"));
        }
        let row = create(&service, model, json!({ field: "Kept" })).await;
        let path = format!("/xapi2/data/{model}/{}", id(&row));
        let detail = refused(&service, "PATCH", &path, Some(&json!({ field: null })), 400).await;
        assert_eq!(detail, format!("{field} is required and cannot be cleared"));
        assert_eq!(get(&service, &path).await, row);
    }
}

#[tokio::test]
async fn null_clears_an_optional_field_and_is_ignored_in_a_create() {
    let board = TestBoard::new().await;
    let service = board.local();
    let card = create(
        &service,
        "card",
        json!({ "title": "One", "assignee": "anna", "due_date": null, "tags": ["a"] }),
    )
    .await;
    assert_eq!(
        card["data"],
        json!({ "title": "One", "assignee": "anna", "tags": ["a"] })
    );
    let path = format!("/xapi2/data/card/{}", id(&card));
    let (status, changed) = send(
        &service,
        "PATCH",
        &path,
        Some(&json!({ "assignee": null, "priority": "low", "due_date": null })),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(
        changed["data"],
        json!({ "title": "One", "tags": ["a"], "priority": "low" })
    );
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_the_time_alone() {
    let board = TestBoard::new().await;
    let service = board.local();
    let card = create(&service, "card", json!({ "title": "One", "position": 1 })).await;
    let path = format!("/xapi2/data/card/{}", id(&card));
    for body in [
        json!({}),
        json!({ "title": "One" }),
        json!({ "assignee": null }),
    ] {
        assert_eq!(send(&service, "PATCH", &path, Some(&body)).await.1, card);
    }
    let (_, changed) = send(&service, "PATCH", &path, Some(&json!({ "title": "Two" }))).await;
    assert!(changed["updated_at"].as_str() > card["updated_at"].as_str());
}

#[tokio::test]
async fn numbers_texts_and_objects_come_back_as_they_were_given() {
    let board = TestBoard::new().await;
    let service = board.local();
    let settings = json!({ "wide": true, "nested": { "list": [1, 2.5, null, "ü"] }, "": "" });
    let row = create(
        &service,
        "board",
        json!({ "name": "日本 \"quoted\" \\ \u{1F600}", "settings": settings, "tags": [] }),
    )
    .await;
    assert_eq!(
        get(&service, &format!("/xapi2/data/board/{}", id(&row))).await["data"],
        row["data"]
    );
    assert_eq!(row["data"]["settings"], settings);
    for position in [
        json!(0),
        json!(-1.5),
        json!(1e300),
        json!(9_007_199_254_740_993_i64),
    ] {
        let card = create(
            &service,
            "card",
            json!({ "title": "One", "position": position }),
        )
        .await;
        assert_eq!(
            get(&service, &format!("/xapi2/data/card/{}", id(&card))).await["data"]["position"],
            position
        );
    }
}

#[tokio::test]
async fn columns_keep_their_order_and_their_form() {
    let board = TestBoard::new().await;
    let service = board.local();
    let columns = json!([{ "key": "todo", "title": "To do" }, { "key": "doing", "title": "Doing", "wip_limit": 3 }, { "key": "done", "title": "Done" }]);
    let row = create(
        &service,
        "board",
        json!({ "name": "B", "columns": columns }),
    )
    .await;
    assert_eq!(row["data"]["columns"], columns);
    let wrong = [
        (json!("todo"), "must be a list"),
        (json!(["todo"]), "entry 1 is \"todo\""),
        (json!([{ "title": "To do" }]), "key is required"),
        (json!([{ "key": "a" }]), "title is required"),
        (
            json!([{ "key": "", "title": "A" }]),
            "key must not be empty",
        ),
        (
            json!([{ "key": "a", "title": "A" }, { "key": "a", "title": "B" }]),
            "the key \"a\" twice",
        ),
        (
            json!([{ "key": "a", "title": "A", "wip_limit": 0 }]),
            "wip_limit must be an integer of at least 1, not 0",
        ),
        (
            json!([{ "key": "a", "title": "A", "wip_limit": 1.5 }]),
            "wip_limit",
        ),
        (
            json!([{ "key": "a", "title": "A", "wip_limit": null }]),
            "wip_limit",
        ),
        (
            json!([{ "key": "a", "title": "A" }, { "key": "b", "title": "B", "color": "red" }]),
            "entry 2: \"color\" is none of",
        ),
    ];
    for (columns, named) in wrong {
        let body = json!({ "name": "B", "columns": columns });
        let detail = refused(&service, "POST", "/xapi2/data/board", Some(&body), 400).await;
        assert!(
            detail.starts_with("columns ") && detail.contains(named),
            "{named} in {detail}"
        );
    }
}

#[tokio::test]
async fn board_id_must_name_a_board_that_is_there() {
    let board = TestBoard::new().await;
    let service = board.local();
    let kept = id(&create(&service, "board", json!({ "name": "Kept" })).await);
    let gone = id(&create(&service, "board", json!({ "name": "Gone" })).await);
    send(
        &service,
        "DELETE",
        &format!("/xapi2/data/board/{gone}"),
        None,
    )
    .await;
    let card = id(&create(
        &service,
        "card",
        json!({ "title": "One", "board_id": kept }),
    )
    .await);
    let path = format!("/xapi2/data/card/{card}");
    for wrong in [
        gone.as_str(),
        card.as_str(),
        "none",
        "",
        "0193e8a0-5d4c-7b6a-8f10-2c3d4e5f6071",
    ] {
        let detail = refused(
            &service,
            "PATCH",
            &path,
            Some(&json!({ "board_id": wrong })),
            400,
        )
        .await;
        assert!(
            detail.contains("board_id") && detail.contains(wrong),
            "{detail}"
        );
        refused(
            &service,
            "POST",
            "/xapi2/data/card",
            Some(&json!({ "title": "Two", "board_id": wrong })),
            400,
        )
        .await;
    }
    let (status, freed) = send(&service, "PATCH", &path, Some(&json!({ "board_id": null }))).await;
    assert_eq!(
        (status, &freed["data"]),
        (200.try_into().unwrap(), &json!({ "title": "One" }))
    );
}

#[tokio::test]
async fn the_cards_of_a_deleted_board_stay_and_can_be_moved() {
    let board = TestBoard::new().await;
    let service = board.local();
    let old = id(&create(&service, "board", json!({ "name": "Old" })).await);
    let new = id(&create(&service, "board", json!({ "name": "New" })).await);
    let card = create(
        &service,
        "card",
        json!({ "title": "Survivor", "board_id": old }),
    )
    .await;
    let (status, _) = send(
        &service,
        "DELETE",
        &format!("/xapi2/data/board/{old}"),
        None,
    )
    .await;
    assert_eq!(status, 204);
    assert_eq!(
        column(&get(&service, "/xapi2/data/board").await, "name"),
        ["New"]
    );
    assert_eq!(
        column(
            &get(&service, &format!("/xapi2/data/card?board_id={old}")).await,
            "title"
        ),
        ["Survivor"]
    );

    let path = format!("/xapi2/data/card/{}", id(&card));
    let (status, renamed) = send(
        &service,
        "PATCH",
        &path,
        Some(&json!({ "title": "Still here" })),
    )
    .await;
    assert_eq!(
        (status.as_u16(), &renamed["data"]["board_id"]),
        (200, &json!(old))
    );
    let (_, moved) = send(&service, "PATCH", &path, Some(&json!({ "board_id": new }))).await;
    assert_eq!(moved["data"]["board_id"], new);
}

#[tokio::test]
async fn a_deleted_row_is_gone_for_every_operation() {
    let board = TestBoard::new().await;
    let service = board.local();
    let kept = id(&create(&service, "card", json!({ "title": "Kept" })).await);
    let gone = id(&create(&service, "card", json!({ "title": "Gone" })).await);
    let path = format!("/xapi2/data/card/{gone}");
    assert_eq!(
        send(&service, "DELETE", &path, None).await,
        (204.try_into().unwrap(), Value::Null)
    );
    for (method, body) in [
        ("GET", None),
        ("PATCH", Some(json!({ "title": "Back" }))),
        ("PATCH", Some(json!({}))),
        ("DELETE", None),
    ] {
        refused(&service, method, &path, body.as_ref(), 404).await;
    }
    let page = get(&service, "/xapi2/data/card").await;
    assert_eq!(
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(id)
            .collect::<Vec<_>>(),
        [kept]
    );
}

#[tokio::test]
async fn a_request_given_up_in_the_middle_leaves_a_whole_row_or_none_and_the_board_goes_on() {
    let board = TestBoard::new().await;
    let service = board.local();
    for polls in 0..40 {
        let body = json!({ "title": format!("Given up after {polls}") });
        let mut request = Box::pin(send(&service, "POST", "/xapi2/data/card", Some(&body)));
        for _ in 0..polls {
            if poll_once(&mut request).await {
                break;
            }
        }
        drop(request);
        create(&service, "card", json!({ "title": "Kept" })).await;
    }
    let page = get(&service, "/xapi2/data/card?limit=200").await;
    let titles = column(&page, "title");
    assert_eq!(titles.iter().filter(|title| **title == "Kept").count(), 40);
    let mut given_up: Vec<&Value> = titles
        .into_iter()
        .filter(|title| *title != "Kept")
        .collect();
    let count = given_up.len();
    given_up.dedup();
    assert_eq!(given_up.len(), count);
}

/// Polls a request once and lets the others run; true when it is done.
async fn poll_once<T>(request: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> bool {
    let is_done = std::future::poll_fn(|context| {
        std::task::Poll::Ready(request.as_mut().poll(context).is_ready())
    })
    .await;
    tokio::task::yield_now().await;
    is_done
}
