//! What an endpoint serves changes while it serves, and everybody who listens hears of it.

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{
    Call, Endpoint, EndpointBuilder, Messages, Output, Prompt, Resource, ResourceBody, Tool,
};
use serde_json::{Value, json};

use crate::hall::{Hall, Person, builder, hall_of, rpc};
use crate::http_client::{Client, Modern, post, soon};
use crate::schemas::{self, MODERN};
use crate::stdio_client::Pipe;
use crate::wire::InMemory as _;
use crate::world::{self, World};

fn tool(name: &str, says: &str) -> Tool<Person> {
    let says = says.to_owned();
    Tool::new(
        name,
        "For tests.",
        json!({"type": "object"}),
        move |_: Call<Person>| {
            let says = says.clone();
            async move { Ok(Output::text(says)) }
        },
    )
}

fn resource(uri: &str) -> Resource<Person> {
    Resource::new(uri, "text", |_: Call<Person>| async {
        Ok(ResourceBody::from("text"))
    })
}

fn template(uri: &str) -> Resource<Person> {
    Resource::template(uri, "made", |_: Call<Person>| async {
        Ok(ResourceBody::from("made"))
    })
}

fn prompt(name: &str) -> Prompt<Person> {
    Prompt::new(name, "For tests.", |_: Call<Person>| async {
        Ok(Messages::user("begin"))
    })
}

fn plain() -> EndpointBuilder<Person> {
    Endpoint::builder("plain", "1")
        .tool(tool("one", "first"))
        .tool(tool("two", "second").alias("zwei"))
        .tool(tool("three", "third"))
}

fn person() -> Person {
    crate::hall::person().0
}

async fn names(endpoint: &Endpoint<Person>) -> Vec<String> {
    let listed = endpoint.client(person()).tools().await.unwrap();
    listed
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn tools_come_go_and_give_way_in_their_places() {
    let endpoint = plain().build().unwrap();
    let client = endpoint.client(person());
    let handle = endpoint.clone();
    handle
        .change()
        .add_tool(tool("four", "fourth").alias("vier"))
        .remove_tool("one")
        .apply()
        .unwrap();
    assert_eq!(names(&endpoint).await, ["two", "three", "four"]);
    for (name, says) in [
        ("two", "second"),
        ("zwei", "second"),
        ("three", "third"),
        ("four", "fourth"),
        ("vier", "fourth"),
    ] {
        assert_eq!(
            client.call(name, json!({})).await.unwrap().text(),
            says,
            "{name}"
        );
    }
    assert_eq!(
        client.call("one", json!({})).await.unwrap_err().message,
        "unknown tool: one"
    );
    handle
        .change()
        .replace_tool(tool("two", "another").title("Two"))
        .apply()
        .unwrap();
    assert_eq!(names(&endpoint).await, ["two", "three", "four"]);
    assert_eq!(client.tools().await.unwrap()[0]["title"], "Two");
    assert_eq!(
        client.call("two", json!({})).await.unwrap().text(),
        "another"
    );
    assert_eq!(
        client.call("zwei", json!({})).await.unwrap_err().code,
        -32602,
        "the old one's other name went with it"
    );
    handle
        .change()
        .add_tool(tool("zwei", "free again"))
        .apply()
        .unwrap();
    assert_eq!(
        client.call("zwei", json!({})).await.unwrap().text(),
        "free again"
    );
}

#[tokio::test]
async fn resources_templates_and_prompts_change_too() {
    let endpoint = Endpoint::builder("plain", "1").build().unwrap();
    let client = endpoint.client(person());
    assert_eq!(client.read("a://b").await.unwrap_err().code, -32601);
    let change = endpoint
        .change()
        .add_resource(resource("a://b"))
        .add_resource(template("a://b/{c}"))
        .add_prompt(prompt("p"));
    change.apply().unwrap();
    assert_eq!(client.read("a://b").await.unwrap().text(), "text");
    assert_eq!(client.read("a://b/7").await.unwrap().text(), "made");
    assert_eq!(client.get("p", json!({})).await.unwrap().text(), "begin");
    let discovered = client
        .request("server/discover", Value::Null)
        .await
        .unwrap();
    assert_eq!(
        discovered.result()["capabilities"],
        json!({"resources": {}, "prompts": {}})
    );
    let change = endpoint
        .change()
        .replace_resource(resource("a://b").title("B"))
        .replace_prompt(prompt("p").title("P"));
    change
        .replace_resource(template("a://b/{c}").title("C"))
        .apply()
        .unwrap();
    let titles = [
        client.resources().await,
        client.templates().await,
        client.prompts().await,
    ]
    .map(|list| list.unwrap()[0]["title"].clone());
    assert_eq!(titles, ["B", "C", "P"]);
    endpoint
        .change()
        .remove_resource("a://b/{c}")
        .remove_resource("a://b")
        .remove_prompt("p")
        .apply()
        .unwrap();
    assert_eq!(client.read("a://b/7").await.unwrap_err().code, -32601);
    assert_eq!(
        client
            .request("server/discover", Value::Null)
            .await
            .unwrap()
            .result()["capabilities"],
        json!({})
    );
}

#[tokio::test]
async fn a_change_is_made_whole_or_not_at_all_and_every_problem_is_told() {
    let endpoint = plain().prompt(prompt("p")).build().unwrap();
    let wrong = Tool::new(
        "wrong",
        "",
        json!({"type": "array"}),
        |_: Call<Person>| async { Ok(Output::text("")) },
    );
    let problems = endpoint
        .change()
        .add_tool(tool("new", ""))
        .add_tool(tool("no name", ""))
        .add_tool(wrong)
        .add_tool(tool("three", ""))
        .add_tool(tool("other", "").alias("zwei"))
        .replace_tool(tool("nobody", ""))
        .remove_tool("zwei")
        .remove_tool("new")
        .replace_prompt(prompt("q"))
        .remove_resource("a://b")
        .apply()
        .unwrap_err();
    let expected = [
        ("no name", "is not a tool name"),
        ("wrong", "`type: object`"),
        ("three", "used twice"),
        ("other", "\"zwei\" is used twice"),
        ("nobody", "there is no tool of this name"),
        ("zwei", "there is no tool of this name"),
        ("q", "there is no prompt of this name"),
        ("a://b", "there is no resource of this name"),
    ];
    assert_eq!(problems.0.len(), expected.len(), "{problems}");
    for (problem, (name, words)) in problems.0.iter().zip(expected) {
        assert_eq!(problem.name, name);
        assert!(
            problem.problem.contains(words),
            "{words} is not in {}",
            problem.problem
        );
    }
    assert_eq!(names(&endpoint).await, ["one", "two", "three"]);
    // One after the other, so a name that was freed can be taken.
    endpoint
        .change()
        .remove_tool("one")
        .add_tool(tool("one", "again"))
        .apply()
        .unwrap();
    assert_eq!(names(&endpoint).await, ["two", "three", "one"]);
}

/// A call that waits belongs to the tool that it found.
#[tokio::test]
async fn a_call_under_way_goes_on_without_its_tool() {
    let mut hall = telling().await;
    let (person, endpoint) = (hall.person.clone(), hall.endpoint.clone());
    let calling =
        tokio::spawn(async move { endpoint.client(person).call("wait", json!({})).await });
    assert_eq!(hall.told().await, "started");
    hall.endpoint.change().remove_tool("wait").apply().unwrap();
    hall.person.gate.add_permits(1);
    assert_eq!(soon(calling).await.unwrap().unwrap().text(), "waited");
    assert!(
        hall.endpoint
            .client(hall.person.clone())
            .call("wait", json!({}))
            .await
            .is_err()
    );
}

/// Lists that are made for each request, and pages, show the change as well.
#[tokio::test]
async fn rules_hooks_and_pages_see_the_change() {
    let is_ada = |call: &Call<Person>| call.caller.name == "ada";
    for builder in [
        plain().tool(tool("never", "").allowed_for(|_| false)),
        plain().visible(|_, seen| seen),
        plain().page_size(2.try_into().unwrap()),
    ] {
        let endpoint = builder.build().unwrap();
        endpoint
            .change()
            .remove_tool("two")
            .add_tool(tool("four", "fourth").allowed_for(is_ada))
            .apply()
            .unwrap();
        assert_eq!(names(&endpoint).await, ["one", "three", "four"]);
        let eve = endpoint.client(Person {
            name: "eve".to_owned(),
            ..person()
        });
        assert_eq!(eve.tools().await.unwrap().len(), 2);
        assert!(eve.call("four", json!({})).await.is_err());
    }
}

async fn telling() -> Hall {
    hall_of(
        builder().announces_changes().build().unwrap(),
        SessionLimits::default(),
    )
    .await
}

async fn listening(hall: &Hall, notifications: Value) -> Client {
    let request = Modern::new(
        "subscriptions/listen",
        json!({ "notifications": notifications }),
    );
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut client = hall.client().await;
    client
        .open(&post(&headers, request.message.to_string().as_bytes()))
        .await;
    let acknowledged = soon(client.message()).await.unwrap();
    assert_eq!(acknowledged["params"]["notifications"], notifications);
    client
}

/// Once for each list, however many things of it changed, and after the change was made.
#[tokio::test]
async fn everybody_who_listens_hears_once_of_each_list() {
    let hall = telling().await;
    let mut modern = listening(
        &hall,
        json!({"toolsListChanged": true, "resourcesListChanged": true}),
    )
    .await;
    let session = hall.session("2025-11-25", "ada", json!({})).await;
    let mut stream = session.stream(&session.get(None)).await;
    let change = hall
        .endpoint
        .change()
        .add_tool(tool("a", ""))
        .add_prompt(prompt("p"))
        .add_resource(resource("a://b"));
    change
        .add_resource(template("a://{b}"))
        .add_tool(tool("b", ""))
        .remove_tool("echo")
        .apply()
        .unwrap();
    hall.endpoint
        .change()
        .remove_prompt("nobody")
        .apply()
        .unwrap_err();
    hall.endpoint.change().remove_tool("a").apply().unwrap();
    for definition in [
        "ToolListChangedNotification",
        "ResourceListChangedNotification",
        "ToolListChangedNotification",
    ] {
        schemas::is_valid(MODERN, definition, &soon(modern.message()).await.unwrap());
    }
    for definition in [
        "ToolListChangedNotification",
        "PromptListChangedNotification",
        "ResourceListChangedNotification",
        "ToolListChangedNotification",
    ] {
        schemas::is_valid(
            "2025-11-25",
            definition,
            &soon(stream.message()).await.unwrap(),
        );
    }
    let listed = session.ask(&rpc(1, "tools/list", json!({}))).await;
    let listed: Vec<_> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert!(
        listed.contains(&&json!("b"))
            && !listed.contains(&&json!("echo"))
            && !listed.contains(&&json!("a")),
        "{listed:?}"
    );
}

/// Requests never see half of a change.
#[tokio::test]
async fn readers_and_changers_meet_without_harm() {
    let endpoint = plain().build().unwrap();
    let changers: Vec<_> = (0..4)
        .map(|number| {
            let endpoint = endpoint.clone();
            std::thread::spawn(move || {
                let (a, b) = (format!("a{number}"), format!("b{number}"));
                for _ in 0..50 {
                    endpoint
                        .change()
                        .add_tool(tool(&a, ""))
                        .add_tool(tool(&b, ""))
                        .apply()
                        .unwrap();
                    endpoint
                        .change()
                        .remove_tool(&*a)
                        .remove_tool(&*b)
                        .apply()
                        .unwrap();
                }
            })
        })
        .collect();
    while changers.iter().any(|changer| !changer.is_finished()) {
        let listed = names(&endpoint).await;
        for number in 0..4 {
            let both =
                [format!("a{number}"), format!("b{number}")].map(|name| listed.contains(&name));
            assert!(both[0] == both[1], "{listed:?}");
        }
    }
    changers
        .into_iter()
        .for_each(|changer| changer.join().unwrap());
    assert_eq!(names(&endpoint).await, ["one", "two", "three"]);
}

#[test]
fn a_client_on_stdio_hears_of_a_change_and_calls_what_came() {
    let endpoint = Endpoint::builder("pipe", "1")
        .announces_changes()
        .tools(world::tools())
        .build()
        .unwrap();
    let mut pipe = Pipe::start_with(endpoint.clone());
    pipe.initialize("2025-11-25");
    // Who was answered once more hears of changes for certain.
    pipe.nothing_but_a_ping();
    let late = Tool::new(
        "late",
        "Came late.",
        json!({"type": "object"}),
        |_: Call<World>| async { Ok(Output::text("here")) },
    );
    endpoint
        .change()
        .add_tool(late)
        .remove_tool("echo")
        .apply()
        .unwrap();
    schemas::is_valid("2025-11-25", "ToolListChangedNotification", &pipe.receive());
    pipe.call("c", "late", json!({}));
    assert_eq!(pipe.receive()["result"]["content"][0]["text"], "here");
    pipe.call("d", "echo", json!({}));
    assert_eq!(pipe.receive()["error"]["message"], "unknown tool: echo");
    pipe.end();
}
