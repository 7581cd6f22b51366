//! The body of an answer as UTF-8: byte order marks and the charset of its Content-Type are
//! honoured. Bytes that are no text are never made into one.

use bytes::Bytes;
use encoding_rs::Encoding;
use http::{HeaderMap, header};

/// Characters of a name from outside that a sentence shows.
const MAX_NAME: usize = 60;

/// The body in UTF-8, if it says that it is in another charset; one that says nothing is left as it
/// is. The error goes behind "answered".
pub(super) fn in_utf8(headers: &HeaderMap, body: Bytes) -> Result<Bytes, String> {
    if body.is_empty() {
        return Ok(body);
    }
    let (encoding, mark) = match (Encoding::for_bom(&body), charset(headers)) {
        (Some(marked), _) => marked,
        (None, None) => return Ok(body),
        (None, Some(label)) => {
            let unknown = || {
                format!(
                    "a text in the charset {:?}, which is not known here",
                    printable(label)
                )
            };
            (
                Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(unknown)?,
                0,
            )
        }
    };
    if encoding == encoding_rs::UTF_8 {
        return Ok(body.slice(mark..));
    }
    let text = encoding
        .decode_without_bom_handling_and_without_replacement(body.get(mark..).unwrap_or_default());
    text.map(|text| Bytes::from(text.into_owned()))
        .ok_or_else(|| format!("bytes that are no text in {}, its charset", encoding.name()))
}

/// The body as a text, without any character that was not there. The error goes behind "answered".
pub(super) fn text(headers: &HeaderMap, body: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(body) {
        // what holds a NUL is a file of some program
        Ok(text) if !text.contains('\0') => Ok(text.to_owned()),
        _ => {
            let kind = headers
                .get(header::CONTENT_TYPE)
                .and_then(|kind| kind.to_str().ok())
                .unwrap_or_default();
            let kind = printable(kind.split(';').next().unwrap_or_default());
            let kind = if kind.is_empty() {
                String::new()
            } else {
                format!(" of the type {kind:?}")
            };
            Err(format!("{} bytes{kind} that are no text", body.len()))
        }
    }
}

/// The charset that Content-Type names, when it is another than UTF-8.
fn charset(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let parameters = kind
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='));
    let (_, label) = parameters
        .into_iter()
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    let label = label.trim().trim_matches(['"', '\'']);
    // ASCII is UTF-8, and those who say it often send more
    let plain = ["", "utf-8", "utf8", "us-ascii", "ascii"];
    (!plain.iter().any(|known| label.eq_ignore_ascii_case(known))).then_some(label)
}

fn printable(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "/+-_.:".contains(*c);
    name.trim()
        .chars()
        .filter(is_plain)
        .take(MAX_NAME)
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, header};
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::{in_utf8, text};

    fn content_type(kind: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())])
    }

    fn read(kind: &str, body: &[u8]) -> Result<String, String> {
        in_utf8(&content_type(kind), Bytes::copy_from_slice(body))
            .map(|body| String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn charsets_and_marks_are_honoured() {
        let little: Vec<u8> = "\u{feff}{\"é\":\"😀\"}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = "\u{feff}{\"é\":\"😀\"}"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        for (kind, body, text) in [
            (
                "application/json",
                "{\"a\":\"é\"}".as_bytes(),
                "{\"a\":\"é\"}",
            ),
            ("application/json", b"\xef\xbb\xbf{}", "{}"),
            (
                "application/json; charset=ISO-8859-1",
                b"\xef\xbb\xbf{\"a\":\"\xc3\xa9\"}",
                "{\"a\":\"é\"}",
            ),
            (
                "application/json;charset=ISO-8859-1",
                b"{\"a\":\"caf\xe9\"}",
                "{\"a\":\"café\"}",
            ),
            (
                "application/json; a=b; CharSet=\"windows-1252\"",
                b"\"\x80\"",
                "\"€\"",
            ),
            ("text/plain; charset=iso-8859-2", b"\xb3", "ł"),
            ("text/plain; charset=koi8-r", b"\xc1", "а"),
            (
                "text/plain; charset=Shift_JIS",
                b"\x83e\x83X\x83g",
                "テスト",
            ),
            ("application/json", &little, "{\"é\":\"😀\"}"),
            ("application/json; charset=utf-16", &big, "{\"é\":\"😀\"}"),
            (
                "application/json; charset=utf-16le",
                little.get(2..).unwrap(),
                "{\"é\":\"😀\"}",
            ),
            ("text/plain; charset=us-ascii", "é".as_bytes(), "é"),
            ("text/plain; charset", b"x", "x"),
            ("no type at all", b"x", "x"),
        ] {
            assert_eq!(read(kind, body).as_deref(), Ok(text), "{kind}");
        }
    }

    #[test]
    fn what_is_not_known_or_no_text_is_refused() {
        for (kind, body, why) in [
            (
                "text/plain; charset=klingon\"<x>",
                &b"x"[..],
                "\"klingonx\", which is not known",
            ),
            ("text/plain; charset=iso-2022-kr", b"x", "not known"),
            (
                "text/plain; charset=Shift_JIS",
                b"\x83",
                "no text in Shift_JIS",
            ),
            (
                "text/plain; charset=utf-16",
                b"\x00\xd8a",
                "no text in UTF-16LE",
            ),
        ] {
            let refused = read(kind, body).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        let picture = text(&content_type("image/png; x=y"), b"\x89PNG\r\n\x1a\n\0").unwrap_err();
        assert_eq!(
            picture,
            "9 bytes of the type \"image/png\" that are no text"
        );
        assert_eq!(
            text(&HeaderMap::new(), b"a\0b").unwrap_err(),
            "3 bytes that are no text"
        );
        assert_eq!(
            text(&content_type("text/plain"), "é\r\n".as_bytes()).as_deref(),
            Ok("é\r\n")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn utf_8_comes_back_as_it_went_in(body in any::<String>()) {
            let expected = body.strip_prefix('\u{feff}').unwrap_or(&body);
            prop_assert_eq!(read("text/plain; charset=UTF-8", body.as_bytes()), Ok(expected.to_owned()));
        }
        #[test]
        fn utf_16_comes_back_as_it_went_in(body in any::<String>()) {
            let sent: Vec<u8> = format!("\u{feff}{body}").encode_utf16().flat_map(u16::to_be_bytes).collect();
            prop_assert_eq!(read("text/plain", &sent), Ok(body));
        }
    }
}
