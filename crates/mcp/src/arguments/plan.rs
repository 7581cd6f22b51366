//! A schema made ready for arguments that are held against it while they are read. What it has no
//! words for is left to the validator.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::validator::Validator;

/// Most properties of an object that can be told apart while it is read.
const PROPERTIES: usize = 128;

/// The demands on one value. It never takes what the validator would refuse, nor what would be
/// coerced.
#[derive(Debug)]
pub(super) enum FittingPlan {
    /// Any value.
    Anything,
    /// A value of a certain shape.
    Shape(Box<ValueShape>),
    /// A value that is read as a tree of its own and judged by the validator.
    Tree(Box<Judged>),
    /// No value: there is no saying without the whole.
    Nothing,
}

/// A schema whose words are all known here.
#[derive(Debug)]
pub(super) struct ValueShape {
    pub(super) kinds: Kinds,
    /// The only values that fit.
    pub(super) words: Option<Words>,
    pub(super) characters: Count,
    pub(super) bounds: Vec<Bound>,
    pub(super) items: FittingPlan,
    pub(super) item_count: Count,
    pub(super) properties: Vec<(String, FittingPlan)>,
    /// One bit for each property that must be there.
    pub(super) required: u128,
    pub(super) others: FittingPlan,
}

impl Default for ValueShape {
    fn default() -> Self {
        Self {
            kinds: Kinds::ALL,
            words: None,
            characters: Count::default(),
            bounds: Vec::new(),
            items: FittingPlan::Anything,
            item_count: Count::default(),
            properties: Vec::new(),
            required: 0,
            others: FittingPlan::Anything,
        }
    }
}

/// The members of an enumeration of texts.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) texts: Vec<String>,
    pub(super) has_null: bool,
}

/// A schema of one value with its own validator.
#[derive(Debug)]
pub(super) struct Judged {
    /// A null fits too.
    pub(super) is_nullable: bool,
    pub(super) schema: Value,
    pub(super) validator: Validator,
}

/// Kinds of JSON values, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    const ALL: Self = Self(0b111_1111);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(1 << 1);
    pub(super) const STRING: Self = Self(1 << 2);
    pub(super) const ARRAY: Self = Self(1 << 3);
    pub(super) const OBJECT: Self = Self(1 << 4);
    pub(super) const INTEGER: Self = Self(1 << 5);
    /// Numbers with a fraction or an exponent. Where only integers fit, they would be coerced.
    pub(super) const FRACTION: Self = Self(1 << 6);

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            "integer" => Self::INTEGER,
            "number" => Self::INTEGER.and(Self::FRACTION),
            _ => return None,
        })
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The number that there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            least: 0,
            most: u64::MAX,
        }
    }
}

impl Count {
    pub(super) fn is_bounded(self) -> bool {
        self.least > 0 || self.most < u64::MAX
    }

    pub(super) fn admits(self, count: usize) -> bool {
        u64::try_from(count).is_ok_and(|count| (self.least..=self.most).contains(&count))
    }
}

/// A bound of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    limit: Number,
    is_upper: bool,
    is_excluded: bool,
}

/// A number as it is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Whole(i128),
    Fraction(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        let whole = value
            .as_i64()
            .map(i128::from)
            .or_else(|| value.as_u64().map(i128::from));
        whole
            .map(Self::Whole)
            .or_else(|| value.as_f64().map(Self::Fraction))
    }

    /// As a float; none where that is another number.
    fn exact(self) -> Option<f64> {
        match self {
            Self::Whole(whole) => i32::try_from(whole).ok().map(f64::from),
            Self::Fraction(float) => Some(float),
        }
    }
}

impl Bound {
    /// Whether a number is surely within it.
    pub(super) fn admits(self, number: Number) -> bool {
        let order = match (number, self.limit) {
            (Number::Whole(number), Number::Whole(limit)) => Some(number.cmp(&limit)),
            _ => number
                .exact()
                .zip(self.limit.exact())
                .and_then(|(number, limit)| number.partial_cmp(&limit)),
        };
        order.is_some_and(|order| match order {
            std::cmp::Ordering::Less => self.is_upper,
            std::cmp::Ordering::Equal => !self.is_excluded,
            std::cmp::Ordering::Greater => !self.is_upper,
        })
    }
}

impl FittingPlan {
    /// The plan of a whole input schema, of whose properties these may be null too. None when there
    /// is nothing to gain.
    pub(super) fn of_arguments(schema: &Value, nullable: &[String]) -> Option<ValueShape> {
        let mut root = Cow::Borrowed(schema.as_object()?);
        if let Some(dialect) = root.get("$schema") {
            // An older dialect gives some words another meaning.
            if dialect != "https://json-schema.org/draft/2020-12/schema" {
                return None;
            }
            root.to_mut().shift_remove("$schema");
        }
        let mut shape = ValueShape::of(&root)?;
        for (_, plan) in shape
            .properties
            .iter_mut()
            .filter(|(name, _)| nullable.contains(name))
        {
            plan.take_null();
        }
        Some(shape)
    }

    fn of(schema: &Value) -> Self {
        match schema {
            Value::Bool(true) => Self::Anything,
            Value::Object(keywords)
                if keywords
                    .iter()
                    .all(|(keyword, value)| says_nothing(keyword, value)) =>
            {
                Self::Anything
            }
            Value::Object(keywords) => match ValueShape::of(keywords) {
                Some(shape) => Self::Shape(Box::new(shape)),
                None => Self::judged(schema),
            },
            _ => Self::Nothing,
        }
    }

    fn judged(schema: &Value) -> Self {
        // Alone, it may not mean what it means in its place.
        if is_bound_to_its_place(schema) {
            return Self::Nothing;
        }
        match Validator::of(schema) {
            Ok(validator) => Self::Tree(Box::new(Judged {
                is_nullable: false,
                schema: schema.clone(),
                validator,
            })),
            Err(_) => Self::Nothing,
        }
    }

    /// Takes a null besides.
    fn take_null(&mut self) {
        match self {
            Self::Shape(shape) => shape.take_null(),
            Self::Tree(judged) => judged.is_nullable = true,
            Self::Anything | Self::Nothing => {}
        }
    }
}

impl ValueShape {
    /// None when there is a word that is not known here.
    fn of(keywords: &Map<String, Value>) -> Option<Self> {
        if let Some(choices) = keywords.get("anyOf") {
            let is_alone = keywords
                .iter()
                .all(|(keyword, value)| keyword == "anyOf" || says_nothing(keyword, value));
            return Self::or_null(choices).filter(|_| is_alone);
        }
        let mut shape = Self::default();
        let mut required = &Vec::new();
        for (keyword, value) in keywords {
            let bound = |is_upper, is_excluded| {
                Some(Bound {
                    limit: Number::of(value)?,
                    is_upper,
                    is_excluded,
                })
            };
            match keyword.as_str() {
                "type" => shape.kinds = kinds(value)?,
                "enum" => shape.words = Some(Words::of(value)?),
                "minLength" => shape.characters.least = value.as_u64()?,
                "maxLength" => shape.characters.most = value.as_u64()?,
                "minItems" => shape.item_count.least = value.as_u64()?,
                "maxItems" => shape.item_count.most = value.as_u64()?,
                "minimum" => shape.bounds.push(bound(false, false)?),
                "maximum" => shape.bounds.push(bound(true, false)?),
                "exclusiveMinimum" => shape.bounds.push(bound(false, true)?),
                "exclusiveMaximum" => shape.bounds.push(bound(true, true)?),
                "items" => shape.items = FittingPlan::of(value),
                "additionalProperties" => shape.others = FittingPlan::of(value),
                "properties" => {
                    let properties = value
                        .as_object()
                        .filter(|properties| properties.len() <= PROPERTIES)?;
                    shape.properties = properties
                        .iter()
                        .map(|(name, schema)| (name.clone(), FittingPlan::of(schema)))
                        .collect();
                }
                "required" => required = value.as_array()?,
                _ if says_nothing(keyword, value) => {}
                _ => return None,
            }
        }
        for name in required {
            let place = shape
                .properties
                .iter()
                .position(|(known, _)| name == known)?;
            shape.required |= 1 << place;
        }
        Some(shape)
    }

    /// A choice of null and one thing more, as an optional value is written.
    fn or_null(choices: &Value) -> Option<Self> {
        let null = serde_json::json!({ "type": "null" });
        let other = match choices.as_array()?.as_slice() {
            [choice, other] if *choice == null => other,
            [other, choice] if *choice == null => other,
            _ => return None,
        };
        let mut shape = Self::of(other.as_object()?)?;
        shape.take_null();
        Some(shape)
    }

    fn take_null(&mut self) {
        self.kinds = self.kinds.and(Kinds::NULL);
        if let Some(words) = &mut self.words {
            words.has_null = true;
        }
    }
}

impl Words {
    fn of(members: &Value) -> Option<Self> {
        let mut words = Self {
            texts: Vec::new(),
            has_null: false,
        };
        for member in members.as_array()? {
            match member {
                Value::Null => words.has_null = true,
                Value::String(text) => words.texts.push(text.clone()),
                _ => return None,
            }
        }
        Some(words)
    }
}

fn kinds(value: &Value) -> Option<Kinds> {
    match value {
        Value::String(name) => Kinds::named(name),
        Value::Array(names) => names.iter().try_fold(Kinds(0), |kinds, name| {
            Some(kinds.and(Kinds::named(name.as_str()?)?))
        }),
        _ => None,
    }
}

/// Whether a keyword asks nothing of a value. A format of texts is for the validator, which knows
/// the standard's; those of numbers, which types bring along, are notes.
fn says_nothing(keyword: &str, value: &Value) -> bool {
    const ANNOTATIONS: [&str; 10] = [
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$comment",
        "$defs",
        "definitions",
    ];
    const OF_NUMBERS: [&str; 4] = ["int", "uint", "float", "double"];
    let is_of_numbers = || {
        let name = value
            .as_str()
            .map(|format| format.trim_end_matches(|c: char| c.is_ascii_digit()));
        name.is_some_and(|name| OF_NUMBERS.contains(&name))
    };
    ANNOTATIONS.contains(&keyword)
        || keyword.starts_with("x-")
        || (keyword == "format" && is_of_numbers())
}

/// Whether a schema, or one inside of it, refers to another or can be referred to.
fn is_bound_to_its_place(schema: &Value) -> bool {
    match schema {
        Value::Array(schemas) => schemas.iter().any(is_bound_to_its_place),
        Value::Object(keywords) => keywords.iter().any(|(keyword, value)| {
            keyword.starts_with('$') && keyword != "$comment" || is_bound_to_its_place(value)
        }),
        _ => false,
    }
}
