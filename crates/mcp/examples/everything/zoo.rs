//! The fixture's zoo: every kind of type that serde and schemars can say, as argument and as output.
//! What is called with what, and what comes back, stands in `zoo.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use footbridge_mcp::{Call, Failure, Json, Run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Place {
    street: String,
    floor: Option<i32>,
}

/// A pace.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Pace {
    /// As it comes.
    Slow,
    Fast,
}

/// A shape, by its kind.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Inside {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
enum Beside {
    Number(u32),
    Nothing,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
enum Outside {
    Text(String),
    Plain,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Newtype(u16);

/// Keep every kind of value.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub(crate) struct ZooKeep {
    text: String,
    letter: char,
    whole: i64,
    small: NonZeroU8,
    number: f64,
    yes: bool,
    maybe: Option<String>,
    list: Vec<u32>,
    set: BTreeSet<String>,
    by_name: BTreeMap<String, Place>,
    by_number: BTreeMap<u32, String>,
    pair: (u8, String),
    place: Place,
    pace: Pace,
    maybe_pace: Option<Pace>,
    inside: Inside,
    beside: Vec<Beside>,
    outside: Vec<Outside>,
    either: Vec<Either>,
    tree: Option<Tree>,
    new: Newtype,
    any: Value,
}

impl<C: Send + Sync + 'static> Run<C> for ZooKeep {
    type Output = Json<Self>;

    async fn run(self, _: &Call<C>) -> Result<Json<Self>, Failure> {
        Ok(Json(self))
    }
}

impl<C: Send + Sync + 'static> Run<C> for Inside {
    type Output = Json<Vec<Inside>>;

    async fn run(self, _: &Call<C>) -> Result<Json<Vec<Inside>>, Failure> {
        Ok(Json(vec![self]))
    }
}
