//! Notes as resources to read, and prompts about them.

use footbridge_mcp::{Call, Failure, Messages, Prompt, PromptArgument, Resource};

use crate::app::Caller;
use crate::store::MOST_NOTES;

/// A note by its number.
pub(crate) fn note() -> Resource<Caller> {
    Resource::template("notes://{id}", "note", |call: Call<Caller>| async move {
        let Caller { user, store } = &*call.caller;
        let note = store
            .note(user.id, call.parameter("id")?)
            .await?
            .ok_or(Failure::NotFound)?;
        Ok(format!("# {}\n\n{}", note.title, note.body).into())
    })
    .description("One of the caller's notes.")
    .mime_type("text/markdown")
    .parameter::<i64>("id")
    .complete("id", |call: Call<Caller>, typed: String| async move {
        ids(&call, &typed).await
    })
}

/// Summarize a note.
pub(crate) fn summarize() -> Prompt<Caller> {
    Prompt::new(
        "summarize_note",
        "Summarize one of your notes.",
        |call: Call<Caller>| async move {
            let Caller { user, store } = &*call.caller;
            let note = store
                .note(user.id, call.parameter("id")?)
                .await?
                .ok_or(Failure::NotFound)?;
            Ok(Messages::user(format!(
                "Summarize this note in two sentences.\n\n# {}\n\n{}",
                note.title, note.body
            )))
        },
    )
    .argument(
        PromptArgument::required("id", "Number of the note.")
            .complete(|call: Call<Caller>, typed: String| async move { ids(&call, &typed).await }),
    )
}

/// The numbers of the caller's notes that begin with what was typed.
async fn ids(call: &Call<Caller>, typed: &str) -> Result<Vec<String>, Failure> {
    let Caller { user, store } = &*call.caller;
    let notes = store.notes(user.id, "", MOST_NOTES).await?;
    Ok(notes
        .iter()
        .map(|note| note.id.to_string())
        .filter(|id| id.starts_with(typed))
        .collect())
}
