//! The journal of the local board: rows that are written at `/xapi2` as changes, with what undoing
//! them needs, as if a tool had written them.

mod held;

use std::collections::BTreeMap;

use footbridge_board::{RowJournal, RowOperation, RowWrite};
use footbridge_connector::{Connector, FieldKind, Image, Model, ToolEffect, Touch};
use footbridge_store::{AccountId, ChangedRecord, NewChange, Record};
use serde_json::{Map, Value};

use crate::audit_trail::AuditedRow;
use crate::call_keys::fingerprint;
use crate::caller::account_name;
use crate::gate::effect_word;
use crate::shortened;

pub(crate) use held::BoardBrakes;

/// The door of these writes.
const DOOR: &str = "xapi2";
/// Characters of what a client calls itself.
const CLIENT_CHARACTERS: usize = 100;

/// What makes a change of a row that is written.
#[derive(Debug)]
pub(crate) struct BoardJournal {
    connector: String,
    address: String,
    /// The identity of the board's backend, which acts as the local account.
    identity: String,
    models: BTreeMap<String, JournalModel>,
}

/// What is kept of the rows of a model.
#[derive(Debug)]
struct JournalModel {
    /// The fields that may be put back.
    fields: Vec<String>,
    /// Those that only a create takes.
    extra: Vec<String>,
    /// The field that people know a row by.
    name: Option<String>,
    /// The tools that do the same as a create, an update and a delete.
    tools: [Option<String>; 3],
}

impl BoardJournal {
    /// The journal of the rows of this connector's models.
    pub(crate) fn new(name: &str, address: &str, identity: String, connector: &Connector) -> Self {
        let models = connector
            .models()
            .map(|model| (model.name.clone(), JournalModel::new(model, connector)));
        Self {
            connector: name.to_owned(),
            address: address.to_owned(),
            identity,
            models: models.collect(),
        }
    }

    /// A write at `/xapi2`, as the audit names it.
    pub(crate) fn refused<'a>(&'a self, tool: &'a str, client: Option<&'a str>) -> AuditedRow<'a> {
        AuditedRow {
            door: DOOR,
            caller: None,
            client,
            connector: &self.connector,
            tool,
        }
    }

    /// The tool that does the same to the rows of a model.
    pub(crate) fn tool(&self, model: &str, operation: RowOperation) -> Option<&str> {
        let tool = self.models.get(model)?.tool(operation);
        tool.map(String::as_str)
    }

    /// Its name, or what stands for it on record where there is none.
    pub(crate) fn tool_name(&self, model: &str, operation: RowOperation) -> String {
        let verb = match operation {
            RowOperation::Delete => "DELETE",
            RowOperation::Update => "PATCH",
            _ => "POST",
        };
        let tool = self.tool(model, operation);
        tool.map_or_else(|| format!("{verb} {model}"), str::to_owned)
    }
}

impl JournalModel {
    fn new(model: &Model, connector: &Connector) -> Self {
        let extra = model.create.iter();
        let extra = extra.filter(|name| !model.update.contains(name));
        let mut fields = model.fields.iter();
        let name = fields.find(|field| field.kind == FieldKind::String && field.is_required);
        let tool = |touch: Touch| {
            let mut tools = connector.tools().iter();
            let found = tools.find(|tool| {
                let touches = tool.undoing().map(|undoing| undoing.touches.as_slice());
                touches == Some(&[(touch, model.name.clone())])
            });
            found.map(|tool| tool.name.clone())
        };
        Self {
            fields: model.update.clone(),
            extra: extra.cloned().collect(),
            name: name.map(|field| field.name.clone()),
            tools: [Touch::Makes, Touch::Changes, Touch::Deletes].map(tool),
        }
    }

    fn tool(&self, operation: RowOperation) -> Option<&String> {
        let [create, update, delete] = &self.tools;
        match operation {
            RowOperation::Create => create.as_ref(),
            RowOperation::Update => update.as_ref(),
            RowOperation::Delete => delete.as_ref(),
            RowOperation::List | RowOperation::Read => None,
        }
    }

    /// The image of a row, as the connector makes one of what it reads.
    fn image(&self, record: &Record, is_whole: bool) -> Result<Image, String> {
        let data: Map<String, Value> = serde_json::from_str(&record.data)
            .map_err(|error| format!("its fields cannot be read: {error}"))?;
        let extra = self.extra.iter().filter(|_| is_whole);
        let fields = self.fields.iter().chain(extra);
        let fields = fields.map(|name| {
            let value = data.get(name).cloned().unwrap_or_default();
            (name.clone(), value)
        });
        let version = Some(Value::from(record.updated_at.as_str()));
        let image = Image::new(fields, version);
        image.check_size().map_err(|why| format!("it {why}"))?;
        Ok(image)
    }

    fn name(&self, record: &Record) -> Option<String> {
        let data: Map<String, Value> = serde_json::from_str(&record.data).ok()?;
        Some(data.get(self.name.as_ref()?)?.as_str()?.to_owned())
    }

    fn changed(&self, write: &RowWrite<'_>) -> Option<ChangedRecord> {
        let known = write.after.or(write.before)?;
        let is_whole = write.after.is_none();
        let mut changed = ChangedRecord {
            kind: write.model.to_owned(),
            id: known.id.to_string(),
            name: self.name(known),
            version: Some(Value::from(known.updated_at.as_str()).to_string()),
            ..ChangedRecord::default()
        };
        let mut image = |record: Option<&Record>| match self.image(record?, is_whole) {
            Ok(image) => serde_json::to_string(&image).ok(),
            Err(why) => {
                changed.without_image = Some(why);
                None
            }
        };
        let (before, after) = (image(write.before), image(write.after));
        (changed.before, changed.after) = (before, after);
        Some(changed)
    }
}

impl RowJournal for BoardJournal {
    fn change(&self, write: &RowWrite<'_>) -> NewChange {
        let model = self.models.get(write.model);
        let effect = match write.operation {
            RowOperation::Delete => ToolEffect::Destroy,
            _ => ToolEffect::Write,
        };
        let mut arguments = write.sent.clone();
        if let Some(record) = write.before {
            arguments.shift_insert(0, "id".to_owned(), Value::from(record.id.to_string()));
        }
        NewChange {
            door: DOOR.to_owned(),
            caller: account_name(write.account_name),
            client: write
                .client
                .map(|client| client.chars().take(CLIENT_CHARACTERS).collect()),
            connector: self.connector.clone(),
            address: self.address.clone(),
            account: Some(account(&self.identity, write.account_id)),
            tool: self.tool_name(write.model, write.operation),
            effect: effect_word(effect).to_owned(),
            arguments: shortened::arguments(&arguments),
            fingerprint: fingerprint(&arguments),
            records: model
                .and_then(|model| model.changed(write))
                .into_iter()
                .collect(),
            ..NewChange::default()
        }
    }
}

/// As whom the board knows an account: the local one is whom its tools act as.
pub(crate) fn account(identity: &str, account_id: AccountId) -> String {
    match account_id == AccountId::local() {
        true => identity.to_owned(),
        false => format!("{identity} {account_id}"),
    }
}

/// The other account of the board that a change was made as; none for anything else.
pub(crate) fn other_account(identity: &str, account: &str) -> Option<AccountId> {
    AccountId::parse(account.strip_prefix(identity)?.strip_prefix(' ')?)
}
