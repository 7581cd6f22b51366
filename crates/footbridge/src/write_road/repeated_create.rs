//! A create that comes twice by mistake: which tools are asked about, whose calls, and what is said.

use footbridge_connector::{BackendError, ConnectorTool, ToolEffect, Touch};
use footbridge_mcp::Call;
use footbridge_store::ChangeId;
use serde_json::{Map, Value};

use super::{NoAnswer, Refuser, Road};
use crate::call_keys::fingerprint;
use crate::caller::Caller;
use crate::recent_writes::{CreateCall, SameCreate, WriterSession};

/// The argument that says of a create that it is meant twice, and its entry in `_meta`.
pub(super) const ARGUMENT: &str = "again";
const META: &str = "footbridge/again";

/// Whether a tool makes a record, as far as its file says.
pub(super) fn makes(tool: &ConnectorTool) -> bool {
    let touches = tool.undoing().map(|undoing| undoing.touches.as_slice());
    let mut touches = touches.into_iter().flatten();
    tool.effect == ToolEffect::Write && touches.any(|(touch, _)| *touch == Touch::Makes)
}

/// Whether it says by an argument that it is meant twice, which its file may have for itself.
pub(super) fn takes_again(tool: &ConnectorTool) -> bool {
    let properties = tool.input_schema.get("properties");
    makes(tool) && properties.is_none_or(|properties| properties.get(ARGUMENT).is_none())
}

/// Whose writes follow each other; none for who is not asked about a create that is made twice.
fn writer(call: &Call<Caller>) -> Option<WriterSession> {
    match *call.caller {
        Caller::LocalUser => Some(WriterSession::Process),
        Caller::HttpClient(_) | Caller::TightenedClient(..) => {
            call.session().map(WriterSession::Legacy)
        }
        Caller::Terminal | Caller::Forwarded | Caller::ActionClient | Caller::Account(..) => None,
    }
}

/// Whether the client says of a create that it is meant twice.
pub(super) fn is_again(
    road: &Road,
    call: &Call<Caller>,
    arguments: &mut Map<String, Value>,
) -> bool {
    let argument = road
        .takes_again
        .then(|| arguments.remove(ARGUMENT))
        .flatten();
    let is_true = |value: &Value| *value == Value::Bool(true);
    argument.as_ref().is_some_and(is_true) || call.meta().get(META).is_some_and(is_true)
}

/// A write that is about to be sent, as its session remembers it.
#[derive(Debug, Default)]
pub(super) struct RoadWrite {
    session: Option<WriterSession>,
    create: Option<CreateCall>,
}

impl RoadWrite {
    /// Remembers it, unless it is a create that is the same as the write before. `is_compared`: no
    /// key tells it from others.
    pub(super) fn begin(
        road: &Road,
        call: &Call<Caller>,
        arguments: &Map<String, Value>,
        is_compared: bool,
        is_again: bool,
    ) -> Result<Self, NoAnswer> {
        let Some(session) = writer(call) else {
            return Ok(Self::default());
        };
        let create = (road.makes && is_compared).then(|| CreateCall {
            target: format!("{} {}", road.identity(), road.tool),
            fingerprint: fingerprint(arguments),
        });
        let recent = road.keys.recent();
        if is_again {
            recent.forget(session);
        }
        recent
            .begin(session, create.clone())
            .map_err(|same| NoAnswer::refused(Refuser::SameCreate, same_create(&same)))?;
        Ok(Self {
            session: Some(session),
            create,
        })
    }

    /// It was answered well.
    pub(super) fn was_sent(&self, road: &Road, change: Option<ChangeId>) {
        if let (Some(session), Some(create)) = (self.session, &self.create) {
            road.keys.recent().was_sent(session, create, change);
        }
    }

    /// It failed: unless it may have changed something, the same may be tried again.
    pub(super) fn failed(&self, road: &Road, error: &BackendError) {
        if let (Some(session), Some(create)) = (self.session, &self.create)
            && !error.may_have_changed()
        {
            road.keys.recent().was_not_carried_out(session, create);
        }
    }
}

/// What is said of a create that is made twice by mistake.
fn same_create(same: &SameCreate) -> String {
    let which = match same.0 {
        Some(change) => format!("change {change}, of less than a minute ago"),
        None => "one that is under way, or whose end is not known".to_owned(),
    };
    format!(
        "Nothing was sent: this is the same create as {which}, with no other write between. If it is meant twice, make the call with \"{ARGUMENT}\": true."
    )
}
