//! What filters may look at: told for some by what is read for them, and that no filter gives
//! something else because of what was left out.

use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, prop_oneof, proptest};

use super::super::{QueryFilter, QueryResult};
use super::{INPUT, LookedAt};
use crate::jq::write;

const RESULT: &str = r#"{"items":[{"id":1,"name":"x","of":{"a":1,"b":2}},{"id":2,"tags":["u","v"]},null,3],"total_count":4}"#;

fn read_for(code: &str) -> String {
    let filter = QueryFilter::compile(code, &["a", "b"]).unwrap();
    let part = match filter.looked_at.is_whole(INPUT) {
        true => INPUT,
        false => filter.looked_at.member(INPUT, "a").unwrap(),
    };
    let value = filter.read(&QueryResult::of_outcome(RESULT.to_owned()), part);
    let mut out = String::new();
    write(&mut out, &value.unwrap()).unwrap();
    out
}

#[test]
fn only_what_a_filter_may_look_at_is_read() {
    let ids = r#"{"items":[{"id":1},{"id":2},null,3]}"#;
    let count = r#"{"items":[null,null,null,null]}"#;
    let totals = r#"{"total_count":4}"#;
    for (code, read) in [
        ("1", "null"),
        ("$b", "null"),
        ("$a.total_count", totals),
        (".a.total_count", totals),
        ("$a.items | length", count),
        ("[$a.items[] | 1]", count),
        ("[$a.items[].id]", ids),
        ("[$a.items[] | {id}]", ids),
        ("[$a.items[] | {key: .id}]", ids),
        ("$a.items | map(.id)", ids),
        ("[$a.items[] | select(.id == 1)] | length", ids),
        ("$a.items | map(select(.id > 1)) | length", ids),
        (
            "$a.items | group_by(.id) | map({id: .[0].id, n: length})",
            ids,
        ),
        ("$a.items | sort_by(.id) | first | .id", ids),
        ("$a.items[0].id", ids),
        ("$a.items[-1:] | map(.id)", ids),
        ("$a as $x | [$x.items[] | .id?]", ids),
        ("[($a.items, $b.items)[] | {id}]", ids),
        ("$a.items | any(.id == 7)", ids),
        (r#""\($a.total_count) rows""#, totals),
        ("if $b then $a.total_count else 0 end", totals),
    ] {
        assert_eq!(read_for(code), read, "{code}");
    }
    for code in [
        ".",
        "$a",
        "$a | keys",
        ".[]",
        "$a[]",
        "..",
        "$a | tojson",
        "def f: .items; $a | f",
        "reduce $a.items[] as $x (0; . + 1)",
        "try $a.items.x catch .",
        ". as {a: $x} | $x.items",
        "$a.items |= length",
        "$a.items, ($a | to_entries)",
        "$a[$b]",
    ] {
        assert_eq!(read_for(code), RESULT, "{code}");
    }
}

/// Ways to one value double with each step of such a filter; it is read, and soon.
#[test]
fn a_filter_of_many_ways_is_given_everything() {
    for (one, joint) in [
        ("(.a,.b)", "|"),
        ("(.,.)", "|"),
        ("[.,.]", "|"),
        (".a[]", "|"),
    ] {
        let code = vec![one; 90].join(joint);
        let filter = QueryFilter::compile(&code, &["a", "b"]);
        filter.unwrap_or_else(|fault| panic!("{one}: {fault:?}"));
    }
}

/// A filter put together of everything that is followed, and some that is not.
fn filter() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("."),
        Just("$a"),
        Just("$b"),
        Just("$x"),
        Just(".items"),
        Just(".id"),
        Just(".of"),
        Just(".name?"),
        Just(".[]"),
        Just(".[]?"),
        Just(".[0]"),
        Just(".[-1]"),
        Just(".[1:]"),
        Just(".[\"a\"]"),
        Just("length"),
        Just("first"),
        Just("last"),
        Just("keys"),
        Just("add"),
        Just("1"),
        Just("null"),
        Just("empty"),
        Just("not"),
        Just("type"),
        Just("tojson"),
        Just(".."),
        Just("to_entries"),
        Just("reverse"),
        Just("\"t\""),
        Just("{id}"),
        Just("{$b}"),
        Just("flatten"),
        Just("values"),
        Just("has(\"id\")"),
        Just("del(.id)"),
        Just("paths"),
    ]
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 2, |inner| {
        let form = prop_oneof![
            Just("X | Y"),
            Just("(X | Y)"),
            Just("(X, Y)"),
            Just("(X // Y)"),
            Just("[X]"),
            Just("[X | Y]"),
            Just("{k: X, id: Y}"),
            Just("{(X | tostring): Y}"),
            Just("map(X)"),
            Just("select(X)"),
            Just("(X as $x | Y)"),
            Just("if X then Y else X end"),
            Just("if X then Y end"),
            Just("(X | sort_by(Y))"),
            Just("group_by(X)"),
            Just("(X | unique_by(Y))"),
            Just("min_by(X)"),
            Just("max_by(X)"),
            Just("any(X)"),
            Just("all(X)"),
            Just("first(X)"),
            Just("last(X)"),
            Just("(X == Y)"),
            Just("(X + Y)"),
            Just("(X and Y)"),
            Just("try (X | Y)"),
            Just("try X catch Y"),
            Just("\"s\\(X)\""),
            Just("(X | .[Y]?)"),
            Just("(X |= Y)"),
            Just("(.id = X)"),
            Just("(X += Y)"),
            Just("(.id //= X)"),
            Just("-(X)"),
            Just("label $l | (X, break $l)"),
            Just("(def f: X; Y | f)"),
            Just("reduce (X) as $x (Y; . + 1)"),
            Just("limit(2; X)"),
            Just("(X as [$x] | Y)"),
            Just("[.[]? | X | Y]"),
            Just("(.items | map(X) | Y)"),
            Just("[$a.items[] | X]"),
            Just("(X | length)"),
            Just("path(X)"),
            Just("with_entries(X)"),
        ];
        (form, inner.clone(), inner).prop_map(|(form, first, second)| {
            let words = form.replace('X', "\u{1}").replace('Y', "\u{2}");
            words.replace('\u{1}', &first).replace('\u{2}', &second)
        })
    })
}

fn ran(filter: &QueryFilter) -> Result<Vec<String>, String> {
    let results = [
        RESULT,
        r#"[{"id":{"a":[1]},"items":{"x":{"id":2}}},[[1],"t"],{"a":0}]"#,
    ];
    let results = results.map(|json| QueryResult::of_outcome(json.to_owned()));
    let values = filter.run(&results, 50).map_err(|fault| fault.what)?;
    let texts = values.iter().map(super::super::QueryValue::json);
    texts.map(|json| json.map_err(|fault| fault.what)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_out_changes_no_result(code in filter()) {
        let code = format!("1 as $x | {code}");
        if let Ok(mut filter) = QueryFilter::compile(&code, &["a", "b"]) {
            let read = ran(&filter);
            filter.looked_at = LookedAt::all();
            prop_assert_eq!(read, ran(&filter), "{}", code);
        }
    }
}
