//! Questions that are types: a form for the user that is the struct of its answer.

use sha2::{Digest as _, Sha256};

use super::{InputType, schema};
use crate::call::Call;
use crate::output::{Failure, fail};
use crate::question::{Elicitation, Elicited};

/// Characters of a type's name that a question's name begins with.
const NAME_CHARACTERS: usize = 64;

impl<C> Call<C> {
    /// Asks the user to fill in a form that is a struct: its fields are those of the form, their
    /// documentation says what they are for. A struct without fields is a question for yes or no.
    ///
    /// A form has texts, numbers, `bool`s, enums without data, and lists of such enums; any field
    /// may be an `Option`. Never ask for passwords and their like this way: they would pass through
    /// the client. [`Elicitation::url`] is for those.
    ///
    /// An answer counts for the question that was asked: for this type, with this message. Put
    /// questions before effects: on 2026-07-28 the call runs again from its start with the answers,
    /// and asks again where the message is another one by then.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Elicited, Endpoint, Failure, Run, Tool};
    /// use serde_json::json;
    ///
    /// /// How to erase.
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Erasure {
    ///     /// Keep a copy?
    ///     keep_copy: bool,
    /// }
    ///
    /// /// Erase a board.
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct EraseBoard {
    ///     board: String,
    /// }
    ///
    /// impl<C: Send + Sync + 'static> Run<C> for EraseBoard {
    ///     type Output = String;
    ///
    ///     async fn run(self, call: &Call<C>) -> Result<String, Failure> {
    ///         match call.ask::<Erasure>(format!("Erase {}?", self.board)).await? {
    ///             Elicited::Accepted(Erasure { keep_copy: true }) => Ok("moved away".to_owned()),
    ///             Elicited::Accepted(_) => Ok("erased".to_owned()),
    ///             Elicited::Declined | Elicited::Cancelled => Ok("kept".to_owned()),
    ///         }
    ///     }
    /// }
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let endpoint: Endpoint<()> = footbridge_mcp::endpoint!("boards").tool(Tool::of::<EraseBoard>()).build()?;
    /// // A test answers by the name of the type.
    /// let client = endpoint.test(()).answer("erasure", json!({"action": "accept", "content": {"keep_copy": true}}));
    /// assert_eq!(client.call("erase_board", json!({"board": "plans"})).await?.text(), "moved away");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Call::elicit`]; a type that is no form is an error inside.
    pub async fn ask<T: InputType>(
        &self,
        message: impl Into<String> + Send,
    ) -> Result<Elicited<T>, Failure> {
        let message = message.into();
        let form =
            schema::form::<T::Derived>().map_err(|problem| Failure::Internal(problem.into()))?;
        let name = question_name(&schema::name::<T::Derived>(), &message, &form.to_string());
        let answer = self.elicit(&name, Elicitation::form(message, form)).await?;
        Ok(match answer {
            Elicited::Accepted(content) => {
                let read = schema::read::<T>(content.into());
                Elicited::Accepted(read.map_err(|error| fail(format!("the answer: {error}")))?)
            }
            Elicited::Declined => Elicited::Declined,
            Elicited::Cancelled => Elicited::Cancelled,
        })
    }
}

/// The name of a question: that of its type, and what tells it from others of the same type. The
/// same in every run of the call, on every server.
fn question_name(name: &str, message: &str, form: &str) -> String {
    let name: String = name.chars().take(NAME_CHARACTERS).collect();
    let digest = Sha256::new()
        .chain_update(form)
        .chain_update([0])
        .chain_update(message)
        .finalize();
    let mark: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{name}-{mark}")
}
