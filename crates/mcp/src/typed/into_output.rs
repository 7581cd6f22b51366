//! Outputs of typed tools: the types that a tool may answer with, and the schema that goes with
//! each.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::schema;
use crate::output::{Content, Output, ToolResult};

/// A type that a tool can answer with.
#[diagnostic::on_unimplemented(
    message = "a tool cannot answer with `{Self}`",
    label = "no answer of a tool",
    note = "a tool answers with a text (`String`, `&'static str`), with `Json<T>` of a type that \
            derives `serde::Serialize` and `schemars::JsonSchema`, with `Content`, `Vec<Content>`, \
            or with an `Output`"
)]
pub trait IntoOutput: Send + 'static {
    /// What is known of every value of the type. Default: it has no structure.
    #[must_use]
    fn shape() -> OutputShape {
        OutputShape::default()
    }

    /// The output of one call; `shape` is what [`IntoOutput::shape`] gave.
    ///
    /// # Errors
    /// A value that cannot be written.
    fn into_output(self, shape: &OutputShape) -> ToolResult;
}

/// The shape of a type of output: whether it is structured, and how.
#[derive(Debug, Clone, Default)]
pub struct OutputShape {
    schema: Option<Value>,
    is_wrapped: bool,
}

impl OutputShape {
    /// The output schema, an object schema; none where there is no structure.
    #[must_use]
    pub fn schema(&self) -> Option<&Value> {
        self.schema.as_ref()
    }
}

/// A value as structured content with its schema, and as text for clients that read nothing else.
///
/// Structured content is a JSON object; a type that is written as anything else, such as a `Vec`,
/// stands in one under the key `result`. Source: specification 2025-11-25, Tools, "Structured
/// Content".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + Send + 'static> IntoOutput for Json<T> {
    fn shape() -> OutputShape {
        let schema = schema::output::<T>();
        if schema.get("type").is_some_and(|kind| kind == "object") {
            return OutputShape {
                schema: Some(schema),
                is_wrapped: false,
            };
        }
        let wrapped =
            json!({ "type": "object", "properties": { "result": schema }, "required": ["result"] });
        OutputShape {
            schema: Some(lift_definitions(wrapped)),
            is_wrapped: true,
        }
    }

    fn into_output(self, shape: &OutputShape) -> ToolResult {
        let json = serde_json::to_string(&self.0)?;
        let json = if shape.is_wrapped {
            format!(r#"{{"result":{json}}}"#)
        } else {
            json
        };
        Ok(Output::json(RawValue::from_string(json)?))
    }
}

/// References of a recursive type point at the root, so its definitions have to be there.
fn lift_definitions(mut wrapped: Value) -> Value {
    let definitions = wrapped
        .pointer_mut("/properties/result")
        .and_then(Value::as_object_mut)
        .and_then(|inner| inner.remove("$defs"));
    if let (Some(definitions), Some(root)) = (definitions, wrapped.as_object_mut()) {
        root.insert("$defs".to_owned(), definitions);
    }
    wrapped
}

impl IntoOutput for Output {
    fn into_output(self, _: &OutputShape) -> ToolResult {
        Ok(self)
    }
}

impl IntoOutput for String {
    fn into_output(self, _: &OutputShape) -> ToolResult {
        Ok(Output::text(self))
    }
}

impl IntoOutput for &'static str {
    fn into_output(self, _: &OutputShape) -> ToolResult {
        Ok(Output::text(self))
    }
}

impl IntoOutput for Content {
    fn into_output(self, _: &OutputShape) -> ToolResult {
        Ok(Output::content(vec![self]))
    }
}

impl IntoOutput for Vec<Content> {
    fn into_output(self, _: &OutputShape) -> ToolResult {
        Ok(Output::content(self))
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;
    use serde_json::json;

    use super::{IntoOutput, Json};

    #[derive(Serialize, JsonSchema)]
    struct Order {
        id: u32,
    }

    #[derive(Serialize, JsonSchema)]
    struct Tree {
        children: Vec<Tree>,
    }

    #[test]
    fn an_object_stands_for_itself_and_anything_else_in_an_object() {
        let one = Json::<Order>::shape();
        assert_eq!(one.schema().unwrap()["properties"]["id"]["type"], "integer");
        assert_eq!(
            Json(Order { id: 7 })
                .into_output(&one)
                .unwrap()
                .first_text(),
            Some(r#"{"id":7}"#)
        );

        let many = Json::<Vec<Order>>::shape();
        assert_eq!(
            many.schema().unwrap()["properties"]["result"]["type"],
            "array"
        );
        assert_eq!(
            Json(vec![Order { id: 7 }])
                .into_output(&many)
                .unwrap()
                .first_text(),
            Some(r#"{"result":[{"id":7}]}"#)
        );
    }

    #[test]
    fn a_recursive_type_is_described_where_its_references_point() {
        for shape in [Json::<Tree>::shape(), Json::<Vec<Tree>>::shape()] {
            let validator = jsonschema::validator_for(shape.schema().unwrap()).unwrap();
            let leaf = json!({"children": []});
            assert!(
                validator.is_valid(&json!({"children": [leaf], "result": [leaf]})),
                "{shape:?}"
            );
            assert!(
                !validator.is_valid(&json!({"children": [3], "result": [3]})),
                "{shape:?}"
            );
        }
        let tree = Tree {
            children: vec![Tree {
                children: Vec::new(),
            }],
        };
        let output = Json(vec![tree])
            .into_output(&Json::<Vec<Tree>>::shape())
            .unwrap();
        assert_eq!(
            output.first_text(),
            Some(r#"{"result":[{"children":[{"children":[]}]}]}"#)
        );
    }
}
