//! The place where changes are kept: the store of the local board, or one that the first call that
//! writes opens.

use std::path::PathBuf;
use std::sync::Arc;

use footbridge_store::{DATABASE_FILE, Store, StoreOptions};
use tokio::sync::OnceCell;

/// Where changes are kept. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct ChangeStore(Arc<StorePlace>);

#[derive(Debug)]
enum StorePlace {
    /// In a store that is open anyway.
    Open(Store),
    /// Nowhere; why.
    Nowhere(String),
    /// In the store of that directory, opened when it is first needed.
    Directory {
        path: PathBuf,
        options: Box<StoreOptions>,
        store: OnceCell<Store>,
    },
}

impl ChangeStore {
    /// In a store that is open anyway.
    pub(crate) fn of(store: Store) -> Self {
        Self(Arc::new(StorePlace::Open(store)))
    }

    /// In the store of that directory.
    pub(crate) fn in_directory(path: PathBuf, options: StoreOptions) -> Self {
        Self(Arc::new(StorePlace::Directory {
            path,
            options: Box::new(options),
            store: OnceCell::new(),
        }))
    }

    /// Nowhere: whoever needs it is told why.
    pub(crate) fn nowhere(why: String) -> Self {
        Self(Arc::new(StorePlace::Nowhere(why)))
    }

    /// The store, opened now if it was not.
    ///
    /// # Errors
    /// Why there is none, as a part of a sentence.
    pub(crate) async fn store(&self) -> Result<Store, String> {
        match &*self.0 {
            StorePlace::Open(store) => Ok(store.clone()),
            StorePlace::Nowhere(why) => Err(why.clone()),
            StorePlace::Directory {
                path,
                options,
                store,
            } => {
                let open = || Store::open_with(path, (**options).clone());
                let opened = store.get_or_try_init(open).await;
                opened.cloned().map_err(|error| error.to_string())
            }
        }
    }

    /// The store where its file is there: whoever only looks for something makes none.
    pub(crate) async fn if_there(&self) -> Option<Store> {
        if let StorePlace::Directory { path, store, .. } = &*self.0
            && store.get().is_none()
            && !path.join(DATABASE_FILE).exists()
        {
            return None;
        }
        self.store().await.ok()
    }

    /// The store, if it was opened.
    pub(crate) fn opened(&self) -> Option<Store> {
        match &*self.0 {
            StorePlace::Open(store) => Some(store.clone()),
            StorePlace::Nowhere(_) => None,
            StorePlace::Directory { store, .. } => store.get().cloned(),
        }
    }

    /// Closes what was opened for changes alone.
    pub(crate) async fn close(&self) {
        if let StorePlace::Directory { store, .. } = &*self.0
            && let Some(store) = store.get()
        {
            store.close().await;
        }
    }
}
