//! The arguments of a call: coerced along the tool's schema, then validated against it with every
//! problem at once. The only validator there is.

#[cfg(test)]
mod agreement;
mod choice;
mod coercion;
mod fitting;
mod given;
mod plan;
mod problems;
mod rules;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::validator::{BuiltValidator, Validator};
pub use given::Arguments;
use plan::{FittingPlan, ValueShape};
pub(crate) use rules::{ArgumentRules, ValueAlias};

/// The arguments of a tool, as calls are held against them.
#[derive(Debug)]
pub(crate) struct ArgumentSchema {
    rules: ArgumentRules,
    /// Made for the first call: of the tools that a program has, most are never called.
    ready: OnceLock<ReadySchema>,
}

/// A schema with what is made of it, ready to admit arguments.
#[derive(Debug)]
struct ReadySchema {
    schema: Arc<Value>,
    validator: Validator,
    /// What can be held against a text while it is read.
    shape: Option<ValueShape>,
}

/// Arguments on their way to a tool.
pub(crate) enum IncomingArguments {
    /// Valid as they are.
    Fitting(Arguments),
    /// To be coerced and validated.
    Unchecked(Map<String, Value>),
}

impl IncomingArguments {
    /// The argument of a name, as it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Fitting(arguments) => arguments.get(name),
            Self::Unchecked(arguments) => arguments.get(name),
        }
    }
}

impl ArgumentSchema {
    /// Checks what a tool says of its arguments; the error is one sentence for the developer.
    pub(crate) fn of(rules: ArgumentRules) -> Result<Self, String> {
        rules.check_schema()?;
        let schema = Self {
            rules,
            ready: OnceLock::new(),
        };
        if !schema.rules.is_plain() {
            // Whether it is valid shows when its validator is built.
            schema
                .validator()
                .map_err(|error| format!("the input schema is not valid: {error}"))?;
        }
        schema.rules.check_aliases()?;
        Ok(schema)
    }

    /// The same of a schema and the properties that may be null.
    #[cfg(test)]
    fn compile(schema: &Value, nullable: &[String]) -> Result<Self, String> {
        Self::of(ArgumentRules {
            schema: Arc::new(schema.clone()),
            nullable: nullable.to_vec(),
            ..ArgumentRules::default()
        })
    }

    fn ready(&self) -> &ReadySchema {
        self.ready.get_or_init(|| {
            let schema = self.rules.whole();
            ReadySchema {
                shape: FittingPlan::of_arguments(&schema, &self.rules.nullable),
                validator: Validator::default(),
                schema,
            }
        })
    }

    fn validator(&self) -> Result<&BuiltValidator, String> {
        let ready = self.ready();
        let schema = || with_null(&ready.schema, &self.rules.nullable);
        ready.validator.built(schema)
    }

    /// The object that was sent as a text; white space alone is one without members.
    pub(crate) fn object_in(text: &str) -> Option<Map<String, Value>> {
        if text.trim().is_empty() {
            return Some(Map::new());
        }
        serde_json::from_str(text).ok()
    }

    /// The arguments that a JSON text is, when it is valid as it stands and would not be coerced.
    /// None says nothing of it. The bytes are those of the text, to be kept.
    pub(crate) fn fitting(&self, text: &str, bytes: impl FnOnce() -> Bytes) -> Option<Arguments> {
        Some(Arguments::of_text(bytes(), &self.names(text)?))
    }

    /// Where the names of the members stand in a text that fits.
    fn names(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let names = fitting::names(self.ready().shape.as_ref()?, text)?;
        let mut aliases = self.rules.aliases.iter();
        if aliases.any(|(alias, _)| names.contains(&alias.as_str())) {
            return None;
        }
        let place = |name: &str| (name.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        names
            .into_iter()
            .map(|name| place(name).map(|start| start..start + name.len()))
            .collect()
    }

    /// Coerces and validates; the error is the text that the client reads, naming every problem.
    pub(crate) fn admit(
        &self,
        tool: &str,
        mut arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, String> {
        for (alias, name) in &self.rules.aliases {
            // With both given, the alias stays and is named as what it is: one too many.
            if !arguments.contains_key(name)
                && let Some(value) = arguments.remove(alias)
            {
                arguments.insert(name.clone(), value);
            }
        }
        let schema = &self.ready().schema;
        coercion::coerce_object(schema, &mut arguments, &self.rules.nullable);
        for ValueAlias {
            property,
            alias,
            value,
        } in &self.rules.value_aliases
        {
            if let Some(Value::String(word)) = arguments.get_mut(property)
                && word.trim().eq_ignore_ascii_case(alias)
            {
                word.clone_from(value);
            }
        }
        let value = Value::Object(arguments);
        let validator = self
            .validator()
            .map_err(|why| format!("{tool}: its input schema is not valid: {why}"))?;
        if !validator.is_valid(&value) {
            return Err(problems::describe(
                tool,
                schema,
                &self.rules.nullable,
                validator,
                &value,
            ));
        }
        match value {
            Value::Object(arguments) => Ok(arguments),
            other => Err(format!(
                "{tool}: the arguments must be an object, not {other}"
            )),
        }
    }
}

/// A schema whose properties of these names may be null too.
fn with_null<'s>(schema: &'s Value, nullable: &[String]) -> Cow<'s, Value> {
    let mut schema = Cow::Borrowed(schema);
    for name in nullable {
        if let Some(property) = schema
            .to_mut()
            .pointer_mut("/properties")
            .and_then(|properties| properties.get_mut(name))
        {
            let original = std::mem::take(property);
            *property = serde_json::json!({ "anyOf": [{ "type": "null" }, original] });
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use bytes::Bytes;

    use super::{ArgumentRules, ArgumentSchema, ValueAlias};

    fn schema() -> ArgumentSchema {
        ArgumentSchema::of(rules()).unwrap()
    }

    fn rules() -> ArgumentRules {
        let schema = json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "maxLength": 5},
                "count": {"type": "integer", "minimum": 1},
                "ratio": {"type": "number"},
                "done": {"type": "boolean"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "priority": {"type": "string", "enum": ["low", "high"]},
                "settings": {"type": "object", "properties": {"depth": {"type": "integer"}}},
                "note": {"type": "string"}
            },
            "required": ["title"],
            "additionalProperties": false
        });
        ArgumentRules {
            schema: schema.into(),
            nullable: vec!["note".to_owned(), "priority".to_owned()],
            ..ArgumentRules::default()
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_a_model_meant_is_understood() {
        let admitted = schema()
            .admit(
                "card_create",
                object(json!({
                    "title": 12, "count": "7", "ratio": "1.5", "done": "True", "tags": "a, b", "priority": " HIGH ",
                    "settings": "{\"depth\": \"3\"}", "note": null
                })),
            )
            .unwrap();
        assert_eq!(
            Value::Object(admitted),
            json!({
                "title": "12", "count": 7, "ratio": 1.5, "done": true, "tags": ["a, b"], "priority": "high",
                "settings": {"depth": 3}, "note": null
            })
        );
    }

    #[test]
    fn null_means_not_passed_except_where_it_is_a_value() {
        let admitted = schema()
            .admit(
                "t",
                object(json!({"title": "x", "count": null, "priority": null})),
            )
            .unwrap();
        assert_eq!(
            Value::Object(admitted),
            json!({"title": "x", "priority": null})
        );
    }

    #[test]
    fn a_property_goes_by_its_other_name_unless_both_are_given() {
        let with_alias = |alias: &str, name: &str| {
            ArgumentSchema::of(ArgumentRules {
                aliases: vec![(alias.to_owned(), name.to_owned())],
                ..rules()
            })
        };
        let aliased = || with_alias("name", "title").unwrap();
        let admitted = aliased()
            .admit("t", object(json!({"name": "x", "count": 1})))
            .unwrap();
        assert_eq!(Value::Object(admitted), json!({"title": "x", "count": 1}));
        let refused = aliased()
            .admit("t", object(json!({"name": "x", "title": "y"})))
            .unwrap_err();
        assert!(refused.contains("`name`"));
        for (alias, name) in [("name", "ghost"), ("count", "title")] {
            assert!(with_alias(alias, name).is_err());
        }
    }

    #[test]
    fn a_value_goes_by_its_other_word_unless_the_enum_has_that() {
        let with_alias = |property: &str, alias: &str, value: &str| {
            let alias = ValueAlias {
                property: property.to_owned(),
                alias: alias.to_owned(),
                value: value.to_owned(),
            };
            ArgumentSchema::of(ArgumentRules {
                value_aliases: vec![alias],
                ..rules()
            })
        };
        let aliased = with_alias("priority", "urgent", "high").unwrap();
        let text = r#"{"title":"x","priority":"urgent"}"#;
        assert!(
            aliased
                .fitting(text, || Bytes::from_static(text.as_bytes()))
                .is_none()
        );
        for word in ["urgent", " URGENT "] {
            let admitted = aliased
                .admit("t", object(json!({"title": "x", "priority": word})))
                .unwrap();
            assert_eq!(
                Value::Object(admitted),
                json!({"title": "x", "priority": "high"})
            );
        }
        let refused = aliased
            .admit("t", object(json!({"title": "x", "priority": "urgentest"})))
            .unwrap_err();
        assert!(refused.contains("urgentest"));
        for (property, word, value) in [
            ("priority", "high", "low"),
            ("priority", "x", "ghost"),
            ("title", "a", "b"),
            ("ghost", "a", "b"),
        ] {
            assert!(
                with_alias(property, word, value).is_err(),
                "{property} {word} {value}"
            );
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let refused = schema()
            .admit(
                "card_create",
                object(json!({"titel": "x", "count": 0, "priority": "urgent", "done": "maybe", "tags": [1, {}]})),
            )
            .unwrap_err();
        insta::assert_snapshot!(refused);
    }

    #[test]
    fn a_format_is_held_with_the_other_problems() {
        let formats = [
            "date",
            "date-time",
            "time",
            "email",
            "uuid",
            "uri",
            "ipv4",
            "int32",
            "of-our-own",
        ];
        let properties: Map<String, Value> = formats
            .iter()
            .map(|f| ((*f).to_owned(), json!({"type": "string", "format": f})))
            .collect();
        let schema = json!({"type": "object", "properties": properties, "required": ["date"], "additionalProperties": false});
        let schema = ArgumentSchema::compile(&schema, &["email".to_owned()]).unwrap();
        let wrong: Map<String, Value> = formats
            .iter()
            .map(|format| ((*format).to_owned(), json!("tomorrow")))
            .collect();
        let text = Value::Object(wrong.clone()).to_string();
        assert!(
            schema.fitting(&text, || text.clone().into()).is_none(),
            "neither road takes it"
        );
        insta::assert_snapshot!(schema.admit("t", wrong).unwrap_err());
        let good = object(json!({
            "date": "2026-02-28", "date-time": "2026-11-28T10:00:00.5+01:00", "time": "10:00:00Z", "email": "anna@example.org",
            "uuid": "67e55044-10b1-426f-9247-bb680e5fe0c8", "uri": "https://example.org/a?b#c", "ipv4": "127.0.0.1",
            "int32": "a", "of-our-own": "b"
        }));
        let text = Value::Object(good.clone()).to_string();
        assert!(
            schema.fitting(&text, || text.clone().into()).is_some(),
            "what fits stays the text that it is"
        );
        assert_eq!(schema.admit("t", good.clone()).unwrap(), good);
        let null = r#"{"date": "2026-02-28", "email": null}"#;
        assert!(schema.fitting(null, || null.into()).is_some());
        for (format, wrong) in [
            ("date", "2026-02-30"),
            ("date-time", "2026-11-28"),
            ("email", "anna"),
            ("uuid", "67e55044"),
            ("uri", "example"),
        ] {
            let mut given = good.clone();
            given.insert(format.to_owned(), json!(wrong));
            assert!(
                schema
                    .admit("t", given)
                    .unwrap_err()
                    .contains(&format!("`{format}` is \"{wrong}\""))
            );
        }
    }

    #[test]
    fn a_long_value_is_not_repeated_whole() {
        let refused = schema()
            .admit(
                "t",
                object(json!({"title": "x", "priority": "y".repeat(5000)})),
            )
            .unwrap_err();
        assert!(refused.len() < 400);
    }

    #[test]
    fn bad_schemas_are_build_errors() {
        assert!(ArgumentSchema::compile(&json!([]), &[]).is_err());
        assert!(ArgumentSchema::compile(&json!({"type": "string"}), &[]).is_err());
        assert!(
            ArgumentSchema::compile(
                &json!({"type": "object", "properties": {"a": {"type": "strin"}}}),
                &[]
            )
            .is_err()
        );
        assert!(
            ArgumentSchema::compile(
                &json!({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}}),
                &[]
            )
            .is_err(),
            "a schema elsewhere is not fetched"
        );
        assert!(
            ArgumentSchema::compile(&json!({"type": "object"}), &["ghost".to_owned()]).is_err()
        );
    }
}
