//! Whatever is asked or sent, the answer is a good one or a refusal with a sentence; the board
//! never fails by itself.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::harness::{TestBoard, id, send};

const CASES: usize = 600;

fn any_query() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        proptest::sample::select(vec![
            "limit",
            "offset",
            "sort",
            "q",
            "after",
            "status",
            "data__priority",
            "tags",
            "is_archived",
            "owned_by",
            "data__board_id"
        ])
        .prop_map(str::to_owned),
        "[a-z_%&=+]{0,12}",
    ];
    let value = prop_oneof![
        "[ -~]{0,20}".prop_filter("a URI", |text| !text
            .contains(['#', ' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}'])),
        "(%[0-9a-f]{2}){0,8}",
        any::<i64>().prop_map(|number| number.to_string()),
        proptest::sample::select(vec![
            "",
            "True",
            "-created_at",
            "data__position",
            "high",
            "0193e8a0-5d4c-7b6a-8f10-2c3d4e5f6071"
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec((key, value), 0..6).prop_map(|pairs| {
        pairs
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join("&")
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(vec!["high", "blue", "todo", ""]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-z]{0,6}|\\PC{0,4}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_body() -> impl Strategy<Value = Value> {
    let field = proptest::sample::select(vec![
        "title",
        "name",
        "description",
        "status",
        "position",
        "priority",
        "tags",
        "assignee",
        "due_date",
        "board_id",
        "accent",
        "settings",
        "columns",
        "other",
    ]);
    proptest::collection::vec((field, any_value()), 0..5).prop_map(|members| {
        Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>(),
        )
    })
}

#[tokio::test]
async fn any_query_is_answered_or_refused_with_a_sentence() {
    let board = TestBoard::new().await;
    let service = board.local();
    let mut runner = TestRunner::default();
    let mut answered = 0;
    for _ in 0..CASES {
        let query = any_query().new_tree(&mut runner).unwrap().current();
        let (status, value) =
            send(&service, "GET", &format!("/xapi2/data/card?{query}"), None).await;
        match status.as_u16() {
            200 => answered += 1,
            400 => assert!(
                value["detail"]
                    .as_str()
                    .is_some_and(|detail| !detail.is_empty()),
                "{query}: {value}"
            ),
            _ => panic!("{status} for {query}: {value}"),
        }
    }
    assert!(answered > CASES / 20, "{answered}");
}

#[tokio::test]
async fn any_body_is_kept_as_given_or_refused_with_a_sentence() {
    let board = TestBoard::new().await;
    let service = board.local();
    let mut runner = TestRunner::default();
    let mut kept = 0;
    for case in 0..CASES {
        let (model, title) = if case % 2 == 0 {
            ("card", "title")
        } else {
            ("board", "name")
        };
        let mut body = any_body().new_tree(&mut runner).unwrap().current();
        if case % 3 > 0 {
            body[title] = json!("Required");
        }
        let (status, value) = send(
            &service,
            "POST",
            &format!("/xapi2/data/{model}"),
            Some(&body),
        )
        .await;
        match status.as_u16() {
            201 => {
                kept += 1;
                let path = format!("/xapi2/data/{model}/{}", id(&value));
                let (_, read) = send(&service, "GET", &path, None).await;
                let given: Map<String, Value> = body
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                assert_eq!(read["data"], Value::Object(given));
            }
            400 => assert!(
                value["detail"]
                    .as_str()
                    .is_some_and(|detail| !detail.is_empty()),
                "{body}: {value}"
            ),
            _ => panic!("{status} for {body}: {value}"),
        }
    }
    assert!(kept > CASES / 20, "{kept}");
}
