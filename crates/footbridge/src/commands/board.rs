//! `footbridge board`: the local board as a person sees it, drawn in the terminal or as JSON.

mod drawing;

use footbridge_store::{
    AccountId, FieldName, ListQuery, Record, RecordFilter, RecordId, SortKey, Store,
};
use serde_json::{Map, Value, json};

use crate::cli::BoardArguments;
use crate::exit::{Exit, Trouble};
use crate::json_object::JsonObject;
use crate::opened::open_store;
use crate::settings::Settings;
use crate::spelling::did_you_mean;
use crate::terminal;
use drawing::{DrawnBoard, DrawnCard, DrawnColumn};

/// Rows that are read at once.
const PAGE: u32 = 200;
/// Rows that are read at most.
const MOST: usize = 10_000;
/// Columns of a terminal whose size is not known.
const WIDTH: usize = 80;

pub(crate) async fn run(arguments: BoardArguments) -> Result<Exit, Trouble> {
    let store = open_store(&Settings::of_files(arguments.files)?.data_directory()?).await?;
    let shown = show(&store, arguments.name.as_deref(), arguments.json).await;
    store.close().await;
    shown.map(|()| Exit::Done)
}

async fn show(store: &Store, name: Option<&str>, is_json: bool) -> Result<(), Trouble> {
    let boards = rows(store, "board", SortKey::CreatedAt, Vec::new()).await?;
    let board = match (name, boards.as_slice()) {
        (Some(name), boards) => named(boards, name)?,
        (None, [only]) => only,
        (None, _) => return list(store, &boards, is_json).await,
    };
    let of_board = RecordFilter::Text(field("board_id")?, vec![board.id.to_string()]);
    let position = SortKey::Field(field("position")?);
    let cards = rows(store, "card", position, vec![of_board]).await?;
    let drawn = drawn(board, &cards);
    if is_json {
        return terminal::print(whole(board, &drawn, &cards));
    }
    let width = terminal::width().unwrap_or(WIDTH);
    terminal::print(drawn.text(width, terminal::is_coloured()))
}

/// The boards with how many cards each has.
async fn list(store: &Store, boards: &[BoardRow], is_json: bool) -> Result<(), Trouble> {
    let cards = rows(store, "card", SortKey::CreatedAt, Vec::new()).await?;
    let count = |id: &str| {
        let on_it = cards.iter().filter(|card| card.text("board_id") == id);
        on_it.count()
    };
    let without = count("");
    if is_json {
        let boards: Vec<Value> = boards
            .iter()
            .map(|board| {
                let id = board.id.to_string();
                let cards = count(&id);
                json!({ "id": id, "name": board.text("name"), "cards": cards })
            })
            .collect();
        return terminal::print(json!({ "boards": boards, "cards_without_board": without }));
    }
    if boards.is_empty() {
        terminal::say(
            "there is no board yet: an agent adds one, or footbridge call board_create name=Work",
        );
    }
    let mut lines: Vec<String> = boards
        .iter()
        .map(|board| {
            let cards = count(&board.id.to_string());
            format!("{}  {cards} cards", drawing::cell(board.text("name")))
        })
        .collect();
    if without > 0 {
        lines.push(format!("{without} cards are on no board"));
    }
    match lines.is_empty() {
        true => Ok(()),
        false => terminal::print(lines.join("\n")),
    }
}

/// The board of this name, however it is capitalised, or of this id.
fn named<'b>(boards: &'b [BoardRow], name: &str) -> Result<&'b BoardRow, Trouble> {
    let is_exact = |board: &&BoardRow| board.text("name") == name || board.id.to_string() == name;
    let wanted = name.trim().to_lowercase();
    let is_alike = |board: &&BoardRow| board.text("name").trim().to_lowercase() == wanted;
    let mut found: Vec<&BoardRow> = boards.iter().filter(is_exact).collect();
    if found.is_empty() {
        found = boards.iter().filter(is_alike).collect();
    }
    match found.as_slice() {
        [only] => Ok(only),
        [] => {
            let names = || boards.iter().map(|board| board.text("name"));
            let near = did_you_mean(name, names());
            let known: Vec<String> = names().map(drawing::cell).collect();
            let known = match known.is_empty() {
                true => "none".to_owned(),
                false => known.join(", "),
            };
            Err(Trouble::usage(format!(
                "there is no board {name:?}{near}; there are: {known}"
            )))
        }
        several => {
            let ids: Vec<String> = several.iter().map(|board| board.id.to_string()).collect();
            Err(Trouble::usage(format!(
                "{} boards are called {name:?}: say the id of one: {}",
                several.len(),
                ids.join(", ")
            )))
        }
    }
}

/// A row of the local account with its fields.
struct BoardRow {
    id: RecordId,
    fields: Map<String, Value>,
}

impl BoardRow {
    fn of(record: Record) -> Self {
        Self {
            id: record.id,
            fields: serde_json::from_str(&record.data).unwrap_or_default(),
        }
    }

    fn text(&self, field: &str) -> &str {
        let value = self.fields.get(field);
        value.and_then(Value::as_str).unwrap_or_default()
    }

    fn json(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.shift_insert(0, "id".to_owned(), Value::from(self.id.to_string()));
        Value::Object(fields)
    }
}

/// All rows of a model, in order.
async fn rows(
    store: &Store,
    model: &str,
    sort: SortKey,
    filters: Vec<RecordFilter>,
) -> Result<Vec<BoardRow>, Trouble> {
    let mut query = ListQuery {
        account_id: AccountId::local(),
        model: model.to_owned(),
        filters,
        search: None,
        sort,
        descending: false,
        limit: PAGE,
        offset: 0,
        after: None,
    };
    let mut rows = Vec::new();
    loop {
        let page = store.records(&query).await.map_err(Trouble::failed)?;
        query.after = page.records.last().map(|record| record.id);
        rows.extend(page.records.into_iter().map(BoardRow::of));
        if !page.has_more || rows.len() >= MOST {
            return Ok(rows);
        }
    }
}

fn field(name: &str) -> Result<FieldName, Trouble> {
    FieldName::parse(name).ok_or_else(|| Trouble::failed(format!("{name} names no field")))
}

/// The columns in their order, and one for the cards that are in none of them.
fn drawn(board: &BoardRow, cards: &[BoardRow]) -> DrawnBoard {
    let columns = board.fields.get("columns").and_then(Value::as_array);
    let column = |column: &Value| {
        let key = column.get("key")?.as_str()?.to_owned();
        let title = column.get("title").and_then(Value::as_str);
        Some(DrawnColumn {
            title: title.unwrap_or(&key).to_owned(),
            limit: column.get("wip_limit").and_then(Value::as_u64),
            key: Some(key),
            cards: Vec::new(),
        })
    };
    let mut columns: Vec<DrawnColumn> = columns.into_iter().flatten().filter_map(column).collect();
    let has_columns = !columns.is_empty();
    let mut others: Vec<DrawnColumn> = Vec::new();
    for (place, card) in cards.iter().enumerate() {
        let status = card.text("status");
        let drawn = DrawnCard {
            place,
            title: card.text("title").to_owned(),
            notes: ["priority", "assignee", "due_date"]
                .map(|field| card.text(field))
                .iter()
                .filter(|note| !note.is_empty())
                .map(|note| (*note).to_owned())
                .collect(),
        };
        let is_of = |column: &&mut DrawnColumn| column.key.as_deref() == Some(status);
        if let Some(column) = columns.iter_mut().find(is_of) {
            column.cards.push(drawn);
            continue;
        }
        // a board without columns has those that its cards say
        let title = match has_columns || status.is_empty() {
            true => "Elsewhere",
            false => status,
        };
        match others.iter_mut().find(|column| column.title == title) {
            Some(column) => column.cards.push(drawn),
            None => others.push(DrawnColumn {
                title: title.to_owned(),
                limit: None,
                key: None,
                cards: vec![drawn],
            }),
        }
    }
    columns.extend(others);
    DrawnBoard {
        name: board.text("name").to_owned(),
        description: board.text("description").to_owned(),
        columns,
    }
}

fn whole(board: &BoardRow, drawn: &DrawnBoard, cards: &[BoardRow]) -> Value {
    let columns: Vec<Value> = drawn
        .columns
        .iter()
        .map(|column| {
            let cards = column.cards.iter().filter_map(|card| cards.get(card.place));
            JsonObject::default()
                .with_some("key", column.key.as_deref())
                .with("title", column.title.as_str())
                .with_some("limit", column.limit)
                .with("count", column.cards.len())
                .with("cards", cards.map(BoardRow::json).collect::<Vec<_>>())
                .into()
        })
        .collect();
    json!({ "board": board.json(), "columns": columns })
}
