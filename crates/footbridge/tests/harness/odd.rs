//! Answers that no well Taiga gives, put in place of the next one to a request: other shapes, other
//! lengths, none at all.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use futures_util::stream;

const PIECE: &[u8] = &[b' '; 1 << 16];

/// What takes the place of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Odd {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// 200 with so many blanks; whether the length is said beforehand.
    Long { bytes: usize, is_told: bool },
    /// Never.
    Nothing,
}

impl Odd {
    pub(crate) fn body(status: u16, body: impl Into<Bytes>) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_string()));
        }
        self
    }

    pub(crate) async fn into_response(self) -> Response<Body> {
        match self {
            Self::Answer {
                status,
                headers,
                body,
            } => {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                for (name, value) in headers {
                    response.headers_mut().insert(
                        HeaderName::from_static(name),
                        HeaderValue::from_str(&value).unwrap(),
                    );
                }
                response
            }
            Self::Long { bytes, is_told } => {
                let pieces = std::iter::repeat_n(
                    Ok::<_, Infallible>(Bytes::from_static(PIECE)),
                    bytes / PIECE.len(),
                );
                let mut response = Response::new(Body::from_stream(stream::iter(pieces)));
                if is_told {
                    response.headers_mut().insert(
                        "content-length",
                        HeaderValue::from(bytes / PIECE.len() * PIECE.len()),
                    );
                }
                response
            }
            Self::Nothing => std::future::pending().await,
        }
    }
}
