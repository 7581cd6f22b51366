//! Completion: values that fit what somebody has typed so far, for a prompt's argument or a
//! template's parameter.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::limits;
use crate::output::Failure;

pub(crate) type CompletionFuture =
    Pin<Box<dyn Future<Output = Result<Vec<String>, Failure>> + Send>>;
/// The function of a completion: of the call, which has the arguments typed before, and this text.
pub(crate) type CompletionFunction<C> =
    Arc<dyn Fn(Call<C>, String) -> CompletionFuture + Send + Sync>;

/// The parameters of `completion/complete`.
#[derive(Debug, Deserialize)]
pub(crate) struct CompletionRequest {
    #[serde(rename = "ref")]
    pub(crate) reference: CompletionReference,
    pub(crate) argument: CompletionArgument,
    #[serde(default)]
    pub(crate) context: CompletionContext,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "internally tagged enum Reference", tag = "type")]
pub(crate) enum CompletionReference {
    #[serde(rename = "ref/prompt")]
    Prompt { name: String },
    #[serde(rename = "ref/resource")]
    Resource { uri: String },
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "struct Argument")]
pub(crate) struct CompletionArgument {
    pub(crate) name: String,
    pub(crate) value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "struct Context")]
pub(crate) struct CompletionContext {
    #[serde(default)]
    pub(crate) arguments: Map<String, Value>,
}

/// The result of `completion/complete`.
#[derive(Debug, Serialize)]
pub(crate) struct CompletionResult {
    completion: Completion,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Completion {
    values: Vec<String>,
    total: usize,
    has_more: bool,
}

impl CompletionResult {
    /// At most as many values as the specification allows, and how many there are.
    pub(crate) fn new(mut values: Vec<String>) -> Self {
        let total = values.len();
        values.truncate(limits::COMPLETION_VALUES);
        Self {
            completion: Completion {
                has_more: total > values.len(),
                total,
                values,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CompletionResult;

    #[test]
    fn at_most_a_hundred_values_are_sent() {
        let values = |count: usize| {
            serde_json::to_value(CompletionResult::new(vec!["x".to_owned(); count])).unwrap()
        };
        assert_eq!(values(100)["completion"]["hasMore"], false);
        assert_eq!(values(101)["completion"]["hasMore"], true);
        assert_eq!(values(101)["completion"]["total"], 101);
        assert_eq!(
            values(101)["completion"]["values"]
                .as_array()
                .unwrap()
                .len(),
            100
        );
    }
}
