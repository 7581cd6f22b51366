//! The authors' guide: its pieces are a whole file, and every tool of it works against the API that
//! it describes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::fake::Seen;
use crate::scripted::{Answer, Scripted, ok, refused};

/// The YAML of the guide, put together.
pub(crate) fn file() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors/guide.md");
    let guide = std::fs::read_to_string(path).unwrap();
    guide
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

fn depot(id: &Value) -> Value {
    json!({"id": id, "name": if id == 1 { "North" } else { "South" }})
}

fn answer(parcels: &mut Vec<Value>, seen: &Seen) -> Answer {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let parameter = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
    };
    let id: Option<u64> = path
        .strip_prefix("/v1/parcels/")
        .and_then(|rest| rest.split('/').next())
        .and_then(|id| id.parse().ok());
    let at = parcels
        .iter()
        .position(|parcel| parcel["id"].as_u64() == id && id.is_some());
    match (seen.method.as_str(), path, at) {
        ("GET", "/v1/depots", _) => ok(json!({"data": [
            {"id": 1, "name": "North", "code": "N", "main": true}, {"id": 2, "name": "South", "code": "S", "main": false}
        ]})),
        ("GET", "/v1/parcels", _) => {
            let from: usize = parameter("cursor")
                .map_or(0, |text| text.strip_prefix('c').unwrap().parse().unwrap());
            let limit: usize = parameter("limit").unwrap().parse().unwrap();
            let of = |parcel: &&Value| {
                parameter("depot")
                    .is_none_or(|depot| parcel["depot"]["id"].as_u64() == depot.parse().ok())
            };
            let rows: Vec<&Value> = parcels.iter().filter(of).collect();
            let next = (from + limit < rows.len()).then(|| format!("c{}", from + limit));
            ok(
                json!({"data": rows.iter().skip(from).take(limit).collect::<Vec<_>>(), "next": next}),
            )
        }
        ("POST", "/v1/parcels", _) => {
            let id = parcels.len() + 1;
            parcels.push(json!({"id": id, "label": seen.body["label"], "depot": depot(&seen.body["depot_id"]), "tags": seen.body["tags"], "revision": 1, "note": null}));
            ok(parcels.last().unwrap().clone())
        }
        ("PUT", path, Some(_)) if path.ends_with("/hold") => ok(json!({"held": true})),
        ("DELETE", path, Some(_)) if path.ends_with("/hold") => Answer(204, vec![], String::new()),
        ("POST", path, Some(_)) if path.ends_with("/remarks") => ok(json!({"number": 1})),
        ("DELETE", path, Some(_)) if path.ends_with("/remarks/1") => {
            Answer(204, vec![], String::new())
        }
        ("POST", path, Some(_)) if path.ends_with("/prints") => ok(json!({"queue": 1})),
        ("GET", path, Some(_)) if path.ends_with("/route") => refused(404, json!({})),
        ("GET", _, Some(at)) => ok(parcels[at].clone()),
        ("PATCH", _, Some(at)) => {
            let parcel = &mut parcels[at];
            if seen
                .body
                .get("revision")
                .is_some_and(|revision| *revision != parcel["revision"])
            {
                return refused(
                    409,
                    json!({"errors": [{"title": "Conflict", "detail": "The revision is old."}]}),
                );
            }
            for (key, value) in seen
                .body
                .as_object()
                .unwrap()
                .iter()
                .filter(|(key, _)| *key != "revision")
            {
                if key == "depot_id" {
                    parcel["depot"] = depot(value)
                } else {
                    parcel[key.as_str()] = value.clone()
                }
            }
            parcel["revision"] = json!(parcel["revision"].as_u64().unwrap() + 1);
            ok(parcel.clone())
        }
        ("DELETE", _, Some(at)) => {
            parcels.remove(at);
            Answer(204, vec![], String::new())
        }
        _ => refused(
            404,
            json!({"errors": [{"title": "Not found", "detail": format!("There is nothing at {path}.")}]}),
        ),
    }
}

fn parcel() -> Scripted {
    let parcels: Arc<Mutex<Vec<Value>>> = Arc::default();
    Scripted::later(
        &file(),
        &[
            ("PARCEL_URL", "http://localhost"),
            ("PARCEL_KEY", "key-of-parcel"),
        ],
        move |seen| {
            let answer = answer(&mut parcels.lock().unwrap(), &seen);
            Box::pin(async move { answer })
        },
    )
}

#[tokio::test]
async fn the_resource_and_the_prompt_of_the_guide_work() {
    let parcels = Mutex::new(vec![json!({"id": 1, "label": "One"})]);
    let scripted = Scripted::later(
        &file(),
        &[
            ("PARCEL_URL", "http://localhost"),
            ("PARCEL_KEY", "key-of-parcel"),
        ],
        move |seen| {
            let answer = answer(&mut parcels.lock().unwrap(), &seen);
            Box::pin(async move { answer })
        },
    );
    let values = |id: &str| json!({ "id": id }).as_object().unwrap().clone();
    let read = scripted
        .backend
        .read_resource("parcel", values("1"))
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&read).unwrap()["label"],
        "One"
    );
    assert!(
        scripted
            .backend
            .read_resource("parcel", values("1/route"))
            .await
            .is_err()
    );
    assert!(
        scripted.backend.connector().prompts()[0]
            .message(&values("1"))
            .starts_with("Read parcel://parcels/1 and")
    );
}

#[tokio::test]
async fn the_connector_of_the_guide_does_what_the_guide_says() {
    let parcel = parcel();
    for n in 1..=5 {
        let depot = if n % 2 == 0 {
            json!("south")
        } else {
            Value::Null
        };
        let made = parcel
            .call(
                "parcel_create",
                json!({"label": format!("P{n}"), "depot": depot, "tags": ["a"]}),
            )
            .await
            .unwrap();
        let fenced = format!("<untrusted-content>P{n}</untrusted-content>");
        assert_eq!(
            (&made["label"], &made["depot"], &made["tags"]),
            (
                &json!(fenced),
                &json!(if n % 2 == 0 { "South" } else { "North" }),
                &json!(["a"])
            )
        );
    }
    let page = parcel
        .call(
            "parcel_list",
            json!({"depot": "N", "limit": 2, "fields": ["depot_id"]}),
        )
        .await
        .unwrap();
    assert_eq!(
        page["items"],
        json!([{"id": 1, "depot_id": 1}, {"id": 3, "depot_id": 1}])
    );
    let rest = parcel
        .call(
            "parcel_list",
            json!({"depot": "N", "limit": 2, "cursor": page["next_cursor"]}),
        )
        .await
        .unwrap();
    assert_eq!(
        (
            rest["items"].as_array().unwrap().len(),
            rest.get("next_cursor")
        ),
        (1, None)
    );
    let refusal = parcel
        .refusal("parcel_list", json!({"depot": "Nort"}))
        .await;
    assert!(
        refusal.contains("Did you mean <untrusted-content>\"North\"</untrusted-content>?")
            && refusal.contains("South (id 2)"),
        "{refusal}"
    );

    let one = parcel.call("parcel_get", json!({"id": 1})).await.unwrap();
    assert_eq!(
        (&one["label"], one.get("route")),
        (&json!("<untrusted-content>P1</untrusted-content>"), None)
    );
    assert!(
        parcel
            .refusal("parcel_get", json!({"id": 99}))
            .await
            .contains("There is nothing at /v1/parcels/99.")
    );

    assert!(
        parcel
            .refusal("parcel_update", json!({"id": 1}))
            .await
            .contains("Pass at least one of")
    );
    let changed = parcel
        .call(
            "parcel_update",
            json!({"id": 1, "depot": "SOUTH", "note": null}),
        )
        .await
        .unwrap();
    assert_eq!(
        (&changed["depot"], &changed["revision"]),
        (&json!("South"), &json!(2))
    );
    assert_eq!(
        parcel.seen().last().unwrap().body,
        json!({"note": null, "depot_id": 2, "revision": 1})
    );
    let moved = parcel
        .call("parcel_move_many", json!({"ids": [2, 77, 3], "depot": 1}))
        .await
        .unwrap();
    assert_eq!(
        (&moved["moved"], &moved["failed"][0]["id"]),
        (&json!([2, 3]), &json!(77))
    );

    for (tool, arguments, result) in [
        ("parcel_hold", json!({"id": 2}), json!({"held": true})),
        ("parcel_release", json!({"id": 2}), json!({"released": 2})),
        (
            "parcel_remark",
            json!({"id": 2, "text": "Fragile"}),
            json!({"number": 1}),
        ),
        ("parcel_print", json!({"id": 2}), json!({"queue": 1})),
    ] {
        assert_eq!(parcel.call(tool, arguments).await.unwrap(), result);
    }
    let question = parcel
        .backend
        .confirmation(
            "parcel_delete",
            json!({"id": 2}).as_object().unwrap().clone(),
        )
        .await
        .unwrap();
    assert_eq!(question.unwrap().text, "Delete the parcel “P2”?");
    assert_eq!(
        parcel
            .call("parcel_delete", json!({"id": 2}))
            .await
            .unwrap(),
        json!({"deleted": 2})
    );

    let wanted = parcel
        .backend
        .action_arguments("list_parcels", json!({"query": {"depot": ["South"]}}))
        .await
        .unwrap();
    let options = footbridge_connector::Options {
        keeps_records: true,
        ..Default::default()
    };
    let outcome = parcel
        .backend
        .call_with("parcel_list", wanted[0].clone(), options)
        .await
        .unwrap();
    let answered = parcel
        .backend
        .action_answer("list_parcels", vec![(wanted[0].clone(), outcome)])
        .await
        .unwrap();
    assert_eq!(
        answered,
        r#"{"parcels":[{"id":1,"label":"P1"},{"id":4,"label":"P4"}]}"#
    );
    let missing = parcel
        .backend
        .action_arguments("delete_parcel", json!({"query": {}, "body": {}}))
        .await
        .unwrap_err();
    assert_eq!(missing.message(), "id is required");
}
