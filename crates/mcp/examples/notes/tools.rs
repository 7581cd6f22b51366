//! What Notes offers: tools for everybody's own notes, tools for staff, a picture.

use footbridge_mcp::{
    BuildProblems, Call, Content, Effect, Endpoint, Failure, Json, Method, Run, Tool, fail,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::Caller;
use crate::prompts;
use crate::store::{Note, User};

/// The endpoint.
pub(crate) fn endpoint() -> Result<Endpoint<Caller>, BuildProblems> {
    footbridge_mcp::endpoint!("notes")
        .title("Notes")
        .instructions("The caller's own notes. Look with find_notes before writing.")
        .tool(
            Tool::of::<FindNotes>()
                .effect(Effect::Read)
                .open_world(false),
        )
        .tool(
            Tool::of::<CreateNote>()
                .effect(Effect::Write)
                .open_world(false),
        )
        .tool(
            Tool::of::<UpdateNote>()
                .effect(Effect::Write)
                .idempotent(true)
                .open_world(false),
        )
        .tool(
            Tool::of::<DeleteNote>()
                .effect(Effect::Destroy)
                .open_world(false),
        )
        .tool(Tool::of::<WhoAmI>().effect(Effect::Read).open_world(false))
        .tool(
            Tool::of::<ListUsers>()
                .effect(Effect::Read)
                .open_world(false),
        )
        .tool(
            Tool::of::<ChartNotes>()
                .effect(Effect::Read)
                .open_world(false),
        )
        .resource(prompts::note())
        .prompt(prompts::summarize())
        .method(Method::new("notes/count", count).capability("notes", json!({})))
        .principal(|caller: &Caller| caller.user.id.to_string())
        .build()
}

/// How many notes the caller has, for pages that show a number.
async fn count(call: Call<Caller>, Nothing {}: Nothing) -> Result<Value, Failure> {
    let Caller { user, store } = &*call.caller;
    Ok(json!({ "count": store.count(user.id).await? }))
}

#[derive(Deserialize)]
struct Nothing {}

/// The same words for a note that is somebody else's and for one that never was.
fn no_such_note(id: i64) -> Failure {
    fail(format!(
        "you have no note {id}; find_notes lists those you have"
    ))
}

/// Find the caller's notes, newest first.
#[derive(Deserialize, JsonSchema)]
struct FindNotes {
    /// Text in the title or the body; all notes without it.
    #[serde(default)]
    text: String,
    /// How many at most.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 100))]
    limit: u32,
}

fn twenty() -> u32 {
    20
}

impl Run<Caller> for FindNotes {
    type Output = Json<Vec<Note>>;

    async fn run(self, call: &Call<Caller>) -> Result<Json<Vec<Note>>, Failure> {
        let Caller { user, store } = &*call.caller;
        Ok(Json(store.notes(user.id, &self.text, self.limit).await?))
    }
}

/// Write a new note.
#[derive(Deserialize, JsonSchema)]
struct CreateNote {
    /// Title, one line.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// Text.
    #[serde(default)]
    body: String,
}

impl Run<Caller> for CreateNote {
    type Output = Json<Note>;

    async fn run(self, call: &Call<Caller>) -> Result<Json<Note>, Failure> {
        let Caller { user, store } = &*call.caller;
        Ok(Json(
            store.add_note(user.id, &self.title, &self.body).await?,
        ))
    }
}

/// Change a note; what is left out stays as it is.
#[derive(Deserialize, JsonSchema)]
struct UpdateNote {
    /// Number of the note.
    id: i64,
    /// New title.
    #[schemars(length(min = 1, max = 200))]
    title: Option<String>,
    /// New text.
    body: Option<String>,
}

impl Run<Caller> for UpdateNote {
    type Output = Json<Note>;

    async fn run(self, call: &Call<Caller>) -> Result<Json<Note>, Failure> {
        let Caller { user, store } = &*call.caller;
        let changed = store
            .change_note(
                user.id,
                self.id,
                self.title.as_deref(),
                self.body.as_deref(),
            )
            .await?;
        changed.map(Json).ok_or_else(|| no_such_note(self.id))
    }
}

/// Delete a note for good.
#[derive(Deserialize, JsonSchema)]
struct DeleteNote {
    /// Number of the note.
    id: i64,
}

impl Run<Caller> for DeleteNote {
    type Output = String;

    async fn run(self, call: &Call<Caller>) -> Result<String, Failure> {
        let Caller { user, store } = &*call.caller;
        if store.delete_note(user.id, self.id).await? {
            Ok(format!("deleted note {}", self.id))
        } else {
            Err(no_such_note(self.id))
        }
    }
}

/// Say who is asking.
#[derive(Deserialize, JsonSchema)]
struct WhoAmI;

impl Run<Caller> for WhoAmI {
    type Output = Json<User>;

    async fn run(self, call: &Call<Caller>) -> Result<Json<User>, Failure> {
        Ok(Json(call.caller.user.clone()))
    }
}

/// List everybody who has notes here. For staff.
#[derive(Deserialize, JsonSchema)]
struct ListUsers;

impl Run<Caller> for ListUsers {
    type Output = Json<Vec<User>>;

    async fn run(self, call: &Call<Caller>) -> Result<Json<Vec<User>>, Failure> {
        Ok(Json(call.caller.store.users().await?))
    }

    fn allowed_for(call: &Call<Caller>) -> bool {
        call.caller.user.is_staff
    }
}

/// Draw how many notes each user has. For staff.
#[derive(Deserialize, JsonSchema)]
struct ChartNotes;

impl Run<Caller> for ChartNotes {
    type Output = Vec<Content>;

    async fn run(self, call: &Call<Caller>) -> Result<Vec<Content>, Failure> {
        let counts = call.caller.store.count_by_user().await?;
        let most = counts
            .iter()
            .map(|(_, count)| *count)
            .max()
            .unwrap_or_default()
            .max(1);
        let bars: String = counts
            .iter()
            .enumerate()
            .map(|(row, (_, count))| {
                format!(
                    r#"<rect y="{}" width="{}" height="8"/>"#,
                    row * 10,
                    count * 100 / most
                )
            })
            .collect();
        let picture = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="{}">{bars}</svg>"#,
            counts.len() * 10
        );
        let rows: Vec<String> = counts
            .iter()
            .map(|(name, count)| format!("{name}: {count}"))
            .collect();
        Ok(vec![
            Content::text(rows.join("\n")),
            Content::image(picture.as_bytes(), "image/svg+xml"),
        ])
    }

    fn allowed_for(call: &Call<Caller>) -> bool {
        call.caller.user.is_staff
    }
}
