//! The last write of each stdio process and legacy session, by which a create that is made twice
//! by mistake is known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use footbridge_store::ChangeId;
use tokio::time::Instant;

/// How long an identical create counts as the same one.
const WINDOW: Duration = Duration::from_secs(60);

/// The last writes of all sessions. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentWrites(Arc<Mutex<HashMap<WriterSession, LastWrite>>>);

/// Whose writes follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum WriterSession {
    /// The client of this process, over stdio.
    Process,
    /// A legacy session over HTTP.
    Legacy(u64),
}

#[derive(Debug)]
struct LastWrite {
    /// What tells the create from others; none for any other write.
    create: Option<CreateCall>,
    /// The change that it is, once that is known.
    change: Option<ChangeId>,
    at: Instant,
}

/// A create by what is called and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreateCall {
    pub(crate) target: String,
    pub(crate) fingerprint: String,
}

/// The change that an identical create is; none while it is under way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SameCreate(pub(crate) Option<ChangeId>);

impl RecentWrites {
    /// A write begins. Refused when it is a create that is the same as the last write.
    pub(crate) fn begin(
        &self,
        session: WriterSession,
        create: Option<CreateCall>,
    ) -> Result<(), SameCreate> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, write| write.at.elapsed() <= WINDOW);
        if let Some(write) = last.get(&session)
            && create.is_some()
            && write.create == create
        {
            return Err(SameCreate(write.change));
        }
        let at = Instant::now();
        let write = LastWrite {
            create,
            change: None,
            at,
        };
        last.insert(session, write);
        Ok(())
    }

    /// What comes next is meant, whatever came before.
    pub(crate) fn forget(&self, session: WriterSession) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.remove(&session);
    }

    /// It was sent, as this change.
    pub(crate) fn was_sent(
        &self,
        session: WriterSession,
        create: &CreateCall,
        change: Option<ChangeId>,
    ) {
        self.with(session, create, |write| write.change = change);
    }

    /// Nothing was changed by it: the same may be tried again.
    pub(crate) fn was_not_carried_out(&self, session: WriterSession, create: &CreateCall) {
        self.with(session, create, |write| write.create = None);
    }

    fn with(
        &self,
        session: WriterSession,
        create: &CreateCall,
        change: impl FnOnce(&mut LastWrite),
    ) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let write = last.get_mut(&session);
        if let Some(write) = write.filter(|write| write.create.as_ref() == Some(create)) {
            change(write);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use footbridge_store::ChangeId;

    use super::WriterSession::{Legacy, Process};
    use super::{CreateCall, RecentWrites, SameCreate, WINDOW};

    fn create(fingerprint: &str) -> Option<CreateCall> {
        Some(CreateCall {
            target: "board card_create".to_owned(),
            fingerprint: fingerprint.to_owned(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn an_identical_create_within_its_minute_is_known() {
        let writes = RecentWrites::default();
        assert_eq!(writes.begin(Process, create("a")), Ok(()));
        assert_eq!(writes.begin(Process, create("a")), Err(SameCreate(None)));
        let id = ChangeId::from_number(7);
        writes.was_sent(Process, &create("a").unwrap(), Some(id));
        assert_eq!(
            writes.begin(Process, create("a")),
            Err(SameCreate(Some(id)))
        );
        assert_eq!(writes.begin(Legacy(1), create("a")), Ok(()), "another's");
        tokio::time::advance(WINDOW + Duration::from_millis(1)).await;
        assert_eq!(writes.begin(Process, create("a")), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_write_between_makes_it_another() {
        let writes = RecentWrites::default();
        for between in [None, create("b")] {
            assert_eq!(writes.begin(Process, create("a")), Ok(()));
            assert_eq!(writes.begin(Process, between), Ok(()));
        }
        assert_eq!(writes.begin(Process, create("a")), Ok(()));
        writes.was_not_carried_out(Process, &create("a").unwrap());
        assert_eq!(writes.begin(Process, create("a")), Ok(()), "it failed");
    }
}
