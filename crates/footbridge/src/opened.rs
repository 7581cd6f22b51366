//! Connectors opened for use: compiled, with their settings, bound to their upstream. What may be called is `write_road`.

use std::cell::RefCell;
use std::path::Path;

use axum::body::Body;
use footbridge_board::{Board, Models};
use footbridge_connector::{Backend, Connector, InProcess, Network, Setting};
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
    /// The secrets that its backend may want and nobody set, by name.
    pub(crate) unset_secrets: Vec<String>,
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
        for (index, one) in built_in.iter().enumerate() {
            if built_in.iter().take(index).any(|before| before.name == one.name) {
                return Err(Trouble::usage(format!("{} is named twice: name each connector once", one.name)));
            }
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
        check_names(&connector, is_local, settings.names_in_file(name))
            .map_err(|wrong| Trouble::usage(format!("{name}: {wrong}")))?;
        let unreadable = RefCell::new(None);
        let lookup = |setting: &str| {
            let found = if is_local { Ok(None) } else { settings.of_connector(name, setting) };
            found.unwrap_or_else(|trouble| {
                unreadable.replace(Some(trouble));
                None
            })
        };
        let own =
            connector.settings(&lookup).map_err(|problems| Trouble::usage(format!("{name}: {}", problems.list().join("; "))))?;
        let is_unset = |setting: &&Setting| lookup(&setting.name).is_none() && lookup(&file_of(setting)).is_none();
        let is_replaced = |setting: &Setting| {
            let other =
                setting.unless.as_ref().and_then(|name| connector.setting_rules().iter().find(|other| other.name == *name));
            other.is_some_and(|other| !is_unset(&other))
        };
        let secrets = connector.setting_rules().iter().filter(|setting| setting.secret && !is_local && !is_replaced(setting));
        let unset_secrets = secrets.filter(is_unset).map(|setting| setting.name.clone()).collect();
        if let Some(trouble) = unreadable.take() {
            return Err(trouble);
        }
        let backend = match built_in.reached {
            Reached::Network => connector.connect(own, network(settings)?),
            Reached::InProcess => {
                let local = open_board(&connector, &settings.data_directory()?).await?;
                let upstream: InProcess<_, Body> = InProcess::new(local.board.service_for(AccountId::local()));
                self.local = Some(local);
                connector.connect(own, upstream)
            }
        };
        Ok(Served { name, backend, unset_secrets, gate: Gate::new(settings.allowed(name, is_local)) })
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

/// The variable that names the file of a secret.
fn file_of(setting: &Setting) -> String {
    format!("{}_FILE", setting.name)
}

/// Names that a connector does not have were meant to do something.
fn check_names<'n>(connector: &Connector, is_local: bool, names: impl Iterator<Item = &'n str>) -> Result<(), String> {
    let rules = if is_local { &[] } else { connector.setting_rules() };
    for name in names {
        if !rules.iter().any(|rule| rule.name == name || (rule.secret && file_of(rule) == name)) {
            let known: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
            let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
            return Err(format!("the settings file sets {name}, which is no setting of it; {known}"));
        }
    }
    Ok(())
}

fn network(settings: &Settings) -> Result<Network, Trouble> {
    match settings.ca_file() {
        Some(path) => Network::with_ca_file(&path).map_err(|error| Trouble::usage(format!("--ca-file: {error}"))),
        None => Ok(Network::new()),
    }
}
