//! Burrow, which nobody but these tests runs: a tracker with opaque cursors, a key in a header,
//! revisions, and errors of its own shape. It refuses whatever it does not know.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::harness::stand_in::Standing;

pub(crate) const KEY: &str = "planted-burrow-key";
const ME: &str = "ines";
const PEOPLE: [(&str, &str); 3] = [
    ("ines", "Inês Prado"),
    ("kofi", "Kofi Owusu"),
    ("kofi2", "Kofi Owusu"),
];
const LARGEST_PAGE: usize = 50;
const PAGE: usize = 10;

#[derive(Debug, Default)]
pub(crate) struct Burrow {
    pub(crate) tickets: Vec<Map<String, Value>>,
    notes: Vec<(String, Value)>,
    pub(crate) seen: Vec<String>,
    last: u64,
    /// So many of the next requests are throttled.
    pub(crate) throttle: usize,
    /// Somebody else changes this field just before the next change arrives.
    pub(crate) meddle: Option<(&'static str, Value)>,
}

/// A running one.
pub(crate) type StandIn = Standing<Burrow>;

impl StandIn {
    pub(crate) async fn start() -> Self {
        Self::serve(Burrow::default(), |burrow| {
            Router::new().fallback(serve).with_state(burrow)
        })
        .await
    }
}

type Reply = Result<(u16, Value), (u16, Value)>;

struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
}

impl Asked {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

fn problem(status: u16, code: &str, text: &str) -> (u16, Value) {
    (status, json!({ "problem": { "code": code, "text": text } }))
}

fn field(name: &str, text: &str) -> (u16, Value) {
    (
        422,
        json!({ "problem": { "code": "E_FIELD", "text": "Some fields are wrong.", "fields": [{ "name": name, "text": text }] } }),
    )
}

async fn serve(State(burrow): State<Arc<Mutex<Burrow>>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let mut burrow = burrow.lock().unwrap();
    burrow.seen.push(format!("{} {}", asked.method, asked.path));
    let (status, body) = burrow
        .answer(&head.headers, &asked)
        .unwrap_or_else(|refusal| refusal);
    let mut response = Response::new(if status == 204 {
        Body::empty()
    } else {
        Body::from(body.to_string())
    });
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if status == 429 {
        response
            .headers_mut()
            .insert("x-burrow-wait", "0.05".parse().unwrap());
    }
    response
}

impl Burrow {
    fn answer(&mut self, headers: &HeaderMap, asked: &Asked) -> Reply {
        if self.throttle > 0 {
            self.throttle -= 1;
            return Err(problem(429, "E_SLOW", "Too many requests."));
        }
        if headers.get("x-burrow-key").is_none_or(|key| key != KEY) {
            return Err(problem(401, "E_KEY", "This key is not known."));
        }
        let path: Vec<&str> = asked
            .path
            .strip_prefix("/api/2/")
            .unwrap_or_default()
            .split('/')
            .collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["self"]) => Ok((200, person(ME))),
            ("GET", ["spaces"]) => {
                let space = |code: &str, title: &str| json!({ "code": code, "title": title });
                Ok((
                    200,
                    json!({ "spaces": [space("WEB", "Web shop"), space("OPS", "Operations")] }),
                ))
            }
            ("GET", ["spaces", "WEB" | "OPS", "people"]) => {
                let people: Vec<_> = PEOPLE.iter().map(|(handle, _)| person(handle)).collect();
                Ok((200, json!({ "people": people })))
            }
            ("GET", ["tickets"]) => self.list(asked),
            ("POST", ["tickets"]) => self.create(asked),
            (method, ["tickets", key, rest @ ..]) => self.of_ticket(asked, method, key, rest),
            _ => Err(problem(404, "E_ROUTE", "There is no such route.")),
        }
    }

    fn list(&self, asked: &Asked) -> Reply {
        let space = asked
            .parameter("space")
            .ok_or_else(|| field("space", "is required"))?;
        let wanted = |ticket: &&Map<String, Value>| {
            ticket["space"] == space
                && asked
                    .parameter("state")
                    .is_none_or(|state| ticket["state"] == state)
                && asked
                    .parameter("assignee")
                    .is_none_or(|handle| ticket["assignee"]["handle"] == handle)
        };
        let rows: Vec<Value> = self
            .tickets
            .iter()
            .rev()
            .filter(wanted)
            .cloned()
            .map(Value::Object)
            .collect();
        page(asked, "tickets", &rows)
    }

    fn create(&mut self, asked: &Asked) -> Reply {
        let body = known(
            &asked.body,
            &["space", "title", "body", "assignee", "labels"],
        )?;
        let title = body
            .get("title")
            .and_then(Value::as_str)
            .filter(|title| !title.trim().is_empty());
        let title = title.ok_or_else(|| field("title", "must not be blank"))?;
        self.last += 1;
        let space = body["space"]
            .as_str()
            .ok_or_else(|| field("space", "is required"))?;
        let ticket = json!({
            "key": format!("{space}-{}", self.last), "space": space, "title": title, "body": body.get("body"), "state": "open",
            "assignee": body.get("assignee").and_then(Value::as_str).map(person), "labels": body.get("labels").unwrap_or(&json!([])),
            "note_count": 0, "changed": "2026-11-21T08:00:00Z", "rev": 1
        });
        let Value::Object(ticket) = ticket else {
            unreachable!("it was made as one")
        };
        self.tickets.push(ticket.clone());
        Ok((201, Value::Object(ticket)))
    }

    fn of_ticket(&mut self, asked: &Asked, method: &str, key: &str, rest: &[&str]) -> Reply {
        let missing = || problem(404, "E_TICKET", &format!("There is no ticket {key}."));
        let at = self
            .tickets
            .iter()
            .position(|ticket| ticket["key"] == key)
            .ok_or_else(missing)?;
        match (method, rest) {
            ("GET", []) => Ok((200, Value::Object(self.tickets[at].clone()))),
            ("PATCH", []) => self.change(at, &asked.body),
            ("DELETE", []) => {
                self.tickets.remove(at);
                Ok((204, Value::Null))
            }
            ("GET", ["notes"]) => {
                let rows: Vec<_> = self
                    .notes
                    .iter()
                    .rev()
                    .filter(|(of, _)| of == key)
                    .map(|(_, note)| note.clone())
                    .collect();
                page(asked, "notes", &rows)
            }
            ("POST", ["notes"]) => {
                let body = known(&asked.body, &["text"])?;
                self.last += 1;
                let note = json!({ "id": self.last, "author": person(ME), "at": "2026-11-21T08:00:00Z", "text": body["text"] });
                self.notes.push((key.to_owned(), note.clone()));
                self.tickets[at]["note_count"] =
                    json!(self.notes.iter().filter(|(of, _)| of == key).count());
                Ok((201, note))
            }
            _ => Err(problem(405, "E_METHOD", "Not here.")),
        }
    }

    fn change(&mut self, at: usize, body: &Value) -> Reply {
        let meddled = self.meddle.take();
        let ticket = &mut self.tickets[at];
        if let Some((name, value)) = meddled {
            ticket.insert(name.to_owned(), value);
            ticket["rev"] = json!(ticket["rev"].as_u64().unwrap() + 1);
        }
        let body = known(body, &["title", "state", "assignee", "labels", "rev"])?;
        if body.get("rev") != Some(&ticket["rev"]) {
            return Err(problem(
                400,
                "E_STALE",
                "The revision is not the current one.",
            ));
        }
        for (name, value) in body {
            let value = if name == "assignee" {
                value.as_str().map_or(Value::Null, person)
            } else {
                value.clone()
            };
            ticket.insert(name.clone(), value);
        }
        ticket["rev"] = json!(ticket["rev"].as_u64().unwrap() + 1);
        Ok((200, Value::Object(ticket.clone())))
    }
}

fn person(handle: &str) -> Value {
    let name = PEOPLE
        .iter()
        .find(|(known, _)| *known == handle)
        .map(|(_, name)| *name);
    json!({ "handle": handle, "name": name })
}

/// The fields of a body; one that is not known is refused.
fn known<'b>(body: &'b Value, names: &[&str]) -> Result<&'b Map<String, Value>, (u16, Value)> {
    let body = body
        .as_object()
        .ok_or_else(|| problem(400, "E_JSON", "The body must be an object."))?;
    match body.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(field(name, "is not known")),
        None => Ok(body),
    }
}

/// A page; its cursor says nothing to anybody but Burrow.
fn page(asked: &Asked, name: &str, rows: &[Value]) -> Reply {
    let count = asked
        .parameter("count")
        .map_or(Ok(PAGE), str::parse)
        .map_err(|_| field("count", "must be a number"))?;
    if count > LARGEST_PAGE {
        return Err(field("count", "must be at most 50"));
    }
    let from = match asked.parameter("after") {
        None => 0,
        Some(cursor) => cursor
            .strip_prefix("~!")
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| field("after", "is no cursor"))?,
    };
    let after = (from + count < rows.len()).then(|| format!("~!{}", from + count));
    let shown: Vec<_> = rows.iter().skip(from).take(count).collect();
    Ok((
        200,
        json!({ name: shown, "page": { "after": after, "matching": rows.len() } }),
    ))
}
