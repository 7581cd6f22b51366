//! The fixture's resources. Their texts are the suite's.

use footbridge_mcp::{Call, Resource, ResourceBody};
use serde_json::json;

pub(crate) fn text() -> Resource<()> {
    Resource::new("test://static-text", "static-text", |_: Call<()>| async {
        Ok(ResourceBody::from(
            "This is the content of the static text resource.",
        ))
    })
    .description("A fixed text.")
    .mime_type("text/plain")
}

pub(crate) fn binary() -> Resource<()> {
    Resource::new(
        "test://static-binary",
        "static-binary",
        |_: Call<()>| async { Ok(ResourceBody::from(crate::endpoint::PNG.to_vec())) },
    )
    .description("A fixed picture.")
    .mime_type("image/png")
    .size(crate::endpoint::PNG.len() as u64)
}

pub(crate) fn watched() -> Resource<()> {
    Resource::new(
        "test://watched-resource",
        "watched-resource",
        |_: Call<()>| async { Ok(ResourceBody::from("Watched.")) },
    )
    .description("A resource to subscribe to.")
    .mime_type("text/plain")
}

pub(crate) fn template() -> Resource<()> {
    Resource::template(
        "test://template/{id}/data",
        "template",
        |call: Call<()>| async move {
            let id: String = call.parameter("id")?;
            let data =
                json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            Ok(ResourceBody::from(data.to_string()))
        },
    )
    .description("Data for an id.")
    .mime_type("application/json")
    .complete("id", |_: Call<()>, typed| async move {
        Ok(vec![format!("{typed}1"), format!("{typed}2")])
    })
}
