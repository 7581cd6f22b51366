//! Tools over leases: claiming a record to work on, or the first free one of a list, and releasing
//! it. They belong to the group `leases`, which is not listed by itself.

mod listed_page;
mod offered;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use footbridge_connector::{RecordKind, RecordNow, ToolEffect};
use footbridge_mcp::{Call, Failure, Output, Tool, ToolResult, fail};
use footbridge_store::{ClaimedLease, Lease, LeaseClaim, LeaseError, MAX_CLAIMED_FROM, Store};
use secrecy::ExposeSecret as _;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use listed_page::{ListedPage, was_had_since};

use super::own_endpoint::OwnEndpoint;
use crate::audit_trail::AuditedCall;
use crate::caller::Caller;
use crate::gate;
use crate::json_object::JsonObject;
use crate::opened::{Opened, Served};
use crate::write_road::leased::{ARGUMENT, clock, held_by};
use crate::write_road::{CallEnd, ComposedCall, RoadParts};

/// How long a lease lasts where nothing is said.
const MINUTES: u64 = 30;
/// The longest that can be asked for; the operator may allow less.
const MOST_MINUTES: u64 = 24 * 60;
/// Characters of a holder's name.
const HOLDER_CHARACTERS: usize = 60;
/// Pages of a list that are read for records that may be claimed.
const MOST_PAGES: usize = 20;
/// How often a list is read again because others took from it what it showed.
const MOST_TRIES: usize = 50;
/// The argument of lists that come in pages.
const CURSOR: &str = "cursor";

/// What the tools work with.
pub(super) struct LeaseTools {
    served: Vec<Served>,
    parts: RoadParts,
    /// The endpoint that they are tools of, for the lists that are claimed from.
    endpoint: OwnEndpoint,
}

impl LeaseTools {
    pub(super) fn of(opened: &Opened, parts: &RoadParts, endpoint: &OwnEndpoint) -> Arc<Self> {
        Arc::new(Self {
            served: opened.served.clone(),
            parts: parts.clone(),
            endpoint: endpoint.clone(),
        })
    }

    /// The tools, listed or not; none where no connector has records. One whose name a connector
    /// has is called `leases_` and its name.
    pub(super) fn tools(self: &Arc<Self>, is_listed: bool) -> Vec<Tool<Caller>> {
        let has_records = |served: &Served| served.backend.connector().records().next().is_some();
        if !self.served.iter().any(has_records) {
            return Vec::new();
        }
        let name = |name: &str| match self.parts.names.has(name) {
            true => format!("leases_{name}"),
            false => name.to_owned(),
        };
        let tools = [
            offered::claim(self, name("claim")),
            offered::claim_next(self, name("claim_next")),
            offered::release(self, name("release")),
        ];
        let listed = |tool: Tool<Caller>| match is_listed {
            true => tool,
            false => tool.unlisted(),
        };
        tools.into_iter().map(listed).collect()
    }
}

/// What every claim says.
struct Terms {
    holder: String,
    life: Duration,
    note: Option<String>,
}

impl LeaseTools {
    async fn store(&self) -> Result<Store, Failure> {
        let store = self.parts.keys.changes().store().await;
        store.map_err(|why| fail(format!("Leases cannot be kept: {why}.")))
    }

    async fn claim(&self, mut call: Call<Caller>) -> ToolResult {
        let mut arguments = std::mem::take(&mut call.arguments).into_map();
        let served = self.served(&call, &mut arguments)?;
        let terms = terms(&call, &mut arguments);
        let record = taken(&mut arguments, "record").unwrap_or_default();
        let (kind, id) = record
            .split_once(':')
            .filter(|(kind, id)| !kind.is_empty() && !id.is_empty())
            .ok_or_else(|| {
                fail(format!(
                    "{record:?} is no record: write it as KIND:ID, such as card:7."
                ))
            })?;
        check_kind(served, kind)?;
        if let Some(token) = taken(&mut arguments, ARGUMENT) {
            return self.renew(&call, served, &token, &terms, (kind, id)).await;
        }
        let name = read(served, kind, id).await.map_err(fail)?;
        let claimed = self
            .claim_first(&call, served, kind, vec![id.to_owned()], &terms)
            .await?;
        self.audit(&call, "claim", &claimed.lease, "claimed");
        answer(served, &claimed, name.as_deref())
    }

    fn audit(&self, call: &Call<Caller>, tool: &str, lease: &Lease, state: &str) {
        let audited = AuditedCall {
            caller: *call.caller,
            client: call.client().name(),
            connector: &lease.record.connector,
            tool,
        };
        self.parts.trail.leased(audited, lease, state);
    }

    async fn renew(
        &self,
        call: &Call<Caller>,
        served: &Served,
        token: &str,
        terms: &Terms,
        (kind, id): (&str, &str),
    ) -> ToolResult {
        let (store, now) = (self.store().await?, SystemTime::now());
        let lease = store.lease_of_token(token, now).await;
        let lease = lease.map_err(|error| fail(error.to_string()))?;
        let is_of_it = lease.is_some_and(|lease| {
            lease.record.connector == served.name
                && lease.record.kind == kind
                && lease.record.id == id
        });
        if !is_of_it {
            return Err(fail(format!(
                "That token is of no lease of {kind} {id} that lasts: claim the record again, without a token."
            )));
        }
        let renewed = store.renew_lease(token, terms.life, now).await;
        let lease = renewed.map_err(|error| refused(&error, now))?;
        self.audit(call, "claim", &lease, "renewed");
        json_answer(&lease_members(served, &lease, now).into())
    }

    async fn release(&self, mut call: Call<Caller>) -> ToolResult {
        gate::check_caller(*call.caller, ToolEffect::Write, "release")?;
        let mut arguments = std::mem::take(&mut call.arguments).into_map();
        let token = taken(&mut arguments, ARGUMENT).unwrap_or_default();
        let note = taken(&mut arguments, "note");
        let now = SystemTime::now();
        let released = self
            .store()
            .await?
            .release_lease(&token, note.as_deref(), now)
            .await;
        let lease = released.map_err(|error| refused(&error, now))?;
        self.audit(&call, "release", &lease, "released");
        let record = format!("{}:{}", lease.record.kind, lease.record.id);
        json_answer(&json!({ "released": record }))
    }

    /// Claims the first free record of a list. Whoever had it until a moment ago may have changed
    /// what the list was asked for, so the list is read again then.
    async fn claim_next(&self, mut call: Call<Caller>) -> ToolResult {
        let mut arguments = std::mem::take(&mut call.arguments).into_map();
        let served = self.served(&call, &mut arguments)?;
        let terms = terms(&call, &mut arguments);
        let kind = taken(&mut arguments, "kind").unwrap_or_default();
        check_kind(served, &kind)?;
        let tool = taken(&mut arguments, "tool").unwrap_or_default();
        let tool = self.list_tool(served, &tool)?;
        let list_arguments = match arguments.remove("arguments") {
            Some(Value::Object(list_arguments)) => list_arguments,
            _ => Map::new(),
        };
        let mut tries = 0;
        'again: loop {
            tries += 1;
            let began = SystemTime::now();
            let mut cursor = None;
            let mut held = None;
            for _ in 0..MOST_PAGES {
                let page = self
                    .page(&call, &tool, list_arguments.clone(), cursor.take())
                    .await?;
                let ListedPage { ids, next } = page;
                if ids.is_empty() && held.is_none() && next.is_none() {
                    return Err(fail("The list is empty: there is nothing to claim."));
                }
                for ids in ids.chunks(MAX_CLAIMED_FROM) {
                    let claim = self.lease_claim(&call, served, &kind, ids.to_vec(), &terms);
                    let store = self.store().await?;
                    match store.claim_lease(claim, SystemTime::now()).await {
                        Ok(claimed) if was_had_since(&claimed, began) && tries < MOST_TRIES => {
                            if self
                                .still_lists(&call, &tool, &list_arguments, &claimed)
                                .await?
                            {
                                return self.claimed(&call, served, &kind, claimed).await;
                            }
                            let token = claimed.token.expose_secret();
                            let note = claimed.before.and_then(|before| before.note);
                            drop(
                                store
                                    .release_lease(token, note.as_deref(), SystemTime::now())
                                    .await,
                            );
                            continue 'again;
                        }
                        Ok(claimed) => return self.claimed(&call, served, &kind, claimed).await,
                        Err(LeaseError::Held(lease)) => held = Some(lease),
                        Err(error) => return Err(refused(&error, SystemTime::now())),
                    }
                }
                match next {
                    Some(next) => cursor = Some(next),
                    None => break,
                }
            }
            return Err(match held {
                Some(lease) => fail(format!(
                    "All that the list shows is claimed; what is free first: {}.",
                    held_by(&lease, None, SystemTime::now())
                )),
                None => fail("The list is empty: there is nothing to claim."),
            });
        }
    }

    /// The answer for a record that was claimed, once it was read.
    async fn claimed(
        &self,
        call: &Call<Caller>,
        served: &Served,
        kind: &str,
        claimed: ClaimedLease,
    ) -> ToolResult {
        match read(served, kind, &claimed.lease.record.id).await {
            Ok(name) => {
                self.audit(call, "claim_next", &claimed.lease, "claimed");
                answer(served, &claimed, name.as_deref())
            }
            Err(why) => {
                let token = claimed.token.expose_secret();
                let store = self.store().await?;
                drop(store.release_lease(token, None, SystemTime::now()).await);
                Err(fail(why))
            }
        }
    }

    async fn claim_first(
        &self,
        call: &Call<Caller>,
        served: &Served,
        kind: &str,
        ids: Vec<String>,
        terms: &Terms,
    ) -> Result<ClaimedLease, Failure> {
        let claim = self.lease_claim(call, served, kind, ids, terms);
        let now = SystemTime::now();
        let claimed = self.store().await?.claim_lease(claim, now).await;
        claimed.map_err(|error| refused(&error, now))
    }

    fn lease_claim(
        &self,
        call: &Call<Caller>,
        served: &Served,
        kind: &str,
        ids: Vec<String>,
        terms: &Terms,
    ) -> LeaseClaim {
        LeaseClaim {
            connector: served.name.clone(),
            kind: kind.to_owned(),
            ids,
            caller: call.caller.name().to_owned(),
            holder: terms.holder.clone(),
            life: terms.life,
            note: terms.note.clone(),
        }
    }

    /// The connector of a claim, which must be open for writing.
    fn served(
        &self,
        call: &Call<Caller>,
        arguments: &mut Map<String, Value>,
    ) -> Result<&Served, Failure> {
        let named = taken(arguments, "connector");
        let names = || {
            let names: Vec<&str> = self
                .served
                .iter()
                .map(|served| served.name.as_str())
                .collect();
            names.join(", ")
        };
        let served = match (&named, self.served.as_slice()) {
            (None, [only]) => only,
            (None, _) => {
                return Err(fail(format!(
                    "Of which `connector`? There are {}.",
                    names()
                )));
            }
            (Some(named), all) => {
                all.iter()
                    .find(|served| served.name == *named)
                    .ok_or_else(|| {
                        fail(format!(
                            "There is no connector {named:?} here; there are {}.",
                            names()
                        ))
                    })?
            }
        };
        gate::check_caller(*call.caller, ToolEffect::Write, "claim")?;
        if !served.gate.opens_any() {
            return Err(fail(format!(
                "Nothing may be written on {}, so there is nothing to claim: the operator opens that by starting footbridge with {}.",
                served.name,
                served.gate.switch_for(ToolEffect::Write)
            )));
        }
        Ok(served)
    }

    /// The name under which the endpoint has a tool that only reads.
    fn list_tool(&self, served: &Served, name: &str) -> Result<String, Failure> {
        let names = &self.parts.names;
        let mut tools = served.backend.connector().tools().iter();
        let tool = tools.find(|tool| {
            tool.name == name
                || names.published(&served.name, &tool.name) == name
                || tool.aliases.iter().any(|alias| alias == name)
        });
        match tool {
            Some(tool) if tool.effect == ToolEffect::Read => {
                Ok(names.published(&served.name, &tool.name))
            }
            Some(tool) => Err(fail(format!(
                "{} lists nothing: it changes things.",
                tool.name
            ))),
            None => Err(fail(format!("{} has no tool {name:?}.", served.name))),
        }
    }

    /// One page of a list as whoever claims may read it, as its records' ids.
    async fn page(
        &self,
        call: &Call<Caller>,
        tool: &str,
        mut arguments: Map<String, Value>,
        cursor: Option<Value>,
    ) -> Result<ListedPage, Failure> {
        if let Some(cursor) = cursor {
            arguments.insert(CURSOR.to_owned(), cursor);
        }
        let endpoint = self.endpoint.get()?;
        let (caller, composed) = (Arc::clone(&call.caller), ComposedCall::default());
        let called = endpoint.call_with(tool, Value::Object(arguments), caller, composed);
        let mut output = called.await.map_err(|error| fail(error.to_string()))?;
        let shown = match output.take_extension::<CallEnd>() {
            Some(end) => end.for_person().map(|answer| answer.text),
            None => Err(output.first_text().unwrap_or_default().to_owned()),
        };
        let shown = shown.map_err(|why| fail(format!("{tool}: {why}")))?;
        let page = serde_json::from_str(&shown).ok().and_then(ListedPage::of);
        page.ok_or_else(|| {
            fail(format!(
                "{tool} gives no list of records with an id, so nothing can be claimed from it."
            ))
        })
    }

    /// Whether the list still shows a record, somewhere.
    async fn still_lists(
        &self,
        call: &Call<Caller>,
        tool: &str,
        arguments: &Map<String, Value>,
        claimed: &ClaimedLease,
    ) -> Result<bool, Failure> {
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let page = self.page(call, tool, arguments.clone(), cursor.take());
            let ListedPage { ids, next } = page.await?;
            if ids.contains(&claimed.lease.record.id) {
                return Ok(true);
            }
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok(false),
            }
        }
        Ok(false)
    }
}

/// Looks whether there is such a record; what people call it.
async fn read(served: &Served, kind: &str, id: &str) -> Result<Option<String>, String> {
    let current = served.backend.read_image(kind, id).await;
    let current = current.map_err(|error| error.message().to_owned())?;
    match current.now {
        RecordNow::Found { .. } => Ok(current.name),
        RecordNow::Gone => Err(format!("There is no {kind} {id} on {}.", served.name)),
        RecordNow::Unread { why } => Err(format!("{kind} {id} cannot be read: {why}.")),
    }
}

fn check_kind(served: &Served, kind: &str) -> Result<(), Failure> {
    let connector = served.backend.connector();
    match connector.records().find(|known| known.name == kind) {
        Some(RecordKind {
            part_of: Some(whole),
            ..
        }) => {
            return Err(fail(format!(
                "{kind} is a part of {whole}, of the same id: claim {whole}:ID."
            )));
        }
        Some(_) => return Ok(()),
        None => {}
    }
    let kinds: Vec<&str> = connector
        .records()
        .filter(|known| known.part_of.is_none())
        .map(|known| known.name.as_str())
        .collect();
    Err(fail(match kinds.as_slice() {
        [] => format!("{} has no records that can be claimed.", served.name),
        kinds => format!(
            "{} has no records of the kind {kind:?}; there are: {}.",
            served.name,
            kinds.join(", ")
        ),
    }))
}

fn terms(call: &Call<Caller>, arguments: &mut Map<String, Value>) -> Terms {
    let minutes = arguments
        .remove("minutes")
        .and_then(|minutes| minutes.as_u64());
    let holder = taken(arguments, "as");
    let holder = holder
        .or_else(|| call.client().name().map(str::to_owned))
        .unwrap_or_else(|| format!("a client over {}", call.caller.door()));
    let holder = holder.chars().filter(|c| !c.is_control());
    Terms {
        holder: holder.take(HOLDER_CHARACTERS).collect(),
        life: Duration::from_secs(60 * minutes.unwrap_or(MINUTES)),
        note: taken(arguments, "note"),
    }
}

/// A text argument; an empty one is none.
fn taken(arguments: &mut Map<String, Value>, name: &str) -> Option<String> {
    match arguments.remove(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}

fn refused(error: &LeaseError, now: SystemTime) -> Failure {
    fail(match error {
        LeaseError::Held(lease) => format!("{}.", held_by(lease, None, now)),
        LeaseError::Ended => "The lease of this token ended: claim the record again.".to_owned(),
        LeaseError::TooMany { most, .. } => format!(
            "{most} records are claimed over this door already, as many as may be: release one, or wait until one ends."
        ),
        other => format!("Nothing was claimed: {other}."),
    })
}

fn lease_members(served: &Served, lease: &Lease, now: SystemTime) -> JsonObject {
    let connector = Some(served.name.as_str());
    JsonObject::default()
        .with_some("connector", connector)
        .with(
            "record",
            format!("{}:{}", lease.record.kind, lease.record.id),
        )
        .with("until", clock(&lease.until, now))
}

fn answer(served: &Served, claimed: &ClaimedLease, name: Option<&str>) -> ToolResult {
    let now = SystemTime::now();
    let before = claimed.before.as_ref().and_then(|before| {
        // what another agent left is a stranger's word
        let note = footbridge_connector::fence(before.note.as_deref()?);
        Some(json!({ "by": before.holder, "note": note }))
    });
    let shown = lease_members(served, &claimed.lease, now)
        .with_some("name", name.map(|name| served.backend.fenced(name)))
        .with(ARGUMENT, claimed.token.expose_secret())
        .with_some("hand_over", before);
    json_answer(&shown.into())
}

fn json_answer(shown: &Value) -> ToolResult {
    Ok(Output::text(to_raw_value(shown)?.get()))
}
