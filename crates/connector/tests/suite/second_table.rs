//! A second, invented table: other types, some operations only, no cap. It becomes tools and works
//! like the first.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use footbridge_connector::{Connector, FieldKind, InProcess, ToolEffect, compile};
use serde_json::{Value, json};

use crate::fake::call;

const FILE: &str = r#"
format: 1
connector: shop
title: Shop
instructions: Links with their weight.
upstream:
  base: "http://localhost/api/v2/"
  paging:
    list: { kind: after, after: from, size: per_page, offset: skip, rows: .page.rows, more: .page.more }
models:
  link:
    path: /links
    ops: [update, list, create]
    fields:
      address: { type: url, max_len: 300, required: true }
      weight: { type: integer, description: Weight in grams. }
      live: { type: bool }
      ratio: { type: number }
      extra: { type: any }
      tags: { type: tags }
      next_link: { type: string, ref: { model: link } }
    update: [weight, live]
    filters: [data__live, data__weight, is_deleted]
    sorts: [data__weight]
  note:
    path: /notes
    ops: [delete]
    fields: {}
"#;

fn shop() -> Connector {
    compile("shop.yaml", FILE).unwrap()
}

#[test]
fn the_table_becomes_tools() {
    let connector = shop();
    let names: Vec<&str> = connector
        .tools()
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["link_list", "link_create", "link_update", "note_delete"]
    );
    let schema = |name: &str| &connector.tool(name).unwrap().input_schema;
    assert_eq!(schema("link_list")["properties"]["limit"]["maximum"], 100);
    assert_eq!(
        schema("link_list")["properties"]["sort"]["enum"],
        json!(["data__weight", "-data__weight"])
    );
    let filter = &schema("link_list")["properties"]["filter"]["properties"];
    assert_eq!(
        (
            &filter["live"]["type"],
            &filter["weight"]["items"]["type"],
            &filter["is_deleted"]["type"]
        ),
        (&json!("boolean"), &json!("integer"), &json!("boolean"))
    );
    assert_eq!(
        **schema("link_create"),
        json!({
            "type": "object",
            "properties": {
                "address": {"type": "string", "maxLength": 300, "description": "Address."},
                "weight": {"type": "integer", "description": "Weight in grams."},
                "live": {"type": "boolean", "description": "Live."},
                "ratio": {"type": "number", "description": "Ratio."},
                "extra": {"type": "string", "description": "Extra."},
                "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags."},
                "next_link": {"type": "string", "description": "Id of a link."}
            },
            "required": ["address"],
            "additionalProperties": false
        })
    );
    assert_eq!(
        schema("link_update")["properties"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["id", "weight", "live"]
    );
    assert_eq!(
        connector.tool("link_update").unwrap().nullable,
        ["weight", "live"]
    );
    assert_eq!(
        connector.tool("note_delete").unwrap().effect,
        ToolEffect::Destroy
    );
    let link = connector.models().next().unwrap();
    let live = link.fields.iter().find(|field| field.name == "live");
    assert_eq!(live.unwrap().kind, FieldKind::Boolean);
    // What the file leaves out is filled in.
    assert_eq!((link.max_limit, link.default_sort.as_deref()), (100, None));
    let names: Vec<_> = link.fields.iter().map(|field| &field.name).collect();
    assert_eq!(link.create.iter().collect::<Vec<_>>(), names);
}

#[tokio::test]
async fn the_tools_are_called() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&seen);
    let rows = || async {
        Json(
            json!({"page": {"rows": [{"id": 9007199254740993_u64, "data": {"weight": 5, "live": false, "ratio": 0.5}}], "more": true}}),
        )
    };
    let echo = |Json(body): Json<Value>| async move {
        Json(json!({"id": "n", "data": body, "updated_at": "u"}))
    };
    let change = |Path(id): Path<String>, Json(body): Json<Value>| async move {
        Json(json!({"id": id, "data": body}))
    };
    let router = Router::new()
        .route("/api/v2/links", get(rows).post(echo))
        .route("/api/v2/links/{id}", axum::routing::patch(change))
        .route("/api/v2/notes/{id}", axum::routing::delete(|| async {}))
        .layer(axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                log.lock()
                    .unwrap()
                    .push(format!("{} {}", request.method(), request.uri()));
                next.run(request)
            },
        ));
    let connector = shop();
    let backend = connector.connect(
        connector.settings(&|_| None).unwrap(),
        InProcess::<_, Body>::new(router),
    );

    let list = call(
        &backend,
        "link_list",
        json!({"filter": {"live": true, "weight": [5, 6]}, "limit": 1, "offset": 1}),
    )
    .await
    .unwrap();
    assert_eq!(
        list["items"],
        json!([{"id": 9007199254740993_u64, "weight": 5, "live": false, "ratio": 0.5}])
    );
    call(
        &backend,
        "link_list",
        json!({"filter": {"live": true, "weight": [6, 5]}, "cursor": list["next_cursor"]}),
    )
    .await
    .unwrap();
    let made = call(
        &backend,
        "link_create",
        json!({"address": "https://example.org", "weight": 7}),
    )
    .await
    .unwrap();
    assert_eq!(
        made,
        json!({"id": "n", "address": "https://example.org", "weight": 7, "updated_at": "u"})
    );
    let changed = call(
        &backend,
        "link_update",
        json!({"id": "a/b", "weight": null, "live": true}),
    )
    .await
    .unwrap();
    assert_eq!(changed, json!({"id": "a/b", "live": true}));
    assert_eq!(
        call(&backend, "note_delete", json!({"id": "3"}))
            .await
            .unwrap(),
        json!({"deleted": "3"})
    );
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "GET /api/v2/links?data__live=true&data__weight=5&data__weight=6&per_page=1&skip=1",
            "GET /api/v2/links?data__live=true&data__weight=5&data__weight=6&from=9007199254740993",
            "POST /api/v2/links",
            "PATCH /api/v2/links/a%2Fb",
            "DELETE /api/v2/notes/3",
        ]
    );
}
