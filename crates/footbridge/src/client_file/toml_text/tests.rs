//! TOML texts that are edited: examples, and what holds for any of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{remove, set, value_at};

const PATH: [&str; 2] = ["mcp_servers", "footbridge"];

fn entry() -> Value {
    json!({ "command": "C:\\foot \"bridge\"", "args": ["serve", "it's"] })
}

fn whole(text: &str) -> Value {
    value_at(text, &[]).unwrap().unwrap()
}

#[test]
fn what_is_set_and_removed_leaves_every_byte_as_it_was() {
    for text in [
        "",
        "model = \"x\" # the best\n",
        "# head\r\n[a]\r\nb = 1\r\n\r\n[mcp_servers.other]\r\ncommand = 'y'\r\n# tail\r\n",
        "[mcp_servers]\n\n[mcp_servers.other] # mine\nargs = [\n  1, # one\n  2,\n]\n\n[z]\n",
        "mixed = 1\r\nends = 2\n\n[x]\r\ny = 1\n",
        "[mcp_servers.a]\ncommand = \"a\"\n[mcp_servers.a.env]\nB = \"c\"\n[tools]\nd = 1\n",
    ] {
        let with = set(text, &PATH, &entry()).unwrap();
        assert_eq!(value_at(&with, &PATH).unwrap(), Some(entry()), "{with}");
        assert_eq!(set(&with, &PATH, &entry()).unwrap(), with);
        assert_eq!(remove(&with, &PATH).unwrap(), text, "{with}");
    }
}

#[test]
fn an_entry_is_a_table_of_its_own_and_takes_what_hangs_below_it() {
    let with = set(
        "a = 1\n",
        &PATH,
        &json!({ "command": "f", "args": ["serve"] }),
    )
    .unwrap();
    assert_eq!(
        with,
        "a = 1\n\n[mcp_servers.footbridge]\ncommand = \"f\"\nargs = [\"serve\"]\n"
    );
    let more = format!(
        "{with}startup_timeout_sec = 20\n\n[mcp_servers.footbridge.env]\nX = \"y\"\n# of z\n[z]\n"
    );
    let other = set(
        &more,
        &["mcp_servers", "footbridge", "command"],
        &json!("g"),
    )
    .unwrap();
    assert_eq!(other, more.replace("\"f\"", "\"g\""));
    assert_eq!(remove(&more, &PATH).unwrap(), "a = 1\n# of z\n[z]\n");
    let inline = set(
        "mcp_servers = { x = { command = 'y' } } # one\n",
        &PATH,
        &entry(),
    )
    .unwrap();
    assert_eq!(value_at(&inline, &PATH).unwrap(), Some(entry()), "{inline}");
    assert!(
        inline.contains("# one") && inline.contains("'y'"),
        "{inline}"
    );
}

#[test]
fn comments_above_the_entry_stay() {
    let text =
        "a = 1\n\n# mine, of later\n[mcp_servers.footbridge]\ncommand = \"f\"\n\n[z]\nb = 1\n";
    assert_eq!(
        remove(text, &PATH).unwrap(),
        "a = 1\n\n# mine, of later\n[z]\nb = 1\n"
    );
}

#[test]
fn what_cannot_be_read_is_placed_and_what_is_no_table_is_named() {
    let cut = set("a = 1\n[mcp_ser", &PATH, &entry()).unwrap_err();
    assert_eq!(cut.place.map(|place| place.line), Some(2), "{cut:?}");
    for text in ["mcp_servers = 1\n", "[[mcp_servers]]\na = 1\n"] {
        let refused = set(text, &PATH, &entry()).unwrap_err();
        assert_eq!(refused.what, "mcp_servers is no table");
    }
}

/// Documents with tables in any order, comments, and line ends of both kinds.
fn document() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "# a comment\n",
        "\n",
        "[a] # of a\nb = 1\n",
        "[mcp_servers.x]\ncommand = \"y\" # z\nargs = [ \"1\",\n  # in it\n ]\n",
        "[mcp_servers.x.env]\nK = 'v'\n",
        "[[list]]\nn = 1\n",
        "[zoo]\nt = 1979-05-27T07:32:00Z\ns = \"\"\"two\nlines\"\"\"\n",
        "[mcp_servers.\"q r\"]\nurl = \"http://a/\"\n",
    ]);
    let keys = prop::sample::select(vec!["", "top = true\n", "a.b = 1 # dotted\n\n"]);
    (keys, prop::collection::vec((piece, any::<bool>()), 0..6)).prop_map(|(keys, pieces)| {
        let mut seen: Vec<&str> = Vec::new();
        let mut text = keys.to_owned();
        for (piece, is_windows) in pieces {
            let clashes = piece.starts_with("[a]") && keys.starts_with('a');
            if clashes || (piece.len() > 13 && !piece.starts_with("[[") && seen.contains(&piece)) {
                continue;
            }
            seen.push(piece);
            text.push_str(&match is_windows {
                true => piece.replace('\n', "\r\n"),
                false => piece.to_owned(),
            });
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn other_content_is_never_touched(text in document()) {
        let Ok(Some(before)) = value_at(&text, &[]) else { return Ok(()) };
        let with = set(&text, &PATH, &entry()).unwrap();
        let mut others = whole(&with);
        let servers = others["mcp_servers"].as_object_mut().unwrap();
        prop_assert_eq!(servers.shift_remove("footbridge"), Some(entry()));
        if servers.is_empty() {
            others.as_object_mut().unwrap().shift_remove("mcp_servers");
        }
        prop_assert_eq!(&others, &before, "{}", with);
        prop_assert_eq!(remove(&with, &PATH).unwrap(), text);
    }
}
