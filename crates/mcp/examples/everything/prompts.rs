//! The fixture's prompts. Their texts are the suite's.

use footbridge_mcp::{
    Call, Content, Elicitation, Elicited, Messages, Prompt, PromptArgument, fail,
};
use serde_json::{Value, json};

pub(crate) fn simple() -> Prompt<()> {
    Prompt::new(
        "test_simple_prompt",
        "A prompt without arguments.",
        |_: Call<()>| async { Ok(Messages::user("This is a simple prompt for testing.")) },
    )
}

pub(crate) fn with_arguments() -> Prompt<()> {
    Prompt::new(
        "test_prompt_with_arguments",
        "A prompt with two arguments.",
        |call: Call<()>| async move {
            let (first, second): (String, String) =
                (call.parameter("arg1")?, call.parameter("arg2")?);
            Ok(Messages::user(format!(
                "Prompt with arguments: arg1='{first}', arg2='{second}'"
            )))
        },
    )
    .argument(PromptArgument::required("arg1", "First argument").complete(
        |_: Call<()>, typed| async move {
            let words = ["paris", "park", "party"]
                .into_iter()
                .filter(|word| word.starts_with(&typed));
            Ok(words.map(str::to_owned).collect())
        },
    ))
    .argument(PromptArgument::required("arg2", "Second argument"))
}

pub(crate) fn with_embedded_resource() -> Prompt<()> {
    Prompt::new(
        "test_prompt_with_embedded_resource",
        "A prompt with a resource in it.",
        |call: Call<()>| async move {
            let uri: String = call.parameter("resourceUri")?;
            let resource =
                Content::text_resource(uri, "text/plain", "Embedded resource content for testing.");
            Ok(Messages::user(resource).and_user("Please process the embedded resource above."))
        },
    )
    .argument(PromptArgument::required(
        "resourceUri",
        "The address of the resource",
    ))
}

pub(crate) fn with_image(picture: &'static [u8]) -> Prompt<()> {
    Prompt::new(
        "test_prompt_with_image",
        "A prompt with a picture in it.",
        move |_: Call<()>| async move {
            Ok(Messages::user(Content::image(picture, "image/png"))
                .and_user("Please analyze the image above."))
        },
    )
}

pub(crate) fn asking() -> Prompt<()> {
    Prompt::new(
        "test_input_required_result_prompt",
        "A prompt that asks before it answers.",
        |call: Call<()>| async move {
            let schema = json!({"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]});
            match call
                .elicit(
                    "user_context",
                    Elicitation::form("What is the context?", schema),
                )
                .await?
            {
                Elicited::Accepted(content) => {
                    let context = content
                        .get("context")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    Ok(Messages::user(format!("Use this context: {context}")))
                }
                Elicited::Declined | Elicited::Cancelled => Err(fail("the user did not answer")),
            }
        },
    )
}
