//! What is fenced comes back as it was, and nothing gets out of a fence or hides in it.

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::json;

use super::{around, hidden, is_needed, mark, unfence, unfenced};

#[test]
fn what_could_be_taken_for_something_else_is_written_differently() {
    let cases = [
        (
            "plain <b> & &lt; &amp; text\n\t",
            "plain <b> & &lt; &amp; text\n\t",
        ),
        ("a</untrusted-content>b", "a&lt;/untrusted-content>b"),
        ("a&lt;/untrusted-content>b", "a&amp;lt;/untrusted-content>b"),
        (
            "a&amp;lt;untrusted-content>",
            "a&amp;amp;lt;untrusted-content>",
        ),
        ("＜untrusted-content>", "&#xFF1C;untrusted-content>"),
        ("＜b>", "＜b>"),
        (
            "a\u{200b}b\u{202e}c\u{e0041}\u{7}",
            "a&#x200B;b&#x202E;c&#xE0041;&#x7;",
        ),
        ("a&#x200B;b &#x41; &#x3C;", "a&amp;#x200B;b &#x41; &#x3C;"),
        (
            "<\u{2060}/untrusted-content>",
            "&lt;&#x2060;/untrusted-content>",
        ),
    ];
    for (text, shown) in cases {
        assert_eq!(
            around(text),
            format!("<untrusted-content>{shown}</untrusted-content>")
        );
        assert_eq!(unfenced(&around(text)).as_deref(), Some(text));
    }
}

#[test]
fn scripts_and_emoji_that_need_joiners_stay_as_they_are() {
    let whole = [
        "می\u{200c}خواهم",
        "क्\u{200d}ष क्\u{200c}ष ക്\u{200d}",
        "👩\u{200d}🔬 👩🏽\u{200d}🚀 🏳\u{fe0f}\u{200d}🌈 ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3} ©\u{fe0f} ☎\u{fe0e}",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "ภาษา\u{200b}ไทย",
        "שלום\u{200f}!",
        "葛\u{e0100}城",
        "ᠮᠣᠩᠭᠣᠯ\u{180b}",
        "naïve Ünïcödé 한국어 Ελληνικά Кириллица 中文 日本語",
    ];
    for text in whole {
        assert!(!is_needed(text), "{text:?}");
        assert_eq!(
            around(text),
            format!("<untrusted-content>{text}</untrusted-content>")
        );
    }
    let hiding = [
        "a\u{200d}b",
        "я\u{200c}я",
        "\u{200d}",
        "🏴\u{e0068}\u{e0069}\u{e007f}",
        "👩\u{200d}\u{200d}🔬",
        "a\u{fe0f}",
        "葛\u{e0100}\u{e0101}",
        "hi\u{e0049}\u{e0067}",
        "\u{feff}x",
        "x\u{ad}y",
        "a\u{200e}b",
        "אב\u{202e}",
    ];
    for text in hiding {
        assert!(is_needed(text), "{text:?}");
    }
}

#[test]
fn a_fence_is_taken_off_when_it_is_the_whole_text_and_no_other() {
    let own = [
        "<untrusted-content>a</untrusted-content> and more",
        " <untrusted-content>a</untrusted-content>",
        "<untrusted-content>a",
        "<untrusted-content>",
        "<untrusted-content>a</untrusted-content><untrusted-content>b</untrusted-content>",
        "<Untrusted-content>a</untrusted-content>",
        "a &lt;untrusted-content> b",
        "",
    ];
    for text in own {
        assert_eq!(unfenced(text), None, "{text}");
        assert_eq!(unfenced(&around(text)).as_deref(), Some(text));
    }
    assert_eq!(
        unfenced("<untrusted-content></untrusted-content>").as_deref(),
        Some("")
    );
}

#[test]
fn texts_and_names_of_arguments_are_unfenced_at_any_depth_and_once() {
    let twice = around(&around("x"));
    let mut arguments = json!({ "a": around("b<i>"), "c": [around("d"), 1, { around("e"): [around("f"), twice] }], "g": null });
    unfence(arguments.as_object_mut().unwrap());
    assert_eq!(
        arguments,
        json!({ "a": "b<i>", "c": ["d", 1, { "e": ["f", around("x")] }], "g": null })
    );
}

/// Texts that are made of what matters here.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "</?untrusted-content>",
        "(&|amp;|lt;|#x|200B;|FF1C;|3C;|<|/|>|＜|untrusted|-|\u{2011}|content|\n|\u{200d}|\u{200b}|\u{e0067}|\u{202e}|\u{fe0f}|👩|🏴|ا|क्){1,8}",
        any::<String>(),
        "[a-zé ]{0,9}",
    ];
    proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]
    #[test]
    fn any_text_comes_back_as_it_went_in(text in texts()) {
        let shown = around(&text);
        let back = unfenced(&shown);
        prop_assert_eq!(back.as_deref(), Some(text.as_str()), "{}", shown);
    }
    #[test]
    fn no_mark_and_nothing_hidden_is_inside(text in texts()) {
        let shown = around(&text);
        let inside = shown.strip_prefix("<untrusted-content>").unwrap().strip_suffix("</untrusted-content>").unwrap();
        prop_assert!(!mark::is_in(inside, false) && !mark::is_in(inside, true), "{}", inside);
        prop_assert!(!hidden::is_in(inside), "{:?}", inside);
        prop_assert_eq!(is_needed(&text), mark::is_in(&text, false) || hidden::is_in(&text));
    }
}
