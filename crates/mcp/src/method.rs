//! Methods of an application's own, beside those of the protocol or instead of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::build_problem::{BuildProblem, BuildProblems};
use crate::call::Call;
use crate::limits;
use crate::output::{Failure, fail};
use crate::policy::{Policy, both};

type MethodFuture = Pin<Box<dyn Future<Output = Result<Map<String, Value>, Failure>> + Send>>;
type MethodFunction<C> = Arc<dyn Fn(Call<C>) -> MethodFuture + Send + Sync>;

/// Methods that are part of how a conversation is held, so nobody may replace them.
const KEPT: [&str; 4] = [
    "initialize",
    "ping",
    "server/discover",
    "subscriptions/listen",
];

/// A method of an endpoint whose callers are `C`. One with the name of a method of the protocol
/// replaces it.
pub struct Method<C> {
    pub(crate) name: String,
    pub(crate) capability: Option<(String, Value)>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) name_header: Option<String>,
    pub(crate) time_limit: Duration,
    pub(crate) policy: Option<Policy<C>>,
    function: MethodFunction<C>,
}

impl<C: Send + Sync + 'static> Method<C> {
    /// A method with its function, from typed parameters to a result that is written as a JSON
    /// object.
    ///
    /// Parameters that do not fit are -32602 with serde's sentence, and so is [`fail`];
    /// [`Failure::NotFound`] is the answer to a method that is not known. The call's own arguments
    /// are empty: the parameters are in the second argument, without `_meta`.
    #[must_use]
    pub fn new<P, T, F, R>(name: impl Into<String>, function: F) -> Self
    where
        P: DeserializeOwned,
        T: Serialize,
        F: Fn(Call<C>, P) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let function = Arc::new(move |mut call: Call<C>| -> MethodFuture {
            let params = std::mem::take(&mut call.arguments).read::<P>();
            let working = params.map(|params| function(call, params));
            Box::pin(async move {
                let result = working
                    .map_err(|error| fail(format!("`params`: {error}")))?
                    .await?;
                match serde_json::to_value(result)? {
                    Value::Object(result) => Ok(result),
                    _ => Err(std::io::Error::other(
                        "the result of a method must be a JSON object",
                    ))?,
                }
            })
        });
        Self {
            name: name.into(),
            capability: None,
            ttl: None,
            name_header: None,
            time_limit: limits::TOOL_TIME,
            policy: None,
            function,
        }
    }

    /// What the endpoint says of it among its capabilities, such as `widgets` with `{}`.
    #[must_use]
    pub fn capability(mut self, name: impl Into<String>, value: Value) -> Self {
        self.capability = Some((name.into(), value));
        self
    }

    /// Lets clients of 2026-07-28 keep the result for so long; the result itself may say otherwise
    /// with `ttlMs` and `cacheScope`.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The parameter, a text, that the header `Mcp-Name` repeats on 2026-07-28; a request where
    /// they differ is refused.
    #[must_use]
    pub fn name_header(mut self, parameter: impl Into<String>) -> Self {
        self.name_header = Some(parameter.into());
        self
    }

    /// How long one call may run.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Who may see and call it. To everybody else it is not known, and its capability is not said.
    /// Rules said one after another must all allow it.
    #[must_use]
    pub fn allowed_for(
        mut self,
        policy: impl Fn(&Call<C>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.policy = Some(both(self.policy.take(), policy));
        self
    }

    pub(crate) fn start(&self, call: Call<C>) -> MethodFuture {
        (self.function)(call)
    }

    /// Checks the method.
    pub(crate) fn ready(self) -> Result<Arc<Self>, BuildProblems> {
        let is_named = (1..=128).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
        let problem =
            if KEPT.contains(&self.name.as_str()) || self.name.starts_with("notifications/") {
                "this method is the protocol's own and cannot be replaced".to_owned()
            } else if is_named {
                return Ok(Arc::new(self));
            } else {
                format!(
                    "{:?} is not a method name: 1 to 128 of A-Z a-z 0-9 _ - . /",
                    self.name
                )
            };
        Err(BuildProblems(vec![BuildProblem {
            name: self.name,
            problem,
        }]))
    }
}

impl<C> std::fmt::Debug for Method<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Method")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
