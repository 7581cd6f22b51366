//! Leases at `/xapi2`: whoever writes a record there is told who has it, in a header, and not held.

use std::time::SystemTime;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use footbridge_store::{LeaseStanding, RecordAddress, Store};

use crate::write_road::leased::held_by;

/// The header that says who has a record that was written.
pub(super) const LEASE: HeaderName = HeaderName::from_static("footbridge-lease");
/// The path of the rows: behind it stand the model and the id.
const ROWS: &str = "/xapi2/data/";

/// The board, by the name that it is served under.
#[derive(Debug, Clone)]
struct LeasedBoard {
    connector: String,
    store: Store,
}

/// The routes of the board, with leases told.
pub(super) fn with_leases(routes: Router, connector: &str, store: Store) -> Router {
    let board = LeasedBoard {
        connector: connector.to_owned(),
        store,
    };
    routes.layer(from_fn_with_state(board, tell))
}

/// A sentence as a header holds it.
pub(super) fn header_value(sentence: &str) -> Option<HeaderValue> {
    let ascii = |c: char| {
        if c.is_ascii() && !c.is_control() {
            c
        } else {
            '?'
        }
    };
    HeaderValue::from_str(&sentence.chars().map(ascii).collect::<String>()).ok()
}

async fn tell(State(board): State<LeasedBoard>, request: Request, next: Next) -> Response {
    let record = written(request.method(), request.uri().path(), &board.connector);
    let mut response = next.run(request).await;
    let Some(record) = record.filter(|_| response.status().is_success()) else {
        return response;
    };
    let now = SystemTime::now();
    if let Ok(LeaseStanding::HeldByOther(lease)) =
        board.store.lease_standing(&record, None, now).await
        && let Some(value) = header_value(&held_by(&lease, None, now))
    {
        response.headers_mut().insert(LEASE, value);
    }
    response
}

/// The record that a request writes, if it names one.
fn written(method: &Method, path: &str, connector: &str) -> Option<RecordAddress> {
    if !matches!(*method, Method::PATCH | Method::PUT | Method::DELETE) {
        return None;
    }
    let (kind, id) = path.strip_prefix(ROWS)?.split_once('/')?;
    let id = id.trim_end_matches('/');
    (!id.is_empty() && !id.contains('/')).then(|| RecordAddress {
        connector: connector.to_owned(),
        kind: kind.to_owned(),
        id: id.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::{header_value, written};

    #[test]
    fn a_request_that_writes_one_row_names_its_record() {
        let named = |method, path| written(&method, path, "board").map(|record| record.id);
        assert_eq!(
            named(Method::PATCH, "/xapi2/data/card/7").as_deref(),
            Some("7")
        );
        assert_eq!(
            named(Method::DELETE, "/xapi2/data/card/7/").as_deref(),
            Some("7")
        );
        for (method, path) in [
            (Method::GET, "/xapi2/data/card/7"),
            (Method::POST, "/xapi2/data/card"),
            (Method::PATCH, "/xapi2/data/card/7/x"),
            (Method::DELETE, "/xapi2/auth/login"),
        ] {
            assert_eq!(named(method, path), None, "{path}");
        }
        assert_eq!(header_value("é\r\nx").unwrap(), "???x");
    }
}
