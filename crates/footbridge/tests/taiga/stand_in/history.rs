//! What happened to an item: changes and comments, newest first, and the routes that mend comments.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::item::Kind;
use super::lists;
use super::world::World;

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) user: u64,
    pub(crate) at: String,
    pub(crate) diff: Map<String, Value>,
    pub(crate) comment: String,
    pub(crate) deleted: Option<(String, u64)>,
    pub(crate) edited: Option<String>,
    pub(crate) earlier: Vec<(String, String)>,
}

impl Entry {
    /// What a change by that user left, with the comment it carried.
    pub(crate) fn new(
        world: &mut World,
        user: u64,
        diff: Map<String, Value>,
        comment: String,
    ) -> Self {
        let id = format!("00000000-e56e-11f1-85b0-{:012x}", world.next_id("history"));
        Self {
            id,
            user,
            at: world.tick(),
            diff,
            comment,
            deleted: None,
            edited: None,
            earlier: Vec::new(),
        }
    }

    /// A deleted comment stays one, with its text.
    pub(crate) fn is_comment(&self) -> bool {
        !self.comment.is_empty()
    }

    fn record(&self, world: &World, key: &str) -> Value {
        let html = if self.comment.is_empty() {
            String::new()
        } else {
            format!("<p>{}</p>", self.comment)
        };
        let user = world.user(self.user);
        let deleted_by = self
            .deleted
            .as_ref()
            .map(|(_, by)| json!({ "pk": by, "name": world.user(*by).full_name }));
        json!({
            "id": self.id,
            "user": {
                "pk": user.id, "username": user.username, "name": user.full_name, "photo": null, "is_active": true,
                "gravatar_id": format!("{:032x}", user.id)
            },
            "created_at": self.at, "type": 1, "key": key, "diff": self.diff, "snapshot": null, "values": { "users": {} },
            "values_diff": self.diff, "comment": self.comment, "comment_html": html,
            "delete_comment_date": self.deleted.as_ref().map(|(at, _)| at), "delete_comment_user": deleted_by,
            "edit_comment_date": self.edited, "is_hidden": false, "is_snapshot": false
        })
    }
}

pub(crate) fn list(world: &World, asked: &Asked, kind: Kind, id: u64) -> Reply {
    let item = world
        .items
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    let key = format!("{}.{}:{id}", kind.path(), kind.singular());
    let wanted = |entry: &&Entry| match asked.parameter("type") {
        Some("comment") => entry.is_comment(),
        Some("activity") => !entry.diff.is_empty(),
        _ => true,
    };
    let rows = item
        .history
        .iter()
        .rev()
        .filter(wanted)
        .map(|entry| entry.record(world, &key))
        .collect();
    lists::page(asked, rows)
}

/// `edit_comment`, `delete_comment`, `undelete_comment`, `comment_versions`: the comment's id is a
/// query parameter.
pub(crate) fn mend(
    world: &mut World,
    asked: &Asked,
    me: u64,
    kind: Kind,
    id: u64,
    verb: &str,
) -> Reply {
    let at = world.tick();
    let user = world.user(me).clone();
    let is_admin = user.is_superuser;
    let item = world
        .items
        .get_mut(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    let wanted = asked.parameter("id").unwrap_or_default();
    let entry = item
        .history
        .iter_mut()
        .find(|entry| entry.id == wanted && entry.is_comment())
        .ok_or_else(|| Answer::empty(404))?;
    if entry.user != me && !is_admin {
        return Err(Answer::not_permitted());
    }
    match (verb, entry.deleted.is_some()) {
        ("edit_comment", _) => {
            let body = asked.object()?;
            let text = body
                .get("comment")
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty());
            let Some(text) = text else {
                return Err(Answer::json(400, json!({ "error": "comment is required" })));
            };
            let before = std::mem::replace(&mut entry.comment, text.to_owned());
            entry.earlier.push((at.clone(), before));
            entry.edited = Some(at);
            Ok(Answer::empty(200))
        }
        ("comment_versions", _) => {
            let by = super::people::row(&user);
            let show = |(at, text): &(String, String)| json!({ "date": at, "user": by, "comment": text, "comment_html": format!("<p>{text}</p>") });
            Ok(Answer::ok(Value::Array(
                entry.earlier.iter().map(show).collect(),
            )))
        }
        ("delete_comment", true) => Err(Answer::json(
            400,
            json!({ "error": "Comment already deleted" }),
        )),
        ("delete_comment", false) => {
            entry.deleted = Some((at, me));
            Ok(Answer::empty(200))
        }
        ("undelete_comment", true) => {
            entry.deleted = None;
            Ok(Answer::empty(200))
        }
        _ => Err(Answer::json(400, json!({ "error": "Comment not deleted" }))),
    }
}
