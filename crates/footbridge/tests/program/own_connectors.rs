//! Connector files of the user's own: by their path, from a directory, in place of a built-in one;
//! and files that are none.

use crate::harness::process::{Home, Running};

/// A connector whose one tool reads the status of a running footbridge.
fn status_of(base: &str, name: &str) -> String {
    format!(
        "format: 1\nconnector: {name}\ntitle: Status\ninstructions: One tool.\nsettings: {{ STATUS_URL: {{ is: url, default: \"{base}\" }} }}\n\
         upstream: {{ base: \"{{settings.STATUS_URL}}\" }}\ntools:\n  - name: status\n    title: Status\n    description: The status.\n    \
         effect: read\n    steps: [{{ get: / }}]\n    result: .name\n"
    )
}

#[test]
fn a_file_is_served_and_called_by_its_path() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    home.file("mine/my.yaml", status_of(&base, "mine"));
    let run = |arguments: &[&str]| {
        Running::start(
            home.command(arguments)
                .current_dir(home.path().join("mine")),
        )
        .ended()
    };
    let file = home.path().join("mine/my.yaml");
    for path in ["my.yaml", "./my.yaml", file.to_str().unwrap()] {
        let ended = run(&["call", "-c", path, "status"]);
        assert_eq!(
            (ended.code, ended.stdout.trim()),
            (Some(0), "footbridge"),
            "{ended:?}"
        );
    }
    assert_eq!(
        run(&["tools", "-c", "my.yaml"]).stdout,
        "status  read  Status\n"
    );
    let (_served, mine) = Running::start_http(
        home.command(&["serve", "mine/my.yaml"])
            .current_dir(home.path()),
    );
    let status = crate::harness::http::get(&mine, "/").send().json();
    assert_eq!(status["connectors"], serde_json::json!(["mine"]));
    assert_eq!(
        crate::harness::session::call_over_http(&mine, "status", &serde_json::json!({})).unwrap(),
        "<untrusted-content>footbridge</untrusted-content>"
    );
    // Settings are kept for it under the name it gives itself.
    home.file(
        ".config/footbridge/settings.yaml",
        "connectors: { mine: { settings: { STATUS_URL: 'http://127.0.0.1:1' } } }",
    );
    let ended = run(&["call", "-c", "my.yaml", "status"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    // Where it is not found, they are settings of nobody.
    let ended = run(&["tools"]);
    let complaint = ended.complaint(2);
    assert!(
        complaint.contains("\"mine\"") && complaint.contains("connectors_directory"),
        "{complaint}"
    );
}

#[test]
fn tools_are_listed_and_counted_before_anything_is_set() {
    let home = Home::new();
    let list = home.succeed(&[
        "tools",
        "-c",
        "taiga",
        "--allow",
        "write,destroy",
        "--tokens",
    ]);
    let rows: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let costs: Vec<usize> = rows
        .iter()
        .map(|row| row.last().unwrap().parse().unwrap())
        .collect();
    let (total, tools) = costs.split_last().unwrap();
    assert_eq!(
        (rows.last().unwrap()[0], tools.iter().sum::<usize>()),
        ("total", *total)
    );
    let json = home.succeed(&[
        "tools",
        "-c",
        "taiga",
        "--allow",
        "write,destroy",
        "--tokens",
        "--json",
    ]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["tokenizer"], &json["total"]),
        (&serde_json::json!("o200k_base"), &serde_json::json!(total))
    );
    // As a tokenizer counts that is not ours to write.
    let clients = home.succeed(&["tools", "-c", "taiga", "--allow", "write,destroy", "--json"]);
    let clients: Vec<serde_json::Value> = serde_json::from_str(&clients).unwrap();
    let first = tiktoken_rs::o200k_base_singleton()
        .encode_ordinary(&clients[0].to_string())
        .len();
    assert_eq!(
        (
            json["tools"][0]["tokens"].as_u64().unwrap() as usize,
            clients.len()
        ),
        (first, tools.len())
    );
    // A call needs what the list does not.
    assert!(
        home.run(&["call", "-c", "taiga", "echo", "message=x"])
            .complaint(2)
            .contains("TAIGA_BASE_URL is not set")
    );
}

#[test]
fn a_directory_adds_connectors_and_replaces_built_in_ones() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    home.file("own/mine.yaml", status_of(&base, "mine"));
    home.file("own/taiga.yml", status_of(&base, "taiga"));
    let directory = home.path().join("own");
    let directory = directory.to_str().unwrap();
    let by_flag = home.run(&["call", "--connectors", directory, "-c", "mine", "status"]);
    assert_eq!(
        (by_flag.code, by_flag.stdout.trim()),
        (Some(0), "footbridge"),
        "{by_flag:?}"
    );
    let in_environment = Running::start(
        home.command(&["tools", "-c", "taiga"])
            .env("FOOTBRIDGE_CONNECTORS", directory),
    )
    .ended();
    assert_eq!(in_environment.stdout, "status  read  Status\n");
    assert!(
        in_environment.stderr.contains("taiga.yml") && in_environment.stderr.contains("built-in"),
        "{in_environment:?}"
    );
    home.file(
        ".config/footbridge/settings.yaml",
        format!("connectors_directory: {directory}\nconnectors: {{ mine: {{ allow: [read] }} }}"),
    );
    assert_eq!(
        home.succeed(&["tools", "-c", "mine"]),
        "status  read  Status\n"
    );
    let complaint = home.run(&["serve", "nothing"]);
    assert!(
        complaint
            .complaint(2)
            .contains("there are: board, prodmcp, taiga, trueppm, ptm, mine;"),
        "{complaint:?}"
    );
}

#[test]
fn what_is_no_connector_is_named_in_one_line() {
    let home = Home::new();
    let good = status_of("http://127.0.0.1:1", "mine");
    let file = |name: &str, bytes: &[u8]| home.file(name, bytes).to_str().unwrap().to_owned();
    let limit = 1 << 20;
    let pad = |length: usize| format!("{good}#{}\n", "x".repeat(length - good.len() - 2));
    assert_eq!(
        home.run(&["tools", "-c", &file("largest.yaml", pad(limit).as_bytes())])
            .code,
        Some(0)
    );
    let cases: [(String, &[&str]); 8] = [
        (
            file("larger.yaml", pad(limit + 1).as_bytes()),
            &["larger.yaml", "larger than 1048576 bytes"],
        ),
        (
            file("latin.yaml", b"title: caf\xe9\n"),
            &["latin.yaml", "UTF-8"],
        ),
        (file("broken.yaml", b"format: [\n"), &["broken.yaml:"]),
        (file("empty.yaml", b""), &["empty.yaml:1:1"]),
        (
            file("faulty.yaml", b"format: 1\nconnector: Bad\n"),
            &["faulty.yaml:1:1", "more", "footbridge lint"],
        ),
        (
            home.path().join("gone.yaml").to_str().unwrap().to_owned(),
            &["gone.yaml", "No such file"],
        ),
        (home.path().to_str().unwrap().to_owned(), &["directory"]),
        (
            file("deep.yaml", "[".repeat(100_000).as_bytes()),
            &["deep.yaml:"],
        ),
    ];
    for (path, named) in cases {
        for arguments in [["serve", &path].as_slice(), &["tools", "-c", &path]] {
            let ended = home.run(arguments);
            let complaint = ended.complaint(2);
            assert!(
                named.iter().all(|name| complaint.contains(name)),
                "{complaint}"
            );
            assert!(complaint.len() < 1_000, "{complaint}");
        }
    }
    // A byte order mark is no mistake.
    assert_eq!(
        home.run(&[
            "tools",
            "-c",
            &file("marked.yaml", format!("\u{feff}{good}").as_bytes())
        ])
        .code,
        Some(0)
    );
    let other = file("own/other.yaml", good.as_bytes());
    let ended = home.run(&[
        "tools",
        "--connectors",
        home.path().join("own").to_str().unwrap(),
        "-c",
        "other",
    ]);
    let complaint = ended.complaint(2);
    assert!(
        complaint.contains(&other) && complaint.contains("mine.yaml"),
        "{complaint}"
    );
    let ended = home.run(&["tools", "--connectors", "/dev/null"]);
    assert!(ended.complaint(2).contains("/dev/null"), "{ended:?}");
}

/// Whoever writes a connector tries it in a terminal, and reads there which filter failed, and why.
#[test]
fn a_filter_that_fails_is_named_in_the_terminal_and_the_log() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let file = home.file(
        "my.yaml",
        status_of(&base, "mine").replace("result: .name", "result: .name | .first + \"planted\""),
    );
    let mut command = home.command(&["call", "-c", file.to_str().unwrap(), "status"]);
    let ended = Running::start(command.env("FOOTBRIDGE_LOG", "error")).ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let named =
        "the filter status.result of connector mine (line 13): cannot index a text with \"first\"";
    assert_eq!(
        ended.stderr.matches("the filter status.result").count(),
        2,
        "once in the log: {ended:?}"
    );
    assert!(
        ended.stderr.contains(named) && !ended.stderr.contains("footbridge\" with"),
        "{ended:?}"
    );
}

/// What is served is what was read at the start; whoever edits the file is told so, and whether it
/// would start.
#[test]
fn a_file_that_is_edited_while_it_is_served_is_told() {
    let home = Home::new();
    let (_status, base) = Running::start_http(&mut home.command(&["serve"]));
    let text = status_of(&base, "mine");
    let file = home.file("my.yaml", &text);
    let (mut served, mine) =
        Running::start_http(&mut home.command(&["serve", file.to_str().unwrap()]));
    let tool = || crate::harness::session::call_over_http(&mine, "status", &serde_json::json!({}));
    assert!(tool().is_ok());
    home.file("my.yaml", text.replace("name: status", "name: other"));
    let told = served.error_line(|line| line.contains("was edited"));
    assert!(
        told.contains("my.yaml") && told.contains("until the program is started again"),
        "{told}"
    );
    assert!(tool().is_ok(), "it goes on as it was");
    home.file("my.yaml", text.replace("effect: read", "effect: raed"));
    let told = served.error_line(|line| line.contains("was edited"));
    assert!(
        told.contains("would not start") && told.contains("raed"),
        "{told}"
    );
    assert!(tool().is_ok(), "it goes on as it was");
    served.stop();
}
