//! A look now and then whether a connector file was edited while it is served. What is served is
//! what was read at the start; whoever edits a file is told so, and whether it would start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use footbridge_connector::FileStamp;
use tokio::task::JoinHandle;

use crate::connectors;
use crate::opened::Opened;

/// How often it is looked: two editors' saves apart.
const PACE: Duration = Duration::from_secs(3);

/// Looks until it is aborted.
pub(super) fn watch(opened: &Opened) -> JoinHandle<()> {
    let files = opened.served.iter().filter_map(|served| {
        let path = served.own_file.clone()?;
        Some((served.name.clone(), FileStamp::of(&path), path))
    });
    tokio::spawn(look(files.collect()))
}

/// A connector, the marks of its file as they were seen last, and where that is.
type WatchedFile = (String, Option<FileStamp>, PathBuf);

async fn look(mut files: Vec<WatchedFile>) {
    while !files.is_empty() {
        tokio::time::sleep(PACE).await;
        for (connector, seen, path) in &mut files {
            let now = FileStamp::of(path);
            // one that is being written anew may not be there for a moment
            if now.is_some() && now != *seen {
                *seen = now;
                tell(connector, path);
            }
        }
    }
}

fn tell(connector: &str, path: &Path) {
    let wrong = connectors::wrong_with(path);
    let file = path.display();
    match wrong {
        None => tracing::warn!(
            connector,
            "{file} was edited; it is served as it was read at the start, until the program is started again"
        ),
        Some(wrong) => tracing::warn!(
            connector,
            "{file} was edited; it is served as it was read at the start, and as it is now it would not start: {wrong}"
        ),
    }
}
