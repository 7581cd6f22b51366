//! What a model could take for one of our marks, however it is spelled: `<untrusted-content>`, with
//! a slash, spaces and invisible characters in it, in capitals, in full width, and in letters of
//! other scripts that look the same.

use super::hidden;
use super::lookalikes::looks_like;

/// The letters of the name in a mark, its two words in one.
pub(super) const NAME: &str = "untrustedcontent";
/// Letters of its first word.
const FIRST_WORD: usize = "untrusted".len();

/// Whether something in the text looks like a mark. `escaped` says whether the text is as it is
/// shown, or as the backend has it.
pub(super) fn is_in(text: &str, escaped: bool) -> bool {
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if is_opening(character) && goes_on(rest.as_str(), escaped) {
            return true;
        }
    }
    false
}

/// What a mark begins with: `<`, and what looks like it.
pub(super) fn is_opening(character: char) -> bool {
    match character {
        '<' => true,
        '\0'..='\u{2c1}' => false,
        '\u{2c2}' | '\u{1438}' | '\u{16b2}' | '\u{2039}' | '\u{2329}' | '\u{276c}' | '\u{276e}'
        | '\u{2770}' | '\u{27e8}' => true,
        '\u{2d66}' | '\u{3008}' | '\u{fe64}' | '\u{ff1c}' | '\u{1032d}' | '\u{16aec}'
        | '\u{1d236}' => true,
        _ => false,
    }
}

/// Whether what follows its first character makes a mark of it.
pub(super) fn goes_on(text: &str, escaped: bool) -> bool {
    let mut rest = text;
    let mut seen = 0;
    while let Some((character, after)) = next(rest, escaped) {
        rest = after;
        let may_be_between = hidden::is_hidden(character) || character.is_control();
        // before the name, and between its two words
        let is_between = (seen == 0 || seen == FIRST_WORD) && is_separator(character, seen == 0);
        if may_be_between || is_between {
            continue;
        }
        let left = NAME.get(seen..).unwrap_or_default();
        let Some(length) = looks_like(character, left) else {
            return false;
        };
        seen += length;
        if seen == NAME.len() {
            return true;
        }
    }
    false
}

/// The first character, and what follows it; one that is shown by its number is that character.
fn next(text: &str, escaped: bool) -> Option<(char, &str)> {
    if escaped
        && let Some((character, length)) = text.strip_prefix('&').and_then(super::number)
        && hidden::is_hidden(character)
    {
        return Some((character, text.get(1 + length..)?));
    }
    let mut rest = text.chars();
    Some((rest.next()?, rest.as_str()))
}

fn is_separator(character: char, is_before: bool) -> bool {
    let is_slash = || {
        matches!(
            character,
            '/' | '\\' | '\u{2044}' | '\u{2215}' | '\u{2571}' | '\u{29f8}' | '\u{ff0f}'
        )
    };
    let is_line = || {
        matches!(
            character,
            '-' | '_' | '\u{58a}' | '\u{5be}' | '\u{2010}'
                ..='\u{2015}' | '\u{2043}' | '\u{207b}' | '\u{208b}' | '\u{2212}'
        ) || matches!(
            character,
            '\u{2d7}'
                | '\u{2796}'
                | '\u{2e3a}'
                | '\u{2e3b}'
                | '\u{fe31}'
                | '\u{fe32}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
                | '\u{ff3f}'
        ) || matches!(character, '\u{b7}' | '.' | '\u{30fb}')
    };
    character.is_whitespace() || if is_before { is_slash() } else { is_line() }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;
    use unicode_security::skeleton;

    use super::{is_in, is_opening};

    #[test]
    fn a_mark_is_found_however_it_is_spelled() {
        let spelled = [
            "<untrusted-content>",
            "x</untrusted-content>",
            "< / UNTRUSTED-content x",
            "<\r/untrusted-content>",
            "<\u{b}/untrusted-content>",
            "<\u{a0}/untrusted-content>",
            "<\u{200b}/untrusted-content>",
            "</un\u{200d}trusted-cont\u{ad}ent>",
            "＜/untrusted-content＞",
            "＜／ｕｎｔｒｕｓｔｅｄ－ｃｏｎｔｅｎｔ＞",
            "</untrusted\u{2011}content>",
            "</untrusted\u{2013}content>",
            "</untrusted content>",
            "</untrusted_content>",
            "</untrustedcontent>",
            "</untrusted-соntеnt>",
            "</\u{202e}untrusted-content",
            "‹/untrusted-content›",
            "</𝐮𝐧𝐭𝐫𝐮𝐬𝐭𝐞𝐝-𝖼𝗈𝗇𝗍𝖾𝗇𝗍>",
            "<\0/untru\u{1b}sted-content>",
            "<\\untrusted-content>",
        ];
        for text in spelled {
            assert!(is_in(text, false) && is_in(text, true), "{text:?}");
        }
        for text in [
            "untrusted-content",
            "<b>untrusted-content</b>",
            "< trusted-content>",
            "<untrusted>",
            "a < b",
            "&lt;untrusted-content>",
            "<untrusted-con",
        ] {
            assert!(!is_in(text, false) && !is_in(text, true), "{text:?}");
        }
        assert!(
            is_in("<&#x200B;/untrusted&#x2060;-content>", true)
                && !is_in("<&#x200B;/untrusted-content>", false)
        );
    }

    #[test]
    fn whatever_looks_like_the_beginning_of_a_mark_is_one() {
        let all = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
        let looks_so = all.filter(|c| {
            std::iter::once(*c).nfkc().eq(['<']) || skeleton(c.encode_utf8(&mut [0; 4])).eq(['<'])
        });
        let missed: Vec<char> = looks_so.filter(|c| !is_opening(*c)).collect();
        assert!(missed.is_empty(), "{missed:?}");
    }
}
