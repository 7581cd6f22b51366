//! Whether bytes from outside are one JSON value: grammar, depth and escapes in one pass. Builds
//! nothing and is not recursive.

use super::{MAX_DEPTH, NotAdmitted};

/// What a value that was checked has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked {
    /// A `\uXXXX` names a character that can stand as itself, or half of one.
    pub(super) escapes: bool,
}

/// Checks a text. Source of the grammar: RFC 8259.
pub(super) fn check(text: &str) -> Result<Checked, NotAdmitted> {
    let mut reader = CheckedBytes {
        rest: text.as_bytes(),
        escapes: false,
    };
    // the open containers, the innermost in the lowest bit; set for an object
    let mut objects = 0u128;
    let mut depth = 0usize;
    loop {
        let opens = match reader.solid().ok_or(NotAdmitted::Syntax)? {
            b'"' => reader.text().map(|()| false)?,
            b'{' | b'[' if depth == MAX_DEPTH => return Err(NotAdmitted::TooDeep),
            b'{' if reader.closes(b'}') => false,
            b'{' => {
                (depth, objects) = (depth + 1, objects << 1 | 1);
                true
            }
            b'[' if reader.closes(b']') => false,
            b'[' => {
                (depth, objects) = (depth + 1, objects << 1);
                true
            }
            b't' => reader.word(b"rue")?,
            b'f' => reader.word(b"alse")?,
            b'n' => reader.word(b"ull")?,
            b'-' => reader
                .next()
                .ok_or(NotAdmitted::Syntax)
                .and_then(|digit| reader.number(digit))?,
            digit => reader.number(digit)?,
        };
        if opens {
            if objects & 1 == 1 {
                reader.name()?;
            }
            continue;
        }
        // behind a value: what follows it, and the ends of what it stood in
        loop {
            if depth == 0 {
                return if reader.solid().is_none() {
                    Ok(Checked {
                        escapes: reader.escapes,
                    })
                } else {
                    Err(NotAdmitted::Syntax)
                };
            }
            match (reader.solid(), objects & 1 == 1) {
                (Some(b','), true) => {
                    reader.name()?;
                    break;
                }
                (Some(b','), false) => break,
                (Some(b'}'), true) | (Some(b']'), false) => {
                    (depth, objects) = (depth - 1, objects >> 1)
                }
                _ => return Err(NotAdmitted::Syntax),
            }
        }
    }
}

/// The number that four hexadecimal digits are.
fn code_unit(digits: [u8; 4]) -> u16 {
    let value = |digit: u8| {
        u16::from(if digit.is_ascii_digit() {
            digit - b'0'
        } else {
            (digit | 0x20) - b'a' + 10
        })
    };
    digits
        .into_iter()
        .fold(0, |number, digit| number << 4 | value(digit))
}

/// Bytes at the start that a text may hold as they are and go on after: neither its end, an escape
/// nor a control character.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let (words, tail) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // the highest bit of a byte is set where the byte is zero, or less than a space; above the
        // first such byte it may be wrong
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = zero(word ^ (ONES * b'"' as u64));
        let escape = zero(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | escape | control) & HIGHS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    at + tail.iter().take_while(is_plain).count()
}

struct CheckedBytes<'b> {
    rest: &'b [u8],
    escapes: bool,
}

impl<'b> CheckedBytes<'b> {
    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// The next byte that is no white space.
    fn solid(&mut self) -> Option<u8> {
        loop {
            match self.next() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => {}
                other => return other,
            }
        }
    }

    /// Whether the container that was just opened ends here.
    fn closes(&mut self, end: u8) -> bool {
        let before = self.rest;
        let closes = self.solid() == Some(end);
        if !closes {
            self.rest = before;
        }
        closes
    }

    /// A name and its colon.
    fn name(&mut self) -> Result<(), NotAdmitted> {
        match self.solid() {
            Some(b'"') => self.text()?,
            _ => return Err(NotAdmitted::Syntax),
        }
        if self.solid() == Some(b':') {
            Ok(())
        } else {
            Err(NotAdmitted::Syntax)
        }
    }

    /// What follows the opening quote of a text, with its end.
    fn text(&mut self) -> Result<(), NotAdmitted> {
        loop {
            self.rest = self
                .rest
                .split_at_checked(plain(self.rest))
                .map_or(&[], |(_, rest)| rest);
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(());
                }
                [
                    b'\\',
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                    rest @ ..,
                ] => self.rest = rest,
                [b'\\', b'u', a, b, c, d, rest @ ..]
                    if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) =>
                {
                    self.escapes |= !super::is_needed(code_unit([*a, *b, *c, *d]));
                    self.rest = rest;
                }
                _ => return Err(NotAdmitted::Syntax),
            }
        }
    }

    fn word(&mut self, end: &[u8]) -> Result<bool, NotAdmitted> {
        self.rest = self.rest.strip_prefix(end).ok_or(NotAdmitted::Syntax)?;
        Ok(false)
    }

    /// What follows the first digit of a number.
    fn number(&mut self, first: u8) -> Result<bool, NotAdmitted> {
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return Err(NotAdmitted::Syntax),
        }
        if let [b'.', b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits();
        }
        if let [b'e' | b'E', b'+' | b'-', b'0'..=b'9', rest @ ..]
        | [b'e' | b'E', b'0'..=b'9', rest @ ..] = self.rest
        {
            self.rest = rest;
            self.digits();
        }
        // a point or an exponent without digits is left, and nothing takes it
        Ok(false)
    }

    fn digits(&mut self) {
        while let [b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAdmitted, check, plain};
    use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};
    use serde_json::value::RawValue;

    fn agrees(text: &str) -> bool {
        check(text).is_ok() == serde_json::from_str::<&RawValue>(text).is_ok()
            || check(text) == Err(NotAdmitted::TooDeep)
    }

    #[test]
    fn the_grammar_is_held_to_its_letter() {
        let good = [
            "0",
            "-0",
            "10",
            "-1.5e+10",
            "1E5",
            "0.0",
            "1e-0",
            "\"\"",
            "\"\\u00e9\\/\"",
            "true",
            "false",
            "null",
            "[]",
            "{}",
            " [ ] ",
            "{ }",
            "[1,2]",
            "{\"a\":1,\"b\":[{}]}",
            "\"é\u{7f}\u{2028}\"",
            "\t\r\n1 ",
        ];
        let bad = [
            "",
            " ",
            "-",
            "+1",
            "01",
            "-01",
            "1.",
            ".5",
            "1.e5",
            "1e",
            "1e+",
            "0x1",
            "1 2",
            "tru",
            "True",
            "nulll",
            "\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "\"\u{0}\"",
            "\"\u{1f}\"",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:2}",
            "{\"a\" 1}",
            "[}",
            "{]",
            "[1}",
            "{\"a\":1]",
            "1,",
            "{}{}",
            "\u{feff}1",
            "\u{a0}1",
            "'a'",
        ];
        for text in good {
            assert!(check(text).is_ok() && agrees(text), "{text:?}");
        }
        for text in bad {
            assert!(
                check(text) == Err(NotAdmitted::Syntax) && agrees(text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn escapes_are_seen_and_those_that_json_needs_are_not() {
        for text in [
            r#""\ud800""#,
            r#""\uDFFF""#,
            r#"["a",{"b\udabcc":1}]"#,
            r#""\u0020""#,
            r#""\u0041""#,
            r#""\uFFFF""#,
            r#""\u0023""#,
        ] {
            assert!(check(text).unwrap().escapes, "{text}");
        }
        for text in [
            r#""\u001f""#,
            r#""\u0000""#,
            r#""\\ud800""#,
            "\"ud800\"",
            r#""\u0022\u005c\u005C\n""#,
        ] {
            assert!(!check(text).unwrap().escapes, "{text}");
        }
    }

    fn near_json() -> impl Strategy<Value = String> {
        "([\\[\\]{},: ]|\"|\\\\|\\\\u[dD]?[0-9a-g]{2,4}|true|null|-|[0-9]{1,2}|[.eE+]|\"[a-z]{0,9}\"|\"[^\"]{0,12}\"|\n|é){0,16}"
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]
        #[test]
        fn what_is_json_is_what_another_reader_takes(text in near_json()) {
            prop_assert!(agrees(&text), "{:?}", text);
        }
        #[test]
        fn a_change_of_one_byte_is_judged_alike(list in proptest::collection::vec((any::<String>(), any::<f64>()), 0..4), at in any::<proptest::sample::Index>(), byte in 0u8..0x80) {
            let mut bytes = serde_json::json!({ "a": list }).to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes) {
                prop_assert!(agrees(&text), "{:?}", text);
            }
        }
        #[test]
        fn plain_bytes_end_at_the_first_that_is_not(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len());
            prop_assert_eq!(plain(&bytes), expected);
        }
    }
}
