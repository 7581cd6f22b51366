//! The Production Board's models, as `connectors/prodmcp.yaml` has them; a test of the program holds
//! that they are the same.

use footbridge_board::{BoardField, BoardFieldKind, BoardModel, RowOperation};

/// Boards and cards.
pub(crate) fn production_board() -> Vec<BoardModel> {
    let operations = [
        RowOperation::List,
        RowOperation::Read,
        RowOperation::Create,
        RowOperation::Update,
        RowOperation::Delete,
    ];
    let board = BoardModel {
        filters: texts(&[
            "data__name",
            "data__accent",
            "data__tags",
            "status",
            "is_archived",
            "owned_by",
        ]),
        sorts: texts(&["created_at", "updated_at", "data__name"]),
        default_sort: Some("created_at".to_owned()),
        max_limit: 50,
        ..BoardModel::new("board", &operations, board_fields())
    };
    let card = BoardModel {
        filters: texts(&[
            "data__status",
            "data__priority",
            "data__tags",
            "data__assignee",
            "data__board_id",
            "status",
            "is_archived",
            "owned_by",
        ]),
        sorts: texts(&[
            "created_at",
            "updated_at",
            "data__position",
            "data__status",
            "data__priority",
            "data__due_date",
        ]),
        default_sort: Some("data__position".to_owned()),
        max_limit: 200,
        ..BoardModel::new("card", &operations, card_fields())
    };
    vec![board, card]
}

fn board_fields() -> Vec<BoardField> {
    let accents = [
        "slate", "gray", "blue", "indigo", "violet", "fuchsia", "amber", "orange", "emerald",
        "green", "rose", "red",
    ];
    vec![
        BoardField {
            is_required: true,
            ..field("name", text(200), "Name of the board.")
        },
        field("description", text(2000), "What the board is for."),
        field("accent", BoardFieldKind::Choice(texts(&accents)), "Colour."),
        field(
            "settings",
            BoardFieldKind::Object,
            "Free settings of the board.",
        ),
        field("tags", BoardFieldKind::Tags, "Tags."),
        field(
            "columns",
            BoardFieldKind::Columns,
            "Columns in their order; a card's status is a column's key.",
        ),
    ]
}

fn card_fields() -> Vec<BoardField> {
    let priorities = ["low", "medium", "high", "critical"];
    vec![
        BoardField {
            is_required: true,
            ..field("title", text(200), "Title of the card.")
        },
        field("description", text(4000), "Details."),
        field(
            "status",
            text(64),
            "The card's own status, usually the key of a column.",
        ),
        field(
            "position",
            BoardFieldKind::Number,
            "Place within its column, ascending.",
        ),
        field(
            "priority",
            BoardFieldKind::Choice(texts(&priorities)),
            "Priority.",
        ),
        field("tags", BoardFieldKind::Tags, "Tags."),
        field("assignee", text(64), "Who works on it."),
        field("due_date", text(32), "Due date, such as 2026-11-21."),
        BoardField {
            reference: Some("board".to_owned()),
            ..field("board_id", text(64), "Id of the board it is on.")
        },
    ]
}

fn field(name: &str, kind: BoardFieldKind, description: &str) -> BoardField {
    BoardField {
        description: Some(description.to_owned()),
        ..BoardField::new(name, kind)
    }
}

fn text(max_characters: u32) -> BoardFieldKind {
    BoardFieldKind::text(Some(max_characters))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
