//! Prompts that are types: the struct of a prompt's arguments.

use std::future::Future;

use super::{InputType, schema, texts};
use crate::call::Call;
use crate::output::fail;
use crate::prompt::{Prompt, PromptArgument, PromptResult};

/// A prompt that is the struct of its arguments.
///
/// The type's name in `snake_case` is the prompt's name, its documentation the description, the
/// documentation of its fields that of the arguments; a field that is an `Option` or has a default
/// may be left out. A person types arguments in as text; each is read as what its field is.
///
/// ```
/// use footbridge_mcp::{Begin, Call, Endpoint, Messages, Prompt, PromptResult};
///
/// /// Summarise a text.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Summarise {
///     /// The text.
///     text: String,
///     /// In how many words at most.
///     words: Option<u32>,
/// }
///
/// impl<C: Send + Sync + 'static> Begin<C> for Summarise {
///     async fn begin(self, _: &Call<C>) -> PromptResult {
///         Ok(Messages::user(format!("Summarise in {} words:\n\n{}", self.words.unwrap_or(50), self.text)))
///     }
/// }
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint: Endpoint<()> = footbridge_mcp::endpoint!("texts").prompt(Prompt::of::<Summarise>()).build()?;
/// let begun = endpoint.test(()).get("summarise", serde_json::json!({"text": "Once.", "words": "1"})).await?;
/// assert_eq!(begun.text(), "Summarise in 1 words:\n\nOnce.");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
/// ```
pub trait Begin<C>: InputType {
    /// Makes the messages. The arguments are in `self`; those of the call are empty.
    ///
    /// # Errors
    /// [`fail`] for the person to read; any other error is a bug or trouble of ours, logged and not
    /// shown.
    fn begin(self, call: &Call<C>) -> impl Future<Output = PromptResult> + Send;

    /// Who may see and get it. To everybody else it does not exist. Default: everybody.
    fn allowed_for(_call: &Call<C>) -> bool {
        true
    }
}

impl<C: Send + Sync + 'static> Prompt<C> {
    /// A prompt that is the struct of its arguments. Every part of it can be said otherwise with
    /// the methods of [`Prompt`].
    #[must_use]
    pub fn of<T: Begin<C>>() -> Self {
        let prompt = Self::new(
            schema::name::<T::Derived>(),
            schema::description::<T::Derived>(),
            |mut call: Call<C>| {
                let arguments =
                    texts::read::<T::Derived>(&std::mem::take(&mut call.arguments).into_map());
                async move { T::of(arguments.map_err(fail)?).begin(&call).await }
            },
        );
        let arguments = schema::fields::<T::Derived>().into_iter().map(|field| {
            let argument = if field.is_required {
                PromptArgument::required
            } else {
                PromptArgument::new
            };
            argument(field.name, field.description)
        });
        arguments
            .fold(prompt, Self::argument)
            .allowed_for(T::allowed_for)
    }
}
