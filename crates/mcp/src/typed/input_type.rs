//! The bound of every type that is read from what a client sends, with the words of the compiler
//! where a derive is missing.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A type that is read from what a client sends: the arguments of a tool or a prompt, the
/// parameters of an address, the answer to a form. Every type is one that derives both
/// `serde::Deserialize` and `schemars::JsonSchema`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from what a client sends",
    label = "needs `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "derive both, on the types of its fields too: \
            `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "the `schemars` that is meant is version 1: `footbridge_mcp::schemars`"
)]
pub trait InputType: Sized + Send + 'static {
    // As a supertrait the derives would be asked for one by one, in the words of their crates.
    /// The type itself, as what its derives make it.
    #[doc(hidden)]
    type Derived: DeserializeOwned + JsonSchema + Send + 'static;

    #[doc(hidden)]
    fn of(derived: Self::Derived) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> InputType for T {
    type Derived = T;

    fn of(derived: T) -> T {
        derived
    }
}
