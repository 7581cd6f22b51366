//! The records that a call touches: read before its first request that writes, told to whoever
//! records the call, and read back after it. Without a witness nothing of this happens.

use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use jaq_json::Val;
use serde_json::Value;

use super::Inner;
use super::image::{self, ImageScope, Pictured, RecordFound};
use super::record_turns::RecordTurn;
use super::values::Held;
use crate::connector::{FieldsPlan, RecordPlan};
use crate::failure::BackendError;
use crate::jq;
use crate::planner::{FieldValues, Image, NotTaken, read_back};
use crate::touched::{Touch, TouchedRecord};
use crate::upstream::BoxFuture;

/// Records that one call may touch.
pub(super) const MAX_TOUCHED: usize = 200;
/// Requests that a call may send beside its own, to read what it touches.
pub(super) const READS: usize = 2 * MAX_TOUCHED;

/// Whoever records writes.
pub trait WriteWitness: Send + Sync {
    /// Awaited immediately before the first request of a call that writes, with the records that it
    /// is about to touch; with none where the connector file names none. A refusal ends the call
    /// with nothing sent, and is what the caller reads.
    fn begin<'w>(&'w self, touched: &'w [TouchedRecord]) -> BoxFuture<'w, Result<(), String>>;
}

/// A record that a call is going to touch; without an id, one that it makes.
pub(super) struct WantedTouch {
    /// Place of its kind among those of the connector.
    pub(super) record: usize,
    pub(super) touch: Touch,
    pub(super) id: Option<String>,
    /// The step that makes it.
    pub(super) step: usize,
    /// The id of the deleted one in whose place it is made.
    pub(super) instead_of: Option<String>,
}

/// A request that writes.
#[derive(Clone, Copy)]
pub(super) struct Sending<'s> {
    /// The step that sends it, from 1.
    pub(super) step: usize,
    pub(super) method: &'s Method,
    pub(super) path: &'s str,
    pub(super) body: Option<&'s Val>,
}

/// How a call ended, as far as what it touched is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFate {
    Well,
    /// A part was done, and the rest was not.
    HalfWay,
    /// Whether the last request was carried out is not known, nor can the backend be asked.
    Unknown,
}

/// The records of one call.
pub(super) struct Touching {
    witness: Arc<dyn WriteWitness>,
    has_begun: bool,
    entries: Vec<TouchEntry>,
    /// Until it is known what became of them, nobody else writes to these records.
    turn: RecordTurn,
    /// What was read since the last request that wrote, by path.
    reads: Mutex<Vec<(String, Held)>>,
}

struct TouchEntry {
    plan: usize,
    /// The step that makes it.
    step: usize,
    told: TouchedRecord,
    /// The paths of its own requests.
    get: Option<String>,
    change: Option<String>,
    delete: Option<String>,
    /// What the backend said of it last, if nothing was written since that it may not show.
    answer: Option<Held>,
    /// Its own request was answered well.
    is_done: bool,
    /// Its own request was sent, and not refused.
    is_sent: bool,
}

impl Touching {
    pub(super) fn new(witness: &Arc<dyn WriteWitness>) -> Self {
        Self {
            witness: Arc::clone(witness),
            has_begun: false,
            entries: Vec::new(),
            turn: RecordTurn::default(),
            reads: Mutex::default(),
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Something was read whole.
    pub(super) fn saw(&self, path: &str, held: &Held) {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.push((path.to_owned(), held.clone()));
    }

    fn read_before(&self, path: &str) -> Option<Held> {
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let found = reads.iter().rev().find(|(known, _)| known == path);
        found.map(|(_, held)| held.clone())
    }

    /// Before the first request that writes: reads what it touches, and tells the witness.
    pub(super) async fn begin(
        &mut self,
        inner: &Arc<Inner>,
        wanted: Vec<WantedTouch>,
        first: Sending<'_>,
    ) -> Result<(), BackendError> {
        let records = wanted.iter().filter_map(|wanted| {
            let plan = inner.compiled().records.get(wanted.record)?;
            let id = wanted.id.as_ref()?;
            Some(image::reference(inner, plan, id).to_string())
        });
        self.turn = inner.turns.take(records).await;
        if self.turn.has_waited {
            // what was read before is of another time
            let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
            reads.clear();
        }
        for wanted in wanted {
            let entry = self.entry(inner, wanted).await?;
            self.entries.extend(entry);
        }
        self.sends(inner, first)?;
        let touched_records: Vec<TouchedRecord> = self
            .entries
            .iter()
            .map(|entry| entry.told.clone())
            .collect();
        self.witness.begin(&touched_records).await.map_err(|why| {
            BackendError::ours(
                why,
                "whoever records writes refused this one; nothing was sent",
            )
        })?;
        self.has_begun = true;
        Ok(())
    }

    async fn entry(
        &self,
        inner: &Arc<Inner>,
        wanted: WantedTouch,
    ) -> Result<Option<TouchEntry>, BackendError> {
        let Some(plan) = inner.compiled().records.get(wanted.record) else {
            return Ok(None);
        };
        let id = wanted.id.unwrap_or_default();
        let mut entry = TouchEntry {
            plan: wanted.record,
            step: wanted.step,
            told: TouchedRecord {
                record: image::reference(inner, plan, &id),
                name: None,
                touch: wanted.touch,
                before: None,
                after: None,
                sent: FieldValues::new(),
                not_taken: Vec::new(),
                instead_of: wanted
                    .instead_of
                    .map(|id| image::reference(inner, plan, &id)),
                not_kept: None,
            },
            get: None,
            change: None,
            delete: None,
            answer: None,
            is_done: false,
            is_sent: false,
        };
        if wanted.touch == Touch::Makes {
            return Ok(Some(entry));
        }
        let path = |request| image::path_of(inner, request, &id);
        let get = path(&plan.get)?;
        entry.change = plan.change.as_ref().map(path).transpose()?;
        entry.delete = plan.delete.as_ref().map(path).transpose()?;
        let found = match self.read_before(&get) {
            Some(held) if held.is_nothing() => Ok(RecordFound::Gone),
            Some(held) => Ok(RecordFound::There(held)),
            None => image::read(inner, plan, &id).await,
        };
        entry.get = Some(get);
        match found {
            Ok(RecordFound::There(held)) => entry.is_before(inner, plan, &held).await?,
            Ok(RecordFound::Gone) => {
                entry.told.not_kept = Some("it was not there before the change".to_owned());
            }
            Err(error) => {
                let why = error.for_people();
                entry.told.not_kept = Some(format!("it could not be read before: {why}"));
            }
        }
        Ok(Some(entry))
    }

    /// A request that writes is about to be sent.
    pub(super) fn sends(
        &mut self,
        inner: &Inner,
        sending: Sending<'_>,
    ) -> Result<(), BackendError> {
        self.reads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let mut again = None;
        for entry in &mut self.entries {
            let Some(plan) = inner.compiled().records.get(entry.plan) else {
                continue;
            };
            let is_made_again = entry.told.touch == Touch::Makes && entry.is_done;
            if is_made_again && entry.step == sending.step {
                again = Some(entry.another(inner, plan));
            } else if entry.is_of(sending) && !is_made_again {
                let sent = sent_values(plan, sending.body, entry.told.before.as_ref())?;
                entry.told.sent.extend(sent);
                entry.is_sent = true;
            }
        }
        if let Some(mut entry) = again {
            if let Some(plan) = inner.compiled().records.get(entry.plan) {
                entry.told.sent = sent_values(plan, sending.body, None)?;
                entry.is_sent = true;
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    /// It was refused, so it changed nothing.
    pub(super) fn refused(&mut self, sending: Sending<'_>) {
        for entry in &mut self.entries {
            if !entry.is_done && entry.is_of(sending) {
                entry.is_sent = false;
            }
        }
    }

    /// It was answered well.
    pub(super) fn wrote(&mut self, sending: Sending<'_>, held: &Held) {
        let mut is_known = false;
        for entry in &mut self.entries {
            let is_made = entry.told.touch == Touch::Makes && entry.is_done;
            if entry.is_of(sending) && !is_made {
                entry.is_done = true;
                entry.answer = Some(held.clone()).filter(|held| !held.is_nothing());
                is_known = true;
            }
        }
        if is_known {
            return;
        }
        // what it changed is not known, so what was answered before may be out of date; the ids of
        // what was made stay
        for entry in &mut self.entries {
            if entry.told.touch == Touch::Changes {
                entry.answer = None;
            }
        }
    }

    /// A record was read again before the change was made once more over it.
    pub(super) async fn read_again(
        &mut self,
        inner: &Arc<Inner>,
        path: &str,
        held: &Held,
    ) -> Result<(), BackendError> {
        for entry in &mut self.entries {
            let plan = inner.compiled().records.get(entry.plan);
            if let Some(plan) = plan.filter(|_| entry.get.as_deref() == Some(path)) {
                entry.is_before(inner, plan, held).await?;
            }
        }
        Ok(())
    }

    /// What became of them.
    pub(super) async fn finish(
        mut self,
        inner: &Arc<Inner>,
        ended: CallFate,
    ) -> Vec<TouchedRecord> {
        let entries = std::mem::take(&mut self.entries);
        let mut touched = Vec::new();
        for mut entry in entries {
            let is_left = !entry.is_done && entry.told.touch != Touch::Changes;
            // of several kinds a call makes one, and of many some may be refused
            let is_none = entry.told.touch == Touch::Makes && !entry.is_sent;
            if is_left && (ended == CallFate::HalfWay || (ended == CallFate::Well && is_none)) {
                continue;
            }
            let latest = entry.get.as_deref().and_then(|path| self.read_before(path));
            if let Some(held) = latest.filter(|held| !held.is_nothing()) {
                entry.answer = Some(held);
            }
            if let Err(error) = entry.finish(inner, ended).await {
                tell_why(&mut entry.told, &error);
            }
            touched.push(entry.told);
        }
        touched
    }
}

/// What it is after is not known for this reason, which undoing a record that was made cannot do
/// without.
fn tell_why(record: &mut TouchedRecord, error: &BackendError) {
    if record.touch == Touch::Makes && record.record.id.is_empty() {
        record.not_kept = Some(format!("its id is not known: {}", error.for_people()));
    }
}

impl TouchEntry {
    /// The request is this record's own.
    fn is_of(&self, sending: Sending<'_>) -> bool {
        match self.told.touch {
            Touch::Makes => self.step == sending.step && *sending.method == Method::POST,
            Touch::Changes => {
                let paths = [&self.change, &self.get];
                let is_path = |path: &&Option<String>| path.as_deref() == Some(sending.path);
                *sending.method != Method::DELETE && paths.iter().any(is_path)
            }
            Touch::Deletes => {
                let path = self.delete.as_ref().or(self.get.as_ref());
                path.map(String::as_str) == Some(sending.path) && *sending.method == Method::DELETE
            }
        }
    }

    /// The same step makes another one.
    fn another(&self, inner: &Inner, plan: &RecordPlan) -> Self {
        Self {
            plan: self.plan,
            step: self.step,
            told: TouchedRecord {
                record: image::reference(inner, plan, ""),
                name: None,
                touch: Touch::Makes,
                before: None,
                after: None,
                sent: FieldValues::new(),
                not_taken: Vec::new(),
                instead_of: None,
                not_kept: None,
            },
            get: None,
            change: None,
            delete: None,
            answer: None,
            is_done: false,
            is_sent: false,
        }
    }

    async fn is_before(
        &mut self,
        inner: &Arc<Inner>,
        plan: &RecordPlan,
        held: &Held,
    ) -> Result<(), BackendError> {
        let scope = match self.told.touch {
            Touch::Deletes => ImageScope::Whole,
            Touch::Makes | Touch::Changes => ImageScope::Fields,
        };
        let Pictured { id, name, image } = match image::picture(inner, plan, held, scope).await {
            Ok(pictured) => pictured,
            Err(error) => {
                let why = format!("it has not the form that is expected: {}", error.message());
                self.told.not_kept = Some(why);
                return Ok(());
            }
        };
        if let Some(id) = id {
            self.told.record.id = id;
        }
        self.told.name = name;
        (self.told.before, self.told.not_kept) = match image {
            Ok(image) => (Some(image), None),
            Err(why) => (None, Some(why)),
        };
        Ok(())
    }

    /// Reads back what became of it.
    async fn finish(&mut self, inner: &Arc<Inner>, ended: CallFate) -> Result<(), BackendError> {
        let Some(plan) = inner.compiled().records.get(self.plan) else {
            return Ok(());
        };
        if self.told.touch == Touch::Deletes || self.told.not_kept.is_some() {
            return Ok(());
        }
        let answer = self.answer.take();
        if let Some(held) = &answer {
            let answered = image::picture(inner, plan, held, ImageScope::Fields).await;
            let answered = answered.ok();
            if self.told.touch == Touch::Makes {
                let id = answered.as_ref().and_then(|answered| answered.id.clone());
                self.told.record.id = id.unwrap_or_default();
            }
            if let Some(answered) =
                answered.filter(|_| matches!(image::is_whole(plan, held), Ok(true)))
            {
                self.is_after(plan, answered, AfterFrom::Answer);
                return Ok(());
            }
        }
        let id = self.told.record.id.clone();
        if ended == CallFate::Unknown {
            return Ok(());
        }
        if id.is_empty() {
            self.told.not_kept = Some("the backend did not say its id".to_owned());
            return Ok(());
        }
        if let RecordFound::There(held) = image::read(inner, plan, &id).await? {
            let now = image::picture(inner, plan, &held, ImageScope::Fields).await?;
            self.is_after(plan, now, AfterFrom::LaterRead);
        }
        Ok(())
    }

    fn is_after(&mut self, plan: &RecordPlan, now: Pictured, from: AfterFrom) {
        if now.name.is_some() {
            self.told.name = now.name;
        }
        match now.image {
            Ok(after) => {
                let is_own = self.is_done && self.told.touch == Touch::Changes;
                let from = match is_own && !self.told.sent.is_empty() {
                    true => from,
                    // what the requests of the call do to it, no body says
                    false => AfterFrom::OtherRequests,
                };
                note_after(plan, &mut self.told, after, from);
            }
            Err(why) => self.told.not_kept = Some(why),
        }
    }
}

/// How it is known what a record is after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterFrom {
    /// By the answer to the record's own request.
    Answer,
    /// It was read afterwards, and somebody may have been there before.
    LaterRead,
    /// By either, of a record that was changed by other requests than its own.
    OtherRequests,
}

/// Notes what a record is after a change. Between the looks before and after it, others may have
/// changed the record: what of it is theirs must not be taken for ours, which undoing would take
/// back.
pub(super) fn note_after(
    plan: &RecordPlan,
    record: &mut TouchedRecord,
    mut after: Image,
    from: AfterFrom,
) {
    let equality = image::traits(plan).equality;
    let mut not_taken = read_back(record.before.as_ref(), &record.sent, &after, &equality);
    not_taken.retain(is_told);
    record.not_taken = not_taken;
    if let Some(before) = record
        .before
        .as_mut()
        .filter(|_| from != AfterFrom::OtherRequests)
    {
        // a field that was not sent is as others left it
        before
            .fields
            .retain(|name, _| record.sent.contains_key(name) || after.fields.contains_key(name));
        for (name, value) in &after.fields {
            if !record.sent.contains_key(name) {
                before.fields.insert(name.clone(), value.clone());
            }
        }
        // one that was sent and is neither so nor as before was made so by the backend or by others
        if from == AfterFrom::LaterRead && !is_next(before, &after) {
            for (name, sent) in &record.sent {
                let (was, is) = (before.fields.get(name), after.fields.get(name));
                if equality.is_same(name, was, is) {
                    continue;
                }
                match sent {
                    Some(sent) => after.fields.insert(name.clone(), sent.clone()),
                    None => after.fields.remove(name),
                };
            }
        }
    }
    record.after = Some(after);
}

/// By its version, one image follows the other at once.
fn is_next(before: &Image, after: &Image) -> bool {
    let number = |image: &Image| image.version.as_ref().and_then(Value::as_i64);
    match (number(before), number(after)) {
        (Some(before), Some(after)) => before.checked_add(1) == Some(after),
        _ => false,
    }
}

/// A field that was not taken is worth telling: a backend may say nothing in more than one way.
pub(super) fn is_told(field: &NotTaken) -> bool {
    let says_nothing = |value: &Option<Value>| {
        value.as_ref().is_none_or(|value| {
            value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty)
        })
    };
    !(says_nothing(&field.sent) && says_nothing(&field.answered))
}

/// What a body says of a record's fields. What an open map had and the body has not is to be
/// absent.
pub(super) fn sent_values(
    plan: &RecordPlan,
    body: Option<&Val>,
    before: Option<&Image>,
) -> Result<FieldValues, BackendError> {
    let mut sent = FieldValues::new();
    let Some(body) = body else {
        return Ok(sent);
    };
    match &plan.fields {
        FieldsPlan::Listed(fields) => {
            for (name, _) in fields {
                if let Some(value) = jq::get(body, name) {
                    sent.insert(name.clone(), Some(image::to_value(value)?));
                }
            }
        }
        FieldsPlan::Open { name, .. } => {
            let Some(Val::Obj(map)) = jq::get(body, name) else {
                return Ok(sent);
            };
            for name in before.iter().flat_map(|image| image.fields.keys()) {
                sent.insert(name.clone(), None);
            }
            for (key, value) in map.iter().take(Image::MAX_FIELDS + 1) {
                let key = jq::text(key).unwrap_or_default().into_owned();
                sent.insert(key, Some(image::to_value(value)?));
            }
        }
    }
    Ok(sent)
}
