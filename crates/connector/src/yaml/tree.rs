//! A YAML file as a tree in which everything has its place, the same of JSON without places, and
//! such a tree read as a type. Knows no keys.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Value};

use crate::place::{Place, Placed};

/// One value of the tree.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Leaf(Value),
    List(Vec<Placed<Node>>),
    Map(Vec<(Placed<String>, Placed<Node>)>),
}

impl Node {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Leaf(value) => value.clone(),
            Self::List(list) => list.iter().map(|node| node.value.json()).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, node)| (key.value.clone(), node.value.json()))
                .collect(),
        }
    }

    /// A value that nobody wrote, standing at a place.
    pub(super) fn made(value: &Value, place: Place) -> Placed<Self> {
        let node = match value {
            Value::Array(list) => {
                Self::List(list.iter().map(|value| Self::made(value, place)).collect())
            }
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| {
                    (
                        Placed {
                            value: key.clone(),
                            place,
                        },
                        Self::made(value, place),
                    )
                };
                Self::Map(map.iter().map(entry).collect())
            }
            other => Self::Leaf(other.clone()),
        };
        Placed { value: node, place }
    }
}

impl Placed<Node> {
    /// The place of the value at `path`, or of its key `key`.
    pub(super) fn at(&self, path: &[String], key: Option<&String>) -> Place {
        let Some((step, rest)) = path.split_first() else {
            return match (&self.value, key) {
                (Node::Map(map), Some(key)) => map
                    .iter()
                    .find(|(k, _)| &k.value == key)
                    .map_or(self.place, |(k, _)| k.place),
                _ => self.place,
            };
        };
        let next = match &self.value {
            Node::Map(map) => map
                .iter()
                .find(|(k, _)| &k.value == step)
                .map(|(_, node)| node),
            Node::List(list) => step.parse().ok().and_then(|index: usize| list.get(index)),
            Node::Leaf(_) => None,
        };
        next.map_or(self.place, |node| node.at(rest, key))
    }

    pub(super) fn at_mut(&mut self, path: &[String]) -> Option<&mut Self> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self);
        };
        let next = match &mut self.value {
            Node::Map(map) => map
                .iter_mut()
                .find(|(key, _)| key.value == *step)
                .map(|(_, node)| node),
            Node::List(list) => step
                .parse()
                .ok()
                .and_then(|index: usize| list.get_mut(index)),
            Node::Leaf(_) => None,
        };
        next?.at_mut(rest)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor(|node| node, |key| key))
    }
}

/// A tree of what has no places.
struct Unplaced(Node);

impl<'de> Deserialize<'de> for Unplaced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = |Self(value)| Placed::unknown(value);
        let visitor = NodeVisitor(node, Placed::<String>::unknown);
        deserializer.deserialize_any(visitor).map(Self)
    }
}

/// Reads a node; its parts are read as `P` and its keys as `K`.
struct NodeVisitor<P, K>(fn(P) -> Placed<Node>, fn(K) -> Placed<String>);

impl<'de, P: Deserialize<'de>, K: Deserialize<'de>> Visitor<'de> for NodeVisitor<P, K> {
    type Value = Node;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }
    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(part) = seq.next_element()? {
            list.push(self.0(part));
        }
        Ok(Node::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key()? {
            entries.push((self.1(key), self.0(map.next_value()?)));
        }
        Ok(Node::Map(entries))
    }
}

/// The tree of JSON, without places.
pub(super) fn of_json(text: &str) -> Result<Placed<Node>, Error> {
    serde_json::from_str(text).map(|Unplaced(node)| Placed::unknown(node))
}

/// The tree as a type of our own, each value at the place that it has in the tree.
pub(super) fn read<T: serde::de::DeserializeOwned>(tree: Placed<Node>) -> Result<T, Error> {
    T::deserialize(NodeReader(tree))
}

/// Gives a node to serde. Asked for a [`serde_saphyr::Spanned`], it gives the node with its place,
/// in the form in which that type's own reader gives it.
struct NodeReader(Placed<Node>);

/// How `serde_saphyr` marks a value that comes with its place.
const SPANNED: [&str; 4] = [
    "__serde_saphyr_private_spanned",
    "value",
    "referenced",
    "defined",
];

impl<'de> Deserializer<'de> for NodeReader {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.value {
            Node::Leaf(value) => value.deserialize_any(visitor),
            Node::List(list) => visitor.visit_seq(SequenceNodes(list.into_iter())),
            Node::Map(map) => visitor.visit_map(MappingNodes {
                rest: map.into_iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if matches!(self.0.value, Node::Leaf(Value::Null)) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = match self.0.value {
            Node::Leaf(value) => value,
            longer => longer.json(),
        };
        value.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let with_place = WithPlace {
            place: self.0.place,
            node: Some(self),
            next: SPANNED.iter(),
            at: "",
        };
        visitor.visit_newtype_struct(MapAccessDeserializer::new(with_place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct SequenceNodes(std::vec::IntoIter<Placed<Node>>);

impl<'de> SeqAccess<'de> for SequenceNodes {
    type Error = Error;
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let node = self.0.next();
        node.map(|node| seed.deserialize(NodeReader(node)))
            .transpose()
    }
}

struct MappingNodes {
    rest: std::vec::IntoIter<(Placed<String>, Placed<Node>)>,
    value: Option<Placed<Node>>,
}

impl<'de> MapAccess<'de> for MappingNodes {
    type Error = Error;
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(NodeReader(Placed {
            value: Node::Leaf(key.value.into()),
            place: key.place,
        }))
        .map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(node) => seed.deserialize(NodeReader(node)),
            None => seed.deserialize(Value::Null),
        }
    }
}

struct WithPlace {
    node: Option<NodeReader>,
    place: Place,
    next: std::slice::Iter<'static, &'static str>,
    at: &'static str,
}

impl<'de> MapAccess<'de> for WithPlace {
    type Error = Error;
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(key) = self.next.next() else {
            return Ok(None);
        };
        self.at = key;
        let key: StrDeserializer<'static, Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match (self.at, self.node.take()) {
            ("value", Some(node)) => seed.deserialize(node),
            ("referenced" | "defined", _) => {
                let place = [("line", self.place.line), ("column", self.place.column)];
                seed.deserialize(MapDeserializer::new(place.into_iter()))
            }
            (_, node) => {
                self.node = node;
                seed.deserialize(Value::Bool(true))
            }
        }
    }
}
