//! What a file says of undoing, checked and told: the table in `docs/undo.md`, and every fault that
//! records and the keys of tools may have.

use std::fmt::Write;
use std::path::PathBuf;

use footbridge_connector::{Touch, UndoWay, compile};

use crate::golden::connector_file;
use crate::golden_file::assert_golden;
use crate::scripted::HEAD;

/// The files with tools that write.
const FILES: [&str; 4] = [
    "board.yaml",
    "taiga.yaml",
    "ptm.yaml",
    "examples/burrow.yaml",
];

/// The table of one file.
fn table(out: &mut String, file: &str) {
    let connector = compile(file, &connector_file(file)).unwrap();
    write!(
        out,
        "\n## {}\n\n| tool | undoing | what is lost, or why nothing is undone |\n|---|---|---|\n",
        connector.title()
    )
    .unwrap();
    for tool in connector.tools() {
        let Some(undoing) = tool.undoing() else {
            continue;
        };
        let undone = undoing.undone.as_deref().unwrap_or("Nothing.");
        let lost = match &undoing.way {
            UndoWay::Not(why) => why,
            _ => undoing.lost.as_deref().unwrap_or_default(),
        };
        writeln!(out, "| `{}` | {undone} | {lost} |", tool.name).unwrap();
    }
}

#[test]
fn the_table_of_what_is_undone_is_committed() {
    let mut out = String::from(
        "# What undoing brings back\n\nMade from the connector files; a test holds it to them. A tool that only reads is \
         not here. `footbridge lint --undo FILE` says the\nsame of a file of your own. \
         What was changed since is left as it is, and named.\n",
    );
    for file in FILES {
        table(&mut out, file);
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/undo.md");
    assert_golden(&path, &out);
}

#[test]
fn a_model_has_the_record_of_its_table() {
    let connector = compile("prodmcp.yaml", &connector_file("prodmcp.yaml")).unwrap();
    let card = connector
        .records()
        .find(|record| record.name == "card")
        .unwrap();
    assert!(card.can_change && card.can_make && card.can_delete);
    assert_eq!(card.fields.as_ref().unwrap().len(), 9);
    let update = connector.tool("card_update").unwrap().undoing().unwrap();
    assert_eq!(
        (&update.way, update.touches.as_slice()),
        (
            &UndoWay::Records,
            &[(Touch::Changes, "card".to_owned())][..]
        )
    );
    let bare = connector_file("prodmcp.yaml").replacen(
        "ops: [list, read, create, update, delete]",
        "ops: [list, create, update]",
        1,
    );
    // what reads it is gone too
    let (bare, _) = bare.split_once("\nsearch:").unwrap();
    let bare = compile("bare.yaml", bare).unwrap();
    let create = bare.tool("board_create").unwrap().undoing().unwrap();
    assert_eq!(create.way, UndoWay::Not("Its model has no `read`.".into()));
}

#[test]
fn what_records_and_undoing_may_not_say_is_named_at_once() {
    let text = format!(
        r##"{HEAD}upstream: {{ base: "http://localhost" }}
models:
  row: {{ path: /rows, ops: [read], fields: {{ a: {{ type: string }} }} }}
records:
  row: {{ get: "/rows/{{id}}", fields: [a] }}
  Odd: {{ get: /things, fields: [] }}
  thing:
    get: "/things/{{key}}"
    patch: "/things/{{id}}/{{args.x}}"
    put: "things/{{id}}"
    create: {{ post: "/things/{{id}}", with: [a, {{ b: .b |, c: .c }}] }}
    delete: "/things/{{id"
    id: $me.id
    version: $before.version
    name: nope
    fields: [a, a, {{ d: $args.d }}]
    sets: [d, d, nope]
    attached: {{ rows: {{ get: "/rows/{{nope}}", query: {{ of: $args.nope }}, rows: .a | }} }}
    lost: " "
  open:
    get: "/open/{{id}}"
    create: {{ post: /open }}
    fields: .a.b
    sets: [a]
    attached: {{ rows: {{ get: /rows }} }}
  bare: {{ get: "/bare/{{settings.NONE}}/{{id}}", fields: [a], lost: All of it. }}
  nowhere_part: {{ get: "/a/{{id}}", fields: [a], part_of: things }}
  own_part: {{ get: "/b/{{id}}", fields: [a], part_of: own_part }}
  part: {{ get: "/c/{{id}}", fields: [a], part_of: thing }}
  second_part: {{ get: "/d/{{id}}", fields: [a], part_of: part }}
tools:
  - {{ name: r, title: R, description: D, effect: read, steps: [{{ get: /x }}], changes: {{ bare: "1" }}, makes: bare, deletes: {{ bare: "1" }}, inverse: r, lost: L, no_undo: N }}
  - {{ name: none, title: N, description: D, effect: write, steps: [{{ post: /x }}] }}
  - {{ name: two, title: T, description: D, effect: write, steps: [{{ post: /x }}], inverse: none, no_undo: N, lost: L }}
  - {{ name: lacks, title: L, description: D, effect: write, steps: [{{ put: /x }}], changes: {{ bare: $after.id, nowhere: "1" }}, makes: bare, deletes: {{ bare: $steps.later.id }} }}
  - {{ name: own, title: O, description: D, effect: write, steps: [{{ as: later, post: /x }}], changes: {{ bare: "1" }}, no_undo: N }}
  - {{ name: gone, title: G, description: D, effect: write, steps: [{{ post: /x }}], inverse: nowhere }}
  - {{ name: reads, title: R, description: D, effect: write, steps: [{{ post: /x }}], inverse: r }}
  - {{ name: other, title: O, description: D, effect: write, input: {{ a: {{ type: string, description: A }} }}, steps: [{{ post: /x }}], inverse: asks }}
  - {{ name: asks, title: A, description: D, effect: write, input: {{ a: {{ type: string, description: A }}, b: {{ type: integer, description: B, required: true }} }}, steps: [{{ post: /x }}], inverse: other, lost: " " }}
"##
    );
    let problems = compile("x.yaml", &text).unwrap_err().to_string();
    insta::assert_snapshot!(problems);
}
