//! Several connectors at one endpoint, groups of tools, resources and prompts, the check before
//! serving.

use serde_json::{Value, json};

use crate::harness::http::get;
use crate::harness::process::{Home, Running};
use crate::harness::session::Session;

/// A backend of one's own: the footbridge at `base`, whose status page and health door stand for an
/// API.
fn connector(name: &str, base: &str, more: &str) -> String {
    format!(
        "format: 1\nconnector: {name}\ntitle: {name} backend\ninstructions: All about {name}.\nupstream:\n  base: \"{base}\"\n{more}\
         groups: {{ core: true, rare: false }}\ntools:\n\
         \x20 - {{ name: status, title: Status, description: The status., effect: read, group: core, output: object, structured: true, steps: [{{ get: / }}], result: '{{name}}' }}\n\
         \x20 - {{ name: {name}_own, aliases: [own.{name}], title: Own, description: Own., effect: read, group: rare, steps: [{{ get: / }}], result: .version }}\n\
         resources:\n  - {{ uri: \"{name}://door/{{door}}\", name: door, title: Door, description: A door., match: {{ door: \"[a-z]+\" }}, get: \"/{{door}}\", answer: text }}\n\
         prompts:\n  - {{ name: ask, title: Ask, description: Ask about it., input: {{ what: {{ description: What }} }}, text: \"Look at {{what}}.\" }}\n"
    )
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect()
}

#[test]
fn tools_of_several_connectors_stand_side_by_side_and_keep_their_plain_names_while_these_are_one_ones()
 {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    home.file("a.yaml", connector("apple", &base, ""));
    home.file("b.yaml", connector("birch", &base, ""));
    let serve = |arguments: &[&str]| {
        let mut all = vec!["serve"];
        all.extend_from_slice(arguments);
        Session::start(home.command(&all).current_dir(home.path()))
    };
    let mut alone = serve(&["a.yaml", "--groups", "rare"]);
    assert_eq!(names(&alone.tools()), ["status", "apple_own", "query"]);
    alone.finish();
    let mut joined = serve(&["a.yaml", "b.yaml", "--groups", "rare"]);
    let tools = joined.tools();
    assert_eq!(
        names(&tools),
        [
            "apple_status",
            "apple_own",
            "birch_status",
            "birch_own",
            "query"
        ]
    );
    assert_eq!(tools[0]["outputSchema"], json!({"type": "object"}));
    assert!(
        tools[1].get("outputSchema").is_none(),
        "only where the file asks for it"
    );
    for good in ["apple_status", "birch_status"] {
        assert_eq!(
            joined.call(good, json!({})).unwrap()["name"],
            "footbridge",
            "{good}"
        );
    }
    for good in ["apple_own", "own.apple", "own.birch"] {
        assert!(joined.call(good, json!({})).is_ok(), "{good}");
    }
    let answer = joined.request("tools/call", &json!({"name": "status", "arguments": {}}));
    assert_eq!(
        answer["error"]["code"], -32602,
        "two tools have that name: {answer}"
    );
    let structured = joined.request(
        "tools/call",
        &json!({"name": "apple_status", "arguments": {}}),
    );
    assert_eq!(
        structured["result"]["structuredContent"],
        json!({"name": "footbridge"})
    );
    let prompts = joined.request("prompts/list", &json!({}));
    assert_eq!(
        prompts["result"]["prompts"][1]["name"], "birch_ask",
        "{prompts}"
    );
    joined.finish();
    let action = "actions: { look: { method: get, tool: status, args: '{}' } }\n";
    for name in ["apple", "birch"] {
        home.file(&format!("{name}.yaml"), connector(name, &base, "") + action);
    }
    let both = home.path().join("birch.yaml");
    let first = home.path().join("apple.yaml");
    let ended = home.run(&[
        "serve",
        first.to_str().unwrap(),
        both.to_str().unwrap(),
        "--transport",
        "http",
        "--port",
        "0",
    ]);
    assert!(
        ended.complaint(2).contains("both have the action look"),
        "{ended:?}"
    );
    // a plain name goes on answering beside a connector that does not have it
    let mut mixed = serve(&["a.yaml", "board"]);
    assert_eq!(names(&mixed.tools())[..2], ["apple_status", "board_list"]);
    assert!(
        names(&mixed.tools()).contains(&"board_card_list"),
        "{:?}",
        names(&mixed.tools())
    );
    assert!(mixed.call("status", json!({})).is_ok() && mixed.call("card_list", json!({})).is_ok());
    mixed.finish();
}

#[test]
fn groups_are_listed_as_flag_environment_and_files_say_and_callable_always() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let path = home.file("a.yaml", connector("apple", &base, ""));
    let path = path.to_str().unwrap();
    let listed = |arguments: &[&str]| {
        let all = [&["tools", "-c", path], arguments].concat();
        home.succeed(&all)
            .lines()
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), ["status"]);
    assert!(
        home.run(&["call", "-c", path, "apple_own"]).code == Some(0),
        "what is not listed can be called"
    );
    assert_eq!(listed(&["--groups", "rare,-core"]), ["apple_own"]);
    assert_eq!(
        listed(&["--groups", "all,-changes,-leases"]),
        ["status", "apple_own", "query"]
    );
    let of_changes = listed(&["--groups", "changes"]);
    assert_eq!(
        of_changes,
        [
            "status",
            "changes_list",
            "changes_show",
            "changes_undo",
            "wait_for"
        ]
    );
    let complaint = home.run(&["tools", "-c", path, "--groups", "rear"]);
    assert!(
        complaint
            .complaint(2)
            .contains("\"rear\"; there are: changes, core, leases, query, rare, all"),
        "{complaint:?}"
    );
    home.file(".config/footbridge/settings.yaml", "groups: [rare]");
    assert_eq!(listed(&[]), ["status", "apple_own", "query"]);
    assert_eq!(
        listed(&["--groups", "rare,-query"]),
        ["status", "apple_own"]
    );
    assert_eq!(
        listed(&["--groups", "core"]),
        ["status"],
        "the flag goes in the place of the file"
    );
    home.file(
        ".config/footbridge/settings.yaml",
        "groups: [rare]\nconnectors: { apple: { groups: ['-all'] } }",
    );
    let complaint = home.run(&["tools"]);
    assert!(
        complaint.complaint(2).contains("rare") || complaint.complaint(2).contains("apple"),
        "{complaint:?}"
    );
    home.file(
        ".config/footbridge/settings.yaml",
        "connectors: { apple: { groups: [-core, rare] } }",
    );
    assert_eq!(listed(&[]), ["apple_own"]);
}

#[test]
fn resources_are_read_by_addresses_that_fit_and_prompts_filled_in() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    home.file("a.yaml", connector("apple", &base, ""));
    let mut session = Session::start(home.command(&["serve", "a.yaml"]).current_dir(home.path()));
    let templates = session.request("resources/templates/list", &json!({}));
    let template = &templates["result"]["resourceTemplates"][0];
    assert_eq!(
        (&template["uriTemplate"], &template["mimeType"]),
        (&json!("apple://door/{door}"), &json!("text/plain"))
    );
    let read = session.request("resources/read", &json!({"uri": "apple://door/healthz"}));
    assert_eq!(read["result"]["contents"][0]["text"], "ok", "{read}");
    for bad in [
        "apple://door/..",
        "apple://door/%2e%2e",
        "apple://door/a/b",
        "apple://door/A",
        "birch://door/healthz",
        "apple://door/nothing",
    ] {
        let read = session.request("resources/read", &json!({"uri": bad}));
        assert!(read["error"]["code"].is_i64(), "{bad}: {read}");
    }
    let prompt = session.request(
        "prompts/get",
        &json!({"name": "ask", "arguments": {"what": "this"}}),
    );
    assert_eq!(
        prompt["result"]["messages"][0]["content"]["text"], "Look at this.",
        "{prompt}"
    );
    session.finish();
}

#[test]
fn a_backend_is_asked_before_it_is_served_and_its_refusal_ends_the_program_with_its_code() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let run = |arguments: &[&str]| Running::start_piped(&mut home.command(arguments)).ended();
    let file = |name: &str, base: &str, checks: &str| {
        let path = home.file(
            &format!("{name}.yaml"),
            connector(name, base, &format!("  preflight: [{checks}]\n")),
        );
        path.to_str().unwrap().to_owned()
    };
    let good = file(
        "good",
        &base,
        "{ get: /healthz, open: true, answer: none }, { get: /, at_least: { version: .version, is: 0.1.0 } }",
    );
    let refusing = file(
        "refusing",
        &base,
        "{ get: /healthz, answer: none }, { get: /nowhere, exit: 3 }",
    );
    let old = file(
        "old",
        &base,
        "{ get: /, exit: 4, at_least: { version: .version, is: 99.0.0 } }",
    );
    let down = file("down", "http://127.0.0.1:1", "{ get: /healthz, exit: 2 }");
    for transport in ["stdio", "http"] {
        for (path, code, said) in [
            (&refusing, 3, "404"),
            (&old, 4, "at least 99.0.0"),
            (&down, 2, "cannot be reached"),
        ] {
            let ended = run(&["serve", path, "--transport", transport, "--port", "0"]);
            let complaint = ended.complaint(code);
            assert!(
                complaint.contains(said) && ended.stdout.is_empty(),
                "{transport} {path}: {complaint}"
            );
        }
    }
    // where the file allows it, one that is down is served alone too; one that refuses is not
    let allowed = |name: &str, base: &str| file(name, base, "{ get: /nowhere, may_be_down: true }");
    let (running, alone) =
        Running::start_http(&mut home.command(&["serve", &allowed("away", "http://127.0.0.1:1")]));
    let said = crate::harness::session::call_over_http(&alone, "status", &json!({})).unwrap_err();
    assert!(said.contains("cannot be reached"), "{said}");
    assert!(running.stop().stderr.contains("warning: away is down"));
    let ended = run(&[
        "serve",
        &allowed("away", "http://127.0.0.1:1"),
        "--require-all",
        "--transport",
        "stdio",
    ]);
    assert!(
        ended.complaint(1).contains("cannot be reached"),
        "{ended:?}"
    );
    let in_file = home.file("settings.yaml", "require_all: true\n");
    let in_file = [
        "--settings",
        in_file.to_str().unwrap(),
        "--transport",
        "stdio",
    ];
    let ended = run(&[
        &["serve", &allowed("away", "http://127.0.0.1:1")][..],
        &in_file,
    ]
    .concat());
    assert!(
        ended.complaint(1).contains("cannot be reached"),
        "{ended:?}"
    );
    let strict = allowed("strict", &base);
    let ended = run(&["serve", &strict, "--transport", "http", "--port", "0"]);
    assert!(ended.complaint(1).contains("404"), "{ended:?}");
    assert_eq!(
        home.run(&["tools", "-c", &down]).code,
        Some(0),
        "nothing is asked for a list of tools"
    );
    // beside others, what is down is only said; what refuses ends the start
    let ended = run(&[
        "serve",
        &good,
        &refusing,
        "--transport",
        "http",
        "--port",
        "0",
    ]);
    assert!(ended.complaint(1).contains("refusing: "), "{ended:?}");
    let ended = run(&[
        "serve",
        &good,
        &down,
        "--require-all",
        "--transport",
        "http",
        "--port",
        "0",
    ]);
    assert!(ended.complaint(1).contains("down: "), "{ended:?}");
    let (running, joined) = Running::start_http(&mut home.command(&["serve", &good, &down]));
    assert_eq!(
        get(&joined, "/").send().json()["connectors"],
        json!(["good", "down"])
    );
    let said =
        crate::harness::session::call_over_http(&joined, "down_status", &json!({})).unwrap_err();
    assert!(said.contains("cannot be reached"), "{said}");
    let ended = running.stop();
    assert!(ended.stderr.contains("warning: down is down"), "{ended:?}");
}

#[test]
fn the_surface_of_search_and_fetch_needs_whoever_takes_part_and_the_names_for_itself() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    home.file("none.yaml", connector("none", &base, ""));
    let taken = connector("taken", &base, "").replace("name: status,", "name: search,");
    home.file("taken.yaml", taken);
    let tools = |file: &str, surface: &str| {
        Running::start(&mut home.command(&["tools", "-c", file, "--surface", surface])).ended()
    };
    for (file, surface, why) in [
        (
            "none.yaml",
            "chatgpt",
            "nothing that is served takes part in search and fetch",
        ),
        (
            "taken.yaml",
            "chatgpt",
            "a tool of what is served is called search",
        ),
        ("none.yaml", "gpt", "possible values: full, chatgpt"),
    ] {
        let file = home.path().join(file);
        let ended = tools(file.to_str().unwrap(), surface);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    }
    let ended = tools(home.path().join("taken.yaml").to_str().unwrap(), "full");
    assert_eq!(
        ended.code,
        Some(0),
        "its own tool keeps the name: {ended:?}"
    );
    let by_variable = home
        .command(&["tools", "--json"])
        .env("FOOTBRIDGE_SURFACE", "chatgpt")
        .output();
    let listed: Value = serde_json::from_slice(&by_variable.unwrap().stdout).unwrap();
    assert_eq!(names(listed.as_array().unwrap()), ["search", "fetch"]);
}

#[test]
fn how_many_reads_a_query_composes_is_set() {
    let home = Home::new();
    let call = json!({ "as": "a", "tool": "board_list" });
    let query = |calls: usize, most: &str| {
        let calls: Vec<Value> = (0..calls)
            .map(|number| {
                let mut call = call.clone();
                call["as"] = json!(format!("a{number}"));
                call
            })
            .collect();
        let arguments = json!({ "calls": calls, "filter": "length" }).to_string();
        let mut command = home.command(&["call", "query", "--arguments", &arguments]);
        command.env("FOOTBRIDGE_QUERY_CALLS", most);
        Running::start(&mut command).ended()
    };
    assert_eq!(query(2, "2").code, Some(0));
    let ended = query(3, "2");
    assert!(
        ended.code != Some(0) && ended.stderr.contains("calls"),
        "{ended:?}"
    );
    let ended = query(1, "0");
    assert!(
        ended.stderr.contains("FOOTBRIDGE_QUERY_CALLS") && ended.code == Some(2),
        "{ended:?}"
    );
}
