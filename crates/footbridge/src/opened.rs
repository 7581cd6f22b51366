//! Connectors opened for use: compiled, with their settings, bound to their upstream. What may be called is `write_road`.

use std::path::Path;

use axum::body::Body;
use footbridge_board::{Board, Models};
use footbridge_connector::{Backend, Connector, InProcess, Network};
use footbridge_store::{AccountId, Store};

use crate::connectors::{self, BuiltIn, Reached};
use crate::exit::Trouble;
use crate::settings::Settings;
use crate::write_road::Gate;

/// A backend that is served, and what the operator opened of it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) name: &'static str,
    pub(crate) backend: Backend,
    pub(crate) gate: Gate,
}

/// Everything that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) served: Vec<Served>,
    /// The local board, when it is among them.
    pub(crate) local: Option<LocalBoard>,
}

/// The board of this machine.
#[derive(Debug)]
pub(crate) struct LocalBoard {
    pub(crate) store: Store,
    pub(crate) board: Board,
}

impl Opened {
    /// Opens the named connectors, in their order; none named is the board.
    pub(crate) async fn open(names: &[String], settings: &Settings) -> Result<Self, Trouble> {
        let mut built_in = names.iter().map(|name| connectors::named(name)).collect::<Result<Vec<_>, _>>()?;
        if built_in.is_empty() {
            built_in.push(connectors::named(connectors::DEFAULT)?);
        }
        let mut opened = Self { served: Vec::with_capacity(built_in.len()), local: None };
        for one in built_in {
            let served = opened.open_one(one, settings).await?;
            opened.served.push(served);
        }
        Ok(opened)
    }

    async fn open_one(&mut self, built_in: &'static BuiltIn, settings: &Settings) -> Result<Served, Trouble> {
        let name = built_in.name;
        let connector = built_in.compile()?;
        let is_local = built_in.reached == Reached::InProcess;
        let own = connector
            .settings(&|setting| if is_local { None } else { settings.of_connector(name, setting) })
            .map_err(|problems| Trouble::usage(format!("{name}: {}", problems.list().join("; "))))?;
        let backend = match built_in.reached {
            Reached::Network => connector.connect(own, network(settings)?),
            Reached::InProcess => {
                let local = open_board(&connector, &settings.data_directory()?).await?;
                let upstream: InProcess<_, Body> = InProcess::new(local.board.service_for(AccountId::local()));
                self.local = Some(local);
                connector.connect(own, upstream)
            }
        };
        Ok(Served { name, backend, gate: Gate::new(settings.allowed(name, is_local)) })
    }

    /// Closes what was opened.
    pub(crate) async fn close(self) {
        if let Some(local) = self.local {
            local.store.close().await;
        }
    }
}

/// Opens the store alone, for commands that manage accounts.
pub(crate) async fn open_store(data_directory: &Path) -> Result<Store, Trouble> {
    Store::open(data_directory).await.map_err(Trouble::failed)
}

/// The models of the local board, as its connector file has them.
pub(crate) fn board_models() -> Result<Models, Trouble> {
    models_of(&connectors::named(connectors::DEFAULT)?.compile()?)
}

async fn open_board(connector: &Connector, data_directory: &Path) -> Result<LocalBoard, Trouble> {
    let models = models_of(connector)?;
    let store = open_store(data_directory).await?;
    let board = Board::new(store.clone(), models);
    Ok(LocalBoard { store, board })
}

fn models_of(connector: &Connector) -> Result<Models, Trouble> {
    Models::from_json(connector.models()).map_err(Trouble::failed)
}

fn network(settings: &Settings) -> Result<Network, Trouble> {
    match settings.ca_file() {
        Some(path) => Network::with_ca_file(&path).map_err(Trouble::usage),
        None => Ok(Network::new()),
    }
}
