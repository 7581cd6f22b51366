//! A YAML file as a tree in which everything has its place, the same of JSON without places, and
//! such a tree read as a type. Knows no keys.

use std::fmt;
use std::ops::Range;

use serde::de::value::{StringDeserializer, U128Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::place::{PLACED, Place, Placed};

/// One value of the tree.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Leaf(Value),
    /// A number, or true or false, and the bytes of the file where that is written.
    Unquoted(Value, Range<usize>),
    List(Vec<Placed<Node>>),
    Map(Vec<(Placed<String>, Placed<Node>)>),
}

impl Node {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Leaf(value) | Self::Unquoted(value, _) => value.clone(),
            Self::List(list) => list.iter().map(|node| node.value.json()).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, node)| (key.value.clone(), node.value.json()))
                .collect(),
        }
    }

    /// A value that nobody wrote, standing at a place.
    pub(super) fn unwritten(value: &Value, place: Place) -> Placed<Self> {
        let node = match value {
            Value::Array(list) => Self::List(
                list.iter()
                    .map(|value| Self::unwritten(value, place))
                    .collect(),
            ),
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| {
                    (
                        Placed {
                            value: key.clone(),
                            place,
                        },
                        Self::unwritten(value, place),
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
            Node::Leaf(_) | Node::Unquoted(..) => None,
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
            Node::Leaf(_) | Node::Unquoted(..) => None,
        };
        next?.at_mut(rest)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor(written_node, written::<String>))
    }
}

/// What YAML's reader gives, with the place where it stands; what an alias names stands where the
/// alias does.
pub(crate) fn written<T>(spanned: Spanned<T>) -> Placed<T> {
    let place = Place {
        line: spanned.referenced.line(),
        column: spanned.referenced.column(),
    };
    Placed {
        value: spanned.value,
        place,
    }
}

/// The same of a node, which keeps where the text of an unquoted value is.
pub(crate) fn written_node(spanned: Spanned<Node>) -> Placed<Node> {
    let span = spanned.defined.span();
    let mut node = written(spanned);
    if let Node::Leaf(value @ (Value::Number(_) | Value::Bool(_))) = &mut node.value
        && let (Some(start), Some(length)) = (span.byte_offset(), span.byte_len())
        && let (Ok(start), Ok(length)) = (usize::try_from(start), usize::try_from(length))
    {
        node.value = Node::Unquoted(value.take(), start..start.saturating_add(length));
    }
    node
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

/// The tree of YAML.
pub(super) fn of_yaml(
    text: &str,
    options: serde_saphyr::Options,
) -> Result<Placed<Node>, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options(text, options).map(written_node)
}

/// The tree of JSON, without places.
pub(super) fn of_json(text: &str) -> Result<Placed<Node>, serde_json::Error> {
    serde_json::from_str(text).map(|Unplaced(node)| Placed::unknown(node))
}

/// The tree of a text as a type of our own, each value at the place that it has in the tree.
pub(crate) fn read<T: DeserializeOwned>(tree: Placed<Node>, text: &str) -> Result<T, NodeMismatch> {
    T::deserialize(NodeReader { node: tree, text })
}

/// Why a tree is not of a type.
#[derive(Debug)]
pub(crate) struct NodeMismatch {
    /// Where the innermost value stands that does not fit.
    pub(crate) place: Option<Place>,
    pub(crate) message: String,
}

impl NodeMismatch {
    fn at(self, place: Place) -> Self {
        let place = self.place.or(Some(place));
        Self { place, ..self }
    }
}

impl fmt::Display for NodeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NodeMismatch {}

impl serde::de::Error for NodeMismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            place: None,
            message: message.to_string(),
        }
    }
}

/// Gives a node to serde. Asked for a [`Placed`], it gives the node with its place; asked for a
/// text, it gives an unquoted value as it is written.
struct NodeReader<'a> {
    node: Placed<Node>,
    text: &'a str,
}

impl NodeReader<'_> {
    fn give<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeMismatch> {
        let Self { node, text } = self;
        match node.value {
            Node::Leaf(value) | Node::Unquoted(value, _) => match value {
                Value::Null => visitor.visit_unit(),
                Value::Bool(value) => visitor.visit_bool(value),
                Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                    (Some(number), _) => visitor.visit_u64(number),
                    (None, Some(number)) => visitor.visit_i64(number),
                    (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
                },
                Value::String(text) => visitor.visit_string(text),
                Value::Array(_) | Value::Object(_) => {
                    let node = Node::unwritten(&value, node.place);
                    NodeReader { node, text }.give(visitor)
                }
            },
            Node::List(list) => visitor.visit_seq(SequenceNodes {
                rest: list.into_iter(),
                text,
            }),
            Node::Map(map) => visitor.visit_map(MappingNodes {
                rest: map.into_iter(),
                value: None,
                text,
            }),
        }
    }
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = NodeMismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeMismatch> {
        let place = self.node.place;
        self.give(visitor).map_err(|mismatch| mismatch.at(place))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeMismatch> {
        let written = match &self.node.value {
            Node::Unquoted(_, bytes) => self.text.get(bytes.clone()),
            _ => None,
        };
        match written {
            Some(written) => visitor.visit_str(written),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeMismatch> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeMismatch> {
        if matches!(self.node.value, Node::Leaf(Value::Null)) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    /// Only names are read so: no enum of the format holds anything.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NodeMismatch> {
        let place = self.node.place;
        match self.node.value {
            Node::Leaf(Value::String(name)) => {
                let name: StringDeserializer<NodeMismatch> = name.into_deserializer();
                visitor.visit_enum(name)
            }
            _ => self.give(visitor),
        }
        .map_err(|mismatch| mismatch.at(place))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, NodeMismatch> {
        match name {
            PLACED => visitor.visit_map(PlacedNode(Some(self))),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct SequenceNodes<'a> {
    rest: std::vec::IntoIter<Placed<Node>>,
    text: &'a str,
}

impl<'de> SeqAccess<'de> for SequenceNodes<'_> {
    type Error = NodeMismatch;
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, NodeMismatch> {
        let text = self.text;
        let node = self.rest.next();
        node.map(|node| seed.deserialize(NodeReader { node, text }))
            .transpose()
    }
}

struct MappingNodes<'a> {
    rest: std::vec::IntoIter<(Placed<String>, Placed<Node>)>,
    value: Option<Placed<Node>>,
    text: &'a str,
}

impl<'de> MapAccess<'de> for MappingNodes<'_> {
    type Error = NodeMismatch;
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, NodeMismatch> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        let node = Placed {
            value: Node::Leaf(key.value.into()),
            place: key.place,
        };
        let text = self.text;
        seed.deserialize(NodeReader { node, text }).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, NodeMismatch> {
        let text = self.text;
        match self.value.take() {
            Some(node) => seed.deserialize(NodeReader { node, text }),
            None => Err(NodeMismatch::custom("a value was read twice")),
        }
    }
}

/// A node as a map of one entry, whose key is the place: so each type is compiled for one reader.
struct PlacedNode<'a>(Option<NodeReader<'a>>);

impl<'de> MapAccess<'de> for PlacedNode<'_> {
    type Error = NodeMismatch;
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, NodeMismatch> {
        let place = self.0.as_ref().map(|reader| reader.node.place);
        let key = |place: Place| {
            let place: U128Deserializer<NodeMismatch> = place.packed().into_deserializer();
            seed.deserialize(place)
        };
        place.map(key).transpose()
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, NodeMismatch> {
        match self.0.take() {
            Some(reader) => seed.deserialize(reader),
            None => Err(NodeMismatch::custom("a value was read twice")),
        }
    }
}
