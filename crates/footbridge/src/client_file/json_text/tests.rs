//! JSON texts that are edited: examples, and what holds for any of them.

use jsonc_parser::{CollectOptions, parse_to_ast};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JsonExtras, OPTIONS, as_value, has_more_than, remove, set, value_at};

const PATH: [&str; 2] = ["mcpServers", "footbridge"];

fn entry() -> Value {
    json!({ "command": "/x/foot bridge", "args": ["serve", "\"taiga\""] })
}

fn whole(text: &str) -> Value {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS).unwrap();
    parsed.value.as_ref().map(as_value).unwrap_or_default()
}

#[test]
fn what_is_set_and_removed_leaves_every_byte_as_it_was() {
    for text in [
        "{\"mcpServers\":{\"x\":{\"command\":\"a\"}}}",
        "{\"mcpServers\":{\"x\":1,}}",
        "{\n  \"mcpServers\": {\n    \"x\": {} // same line\n    // below\n\n  }\n}",
        "// head\r\n{\r\n\t\"mcpServers\": {\r\n\t\t\"x\": {}, /* a */ // b  \r\n\t\t// c\r\n\t},\r\n}\r\n// tail",
        "{\n    \"mcpServers\": {\n        // none yet\n    },\n    \"z\": [1,2, 3]}",
        "{\n \"mcpServers\": {}, \"y\": 1 }\n\n\n",
        "{\n  \"mcpServers\": { \"x\": {} }\n}",
        "{\n  \"mcpServers\": {\n    \"x\": {}}}",
    ] {
        let with = set(text, &PATH, &entry()).unwrap();
        assert_eq!(value_at(&with, &PATH).unwrap(), Some(entry()), "{with}");
        assert_eq!(set(&with, &PATH, &entry()).unwrap(), with);
        assert_eq!(remove(&with, &PATH).unwrap(), text, "{with}");
    }
}

#[test]
fn a_new_entry_is_laid_out_as_its_neighbours_are() {
    let text = "{\r\n\t\"mcpServers\": {\r\n\t\t\"x\": {} // mine\r\n\t}\r\n}\r\n";
    let with = set(text, &PATH, &json!({ "command": "f", "args": [] })).unwrap();
    assert_eq!(
        with,
        "{\r\n\t\"mcpServers\": {\r\n\t\t\"x\": {}, // mine\r\n\t\t\"footbridge\": {\r\n\t\t\t\"command\": \"f\",\r\n\t\t\t\"args\": []\r\n\t\t}\r\n\t}\r\n}\r\n"
    );
    for text in ["", "  \n", "{}", "{ }\n", "{\n}"] {
        let with = set(text, &["a", "b"], &json!(1)).unwrap();
        assert_eq!(
            with.trim_end(),
            "{\n  \"a\": {\n    \"b\": 1\n  }\n}",
            "{text:?}"
        );
    }
    assert_eq!(
        set("{\"a\":1}", &["b"], &json!({ "c": 2 })).unwrap(),
        "{\"a\":1, \"b\": {\"c\":2}}"
    );
    assert_eq!(
        set("// none", &["a"], &json!(1)).unwrap(),
        "// none\n{\n  \"a\": 1\n}\n"
    );
}

#[test]
fn an_entry_goes_from_the_middle_and_comments_beside_it_stay() {
    let removed = |text: &str| remove(text, &["b"]).unwrap();
    assert_eq!(removed("{\"a\":1, \"b\":2, \"c\":3}"), "{\"a\":1, \"c\":3}");
    assert_eq!(removed("{\"b\":2, \"c\":3}"), "{\"c\":3}");
    assert_eq!(removed("{\"a\":1, \"b\":2}"), "{\"a\":1}");
    assert_eq!(removed("{ \"b\":2 }"), "{}");
    assert_eq!(
        removed("{\n  \"a\": 1,\n  // of b\n  \"b\": 2, // too\n  \"c\": 3\n}"),
        "{\n  \"a\": 1,\n  // of b\n  // too\n  \"c\": 3\n}"
    );
    assert_eq!(
        removed("{\n  \"a\": 1, // of a\n  \"b\": 2 // of b\n}"),
        "{\n  \"a\": 1 // of a // of b\n}"
    );
    assert_eq!(removed("{\"a\":1}"), "{\"a\":1}");
}

#[test]
fn what_cannot_be_read_is_placed_and_what_is_no_object_is_named() {
    let refused = |text: &str| set(text, &PATH, &entry()).unwrap_err();
    let cut = refused("{\n  \"mcpServers\": {\n    \"x\": {\"comm");
    assert_eq!(cut.place.map(|place| place.line), Some(3), "{cut:?}");
    for text in ["[]", "{\"mcpServers\": []}", "{\"mcpServers\": null}"] {
        assert!(refused(text).what.contains("is no object"), "{text}");
    }
    let twice = refused("{\"mcpServers\": {}, \"mcpServers\": {}}");
    assert!(twice.what.contains("twice"), "{twice:?}");
    for text in ["hello", "{'a': 1}", "{a: 1}", "{} {}", "{\"a\" 1}"] {
        assert!(refused(text).place.is_some(), "{text}");
    }
    assert!(refused(&"[".repeat(100_000)).what.contains("depth"));
}

#[test]
fn comments_and_last_commas_are_more_than_plain_json() {
    use JsonExtras::{Comments, CommentsAndCommas, Nothing};
    for (text, more_than) in [
        ("{} // c", [true, false, false]),
        ("{\"a\": 1,} // c", [true, true, false]),
        ("{\"a\": \"// no\"}", [false; 3]),
        ("{", [false; 3]),
    ] {
        let found =
            [Nothing, Comments, CommentsAndCommas].map(|extras| has_more_than(extras, text));
        assert_eq!(found, more_than, "{text}");
    }
}

/// Space and comments that may stand between any two words.
fn gap() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\r\n  ",
        "\t",
        " // c, }\n",
        "/* \"x\": { */",
        "\n\n  // d\r\n",
    ])
}

/// A document with what stands on the path, or not, and other things around it.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "\"a // b\"",
        "null",
        "[1, 2]",
        "{}",
        "{\"k\": \"}\"}",
        "[ {} , 3]",
    ]);
    let keys = prop::sample::subsequence(vec!["a", "b c", "é\\n", "footbridge2"], 0..4);
    let object = (
        keys,
        prop::collection::vec((gap(), gap(), leaf), 4),
        gap(),
        any::<bool>(),
    )
        .prop_map(|(keys, values, end, has_comma)| {
            let inner: Vec<String> = keys
                .iter()
                .zip(values)
                .map(|(key, (before, after, value))| format!("{before}\"{key}\":{after}{value}"))
                .collect();
            let comma = if has_comma && !inner.is_empty() {
                ","
            } else {
                ""
            };
            format!("{{{}{comma}{end}}}", inner.join(","))
        });
    (
        object.clone(),
        object,
        gap(),
        gap(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(servers, root, head, tail, has_servers, is_first)| {
            let servers = format!("\"mcpServers\":{servers}");
            let root = match (has_servers, is_first, root.len() > 2 && root.contains(':')) {
                (false, ..) => root,
                (true, true, true) => root.replacen('{', &format!("{{{servers},"), 1),
                (true, _, _) => format!("{{{servers}}}"),
            };
            format!("{head}{root}{tail}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn other_content_is_never_touched(text in document()) {
        let before = whole(&text);
        let with = set(&text, &PATH, &entry()).unwrap();
        prop_assert_eq!(value_at(&with, &PATH).unwrap(), Some(entry()));
        let mut others = whole(&with);
        let servers = others["mcpServers"].as_object_mut().unwrap();
        servers.shift_remove("footbridge");
        if before.get("mcpServers").is_none() {
            prop_assert!(servers.is_empty());
            others.as_object_mut().unwrap().shift_remove("mcpServers");
        }
        prop_assert_eq!(&others, &before, "{}", with);
        for comment in ["// c, }", "/* \"x\": { */", "// d"] {
            prop_assert_eq!(with.matches(comment).count(), text.matches(comment).count());
        }
        let without = remove(&with, &PATH).unwrap();
        prop_assert_eq!(value_at(&without, &PATH).unwrap(), None);
        let mut left = whole(&without);
        if before.get("mcpServers").is_none() {
            left.as_object_mut().unwrap().shift_remove("mcpServers");
        }
        prop_assert_eq!(&left, &before, "{}", without);
        for comment in ["// c, }", "/* \"x\": { */", "// d"] {
            prop_assert_eq!(without.matches(comment).count(), text.matches(comment).count(), "{}", without);
        }
    }
}
