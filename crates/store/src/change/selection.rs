//! Which changes are asked for, and the statement that finds them: composed from a closed set of
//! conditions with bound values, in the order of one index.

use std::time::SystemTime;

use sqlx::{QueryBuilder, Sqlite};

use super::ChangeId;
use crate::{ChangeState, time};

/// A change's columns without its arguments and images.
pub(super) const COLUMNS: &str = "change.id, change.step, change.at, change.ended_at, change.state, change.door, change.caller, \
     change.client, change.client_version, change.connector, change.address, change.account, change.tool, change.effect, \
     change.fingerprint, change.undoes, change.message, change.expires_at, change.decided_by, change.decided_at";

/// Which changes: all that are said must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSelection {
    /// One of these; an empty list says nothing.
    pub ids: Vec<ChangeId>,
    /// Whose they are.
    pub caller: Option<String>,
    /// Through which client.
    pub client: Option<String>,
    /// Of which connector.
    pub connector: Option<String>,
    /// By which tool.
    pub tool: Option<String>,
    /// Which record they touched.
    pub record: Option<RecordAddress>,
    /// One of these; an empty list says nothing.
    pub states: Vec<ChangeState>,
    /// Begun then or later.
    pub since: Option<SystemTime>,
    /// Begun before then.
    pub until: Option<SystemTime>,
    /// The change that they undo.
    pub undoes: Option<ChangeId>,
}

/// A record of a backend.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordAddress {
    /// The connector.
    pub connector: String,
    /// The kind of record.
    pub kind: String,
    /// The record's id.
    pub id: String,
}

/// A page of changes to be read, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeQuery {
    /// Which.
    pub selection: ChangeSelection,
    /// How many at most.
    pub limit: u32,
    /// Only those that are older than this one.
    pub after: Option<ChangeId>,
}

/// What is read first: the rest is looked up from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadFrom {
    /// By their numbers.
    Ids,
    /// By the record that they touched.
    Record,
    /// By what they undo.
    Undoes,
    /// By one index of changes, in the order of their time.
    Index(&'static str),
}

/// Reads one row more than the page holds.
pub(super) fn page(query: &ChangeQuery) -> QueryBuilder<Sqlite> {
    let selection = &query.selection;
    let path = read_from(selection);
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    match path {
        ReadFrom::Ids => sql.push(" FROM change"),
        ReadFrom::Record => sql.push(
            " FROM change_record INDEXED BY change_record_of_record \
             CROSS JOIN change ON change.id = change_record.change",
        ),
        ReadFrom::Undoes => sql.push(" FROM change INDEXED BY change_that_undoes"),
        ReadFrom::Index(index) => sql.push(" FROM change INDEXED BY ").push(index),
    };
    sql.push(" WHERE TRUE");
    push_conditions(&mut sql, selection);
    let is_by_time = matches!(path, ReadFrom::Index(_));
    if let Some(after) = query.after {
        match is_by_time {
            true => sql
                .push(" AND (change.at, change.id) < ((SELECT at FROM change WHERE id = ")
                .push_bind(after.number())
                .push("), ")
                .push_bind(after.number())
                .push(")"),
            false => match path {
                ReadFrom::Record => sql.push(" AND change_record.change < "),
                _ => sql.push(" AND change.id < "),
            }
            .push_bind(after.number()),
        };
    }
    sql.push(match path {
        ReadFrom::Record => " ORDER BY change_record.change DESC",
        ReadFrom::Ids | ReadFrom::Undoes => " ORDER BY change.id DESC",
        ReadFrom::Index(_) => " ORDER BY change.at DESC, change.id DESC",
    });
    sql.push(" LIMIT ").push(i64::from(query.limit) + 1);
    sql
}

/// The way that leads to the fewest rows beside those that are asked for.
fn read_from(selection: &ChangeSelection) -> ReadFrom {
    if !selection.ids.is_empty() {
        ReadFrom::Ids
    } else if selection.record.is_some() {
        ReadFrom::Record
    } else if selection.undoes.is_some() {
        ReadFrom::Undoes
    } else if is_without_done(selection) && selection.states.len() == 1 {
        ReadFrom::Index("change_by_state")
    } else if selection.tool.is_some() {
        ReadFrom::Index("change_of_tool")
    } else if selection.caller.is_some() {
        ReadFrom::Index("change_of_caller")
    } else if selection.client.is_some() {
        ReadFrom::Index("change_of_client")
    } else if selection.connector.is_some() {
        ReadFrom::Index("change_of_connector")
    } else {
        ReadFrom::Index("change_by_time")
    }
}

fn is_without_done(selection: &ChangeSelection) -> bool {
    !selection.states.is_empty() && !selection.states.contains(&ChangeState::Done)
}

fn push_conditions(sql: &mut QueryBuilder<Sqlite>, selection: &ChangeSelection) {
    if !selection.ids.is_empty() {
        sql.push(" AND change.id IN (");
        let mut list = sql.separated(", ");
        for id in &selection.ids {
            list.push_bind(id.number());
        }
        sql.push(")");
    }
    if let Some(record) = &selection.record {
        for (column, value) in [
            ("connector", &record.connector),
            ("kind", &record.kind),
            ("record", &record.id),
        ] {
            sql.push(" AND change_record.")
                .push(column)
                .push(" = ")
                .push_bind(value.clone());
        }
    }
    for (column, value) in [
        ("caller", &selection.caller),
        ("client", &selection.client),
        ("connector", &selection.connector),
        ("tool", &selection.tool),
    ] {
        if let Some(value) = value {
            sql.push(" AND change.")
                .push(column)
                .push(" = ")
                .push_bind(value.clone());
        }
    }
    if let Some(undone) = selection.undoes {
        sql.push(" AND change.undoes = ").push_bind(undone.number());
    }
    if is_without_done(selection) {
        // The index of states is known by these words.
        sql.push(" AND change.state <> 'done'");
    }
    match selection.states.as_slice() {
        [] => {}
        [only] => {
            sql.push(" AND change.state = ").push_bind(only.as_str());
        }
        several => {
            sql.push(" AND change.state IN (");
            let mut list = sql.separated(", ");
            for state in several {
                list.push_bind(state.as_str());
            }
            sql.push(")");
        }
    }
    if let Some(since) = selection.since {
        sql.push(" AND change.at >= ")
            .push_bind(time::text_of(since));
    }
    if let Some(until) = selection.until {
        sql.push(" AND change.at < ")
            .push_bind(time::text_of(until));
    }
}
