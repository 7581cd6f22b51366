//! The paths of a connector beside its backend's OpenAPI document: what agrees, each way to differ,
//! and each way to have no document.

use footbridge_connector::{AskedPath, PathCheck, compile};
use serde_json::{Value, json};

use crate::scripted::{Answer, HEAD, Scripted, ok, refused};

const FILE: &str = r#"
upstream:
  base: http://localhost/api/v1
  openapi: [/openapi.json, /schema/]
  preflight: [{ get: /healthz }]
  paging: { pages: { kind: offset, offset: offset, size: limit, rows: .items } }
sources:
  things: { get: /things, pages: pages, assumed: true }
tools:
  - name: find
    title: Find
    description: Finds.
    effect: read
    input: { id: { type: string, description: Id, required: true } }
    steps:
      - { as: kind, let: '"md"' }
      - { get: "/things/{id}", query: { full: '"yes"' } }
      - { get: "/things/{id}/report.{steps.kind}", answer: text, assumed: true }
  - name: make
    title: Make
    description: Makes.
    effect: write
    input: { id: { type: string, description: Id } }
    steps:
      - { as: made, post: /things, assumed: true, body: { id: $args.id, kind: '"x"' } }
    undo:
      - { delete: "/things/{after.id}" }
resources:
  - { uri: "x://{name}", name: note, title: Note, description: A note., get: "/notes/{name}" }
"#;

/// A document that agrees with the file.
fn document() -> Value {
    let query = |name: &str| json!({"in": "query", "name": name, "schema": {"type": "string"}});
    let body = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "2.1"},
        "servers": [{"url": "https://elsewhere.example/api/v1/"}],
        "paths": {
            "/healthz": {"get": {}},
            "/things": {"get": {"parameters": [query("offset"), {"$ref": "#/components/parameters/size"}]}, "post": {"requestBody": body}},
            "/things/{thing}": {"parameters": [query("full")], "get": {}, "delete": {}},
            "/things/{thing}/report.md": {"get": {}},
            "/notes/{title}": {"get": {}},
            "/more": {"get": {}}
        },
        "components": {
            "parameters": {"size": query("limit")},
            "schemas": {"Thing": {"type": "object", "properties": {"id": {}, "kind": {}}, "required": ["kind"]}}
        }
    })
}

/// A backend that serves this document, or whatever `other` says, and nothing else.
async fn check(
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> (PathCheck, Vec<String>) {
    let scripted = Scripted::new(&format!("{HEAD}{FILE}"), move |seen| answer(&seen.path));
    (scripted.backend.check_paths().await, scripted.lines())
}

async fn beside(document: Value) -> Vec<(String, &'static str, String)> {
    let (found, lines) = check(move |_| ok(document.clone())).await;
    assert_eq!(
        lines,
        ["GET /api/v1/openapi.json"],
        "nothing else is asked when there is a document"
    );
    let said = |difference: footbridge_connector::Difference| {
        let operation = format!(
            "{} {}",
            difference.operation.method, difference.operation.path
        );
        (
            operation,
            difference.differs.kind(),
            format!("{} ({})", difference.differs, difference.users.join(", ")),
        )
    };
    found.differences.into_iter().map(said).collect()
}

#[test]
fn every_request_of_a_file_is_an_operation_once() {
    let connector = compile("x.yaml", &format!("{HEAD}{FILE}")).unwrap();
    let found: Vec<_> = connector
        .operations()
        .iter()
        .map(|one| {
            (
                format!("{} {}", one.method, one.path),
                one.is_assumed,
                one.users().join(", "),
            )
        })
        .collect();
    let one = |operation: &str, is_assumed: bool, users: &str| {
        (operation.to_owned(), is_assumed, users.to_owned())
    };
    assert_eq!(
        found,
        [
            one("GET /healthz", false, "preflight"),
            one("GET /things", true, "source things"),
            one("GET /things/{id}", false, "find"),
            one("GET /things/{id}/report.{steps.kind}", true, "find"),
            one("POST /things", true, "make"),
            one("DELETE /things/{after.id}", false, "undo of make"),
            one("GET /notes/{name}", false, "resource note"),
        ]
    );
}

#[tokio::test]
async fn a_document_that_agrees_leaves_nothing_to_say() {
    assert_eq!(beside(document()).await, []);
    let (found, _) = check(move |_| ok(document())).await;
    let document = found.document.unwrap();
    assert_eq!(
        (
            document.path.as_str(),
            document.title.as_deref(),
            document.version.as_deref()
        ),
        ("/openapi.json", Some("Things"), Some("2.1"))
    );
}

#[tokio::test]
async fn each_difference_is_named_with_its_users_and_assumed_paths_go_first() {
    let mut changed = document();
    let paths = changed["paths"].as_object_mut().unwrap();
    let report = paths.remove("/things/{thing}/report.md").unwrap();
    paths.insert("/things/{thing}/reports.md".to_owned(), report);
    paths.remove("/notes/{title}");
    paths["/things/{thing}"]
        .as_object_mut()
        .unwrap()
        .remove("delete");
    paths["/things/{thing}"]["parameters"] =
        json!([{"in": "query", "name": "as", "required": true}]);
    paths["/things"]["get"]["parameters"] =
        json!([{"in": "query", "name": "offset"}, {"in": "query", "name": "size"}]);
    changed["components"]["schemas"]["Thing"] =
        json!({"properties": {"id": {}, "owner": {}}, "required": ["owner"]});
    let one = |operation: &str, kind: &'static str, says: &str| {
        (operation.to_owned(), kind, says.to_owned())
    };
    assert_eq!(
        beside(changed).await,
        [
            one(
                "GET /things",
                "unknown_parameter",
                "has no parameter limit, which is sent (source things)"
            ),
            one(
                "GET /things/{id}/report.{steps.kind}",
                "no_path",
                "has no such path; it has GET /api/v1/things/{thing}/reports.md (find)"
            ),
            one(
                "POST /things",
                "missing_key",
                "requires the key owner in the body, which is not sent (make)"
            ),
            one(
                "POST /things",
                "unknown_key",
                "has no key kind in the body, which is sent (make)"
            ),
            one(
                "GET /things/{id}",
                "missing_parameter",
                "requires the parameter as, which is not sent (find)"
            ),
            one(
                "GET /things/{id}",
                "unknown_parameter",
                "has no parameter full, which is sent (find)"
            ),
            one(
                "DELETE /things/{after.id}",
                "other_method",
                "has this path with GET alone (undo of make)"
            ),
            one(
                "GET /notes/{name}",
                "no_path",
                "has no such path (resource note)"
            ),
        ]
    );
}

#[tokio::test]
async fn paths_stand_under_the_servers_of_the_document() {
    let under = |servers: Value| {
        let mut document = document();
        document["servers"] = servers;
        beside(document)
    };
    for same in [
        json!([{"url": "/api/v1"}]),
        json!([{"url": "/x"}, {"url": "http://a/api/v1"}]),
        json!([]),
        json!([{"url": "/"}]),
        json!([{"url": "https://{host}/"}]),
    ] {
        assert_eq!(under(same.clone()).await, [], "{same}");
    }
    let elsewhere = under(json!([{"url": "/api/v2"}])).await;
    assert_eq!(elsewhere.len(), 7);
    assert_eq!(
        elsewhere[0].2,
        "has no such path; it has GET, POST /api/v2/things (source things)"
    );
}

#[tokio::test]
async fn a_document_of_version_two_is_read_too() {
    let mut two = document();
    for key in ["openapi", "servers"] {
        two.as_object_mut().unwrap().remove(key);
    }
    two["swagger"] = json!("2.0");
    two["basePath"] = json!("/api/v1");
    two["paths"]["/things"]["post"] =
        json!({"parameters": [{"in": "body", "name": "b", "schema": {"properties": {"id": {}}}}]});
    let found = beside(two).await;
    assert_eq!(
        found.iter().map(|one| one.1).collect::<Vec<_>>(),
        ["unknown_key"],
        "{found:?}"
    );
}

/// A document of 60 lines whose anchors stand for 2^60 values.
fn bomb() -> String {
    let lines = (1..60).map(|n| format!("x{n}: &x{n} [*x{0}, *x{0}]\n", n - 1));
    format!(
        "openapi: 3.0.0\npaths: {{}}\nx0: &x0 [a]\n{}",
        lines.collect::<String>()
    )
}

#[tokio::test]
async fn a_document_may_be_yaml() {
    const YAML: &str = "
openapi: 3.0.3
info: { title: Things, version: 2.10 }
paths:
  /things:
    get: &list
      parameters: [{ in: query, name: size, schema: { type: integer } }]
      responses: { 200: { description: Good } }
  /moved: { post: *list }
";
    let yaml = async |text: String| {
        let (found, lines) = check(move |path| match path {
            "/api/v1/openapi.json" => Answer(200, Vec::new(), text.clone()),
            _ => ok(json!({"items": []})),
        })
        .await;
        (found, lines.len())
    };
    let (found, asked) = yaml(YAML.to_owned()).await;
    let document = found
        .document
        .unwrap_or_else(|| panic!("{:?}", found.missed));
    assert_eq!(
        (
            document.title.as_deref(),
            document.version.as_deref(),
            asked
        ),
        (Some("Things"), Some("2.1"), 1)
    );
    let as_json = json!({
        "openapi": "3.0.3", "info": {"title": "Things", "version": "2.1"},
        "paths": {
            "/things": {"get": {"parameters": [{"in": "query", "name": "size", "schema": {"type": "integer"}}]}},
            "/moved": {"post": {"parameters": [{"in": "query", "name": "size"}]}}
        }
    });
    assert_eq!(
        found.differences,
        yaml(as_json.to_string()).await.0.differences
    );
    assert!(!found.differences.is_empty());
    // seven values beside those of the list; 250,000 in all
    for (length, is_read) in [(249_993, true), (249_994, false)] {
        let long = format!(
            "openapi: 3.0.0\npaths: {{}}\nx: [{}]\n",
            "1,".repeat(length)
        );
        let (found, _) = yaml(long).await;
        assert_eq!(
            found.document.is_some(),
            is_read,
            "{length}: {:?}",
            found.missed
        );
    }
}

#[tokio::test]
async fn without_a_document_each_place_says_why_and_assumed_paths_are_asked() {
    let nested = "[".repeat(100_000);
    let bodies = [
        ("<!doctype html><p>Hi</p>".to_owned(), "a web page"),
        ("<<<".to_owned(), "no JSON"),
        (String::new(), "JSON that ends too early"),
        (nested, "no JSON (recursion limit exceeded"),
        ("[]".to_owned(), "no OpenAPI document"),
        ("just words".to_owned(), "no YAML either (it is no map)"),
        ("a: 1\nb: [".to_owned(), "no YAML either ("),
        (
            "openapi: 2.9.0\npaths: {}".to_owned(),
            "no OpenAPI document",
        ),
        (bomb(), "no YAML either ("),
        (
            json!({"openapi": "4.0", "paths": {}}).to_string(),
            "no OpenAPI document",
        ),
        (json!({"openapi": "3.0.0"}).to_string(), "without paths"),
        (
            json!({"openapi": "3.0.0", "paths": 7}).to_string(),
            "without paths",
        ),
    ];
    for (body, why) in bodies {
        let (found, lines) = check(move |path| match path {
            "/api/v1/openapi.json" => Answer(200, Vec::new(), body.clone()),
            "/api/v1/schema/" => refused(404, json!({})),
            _ => ok(json!({"items": []})),
        })
        .await;
        assert!(found.document.is_none() && found.differences.is_empty());
        assert!(found.missed[0].1.contains(why), "{why}: {:?}", found.missed);
        assert_eq!(
            found.missed[1],
            ("/schema/".to_owned(), "status 404".to_owned())
        );
        assert_eq!(
            found.asked,
            [("/things".to_owned(), AskedPath::Answered)],
            "a path with a name is not asked"
        );
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
}

#[tokio::test]
async fn an_assumed_path_that_is_not_there_is_told_from_one_that_wants_something() {
    for (status, outcome) in [
        (404, AskedPath::Refused(404)),
        (405, AskedPath::Refused(405)),
        (422, AskedPath::Answered),
    ] {
        let (found, _) = check(move |path| {
            refused(
                if path.ends_with("things") {
                    status
                } else {
                    404
                },
                json!({}),
            )
        })
        .await;
        assert_eq!(found.asked, [("/things".to_owned(), outcome)]);
    }
    let (found, _) =
        check(move |path| refused(if path.ends_with("things") { 403 } else { 404 }, json!({})))
            .await;
    assert_eq!(
        found.asked,
        [(
            "/things".to_owned(),
            AskedPath::Unclear("status 403".to_owned())
        )]
    );
}

#[tokio::test]
async fn a_document_elsewhere_is_not_fetched() {
    let (found, lines) = check(|path| match path {
        "/api/v1/schema/" => ok(document()),
        _ => Answer(302, Vec::new(), String::new())
            .with("location", "http://other.example/openapi.json"),
    })
    .await;
    assert!(
        found.missed[0]
            .1
            .contains("http://other.example, which is never followed"),
        "{:?}",
        found.missed
    );
    assert_eq!(found.document.unwrap().path, "/schema/");
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn texts_of_a_document_are_cut_and_keep_no_control_characters() {
    let mut long = document();
    long["info"]["title"] = json!(format!("\u{1b}[2J{}", "x".repeat(1_000)));
    long["paths"] = json!({format!("/deep/{}/things", "y".repeat(1_000)): {"get": {}}});
    let (found, _) = check(move |_| ok(long.clone())).await;
    let title = found.document.unwrap().title.unwrap();
    assert!(
        title.chars().count() == 200 && title.starts_with("[2Jx"),
        "{title}"
    );
    assert!(
        found
            .differences
            .iter()
            .all(|difference| difference.differs.to_string().len() < 300)
    );
}

#[test]
fn what_a_file_says_of_documents_and_assumptions_must_mean_something() {
    let with = |openapi: &str, step: &str| {
        let file = FILE
            .replace("[/openapi.json, /schema/]", openapi)
            .replace("let: '\"md\"'", step);
        match compile("x.yaml", &format!("{HEAD}{file}")) {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        }
    };
    let many = |count: usize| format!("[{}]", vec!["/a"; count].join(", "));
    assert_eq!(with(&many(10), "let: '\"md\"'"), "");
    for (openapi, step, what) in [
        (
            many(11).as_str(),
            "let: '\"md\"'",
            "names 11 places; at most 10",
        ),
        (
            "[openapi.json]",
            "let: '\"md\"'",
            "`openapi.json` is not a path",
        ),
        ("['/a?b']", "let: '\"md\"'", "is not a plain path"),
        ("['/{me.id}']", "let: '\"md\"'", "upstream.openapi"),
        (
            "[/a]",
            "let: '\"md\"', assumed: true",
            "`let` sends nothing",
        ),
    ] {
        let said = with(openapi, step);
        assert!(said.contains(what), "no {what:?} in {said:?}");
    }
}

/// Nobody can ask for less of a document; a try again can do no harm.
#[tokio::test]
async fn a_backend_that_does_not_answer_may_be_asked_again() {
    let file = format!("{HEAD}{FILE}").replace("  base: http", "  timeout: 50ms\n  base: http");
    let silent = Scripted::later(&file, &[], |_| Box::pin(std::future::pending()));
    let found = silent.backend.check_paths().await;
    let sentence = "X did not answer within 0.05 s. Try again.";
    assert_eq!(
        found.missed,
        [("/openapi.json".to_owned(), sentence.to_owned())]
    );
    assert!(found.is_down && silent.lines().len() == 1);
}

/// A document may lie beside the base, of the same origin.
#[tokio::test]
async fn a_document_beside_the_base_is_found() {
    let file = FILE.replace(
        "openapi: [/openapi.json, /schema/]",
        "openapi: [../schema/]",
    );
    let scripted = Scripted::new(&format!("{HEAD}{file}"), |seen| match seen.path.as_str() {
        "/api/schema/" => ok(document()),
        _ => refused(404, json!({})),
    });
    let check = scripted.backend.check_paths().await;
    assert_eq!(check.document.unwrap().path, "../schema/");
    for bad in ["../..", "../a/../b", "..", "../{x}", "../a?b"] {
        let file = FILE.replace(
            "openapi: [/openapi.json, /schema/]",
            &format!("openapi: ['{bad}']"),
        );
        assert!(
            compile("x.yaml", &format!("{HEAD}{file}")).is_err(),
            "{bad}"
        );
    }
}
