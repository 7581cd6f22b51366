//! Queries over tools that are made up: what is refused and how it is said, and that no query, however
//! odd, reaches a write, another caller's answer or past a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use footbridge_connector::unfenced;
use footbridge_mcp::{Call, Effect, Endpoint, Output, Tool, fail};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::super::own_endpoint::OwnEndpoint;
use super::{MAX_ANSWER_BYTES, Queries, ReadTools};
use crate::caller::Caller;
use crate::write_road::{CallAnswer, CallEnd};

/// An endpoint with a tool that lists, one that gives a record, one that fails and one that writes.
struct Tried {
    endpoint: Endpoint<Caller>,
    reads: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

fn answered(json: &Value) -> Output {
    let answer = CallAnswer {
        text: json.to_string(),
        receipt: None,
    };
    Output::default().with_extension(CallEnd::Answered(answer))
}

/// The rows that the list gives.
fn listed(count: u64, caller: Caller) -> Value {
    let rows = (0..count).map(|id| json!({"id": id, "name": format!("row {id}")}));
    let rows: Vec<Value> = rows.collect();
    json!({"items": rows, "total_count": count, "for": caller.name()})
}

impl Tried {
    fn new() -> Self {
        let (reads, writes) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let schema = json!({"type": "object", "properties": {
            "limit": {"type": "integer", "maximum": 5000}, "id": {"type": "integer"}}});
        let counted = Arc::clone(&reads);
        let list = Tool::new("list", "", schema.clone(), move |call: Call<Caller>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let limit = call.arguments.get("limit").and_then(|limit| limit.as_f64());
            let limit = limit.unwrap_or(3.0).clamp(0.0, 5000.0);
            let caller = *call.caller;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is small"
            )]
            async move {
                Ok(answered(&listed(limit as u64, caller)))
            }
        });
        let counted = Arc::clone(&reads);
        let get = Tool::new("get", "", schema.clone(), move |call: Call<Caller>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let id = call.arguments.get("id").and_then(|id| id.as_f64());
            async move { Ok(answered(&json!({"id": id, "secret": "mine"}))) }
        });
        let broken = Tool::new("broken", "", schema.clone(), |_: Call<Caller>| async {
            Err::<Output, _>(fail("The backend is down."))
        });
        let counted = Arc::clone(&writes);
        let write = Tool::new("write", "", schema, move |_: Call<Caller>| {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Ok(answered(&json!({"deleted": 1}))) }
        });
        let endpoint = Endpoint::<Caller>::builder("tried", "1.0.0")
            .tool(list.effect(Effect::Read))
            .tool(get.effect(Effect::Read))
            .tool(broken.effect(Effect::Read))
            .tool(write.effect(Effect::Destroy))
            .tool(query());
        let endpoint = endpoint.build().unwrap();
        OWN.with(|own| own.fill(&endpoint));
        Self {
            endpoint,
            reads,
            writes,
        }
    }

    /// The text of a query's answer, or of its error.
    async fn ask(&self, caller: Caller, query: &Value) -> Result<String, String> {
        let output = self.endpoint.call("query", query.clone(), caller).await;
        let output = output.map_err(|error| error.to_string())?;
        let text = output.first_text().unwrap_or_default().to_owned();
        if output.is_error() {
            Err(text)
        } else {
            Ok(text)
        }
    }
}

thread_local! {
    static OWN: OwnEndpoint = OwnEndpoint::default();
}

fn query() -> Tool<Caller> {
    let known = [
        ("list", true),
        ("get", true),
        ("broken", true),
        ("write", false),
    ];
    let queries = Arc::new(Queries {
        tools: Arc::new(ReadTools::named(&known, true)),
        endpoint: OWN.with(OwnEndpoint::clone),
        most: 12,
    });
    Tool::new("query", "", super::schema(12), move |call: Call<Caller>| {
        let queries = Arc::clone(&queries);
        async move { queries.answer(call).await }
    })
}

/// Asks on a thread with the stacks that filters need.
fn asking<T: Send + 'static>(ask: impl AsyncFnOnce(Tried) -> T + Send + 'static) -> T {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_stack_size(footbridge_connector::FILTER_STACK_BYTES)
            .build()
            .unwrap();
        runtime.block_on(ask(Tried::new()))
    })
    .join()
    .unwrap()
}

fn ask(query: Value) -> Result<String, String> {
    asking(async move |tried| tried.ask(Caller::LocalUser, &query).await)
}

fn read(name: &str, tool: &str, args: &Value) -> Value {
    json!({"as": name, "tool": tool, "args": args})
}

#[test]
fn results_are_composed_and_a_later_call_takes_from_an_earlier_one() {
    let calls = json!([
        read("a", "list", &json!({"limit": 4})),
        read(
            "b",
            "get",
            &json!({"id": {"$from": "a", "path": ".items[-1].id"}})
        ),
    ]);
    let filter = "{n: ($a.items | length), last: .b.id}";
    let composed = ask(json!({"calls": calls, "filter": filter}));
    assert_eq!(composed, Ok(r#"{"n":4,"last":3.0}"#.to_owned()));
    let whole = unfenced(&ask(json!({"calls": calls})).unwrap()).expect("a stranger's words");
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(
        whole["a"],
        listed(4, Caller::LocalUser),
        "as the call alone"
    );
    let several = ask(json!({"calls": calls, "filter": "$a.items[].id, 7"}));
    assert_eq!(several, Ok("[0,1,2,3,7]".to_owned()));
}

#[test]
fn what_is_wrong_is_told_at_once_and_nothing_is_asked() {
    let refused = |query: Value| {
        asking(async move |tried| {
            let why = tried.ask(Caller::LocalUser, &query).await.unwrap_err();
            assert_eq!(tried.reads.load(Ordering::Relaxed), 0, "{why}");
            why
        })
    };
    let all = refused(json!({"calls": [
        read("a", "write", &json!({})),
        read("b", "query", &json!({})),
        read("c", "get", &json!({"id": {"$from": "d"}})),
        read("d", "lst", &json!({})),
        read("d", "get", &json!({"id": {"$from": "a", "path": "map("}})),
        read("7", "get", &json!({"id": {"$from": "a", "else": 1}})),
    ], "filter": "$a\n| nope"}));
    for told in [
        "a: write changes things, and a query only reads: call write itself",
        "b: a query cannot call itself",
        "c: it refers to \"d\", which is no call before it; those are a, b",
        "d: there is no tool \"lst\" of a backend that reads; did you mean list?",
        "call 5: there are two calls named d",
        "the path \"map(\": line 1: expected closing parenthesis",
        "call 6: `as` is a letter, then letters, digits and `_`",
        "filter, line 2: there is no filter nope/0",
    ] {
        assert!(all.contains(told), "{told} in {all}");
    }
    let none = refused(json!({"calls": [read("a", "get", &json!({"id": {"$from": "a"}}))]}));
    assert!(none.contains("there is no call before it"), "{none}");
    let unknown = refused(json!({"calls": [read("a", "list", &json!({}))], "filter": "$args"}));
    assert!(
        unknown.contains("no variable $args; there are $a"),
        "{unknown}"
    );
    let many: Vec<Value> = (0..13)
        .map(|n| read(&format!("a{n}"), "get", &json!({})))
        .collect();
    let many = refused(json!({"calls": many}));
    assert!(many.contains("more than 12 items"), "{many}");
}

#[test]
fn a_call_that_fails_is_named() {
    let broken =
        ask(json!({"calls": [read("a", "list", &json!({})), read("b", "broken", &json!({}))]}));
    assert_eq!(broken, Err("b: The backend is down.".to_owned()));
    let wrong = ask(json!({"calls": [read("a", "list", &json!({"limit": "many"}))]})).unwrap_err();
    assert!(
        wrong.starts_with("a: list: the arguments have a problem"),
        "{wrong}"
    );
    for (path, why) in [
        (".items[9].id", "and there is nothing"),
        (".items[].id", "it gives more than one value; make one list"),
        (".total_count.x", "cannot index a number with \"x\""),
    ] {
        let from = json!({"id": {"$from": "a", "path": path}});
        let calls = json!([read("a", "list", &json!({})), read("b", "get", &from)]);
        let told = ask(json!({"calls": calls})).unwrap_err();
        assert!(
            told.starts_with("b: it refers to ") && told.contains(why),
            "{told}"
        );
    }
}

#[test]
fn rows_values_and_bytes_have_an_end_that_is_told() {
    let all: Vec<Value> = (0..12)
        .map(|n| read(&format!("a{n}"), "list", &json!({"limit": 5000})))
        .collect();
    let rows = ask(json!({"calls": all, "filter": "1"})).unwrap_err();
    assert!(rows.contains(": with its rows there are 10000"), "{rows}");
    let one = json!([read("a", "list", &json!({"limit": 2000}))]);
    let large = ask(json!({"calls": one, "filter": "$a"})).unwrap_err();
    assert!(large.starts_with("The filter makes "), "{large}");
    let gigabyte = "[limit(1000000; repeat(\"x\" * 1000))]";
    for filter in [
        gigabyte,
        "def f: f; f",
        "$a.items[].id",
        "[.. | .. | ..]",
        "nan",
    ] {
        let ended = ask(json!({"calls": one, "filter": filter})).unwrap_err();
        assert!(ended.starts_with("The filter "), "{filter}: {ended}");
    }
    let few = ask(json!({"calls": one, "filter": "$a.items | length"}));
    assert_eq!(few, Ok("2000".to_owned()));
}

/// A value of arguments: what callers send, and references of every kind.
fn value() -> impl Strategy<Value = Value> {
    let path = prop_oneof![
        Just(".items[0].id"),
        Just(".id"),
        Just("."),
        Just(".items"),
        Just("empty"),
        Just("def f: f; f"),
        Just("map("),
    ];
    let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("d"), Just("query")];
    prop_oneof![
        any::<u16>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        (name, path).prop_map(|(from, path)| json!({"$from": from, "path": path})),
        Just(json!({"$from": {"$from": "a"}})),
    ]
}

fn call() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("a"),
        Just("b"),
        Just("c"),
        Just("d"),
        Just("$a"),
        Just("")
    ];
    let tool = prop_oneof![
        Just("list"),
        Just("get"),
        Just("write"),
        Just("query"),
        Just("broken"),
        Just("LIST"),
        Just("changes_undo"),
    ];
    let key = prop_oneof![Just("limit"), Just("id"), Just("tool"), Just("$from")];
    let arguments = proptest::collection::vec((key, value()), 0..3);
    (name, tool, arguments).prop_map(|(name, tool, arguments)| {
        let arguments: serde_json::Map<String, Value> = arguments
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        read(name, tool, &arguments.into())
    })
}

fn filter() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(".".to_owned()),
        Just("$a.items[:3]".to_owned()),
        Just("[.[] | .for?]".to_owned()),
        Just("$a, $b, $c".to_owned()),
        Just(".. | numbers".to_owned()),
        "[ -~]{0,20}",
        "\\$[abcd](\\.items)?( \\| (length|keys|tojson|map\\(\\.id\\)|add))?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_query_writes_passes_a_limit_or_sees_what_is_not_its_callers(
        calls in proptest::collection::vec(call(), 0..14),
        filter in filter(),
    ) {
        let query = json!({"calls": calls, "filter": filter});
        let count = calls.len();
        let (reads, writes, local, http) = asking(async move |tried| {
            let other = Caller::HttpClient(None);
            let (local, http) = tokio::join!(
                tried.ask(Caller::LocalUser, &query),
                tried.ask(other, &query),
            );
            let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
            (count(&tried.reads), count(&tried.writes), local, http)
        });
        prop_assert!(writes == 0, "a write was reached");
        prop_assert!(reads <= 2 * count.min(12), "{reads} reads of {count} calls, twice");
        let whole = |asked: &Result<String, String>, other: &str| -> Result<(), TestCaseError> {
            let text = match asked {
                Ok(text) => text,
                Err(why) => {
                    prop_assert!(!why.is_empty());
                    return Ok(());
                }
            };
            prop_assert!(text.len() <= MAX_ANSWER_BYTES + 100, "{} bytes", text.len());
            prop_assert!(!text.contains(&format!("\"for\":\"{other}\"")), "{text}");
            Ok(())
        };
        whole(&local, "http")?;
        whole(&http, "local")?;
    }
}

#[test]
fn its_words_cost_little() {
    let known = ["taiga_projects_list", "taiga_stories_list"];
    let mut tools = ReadTools::named(&known.map(|name| (name, true)), true);
    tools.lists = known.map(str::to_owned).to_vec();
    let tokens = |text: &str| {
        tiktoken_rs::o200k_base_singleton()
            .encode_ordinary(text)
            .len()
    };
    let description = super::description(&tools);
    assert!(
        tokens(&description) <= 140,
        "{} tokens",
        tokens(&description)
    );
    let schema = super::schema(12).to_string();
    let all = tokens(&description) + tokens(&schema);
    assert!(all <= 220, "{all} tokens");
}
