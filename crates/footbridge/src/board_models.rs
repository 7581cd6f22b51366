//! The models of the local board: those of its connector, as the values that the board takes.

use footbridge_board::{BoardField, BoardFieldKind, BoardModel, Models, RowOperation};
use footbridge_connector::{Connector, FieldKind, Model, ModelField, ModelOperation};

use crate::connectors::{self, Connectors};
use crate::exit::Trouble;

/// The models of the board that comes with the program.
pub(crate) fn built_in() -> Result<Models, Trouble> {
    let file = Connectors::with_directory(None)?.find(connectors::DEFAULT)?;
    of_connector(&file.compile()?.1)
}

/// A connector's models, as the board takes them.
pub(crate) fn of_connector(connector: &Connector) -> Result<Models, Trouble> {
    Models::new(connector.models().map(board_model).collect()).map_err(Trouble::failed)
}

fn board_model(model: &Model) -> BoardModel {
    let operations = model.operations.iter();
    let filters = model.filters.iter();
    BoardModel {
        name: model.name.clone(),
        path: model.path.clone(),
        operations: operations.map(|one| row_operation(*one)).collect(),
        fields: model.fields.iter().map(board_field).collect(),
        create: model.create.clone(),
        update: model.update.clone(),
        filters: filters.map(|filter| filter.wire.clone()).collect(),
        sorts: model.sorts.clone(),
        default_sort: model.default_sort.clone(),
        max_limit: model.max_limit,
    }
}

fn row_operation(operation: ModelOperation) -> RowOperation {
    match operation {
        ModelOperation::List => RowOperation::List,
        ModelOperation::Read => RowOperation::Read,
        ModelOperation::Create => RowOperation::Create,
        ModelOperation::Update => RowOperation::Update,
        ModelOperation::Delete => RowOperation::Delete,
    }
}

/// A row is seen by its account alone, so that a reference always names an own row; whether a value
/// is needed is what `is_required` says.
fn board_field(field: &ModelField) -> BoardField {
    let reference = field.reference.as_ref();
    BoardField {
        name: field.name.clone(),
        kind: board_field_kind(field),
        is_required: field.is_required,
        reference: reference.map(|reference| reference.model.clone()),
        description: field.description.clone(),
    }
}

fn board_field_kind(field: &ModelField) -> BoardFieldKind {
    match field.kind {
        FieldKind::String => BoardFieldKind::text(field.max_length),
        FieldKind::Url => BoardFieldKind::url(field.max_length),
        FieldKind::Integer => BoardFieldKind::Integer,
        FieldKind::Number => BoardFieldKind::Number,
        FieldKind::Boolean => BoardFieldKind::Boolean,
        FieldKind::Enum => BoardFieldKind::Choice(field.values.clone()),
        FieldKind::Dict => BoardFieldKind::Object,
        FieldKind::Tags => BoardFieldKind::Tags,
        FieldKind::Columns => BoardFieldKind::Columns,
        FieldKind::Any => BoardFieldKind::Any,
    }
}

/// What the board's own tests serve.
#[cfg(test)]
#[path = "../../board/tests/it/production_board.rs"]
mod production_board;

#[cfg(test)]
mod tests {
    use footbridge_board::{BoardField, BoardFieldKind, BoardModel, Models, RowOperation, openapi};
    use footbridge_connector::{Connector, compile};

    use super::production_board::production_board;
    use super::{board_model, built_in, of_connector};

    const FILE: &str = r#"
format: 1
connector: shelf
title: Shelf
instructions: Everything that a table can say.
upstream:
  base: "http://localhost/"
  paging:
    list: { kind: after, after: after, size: limit, offset: offset, rows: .data, more: .more }
models:
  shelf:
    path: /data/shelf
    ops: [read, list]
    fields: {}
    sorts: [created_at]
  thing:
    path: /data/thing
    ops: [delete, update, create, read, list]
    fields:
      name: { type: string, max_len: 7, required: true, description: Name. }
      note: { type: string }
      page: { type: url, max_len: 70 }
      home: { type: url }
      count: { type: integer }
      weight: { type: number, required: true }
      is_new: { type: bool }
      size: { type: enum, values: [small, large], description: Size. }
      more: { type: dict }
      tags: { type: tags }
      columns: { type: columns }
      rest: { type: any }
      shelf_id: { type: string, max_len: 36, ref: { model: shelf, owned: true, optional: true } }
    create: [weight, name]
    update: [name, size]
    filters: [data__size, status, is_archived, owned_by]
    sorts: [data__size, updated_at]
    default_sort: data__size
    max_limit: 7
"#;

    fn shelf() -> Connector {
        compile("shelf.yaml", FILE).unwrap()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn a_files_table_arrives_at_the_board_whole() {
        let described = |name: &str, kind, is_required, description: &str| BoardField {
            is_required,
            description: Some(description.to_owned()),
            ..BoardField::new(name, kind)
        };
        let shelf_model = BoardModel {
            name: "shelf".to_owned(),
            path: "/data/shelf".to_owned(),
            operations: vec![RowOperation::Read, RowOperation::List],
            fields: Vec::new(),
            create: Vec::new(),
            update: Vec::new(),
            filters: Vec::new(),
            sorts: texts(&["created_at"]),
            default_sort: None,
            max_limit: 100,
        };
        let sizes = BoardFieldKind::Choice(texts(&["small", "large"]));
        let thing = BoardModel {
            name: "thing".to_owned(),
            path: "/data/thing".to_owned(),
            operations: vec![
                RowOperation::Delete,
                RowOperation::Update,
                RowOperation::Create,
                RowOperation::Read,
                RowOperation::List,
            ],
            fields: vec![
                described(
                    "name",
                    BoardFieldKind::Text { max_characters: 7 },
                    true,
                    "Name.",
                ),
                BoardField::new(
                    "note",
                    BoardFieldKind::Text {
                        max_characters: 10_000,
                    },
                ),
                BoardField::new("page", BoardFieldKind::Url { max_characters: 70 }),
                BoardField::new(
                    "home",
                    BoardFieldKind::Url {
                        max_characters: 2_048,
                    },
                ),
                BoardField::new("count", BoardFieldKind::Integer),
                BoardField {
                    is_required: true,
                    ..BoardField::new("weight", BoardFieldKind::Number)
                },
                BoardField::new("is_new", BoardFieldKind::Boolean),
                described("size", sizes, false, "Size."),
                BoardField::new("more", BoardFieldKind::Object),
                BoardField::new("tags", BoardFieldKind::Tags),
                BoardField::new("columns", BoardFieldKind::Columns),
                BoardField::new("rest", BoardFieldKind::Any),
                BoardField {
                    reference: Some("shelf".to_owned()),
                    ..BoardField::new("shelf_id", BoardFieldKind::Text { max_characters: 36 })
                },
            ],
            create: texts(&["weight", "name"]),
            update: texts(&["name", "size"]),
            filters: texts(&["data__size", "status", "is_archived", "owned_by"]),
            sorts: texts(&["data__size", "updated_at"]),
            default_sort: Some("data__size".to_owned()),
            max_limit: 7,
        };
        let arrived: Vec<BoardModel> = shelf().models().map(board_model).collect();
        assert_eq!(arrived, [shelf_model, thing]);
        let models = of_connector(&shelf()).unwrap();
        assert_eq!(models.names().collect::<Vec<_>>(), ["shelf", "thing"]);
    }

    /// The board's own tests know no connector file: what they serve must be what the file has.
    #[test]
    fn the_boards_own_tests_use_the_models_of_the_connector_file() {
        let file = include_str!("../../../connectors/prodmcp.yaml");
        let connector = compile("prodmcp.yaml", file).unwrap();
        let models: Vec<BoardModel> = connector.models().map(board_model).collect();
        assert_eq!(models, production_board());
        let served = Models::new(production_board()).unwrap();
        assert_eq!(
            openapi(&of_connector(&connector).unwrap()),
            openapi(&served)
        );
    }

    /// What a program sends to a Production Board somewhere else, the board of this machine takes.
    #[test]
    fn the_board_of_this_machine_has_what_one_somewhere_else_has() {
        let file = include_str!("../../../connectors/board.yaml");
        let connector = compile("board.yaml", file).unwrap();
        let without_words = |mut model: BoardModel| {
            for field in &mut model.fields {
                field.description = None;
            }
            model
        };
        let own = connector.models().map(board_model).map(without_words);
        let other = production_board().into_iter().map(without_words);
        assert_eq!(own.take(2).collect::<Vec<_>>(), other.collect::<Vec<_>>());
        let models = built_in().unwrap();
        assert_eq!(
            models.names().collect::<Vec<_>>(),
            ["board", "card", "comment", "blocker"]
        );
    }

    /// A connector file may have tables that no board can serve; each problem names model and key.
    #[test]
    fn a_table_that_the_board_cannot_serve_is_refused_by_name() {
        let file = FILE
            .replace("/data/shelf", "/shelves")
            .replace("owned_by]", "is_deleted]");
        let connector = compile("shelf.yaml", &file).unwrap();
        let refused = of_connector(&connector).unwrap_err().to_string();
        for named in [
            "shelf.path: it is \"/shelves\"",
            "thing.filters: \"is_deleted\"",
        ] {
            assert!(refused.contains(named), "{named} in {refused}");
        }
    }
}
