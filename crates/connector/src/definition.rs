//! The connector file as written: types that only read. What they mean is settled by `compile`.

mod actions;
mod json_type;
mod lookups;
mod models;
mod one_or_more;
mod preflight;
mod prompts;
mod records;
mod resources;
mod search;
mod shapes;
mod text_or;
mod tools;
mod upstream;
mod views;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use actions::{ActionMethod, RestActionDefinition};
pub(crate) use json_type::JsonType;
pub(crate) use lookups::{Lookup, Source};
pub(crate) use models::{Field, ModelDefinition, ModelTitles};
pub use models::{FieldKind, ModelOperation};
pub(crate) use one_or_more::OneOrMore;
pub use preflight::Kind;
pub(crate) use preflight::{AtLeast, Preflight};
pub(crate) use prompts::PromptDefinition;
pub(crate) use records::{RecordField, RecordFields, RecordRules};
pub(crate) use resources::ResourceDefinition;
pub(crate) use search::{SearchDocument, SearchFind, SearchRules};
pub(crate) use shapes::{EachItem, Shape, Text};
pub use tools::ToolEffect;
pub(crate) use tools::{Answer, Argument, Body, Failures, Reading, Step, ToolDefinition};
pub(crate) use upstream::{Paging, PagingKind, UpstreamDefinition};
pub(crate) use views::{BoardColumnRules, OpenRules, ViewRules};

use crate::place::{Placed, Table};

/// A connector: one REST backend, described as data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    /// Version of this format; 1.
    pub(crate) format: Placed<u32>,
    /// Name of the connector.
    pub(crate) connector: Placed<String>,
    /// Name of the backend, for people and messages.
    pub(crate) title: String,
    /// Picture of the backend: an `https:` address, or `data:image/png;base64,…` of at most 1,024 bytes.
    pub(crate) icon: Option<Placed<String>>,
    /// What a model should know before it uses the tools; the first 512 characters stand alone.
    pub(crate) instructions: String,
    /// The line at `/` of a program that serves this connector alone, for whoever watches it.
    pub(crate) greeting: Option<String>,
    /// Values from outside, by the names users have.
    #[serde(default)]
    pub(crate) settings: Table<SettingDefinition>,
    /// The REST API.
    pub(crate) upstream: UpstreamDefinition,
    /// What lookups choose from: fetched once for each scope, kept for a while.
    #[serde(default)]
    pub(crate) sources: Table<Source>,
    /// Names people use → the ids that the API wants.
    #[serde(default)]
    pub(crate) lookups: Table<Lookup>,
    /// jq definitions that all filters share.
    #[serde(default)]
    pub(crate) defs: Option<Placed<String>>,
    /// Field tables: what is kept of a record, and what it means.
    #[serde(default)]
    pub(crate) shapes: Table<Shape>,
    /// Things of the backend that tools touch: what undoing needs to know of them.
    #[serde(default)]
    pub(crate) records: Table<RecordRules>,
    /// Which texts of records are data that nobody vouches for.
    #[serde(default)]
    pub(crate) text: Text,
    /// Groups of tools; false is not listed unless the operator turns it on.
    #[serde(default)]
    pub(crate) groups: Table<bool>,
    /// Tables of records; each makes up to five tools.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub(crate) models: Table<ModelDefinition>,
    /// Tools described one by one.
    #[serde(default)]
    pub(crate) tools: Vec<ToolDefinition>,
    /// How pages show what tools give; a list without one is a table, an object a record.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub(crate) views: Table<ViewRules>,
    /// What a client may read by an address.
    #[serde(default)]
    pub(crate) resources: Vec<ResourceDefinition>,
    /// Messages that a person picks to begin with.
    #[serde(default)]
    pub(crate) prompts: Vec<PromptDefinition>,
    /// Calls of tools under REST paths of their own.
    #[serde(default)]
    pub(crate) actions: Table<RestActionDefinition>,
    /// How records take part in `search` and `fetch`, which are over everything that is served.
    pub(crate) search: Option<Placed<SearchRules>>,
}

/// A value from outside: a variable, a file or the settings file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Setting")]
pub(crate) struct SettingDefinition {
    /// Kind of value.
    #[serde(default, rename = "is")]
    pub(crate) kind: SettingKind,
    /// Used when nothing is set.
    pub(crate) default: Option<Placed<Value>>,
    /// Without it nothing can be called.
    #[serde(default)]
    pub(crate) required: bool,
    /// Never printed; only headers and the login see it; may also come from the file that
    /// `NAME_FILE` names.
    #[serde(default)]
    pub(crate) secret: bool,
    /// Appended to the value unless it ends so; slashes at the end are cut first.
    pub(crate) ensure_suffix: Option<Placed<String>>,
    /// The words that a choice may be, whatever their case.
    #[serde(default)]
    pub(crate) choices: Vec<String>,
    /// Least whole number.
    pub(crate) minimum: Option<Placed<i64>>,
    /// Greatest whole number.
    pub(crate) maximum: Option<Placed<i64>>,
    /// Set only together with this other setting.
    #[serde(rename = "with")]
    pub(crate) partner: Option<Placed<String>>,
    /// Need not be set when this other setting is.
    pub(crate) unless: Option<Placed<String>>,
    /// What of the program it decides, beside where filters and templates use it.
    pub(crate) decides: Option<Placed<Decides>>,
    /// `footbridge login` asks for it, and nothing else gives it: neither a variable nor a file. It
    /// is not kept.
    #[serde(default)]
    pub(crate) asked: bool,
    /// What it is for.
    pub(crate) description: Option<String>,
}

/// Kind of a setting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// Any text.
    #[default]
    Text,
    /// An `http` or `https` address.
    Url,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of a few words.
    Choice,
}

/// What of the program a setting decides. Each of these has one setting at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decides {
    /// `true` or `false`, with a default: false opens the tools that write, as `--allow write`
    /// does.
    ReadOnly,
    /// A choice of `DEBUG`, `INFO`, `WARNING`, `ERROR` and `CRITICAL`: how much is logged when
    /// nothing else says it.
    LogLevel,
    /// `true` or `false`, with a default: false never asks `cloudflared` for a token of Cloudflare
    /// Access.
    Cloudflared,
}

impl Decides {
    /// The name that a file gives it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::LogLevel => "log_level",
            Self::Cloudflared => "cloudflared",
        }
    }
}

/// The JSON Schema of a connector file (`connectors/schema.json`), for editors and for the
/// structural check.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Definition).to_value();
    join_lines(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), "Footbridge connector".into());
    }
    schema
}

/// Descriptions come from comments, which are wrapped: a line's end inside a paragraph is a space.
fn join_lines(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "description" => {
                        let paragraphs = text.split("\n\n").map(|text| text.replace('\n', " "));
                        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
                    }
                    value => join_lines(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(join_lines),
        _ => {}
    }
}
