//! The taking of a call's key, which looks first for a call under it whose answer never came.

use std::time::SystemTime;

use footbridge_connector::ToolEffect;
use footbridge_mcp::Call;
use footbridge_store::ChangeId;
use serde_json::{Map, Value};

use super::resolving::{self, ResolvedChange};
use super::{CallAnswer, NoAnswer, Refuser, Road};
use crate::call_keys::{ARGUMENT, CallKey, HeldKey, KeyStanding};
use crate::caller::Caller;

/// The entry of a call's `_meta` that carries the caller's key.
const META_KEY: &str = "footbridge/idempotency_key";

/// A key that was asked for.
pub(super) enum TakenKey {
    Held(HeldKey),
    /// Its call was made before.
    Answered(CallAnswer),
}

/// Takes the key of a call. A call under it of which nobody knows whether it was carried out is
/// looked for at the backend first.
pub(super) async fn take_key(
    road: &Road,
    call: &Call<Caller>,
    key: CallKey,
    arguments: &Map<String, Value>,
) -> Result<TakenKey, NoAnswer> {
    let mut is_looked_up = false;
    loop {
        let room = call.caller.room(call.client().name());
        let standing = road
            .keys
            .take(key.clone(), room, arguments, SystemTime::now());
        match standing.await {
            KeyStanding::Free(key) => return Ok(TakenKey::Held(key)),
            KeyStanding::Answered(text) => {
                return Ok(TakenKey::Answered(CallAnswer {
                    text,
                    receipt: None,
                }));
            }
            KeyStanding::Refused(why) => return Err(NoAnswer::refused(Refuser::Key, why)),
            KeyStanding::Unknown(_, why) if is_looked_up => {
                return Err(NoAnswer::refused(Refuser::Key, why));
            }
            KeyStanding::Unknown(change, why) => {
                is_looked_up = true;
                if let Err(reason) = look_up(road, change).await {
                    let why = format!("{why} It was looked for just now: {reason}.");
                    return Err(NoAnswer::refused(Refuser::Key, why));
                }
            }
        }
    }
}

/// Finds out whether a change of this tool was carried out, and records it.
async fn look_up(road: &Road, change: ChangeId) -> Result<ResolvedChange, String> {
    let store = road.keys.changes().store().await?;
    let detail = store.change(change).await.map_err(|e| e.to_string())?;
    // an object that a tool promises is not known
    let answer = (!road.is_structured).then(|| {
        let found = ResolvedChange::Happened.as_str();
        Value::from(format!("This is change {change}: {found}.")).to_string()
    });
    resolving::resolve(&store, &road.backend, &detail, answer).await
}

impl Road {
    /// The caller's key for this call, when it has one; an empty one is none. A tool that lists no
    /// argument for it takes it from `_meta`, as a client never sends what it cannot see.
    pub(super) fn key(
        &self,
        call: &Call<Caller>,
        arguments: &mut Map<String, Value>,
    ) -> Option<CallKey> {
        if self.effect == ToolEffect::Read {
            return None;
        }
        let passed = self.takes_key.then(|| arguments.remove(ARGUMENT)).flatten();
        let key = passed.as_ref().or_else(|| call.meta().get(META_KEY))?;
        let key = key.as_str().filter(|key| !key.is_empty())?.to_owned();
        let tool = format!("{} {}", self.identity(), self.tool);
        Some(CallKey {
            caller: self.caller_name(*call.caller),
            tool,
            key,
        })
    }
}
