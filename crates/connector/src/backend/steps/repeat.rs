//! A read that is repeated until it says what is waited for.

use std::time::Duration;

use jaq_json::Val;
use tokio::time::Instant;

use super::super::Progress;
use super::super::request::{self, Prepared};
use super::super::values::{self, Held};
use super::StepsRun;
use crate::connector::{Request, Until};
use crate::failure::BackendError;
use crate::jq::{self, Variable, plain_text};

/// The argument by which a caller allows the whole wait.
const WAIT: &str = "wait";
/// How long a call waits when nobody is told of its progress and the caller did not allow more.
const QUIET: Duration = Duration::from_secs(50);

impl StepsRun<'_> {
    pub(super) async fn until(
        &self,
        request: &Request,
        prepared: &Prepared,
        until: &Until,
    ) -> Result<Held, BackendError> {
        let arguments = self.variables.get(Variable::Given);
        let waits = jq::get(arguments, WAIT) == Some(&Val::Bool(true));
        let most = if waits || self.options.progress.is_some() {
            until.up_to
        } else {
            until.up_to.min(QUIET)
        };
        let started = Instant::now();
        loop {
            let ask = prepared.ask(&[], Some(&self.plan.hints), request)?;
            let value = request::send(self.inner, ask, request).await?;
            self.tell(until, &value).await?;
            if jq::is_true(&values::one(self.inner, &until.done, &value, &self.variables).await?) {
                return Ok(value);
            }
            if started.elapsed() + until.every > most {
                let title = &self.inner.compiled().title;
                let message = format!(
                    "{title} was not done within {} s; it goes on there. Call again later to see how far it is.",
                    most.as_secs()
                );
                return Err(BackendError::backend(message, true));
            }
            tokio::time::sleep(until.every).await;
        }
    }

    async fn tell(&self, until: &Until, value: &Held) -> Result<(), BackendError> {
        let (Some(told), Some(filter)) = (&self.options.progress, &until.progress) else {
            return Ok(());
        };
        let progress = values::one(self.inner, filter, value, &self.variables).await?;
        let number = |key: &str| {
            jq::get(&progress, key)
                .and_then(plain_text)
                .and_then(|text| text.parse::<f64>().ok())
        };
        let message = jq::get(&progress, "message").and_then(plain_text);
        told(Progress {
            done: number("done").unwrap_or_default(),
            total: number("total"),
            message,
        });
        Ok(())
    }
}
