//! A process that is killed while it sends: its changes are unknown afterwards, those of processes
//! that live are not. The sender is this test binary again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use footbridge_store::{
    ChangeOutcome, ChangeQuery, ChangeSelection, ChangeState, DATABASE_FILE, Store,
};

use crate::changes::{at, begin, end, new};

const DIRECTORY: &str = "FOOTBRIDGE_TEST_SENDER_DIRECTORY";
const SENDS: &str = "sends ";

/// The sender: without its variable it has nothing to do.
#[tokio::test]
async fn sender_until_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = Store::open(Path::new(&directory)).await.unwrap();
    let mut open = Vec::new();
    for number in 0..5 {
        open.push(begin(&store, new("killed", "t"), number).await);
    }
    println!("{SENDS}{}", open.len());
    std::future::pending::<()>().await;
}

async fn states(store: &Store, caller: &str) -> Vec<ChangeState> {
    let query = ChangeQuery {
        selection: ChangeSelection {
            caller: Some(caller.to_owned()),
            ..ChangeSelection::default()
        },
        limit: 100,
        after: None,
    };
    let page = store.changes(&query).await.unwrap();
    page.changes.iter().map(|change| change.state).collect()
}

fn marks(directory: &Path) -> usize {
    let prefix = format!("{DATABASE_FILE}-process-");
    let files = directory.read_dir().unwrap();
    files
        .filter(|file| {
            let name = file.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(&prefix)
        })
        .count()
}

#[tokio::test]
async fn what_a_killed_process_sent_is_unknown_and_what_a_living_one_sends_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let own = begin(&store, new("own", "t"), 0).await;
    let other = Store::open(directory.path()).await.unwrap();
    let of_other = begin(&other, new("other", "t"), 0).await;
    let mut sender = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interrupted::sender_until_killed", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(sender.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(SENDS)));
    assert_eq!(store.settle_interrupted_changes(at(1)).await.unwrap(), 0);
    assert_eq!(marks(directory.path()), 3);

    sender.kill().unwrap();
    sender.wait().unwrap();
    let third = Store::open(directory.path()).await.unwrap();
    assert_eq!(states(&third, "killed").await, [ChangeState::Unknown; 5]);
    assert_eq!(marks(directory.path()), 2);
    for caller in ["own", "other"] {
        assert_eq!(states(&third, caller).await, [ChangeState::Sent]);
    }
    own.end(end(ChangeOutcome::Done), at(2)).await.unwrap();
    assert_eq!(states(&third, "own").await, [ChangeState::Done]);

    // A store that is closed sends no more.
    std::mem::forget(of_other);
    other.close().await;
    assert_eq!(third.settle_interrupted_changes(at(3)).await.unwrap(), 1);
    assert_eq!(states(&third, "other").await, [ChangeState::Unknown]);
    store.close().await;
    third.close().await;
    assert_eq!(marks(directory.path()), 0);
}
