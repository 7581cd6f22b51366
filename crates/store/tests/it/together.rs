//! Changes that are begun and ended at once: what is kept is what is kept of one after the other,
//! and what is wrong with one is no other's.

use footbridge_store::{
    AuditEntry, AuditKind, ChangeEnd, ChangeError, ChangeOutcome, ChangeState, ChangedRecord,
    NewChange, OpenChange, Store,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::audit::meddle;
use crate::changes::{at, begin, end, new};

const WRITERS: usize = 8;

fn record(id: usize, after: Option<&str>) -> ChangedRecord {
    ChangedRecord {
        kind: "story".into(),
        id: id.to_string(),
        version: Some("4".into()),
        before: Some(r#"{"subject":"A"}"#.into()),
        after: after.map(str::to_owned),
        ..ChangedRecord::default()
    }
}

/// Of all shapes: without a record, with one, with more than go together.
fn to_begin(number: usize) -> NewChange {
    NewChange {
        records: (0..number % 3).map(|id| record(id, None)).collect(),
        ..new("ann", &format!("tool {number}"))
    }
}

fn to_end(number: usize) -> ChangeEnd {
    let outcome = match number % 4 {
        3 => ChangeOutcome::Failed,
        _ => ChangeOutcome::Done,
    };
    ChangeEnd {
        message: number
            .is_multiple_of(2)
            .then(|| format!("message {number}")),
        records: (0..number % 5)
            .map(|id| record(id, Some(r#"{"subject":"B"}"#)))
            .collect(),
        undo_values: (number == 1).then(|| r#"{"x":1}"#.to_owned()),
        ..end(outcome)
    }
}

/// A change as it is kept, without its place among others.
async fn kept(store: &Store, id: footbridge_store::ChangeId) -> String {
    let mut detail = store.change(id).await.unwrap();
    detail.change.id = footbridge_store::ChangeId::from_number(0);
    detail.change.step = 0;
    format!("{detail:?}")
}

/// What the audit says of changes, without their places.
async fn audited(store: &Store) -> Vec<String> {
    assert_eq!(store.verify_audit(None).await.unwrap().broken, None);
    let rows = store.audit_rows(0, None).await.unwrap();
    let mut said: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut detail: Value = serde_json::from_str(&row.detail).unwrap();
            detail["change"] = json!(0);
            format!("{} {} {detail}", row.at, row.kind)
        })
        .collect();
    said.sort();
    said
}

#[tokio::test]
async fn what_is_kept_of_changes_at_once_is_what_is_kept_of_one_after_the_other() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one_by_one = Store::open(directories[0].path()).await.unwrap();
    let at_once = Store::open(directories[1].path()).await.unwrap();
    for round in 0..3 {
        let numbers = round * WRITERS..(round + 1) * WRITERS;
        let mut expected = Vec::new();
        for number in numbers.clone() {
            let open = begin(&one_by_one, to_begin(number), 0).await;
            let id = open.id();
            open.end(to_end(number), at(1)).await.unwrap();
            expected.push(kept(&one_by_one, id).await);
        }
        let begins = numbers
            .clone()
            .map(|number| begin(&at_once, to_begin(number), 0));
        let open = join_all(begins).await;
        let ids: Vec<_> = open.iter().map(OpenChange::id).collect();
        let ends = open.into_iter().zip(numbers);
        let ends = join_all(ends.map(|(open, number)| open.end(to_end(number), at(1)))).await;
        for (place, (id, end)) in ids.into_iter().zip(ends).enumerate() {
            end.unwrap();
            assert_eq!(kept(&at_once, id).await, expected[place]);
        }
    }
    assert_eq!(audited(&at_once).await, audited(&one_by_one).await);
}

/// Eight that were begun, behind an entry of the audit.
async fn eight_open(store: &Store) -> Vec<OpenChange> {
    let start = AuditEntry::new(AuditKind::Start, &json!({}));
    store.append_audit(start, at(0)).await.unwrap();
    let begins = (0..WRITERS).map(|number| begin(store, new("ann", &number.to_string()), 0));
    join_all(begins).await
}

async fn end_all(open: Vec<OpenChange>) -> Vec<Result<(), ChangeError>> {
    let ends = open
        .into_iter()
        .map(|open| open.end(end(ChangeOutcome::Done), at(1)));
    join_all(ends).await
}

#[tokio::test]
async fn an_end_that_is_not_allowed_among_eight_is_refused_alone() {
    for place in [0, 3, WRITERS - 1] {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        let open = eight_open(&store).await;
        let ids: Vec<_> = open.iter().map(OpenChange::id).collect();
        let update = format!(
            "UPDATE change SET state = 'failed' WHERE id = {}",
            ids[place]
        );
        meddle(directory.path(), &update).await;
        for (number, end) in end_all(open).await.into_iter().enumerate() {
            let state = store.change(ids[number]).await.unwrap().change.state;
            if number == place {
                let refused = end.unwrap_err();
                assert!(
                    matches!(refused, ChangeError::NotAllowed { id, .. } if id == ids[place]),
                    "{refused}"
                );
                assert_eq!(state, ChangeState::Failed);
            } else {
                end.unwrap();
                assert_eq!(state, ChangeState::Done);
            }
        }
        assert_eq!(audited(&store).await.len(), WRITERS);
    }
}

#[tokio::test]
async fn ends_at_once_go_on_behind_what_another_process_put_into_the_audit() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let other = Store::open(directory.path()).await.unwrap();
    for round in 1..=2 {
        let open = eight_open(&store).await;
        let entry = AuditEntry::new(AuditKind::Login, &json!({}));
        other.append_audit(entry, at(0)).await.unwrap();
        for end in end_all(open).await {
            end.unwrap();
        }
        assert_eq!(audited(&store).await.len(), round * (WRITERS + 2));
    }
}
