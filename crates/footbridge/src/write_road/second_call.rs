//! The second call by which a client brings its user's consent: calls that were asked about and not
//! yet agreed to, and the codes that agree. Asks nobody.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use footbridge_mcp::canonical_json;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::caller::Caller;

/// The argument that carries the code. It is not in the listed schema: a client learns of it when
/// it needs it.
pub(super) const ARGUMENT: &str = "confirm";
/// The minutes for which a code is good.
pub(super) const MINUTES: u64 = 5;
/// Questions of one tool that wait for their second call; a further one takes the place of the
/// oldest.
const MAX_WAITING: usize = 256;

/// The schema of that argument.
pub(super) fn schema() -> Value {
    json!({ "type": "string", "maxLength": 100 })
}

/// The questions of one tool that wait for consent. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct PendingConsents(Arc<Mutex<PendingCodes>>);

/// Codes by the digest of the caller and the arguments.
#[derive(Debug, Default)]
struct PendingCodes {
    codes: HashMap<[u8; 32], Code>,
    /// Keys of the process that nobody outside knows, so that no code can be guessed from a call.
    random: RandomState,
    last: u64,
}

#[derive(Debug)]
struct Code {
    text: String,
    number: u64,
    since: Instant,
}

impl PendingConsents {
    /// Notes a question about this call and gives the code that agrees to it; an earlier code for
    /// the same call is good no more.
    pub(super) fn note(&self, caller: Caller, arguments: &Map<String, Value>) -> String {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.codes.retain(|_, code| !code.is_over());
        if waiting.codes.len() >= MAX_WAITING
            && let Some(oldest) = waiting
                .codes
                .iter()
                .min_by_key(|(_, code)| code.number)
                .map(|(call, _)| *call)
        {
            waiting.codes.remove(&oldest);
        }
        waiting.last += 1;
        let (call, number) = (digest(caller, arguments), waiting.last);
        let text = format!("{:08x}", waiting.random.hash_one((call, number)) >> 32);
        waiting.codes.insert(
            call,
            Code {
                text: text.clone(),
                number,
                since: Instant::now(),
            },
        );
        text
    }

    /// Whether the code agrees to this call. It does so once.
    pub(super) fn takes(&self, caller: Caller, arguments: &Map<String, Value>, code: &str) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let call = digest(caller, arguments);
        let agrees = waiting
            .codes
            .get(&call)
            .is_some_and(|known| known.text == code && !known.is_over());
        if agrees {
            waiting.codes.remove(&call);
        }
        agrees
    }
}

impl Code {
    fn is_over(&self) -> bool {
        self.since.elapsed() > Duration::from_secs(60 * MINUTES)
    }
}

/// The same for the same arguments, however they were written.
pub(super) fn digest(caller: Caller, arguments: &Map<String, Value>) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(caller.name());
    if let Some(account_id) = caller.account() {
        digest.update(format!(" {account_id}"));
    }
    for part in ["\n", &canonical_json(&Value::Object(arguments.clone()))] {
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Map, Value, json};

    use super::{MAX_WAITING, MINUTES, PendingConsents};
    use crate::caller::Caller::{HttpClient, LocalUser};

    fn of(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_agrees_to_its_own_call_once() {
        let asked = PendingConsents::default();
        let (one, other) = (
            of(json!({ "id": 1, "cut": true })),
            of(json!({ "id": 2, "cut": true })),
        );
        let code = asked.note(LocalUser, &one);
        assert!(
            !asked.takes(LocalUser, &other, &code)
                && !asked.takes(HttpClient(None), &one, &code)
                && !asked.takes(LocalUser, &one, "")
        );
        let turned = of(json!({ "cut": true, "id": 1.0 }));
        assert!(
            asked.takes(LocalUser, &turned, &code),
            "how it is written says nothing"
        );
        assert!(!asked.takes(LocalUser, &one, &code), "once");
        let first = asked.note(LocalUser, &one);
        let second = asked.note(LocalUser, &one);
        assert!(
            first != second
                && !asked.takes(LocalUser, &one, &first)
                && asked.takes(LocalUser, &one, &second)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_is_good_for_its_minutes_and_no_longer() {
        let (asked, call) = (PendingConsents::default(), of(json!({ "id": 1 })));
        let code = asked.note(LocalUser, &call);
        tokio::time::advance(Duration::from_secs(60 * MINUTES)).await;
        assert!(asked.takes(LocalUser, &call, &code));
        let code = asked.note(LocalUser, &call);
        tokio::time::advance(Duration::from_secs(60 * MINUTES) + Duration::from_millis(1)).await;
        assert!(!asked.takes(LocalUser, &call, &code));
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_questions_wait_and_then_the_oldest_goes() {
        let asked = PendingConsents::default();
        let call = |id: usize| of(json!({ "id": id }));
        let codes: Vec<_> = (0..=MAX_WAITING)
            .map(|id| asked.note(LocalUser, &call(id)))
            .collect();
        assert!(!asked.takes(LocalUser, &call(0), &codes[0]));
        for (id, code) in codes.iter().enumerate().skip(1) {
            assert!(asked.takes(LocalUser, &call(id), code), "{id}");
        }
    }
}
