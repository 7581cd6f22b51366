//! Tools, resources and prompts that are types: a tool is a struct of arguments that runs, a
//! resource one of an address's parameters that reads, a prompt one of arguments that begins.

mod aliases;
mod asked;
mod beginning;
mod choices;
mod input_type;
mod into_output;
mod reading;
mod schema;
mod texts;

use std::future::Future;

use serde_json::Value;

use crate::call::Call;
use crate::output::{Failure, fail};
use crate::tool::Tool;
pub use beginning::Begin;
pub use input_type::InputType;
pub use into_output::{IntoOutput, Json, OutputShape};
pub use reading::Read;

/// A tool that is the struct of its arguments.
///
/// The type's name in `snake_case` is the tool's name, its documentation the description, the
/// documentation of its fields that of the parameters. Arguments are checked against the schema
/// made of the type, with every problem named at once, and only then become the struct; what serde
/// itself refuses after that is told to the client too. A field goes by its other names
/// (`#[serde(alias = "…")]`) too, which are not listed.
///
/// The struct may be an enum with a tag, too: each of its variants is a form that the arguments may
/// have. Clients that take no choice at the root are shown one object, whose tag says what goes
/// with each of its values; a call is held against the variant that it names.
///
/// ```
/// # use footbridge_mcp::{Call, Endpoint, Failure, Run, Tool};
/// # use serde_json::json;
/// /// Move a card.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// #[serde(tag = "to", rename_all = "snake_case")]
/// enum MoveCard {
///     /// To a column.
///     Column { name: String },
///     /// So many places up.
///     Up { places: u32 },
/// }
///
/// impl<C: Send + Sync + 'static> Run<C> for MoveCard {
///     type Output = String;
///
///     async fn run(self, _: &Call<C>) -> Result<String, Failure> {
///         Ok(match self {
///             Self::Column { name } => format!("to {name}"),
///             Self::Up { places } => format!("up by {places}"),
///         })
///     }
/// }
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint = Endpoint::<()>::builder("board", "1.0.0").tool(Tool::of::<MoveCard>()).build()?;
/// let client = endpoint.test(());
/// assert_eq!(client.call("move_card", json!({"to": "up", "places": "3"})).await?.text(), "up by 3");
/// let wrong = client.call("move_card", json!({"to": "down", "places": 3})).await?;
/// assert!(wrong.text().contains("`to` is \"down\", but must be one of: column, up"));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
/// ```
///
/// ```
/// use footbridge_mcp::{Call, Endpoint, Failure, Run, Tool};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// /// Greet somebody by name.
/// #[derive(Deserialize, JsonSchema)]
/// struct Greet {
///     /// Whom to greet.
///     name: String,
/// }
///
/// impl<C: Send + Sync + 'static> Run<C> for Greet {
///     type Output = String;
///
///     async fn run(self, _: &Call<C>) -> Result<String, Failure> {
///         Ok(format!("Hello, {}!", self.name))
///     }
/// }
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint = Endpoint::<()>::builder("greeter", "1.0.0").tool(Tool::of::<Greet>()).build()?;
/// let greeting = endpoint.test(()).call("greet", serde_json::json!({"name": "Ada"})).await?;
/// assert_eq!(greeting.text(), "Hello, Ada!");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
/// ```
pub trait Run<C>: InputType {
    /// What it answers: text, content, or [`Json`].
    type Output: IntoOutput;

    /// Does the work. The arguments are in `self`; those of the call are empty.
    ///
    /// # Errors
    /// [`fail`] for the client to read; any other error is a bug or trouble of ours, logged and not
    /// shown.
    fn run(self, call: &Call<C>) -> impl Future<Output = Result<Self::Output, Failure>> + Send;

    /// Who may see and call it. To everybody else it does not exist. Default: everybody.
    fn allowed_for(_call: &Call<C>) -> bool {
        true
    }
}

impl<C: Send + Sync + 'static> Tool<C> {
    /// A tool that is the struct of its arguments. Every part of it can be said otherwise with the
    /// methods of [`Tool`].
    #[must_use]
    pub fn of<T: Run<C>>() -> Self {
        let shape = <T::Output as IntoOutput>::shape();
        let output_schema = shape.schema().cloned();
        let (input, is_unit) = (
            schema::input::<T::Derived>(),
            schema::is_unit::<T::Derived>(),
        );
        let aliases = aliases::of::<T::Derived>(&input);
        let shown = choices::as_one_object(&input);
        let tool = Self::new(
            schema::name::<T::Derived>(),
            schema::description::<T::Derived>(),
            shown.clone().unwrap_or_else(|| input.clone()),
            move |mut call: Call<C>| {
                let arguments = std::mem::take(&mut call.arguments);
                let read = if is_unit {
                    schema::read::<T>(Value::Null)
                } else {
                    arguments.read::<T::Derived>().map(T::of)
                };
                let shape = shape.clone();
                async move {
                    let tool = read.map_err(|error| fail(format!("the arguments: {error}")))?;
                    tool.run(&call).await?.into_output(&shape)
                }
            },
        );
        let tool = aliases
            .into_iter()
            .fold(tool, |tool, (other, own)| tool.argument_alias(other, own));
        let tool = match shown {
            Some(_) => tool.held_against(choices::of_objects(input)),
            None => tool,
        };
        let tool = tool.allowed_for(T::allowed_for);
        match output_schema {
            Some(schema) => tool.output_schema(schema),
            None => tool,
        }
    }
}
