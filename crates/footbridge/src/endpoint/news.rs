//! What a caller may hear of changes: all of their own, and of others' those that touched records
//! which the caller's tools read.

use std::sync::Arc;

use footbridge_mcp::{Failure, fail};
use footbridge_store::{FeedQuery, FeedSource, Store};

use super::own_endpoint::OwnEndpoint;
use crate::board_journal::account as account_of_board;
use crate::caller::Caller;
use crate::change_store::ChangeStore;
use crate::opened::{BoardAccounts, Served};
use crate::spelling::did_you_mean;
use crate::tool_names::ToolNames;

/// The records of everything that is served.
pub(super) struct News {
    changes: ChangeStore,
    places: Vec<ConnectorNews>,
    endpoint: OwnEndpoint,
}

/// The records of one connector.
struct ConnectorNews {
    connector: String,
    address: String,
    /// As whom its backend knows us, where nobody else's records are read.
    account: Option<String>,
    /// The accounts of the board, where this is it.
    accounts: Option<BoardAccounts>,
    /// Each kind with the published names of the tools that read it.
    kinds: Vec<(String, Vec<String>)>,
}

impl ConnectorNews {
    fn of(served: &Served, names: &ToolNames) -> Self {
        let connector = served.backend.connector();
        let readers = |kind: &str| {
            let readers = connector.readers(kind);
            let names = readers.map(|tool| names.published(&served.name, &tool.name));
            names.collect()
        };
        let kinds = connector.records().map(|kind| {
            let readers = readers(&kind.name);
            (kind.name.clone(), readers)
        });
        Self {
            connector: served.name.clone(),
            address: served.address(),
            account: served.is_local.then(|| served.backend.identity()),
            accounts: served.accounts.clone(),
            kinds: kinds.collect(),
        }
    }
}

impl ConnectorNews {
    /// As whom the backend knows the caller: an account of the board reads its own records alone.
    fn account_of(&self, caller: Caller) -> Option<String> {
        let process_account = self.account.as_deref()?;
        Some(match caller.account() {
            Some(account_id) => account_of_board(process_account, account_id),
            None => process_account.to_owned(),
        })
    }
}

impl News {
    pub(super) fn of(
        changes: &ChangeStore,
        served: &[Served],
        names: &ToolNames,
        endpoint: &OwnEndpoint,
    ) -> Arc<Self> {
        let places = served.iter();
        Arc::new(Self {
            changes: changes.clone(),
            places: places
                .map(|served| ConnectorNews::of(served, names))
                .collect(),
            endpoint: endpoint.clone(),
        })
    }

    /// Where changes are kept.
    pub(super) async fn store(&self) -> Result<Store, Failure> {
        let store = self.changes.store().await;
        store.map_err(|why| fail(format!("The changes cannot be read: {why}.")))
    }

    /// What this caller hears of.
    pub(super) async fn heard_by(&self, caller: &Arc<Caller>) -> Result<FeedQuery, Failure> {
        let endpoint = self.endpoint.get()?;
        let is_read = |readers: &[String]| {
            let mut readers = readers.iter();
            readers.any(|tool| endpoint.has_tool(tool, Arc::clone(caller)))
        };
        let sources = self.places.iter().map(|place| {
            let kinds = place.kinds.iter().filter(|(_, readers)| is_read(readers));
            FeedSource {
                connector: place.connector.clone(),
                address: place.address.clone(),
                account: place.account_of(**caller),
                kinds: kinds.map(|(kind, _)| kind.clone()).collect(),
            }
        });
        Ok(FeedQuery {
            caller: self.name_of(**caller).await?,
            sources: sources.filter(|source| !source.kinds.is_empty()).collect(),
            ..FeedQuery::default()
        })
    }

    /// Who a caller is on record.
    async fn name_of(&self, caller: Caller) -> Result<String, Failure> {
        let Caller::Account(account_id, _) = caller else {
            return Ok(caller.name().to_owned());
        };
        let mut accounts = self
            .places
            .iter()
            .filter_map(|place| place.accounts.as_ref());
        let Some(accounts) = accounts.next() else {
            return Err(fail(
                "There is no board here, so there are no accounts of it.",
            ));
        };
        let account = accounts.account(account_id).await.map_err(fail)?;
        Ok(format!("account {}", account.name))
    }

    /// Whether several connectors are served, so that each record needs its own.
    pub(super) fn is_joined(&self) -> bool {
        self.places.len() > 1
    }

    /// Refuses a connector that is not served.
    pub(super) fn check_connector(&self, name: &str) -> Result<(), Failure> {
        let names = || self.places.iter().map(|place| place.connector.as_str());
        match names().any(|known| known == name) {
            true => Ok(()),
            false => Err(unknown("connector", name, names())),
        }
    }

    /// Refuses a kind of records that nothing has.
    pub(super) fn check_kind(&self, name: &str) -> Result<(), Failure> {
        let kinds = || self.places.iter().flat_map(|place| &place.kinds);
        let names = || kinds().map(|(kind, _)| kind.as_str());
        match names().any(|known| known == name) {
            true => Ok(()),
            false => Err(unknown("kind of record", name, names())),
        }
    }
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Failure {
    let near = did_you_mean(name, known.clone());
    let known: Vec<&str> = known.collect();
    let known = match known.is_empty() {
        true => "none".to_owned(),
        false => known.join(", "),
    };
    fail(format!(
        "There is no {what} {name:?}{near}; there are: {known}."
    ))
}
