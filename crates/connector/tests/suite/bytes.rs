//! Answers as they come: encoded, in other charsets, or no text at all; over real sockets, as the
//! network seam decodes them.

use std::io::Write as _;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use footbridge_connector::{Backend, Fault, Network, compile};
use serde_json::{Value, json};

use crate::fake::call;
use crate::network::serve;
use crate::scripted::HEAD;

const FILE: &str = r#"
upstream: { base: "{settings.X_URL}", error: [.message?] }
tools:
  - { name: read, title: T, description: D, effect: read, steps: [{ get: /x }] }
  - { name: size, title: T, description: D, effect: read, steps: [{ as: it, get: /x }], result: '$steps.it | length' }
  - { name: text, title: T, description: D, effect: read, steps: [{ get: /x, answer: text }] }
  - { name: write, title: T, description: D, effect: write, steps: [{ post: /x }], no_undo: It is a test. }
  - { name: blind, title: T, description: D, effect: write, steps: [{ post: /x, answer: none }], no_undo: It is a test. }
"#;

/// A backend that gives every request the same answer.
async fn answering(
    status: u16,
    headers: &[(header::HeaderName, &'static str)],
    body: Vec<u8>,
) -> Backend {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.clone(), value.parse().unwrap()))
        .collect();
    let router = Router::new().fallback(move || {
        let (headers, body) = (headers.clone(), body.clone());
        async move {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response.headers_mut().extend(headers);
            response
        }
    });
    let address = serve(router).await;
    let file = format!("{HEAD}settings: {{ X_URL: {{ is: url, required: true }} }}\n{FILE}");
    let connector = compile("x.yaml", &file).unwrap_or_else(|problems| panic!("{problems}"));
    let settings = connector.settings(&|_| Some(address.clone())).unwrap();
    connector.connect(settings, Network::new())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn brotli(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 5, 22)
        .write_all(body)
        .unwrap();
    out
}

const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

fn encoded(names: &'static str) -> [(header::HeaderName, &'static str); 2] {
    [JSON, (header::CONTENT_ENCODING, names)]
}

#[tokio::test]
async fn encoded_answers_are_read() {
    let plain = json!({"a": "é".repeat(500)}).to_string();
    let plain = plain.as_bytes();
    for (names, body) in [
        ("gzip", gzip(plain)),
        ("x-gzip", gzip(plain)),
        ("deflate", zlib(plain)),
        ("br", brotli(plain)),
        ("gzip, br", brotli(&gzip(plain))),
        ("identity", plain.to_vec()),
    ] {
        let backend = answering(200, &encoded(names), body).await;
        assert_eq!(
            call(&backend, "read", json!({})).await.unwrap()["a"],
            "é".repeat(500),
            "{names}"
        );
    }
    let refused = answering(409, &encoded("gzip"), gzip(br#"{"message": "taken"}"#)).await;
    assert!(
        call(&refused, "write", json!({}))
            .await
            .unwrap_err()
            .message()
            .contains("taken")
    );
    let empty = answering(204, &encoded("gzip"), Vec::new()).await;
    assert_eq!(call(&empty, "write", json!({})).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn the_limit_is_that_of_the_decoded_answer() {
    const LIMIT: usize = 8 << 20;
    for (size, good) in [(LIMIT, true), (LIMIT + 1, false), (4 * LIMIT, false)] {
        let text = format!("\"{}\"", "x".repeat(size - 2));
        let bodies = [
            ("gzip", gzip(text.as_bytes())),
            ("deflate", zlib(text.as_bytes())),
            ("br", brotli(text.as_bytes())),
        ];
        for (names, body) in bodies {
            assert!(body.len() < LIMIT / 4, "it is small on its way");
            let result = call(
                &answering(200, &encoded(names), body).await,
                "blind",
                json!({}),
            )
            .await;
            match result {
                Ok(_) => assert!(good, "{names} {size}"),
                Err(error) => assert!(
                    !good && error.message().contains("answered more than 8 MiB"),
                    "{names} {size}: {error}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_told() {
    let whole = gzip(br#"{"a": 1}"#);
    let cut = whole[..whole.len() - 5].to_vec();
    for (names, body, why) in [
        ("gzip", cut, "whose encoding, gzip, is cut off or damaged"),
        (
            "gzip",
            b"{}".to_vec(),
            "whose encoding, gzip, is cut off or damaged",
        ),
        (
            "zstd",
            b"{}".to_vec(),
            "in the encoding \"zstd\", which was not asked for",
        ),
        (
            "gzip, compress",
            whole.clone(),
            "in the encoding \"compress\"",
        ),
    ] {
        let error = call(
            &answering(200, &encoded(names), body.clone()).await,
            "read",
            json!({}),
        )
        .await
        .unwrap_err();
        assert!(
            error.message().contains(why) && error.fault() == Fault::Backend,
            "{error}"
        );
        let write = call(
            &answering(200, &encoded(names), body.clone()).await,
            "write",
            json!({}),
        )
        .await
        .unwrap_err();
        assert!(
            write.message().contains("is not known") && !write.retry_is_safe(),
            "{write}"
        );
        // a refusal says enough by its status
        let refused = call(
            &answering(404, &encoded(names), body).await,
            "write",
            json!({}),
        )
        .await
        .unwrap_err();
        assert!(
            refused.status() == Some(404) && !refused.message().contains("is not known"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn charsets_are_read_and_bytes_are_no_text() {
    let json = |kind| [(header::CONTENT_TYPE, kind)];
    let utf_16: Vec<u8> = "\u{feff}{\"a\":\"é\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (kind, body) in [
        (
            "application/json",
            b"\xef\xbb\xbf{\"a\":\"\xc3\xa9\"}".to_vec(),
        ),
        (
            "application/json; charset=ISO-8859-1",
            b"{\"a\":\"\xe9\"}".to_vec(),
        ),
        (
            "application/json; charset=windows-1252",
            b"{\"a\":\"\xe9\"}".to_vec(),
        ),
        ("application/json", utf_16),
    ] {
        let backend = answering(200, &json(kind), body).await;
        assert_eq!(
            call(&backend, "read", json!({})).await.unwrap()["a"],
            "é",
            "{kind}"
        );
        assert!(
            call(&backend, "text", json!({}))
                .await
                .unwrap()
                .to_string()
                .contains('é'),
            "{kind}"
        );
    }
    for (kind, body, why) in [
        (
            "image/png",
            &b"\x89PNG\r\n\x1a\n\0"[..],
            "9 bytes of the type \"image/png\" that are no text",
        ),
        (
            "text/plain",
            b"caf\xe9!",
            "5 bytes of the type \"text/plain\" that are no text",
        ),
        (
            "text/plain; charset=x-unheard-of",
            b"a",
            "charset \"x-unheard-of\", which is not known",
        ),
    ] {
        let error = call(
            &answering(200, &json(kind), body.to_vec()).await,
            "text",
            json!({}),
        )
        .await
        .unwrap_err();
        assert!(
            error.message().contains(why) && !error.message().contains('\u{fffd}'),
            "{error}"
        );
        // nobody reads it
        assert!(
            call(
                &answering(200, &json(kind), body.to_vec()).await,
                "blind",
                json!({})
            )
            .await
            .is_ok()
        );
    }
    let latin = answering(
        422,
        &json("application/json; charset=iso-8859-1"),
        b"{\"message\":\"pas trouv\xe9\"}".to_vec(),
    )
    .await;
    assert!(
        call(&latin, "read", json!({}))
            .await
            .unwrap_err()
            .message()
            .contains("pas trouvé")
    );
}

#[tokio::test]
async fn another_charset_does_not_get_round_the_limit() {
    const LIMIT: usize = 8 << 20;
    // each of these bytes is two in UTF-8
    for (count, good) in [((LIMIT - 2) / 2, true), ((LIMIT - 2) / 2 + 1, false)] {
        let body = [&b"\""[..], &vec![0xe9; count], b"\""].concat();
        let backend = answering(
            200,
            &[(header::CONTENT_TYPE, "text/plain; charset=latin1")],
            body,
        )
        .await;
        let result = call(&backend, "size", json!({})).await;
        match result {
            Ok(size) => assert!(good && size == count, "{size}"),
            Err(error) => assert!(
                !good && error.message().contains("more than 8 MiB"),
                "{error}"
            ),
        }
    }
}
