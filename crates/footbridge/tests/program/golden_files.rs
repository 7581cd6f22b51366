//! What a stranger sees, as files: the help, every tool, the first answer of either era.
//! `INSTA_UPDATE=always` writes them anew.
//!
//! `golden/tools/NAME.json` is the tool as every surface shows it; where one surface differs, its
//! own file is in a folder of its name. `golden/surfaces/surfaces.json` says which command line
//! lists which tools.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::harness::golden::{assert_golden, is_rewritten};
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, Session, initialize};

const SURFACES: [&str; 6] = [
    "serve",
    "serve board --allow read",
    "serve board --allow write,destroy",
    "serve prodmcp",
    "serve prodmcp --allow write",
    "serve prodmcp --allow write,destroy",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Files that are compared with what is found, and nothing else beside them.
struct Golden {
    folder: PathBuf,
    seen: BTreeSet<PathBuf>,
}

impl Golden {
    fn in_folder(name: &str) -> Self {
        Self {
            folder: folder(name),
            seen: BTreeSet::new(),
        }
    }

    fn holds(&mut self, name: &str, found: &str) {
        let path = self.folder.join(name);
        assert_golden(&path, found);
        assert!(self.seen.insert(path), "{name} twice");
    }

    fn holds_json(&mut self, name: &str, found: &Value) {
        self.holds(name, &format!("{found:#}\n"));
    }

    fn holds_nothing_else(self) {
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !self.seen.contains(&path) {
                    assert!(
                        is_rewritten(),
                        "{} belongs to nothing any more",
                        path.display()
                    );
                    std::fs::remove_file(&path).unwrap();
                }
            }
        }
    }
}

/// The verbs that a help names below its own.
fn verbs_in(help: &str) -> impl Iterator<Item = &str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:");
    let rows = listed.skip(1).take_while(|line| !line.is_empty());
    // what is indented further goes on with the row above
    let verbs = rows.filter_map(|row| row.strip_prefix("  ")?.split(' ').next());
    verbs.filter(|verb| !verb.is_empty() && *verb != "help")
}

/// The verbs are those that the help itself names, so that none is forgotten.
#[test]
fn golden_help_of_every_verb() {
    let home = Home::new();
    let mut golden = Golden::in_folder("help");
    let mut verbs = vec![Vec::<String>::new()];
    while let Some(verb) = verbs.pop() {
        let words = verb.iter().map(String::as_str);
        let help = home.succeed(&words.chain(["--help"]).collect::<Vec<_>>());
        let name = match verb.join("-") {
            name if name.is_empty() => "footbridge".to_owned(),
            name => name,
        };
        golden.holds(&format!("{name}.txt"), &help);
        for below in verbs_in(&help) {
            verbs.push([verb.as_slice(), &[below.to_owned()]].concat());
        }
    }
    golden.holds_nothing_else();
}

#[test]
fn every_verb_stands_in_a_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let files = std::fs::read_dir(docs).unwrap().map(|entry| entry.unwrap());
    let pages = files.filter(|file| file.path().extension().is_some_and(|end| end == "md"));
    let texts: Vec<_> = pages
        .map(|page| std::fs::read_to_string(page.path()).unwrap())
        .collect();
    for verb in verbs_in(&Home::new().succeed(&["--help"])) {
        let forms = [
            format!("footbridge {verb}"),
            format!("`{verb} "),
            format!("`{verb}`"),
        ];
        let is_named = |text: &String| forms.iter().any(|form| text.contains(form));
        assert!(texts.iter().any(is_named), "no page of docs/ names {verb}");
    }
}

#[test]
fn golden_tools_of_every_surface() {
    let home = Home::new();
    let listed = |surface: &str| {
        let arguments: Vec<_> = surface.split_whitespace().collect();
        let mut session = Session::start(&mut home.command(&arguments));
        let tools = session.tools();
        assert_eq!(session.finish().code, Some(0));
        tools
    };
    let name_of = |tool: &Value| tool["name"].as_str().unwrap().to_owned();

    let everything = listed("serve board --allow write,destroy");
    let mut golden = Golden::in_folder("tools");
    for tool in &everything {
        golden.holds_json(&format!("{}.json", name_of(tool)), tool);
    }
    let mut surfaces = Map::new();
    for surface in SURFACES {
        let tools = listed(surface);
        let names: Vec<_> = tools.iter().map(name_of).collect();
        surfaces.insert(surface.to_owned(), json!(names));
        for tool in tools.iter().filter(|tool| !everything.contains(tool)) {
            golden.holds_json(&format!("{surface}/{}.json", name_of(tool)), tool);
        }
    }
    golden.holds_nothing_else();
    assert_eq!(
        surfaces["serve prodmcp --allow write,destroy"]
            .as_array()
            .unwrap()
            .len(),
        11
    );
    let mut golden = Golden::in_folder("surfaces");
    golden.holds_json("surfaces.json", &Value::Object(surfaces));
    golden.holds_nothing_else();
}

#[test]
fn the_terminal_lists_what_clients_see() {
    let home = Home::new();
    let seen = Session::start(&mut home.command(&["serve"])).tools();
    let printed: Value = serde_json::from_str(&home.succeed(&["tools", "--json"])).unwrap();
    assert_eq!(printed, json!(seen));
}

#[test]
fn golden_first_answers_of_both_eras() {
    let home = Home::new();
    let mut golden = Golden::in_folder("first-answers");
    for surface in ["serve", "serve prodmcp"] {
        let arguments: Vec<_> = surface.split_whitespace().collect();
        let name = surface.replace(' ', "-");
        let answer = |request: &Value| {
            let mut running = Running::start_piped(&mut home.command(&arguments));
            running.send(request.to_string());
            let mut answer: Value = serde_json::from_str(&running.line().unwrap()).unwrap();
            mask_version(&mut answer);
            answer
        };
        golden.holds_json(
            &format!("{name}-initialize.json"),
            &answer(&initialize(REVISION)),
        );
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {}
        });
        let discover = json!({ "jsonrpc": "2.0", "id": "discover", "method": "server/discover", "params": { "_meta": meta } });
        golden.holds_json(&format!("{name}-server-discover.json"), &answer(&discover));
    }
    golden.holds_nothing_else();
}

/// The version changes with every release and says nothing here.
fn mask_version(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(mask_version),
        Value::Array(items) => items.iter_mut().for_each(mask_version),
        Value::String(text) if text == env!("CARGO_PKG_VERSION") => *text = "VERSION".to_owned(),
        _ => {}
    }
}
