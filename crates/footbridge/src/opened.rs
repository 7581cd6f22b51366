//! Connectors opened for use: compiled, with their settings, bound to their upstream. Calls
//! nothing.

mod checks;
mod login_place;
mod resolved;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use footbridge_board::Board;
use footbridge_connector::{Backend, Connector, ConnectorTool, InProcess, Network, SettingValues};
use footbridge_store::{Account, AccountId, Store};

use crate::allow::Passage;
use crate::audit_trail::AuditTrail;
use crate::board_journal::{BoardBrakes, BoardJournal, other_account};
use crate::board_models;
use crate::brakes::Brakes;
use crate::change_store::ChangeStore;
use crate::changes_page::ChangesPage;
use crate::cli::Surface;
use crate::connectors::{self, ConnectorFile, ConnectorSkills, Reached};
use crate::exit::Trouble;
use crate::gate::Gate;
use crate::readiness::Readiness;
use crate::scrub;
use crate::settings::{Bounds, Settings};
use crate::waits::ChangeWaits;
use checks::{check_allowed_tools, check_connectors_in_file, check_names, check_skills, gate};
pub(crate) use login_place::LoginPlace;
use resolved::stand_ins;
pub(crate) use resolved::{ResolvedSettings, SettingsOwner, UsedCredential, resolve};

/// The address of the board of this machine, as it is shown and kept.
const LOCAL_ADDRESS: &str = "this machine";

/// The group of tools over what was changed, which are of no connector.
const CHANGES: &str = "changes";
/// The group of tools over leases.
const LEASES: &str = "leases";

/// The group of the tool that composes reads, which is of no connector.
const QUERY: &str = "query";

/// What the operator said of the tool that composes reads.
#[derive(Debug)]
pub(crate) struct QuerySettings {
    pub(crate) is_listed: bool,
    /// Reads of one query at most.
    pub(crate) calls: usize,
}

/// A backend that is served, and what the operator opened of it.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) backend: Backend,
    pub(crate) gate: Gate,
    /// Whether it passed what is asked before it is served.
    pub(crate) readiness: Readiness,
    /// Its groups of tools, each with whether they are listed.
    groups: Vec<(String, bool)>,
    /// The skills beside its file, where they are served.
    pub(crate) skills: Option<ConnectorSkills>,
    /// The secrets that its backend may want, by name, when nobody set any.
    pub(crate) unset_secrets: Vec<String>,
    /// It is the board of this machine.
    pub(crate) is_local: bool,
    /// Its file comes with the program.
    is_built_in: bool,
    /// The file of the user's own that it was read from.
    pub(crate) own_file: Option<PathBuf>,
    /// Who asks, as it was at the start.
    pub(crate) credential: UsedCredential,
    /// What was wrong with its settings at the start: nothing can be called before that is mended.
    pub(crate) wrong: Option<String>,
    /// Neither a secret nor the address was set: nobody said that this backend is theirs.
    pub(crate) is_unconfigured: bool,
    /// The operator wants results as structured content too.
    structures_results: bool,
    /// A form alone confirms deletes and large changes.
    pub(crate) confirms_by_form: bool,
    /// The accounts of the local board, where this is it.
    pub(crate) accounts: Option<BoardAccounts>,
}

/// The accounts of the local board, which programs write as at `/xapi2`.
#[derive(Debug, Clone)]
pub(crate) struct BoardAccounts {
    board: Board,
    connector: Connector,
    store: Store,
}

impl BoardAccounts {
    /// An account that is there.
    ///
    /// # Errors
    /// A sentence: it is gone, or the store cannot be read.
    pub(crate) async fn account(&self, account_id: AccountId) -> Result<Account, String> {
        let account = self.store.account(account_id).await;
        let account = account.map_err(|error| error.to_string())?;
        account.ok_or_else(|| "this account is not there any more: sign in with another".to_owned())
    }

    /// The board as this account sees it.
    pub(crate) fn backend(&self, account_id: AccountId) -> Option<Backend> {
        let values = self.connector.settings(&|_: &str| None).ok()?;
        let upstream: InProcess<_, Body> = InProcess::new(self.board.service_for(account_id));
        Some(self.connector.connect(values, upstream).with_own_texts())
    }
}

impl Served {
    /// Where its backend is, for people and for the record.
    pub(crate) fn address(&self) -> String {
        address_of(&self.backend, self.is_local)
    }

    /// What its settings are decided by.
    pub(crate) fn asking(&self) -> SettingsOwner<'_> {
        SettingsOwner {
            name: &self.name,
            connector: self.backend.connector(),
            is_local: self.is_local,
            is_built_in: self.is_built_in,
        }
    }

    /// The backend as whom a change was made, and as whom it is known; none where it was made as
    /// somebody else than us.
    pub(crate) fn acting_as(&self, account: Option<&str>) -> Option<Backend> {
        acting_as(&self.backend, self.accounts.as_ref(), account)
    }

    /// What becomes of the calls of a tool.
    pub(crate) fn passage(&self, tool: &ConnectorTool) -> Passage {
        self.gate.passage(&tool.name, tool.effect)
    }

    /// Whether results of the tool are sent as structured content too, with their schema.
    pub(crate) fn structures(&self, tool: &ConnectorTool) -> bool {
        tool.structured || (self.structures_results && tool.output_schema.is_some())
    }

    /// Whether clients see the tool in their list.
    pub(crate) fn lists(&self, tool: &ConnectorTool) -> bool {
        let of_tool = |(group, _): &&(String, bool)| tool.group.as_ref() == Some(group);
        self.groups
            .iter()
            .find(of_tool)
            .map_or(tool.is_listed, |(_, is_listed)| *is_listed)
    }
}

/// A backend as whom a change was made; none where it was made as somebody else than us.
pub(crate) fn acting_as(
    backend: &Backend,
    accounts: Option<&BoardAccounts>,
    account: Option<&str>,
) -> Option<Backend> {
    let (account, identity) = (account?, backend.identity());
    if account == identity {
        return Some(backend.clone());
    }
    accounts?.backend(other_account(&identity, account)?)
}

/// Where a backend is, as it is shown and kept.
pub(crate) fn address_of(backend: &Backend, is_local: bool) -> String {
    match is_local {
        true => LOCAL_ADDRESS.to_owned(),
        false => backend.address(),
    }
}

/// Everything that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) served: Vec<Served>,
    /// The local board, when it is among them.
    pub(crate) local: Option<LocalBoard>,
    /// Where changes are kept.
    pub(crate) changes: ChangeStore,
    /// Whether the tools over changes are listed.
    pub(crate) lists_changes: bool,
    /// Whether the tools over leases are.
    pub(crate) lists_leases: bool,
    /// How much may be written.
    pub(crate) brakes: Brakes,
    /// The calls that wait for a change.
    pub(crate) waits: ChangeWaits,
    /// Where what is no change is audited.
    pub(crate) trail: AuditTrail,
    pub(crate) query: QuerySettings,
    /// Which tools are listed.
    pub(crate) surface: Surface,
    /// The address under which clients reach this program, once it listens.
    pub(crate) own_address: Arc<OnceLock<String>>,
    pub(crate) changes_page: ChangesPage,
}

/// The board of this machine.
#[derive(Debug)]
pub(crate) struct LocalBoard {
    pub(crate) store: Store,
    pub(crate) board: Board,
    pub(crate) gate: Gate,
    pub(crate) journal: Arc<BoardJournal>,
}

impl Opened {
    /// Opens the connectors, each given by its name or the path of its file, in their order; none
    /// is the board.
    pub(crate) async fn open(
        names_or_paths: &[String],
        settings: &Settings,
    ) -> Result<Self, Trouble> {
        let connectors = settings.connectors()?;
        let mut files = names_or_paths
            .iter()
            .map(|name_or_path| connectors.find(name_or_path))
            .collect::<Result<Vec<_>, _>>()?;
        if files.is_empty() {
            files.push(connectors.find(connectors::DEFAULT)?);
        }
        let mut compiled: Vec<(ConnectorFile, String, Connector)> = Vec::with_capacity(files.len());
        for file in files {
            let (name, connector) = file.compile()?;
            if compiled.iter().any(|(_, before, _)| *before == name) {
                return Err(Trouble::usage(format!(
                    "{name} is named twice: name each connector once"
                )));
            }
            compiled.push((file, name, connector));
        }
        check_connectors_in_file(
            settings,
            &connectors,
            compiled.iter().map(|(_, name, _)| name.as_str()).collect(),
        )?;
        scrub::check(compiled.iter().map(|(_, _, connector)| connector))?;
        let groups = compiled
            .iter()
            .flat_map(|(_, _, connector)| connector.groups());
        let program_groups = [CHANGES, LEASES, QUERY].into_iter();
        settings.check_groups(
            groups
                .map(|(group, _)| group.as_str())
                .chain(program_groups),
        )?;
        check_allowed_tools(settings, &compiled)?;
        check_skills(settings.with_skills(), &compiled)?;
        let bounds = settings.bounds()?;
        let changes = match settings.data_directory() {
            Ok(path) => ChangeStore::in_directory(path, bounds.store.clone()),
            Err(trouble) => ChangeStore::nowhere(trouble.to_string()),
        };
        let mut opened = Self {
            served: Vec::with_capacity(compiled.len()),
            local: None,
            brakes: Brakes::new(bounds.writes, changes.clone()),
            trail: AuditTrail::new(changes.clone(), bounds.audits_reads),
            changes,
            waits: ChangeWaits::default(),
            lists_changes: settings.lists(CHANGES, false),
            lists_leases: settings.lists(LEASES, false),
            query: QuerySettings {
                is_listed: settings.lists(QUERY, true),
                calls: bounds.query_calls,
            },
            surface: settings.surface(),
            own_address: Arc::default(),
            changes_page: ChangesPage::default(),
        };
        // What is wrong with settings is said of all of them, when one of them ends the start.
        let mut wrong: Vec<String> = Vec::new();
        let mut ends = false;
        for (file, name, connector) in compiled {
            let skills = file.skills(&name, settings.with_skills().contains(&name));
            match opened
                .open_one(&file, name, connector, settings, &bounds)
                .await
            {
                Ok(served) => {
                    wrong.extend(served.wrong.clone());
                    opened.served.push(Served { skills, ..served });
                }
                Err(trouble) if trouble.is_configuration() => {
                    ends = true;
                    wrong.push(trouble.to_string());
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if !ends {
            return Ok(opened);
        }
        opened.close().await;
        Err(Trouble::configuration(wrong.join("\n")))
    }

    async fn open_one(
        &mut self,
        file: &ConnectorFile,
        name: String,
        connector: Connector,
        settings: &Settings,
        bounds: &Bounds,
    ) -> Result<Served, Trouble> {
        let is_local = file.reached == Reached::InProcess;
        let is_built_in = file.is_built_in();
        check_names(&connector, is_local, settings.names_in_file(&name))
            .map_err(|wrong| Trouble::usage(format!("{name}: {wrong}")))?;
        let asking = SettingsOwner {
            name: &name,
            connector: &connector,
            is_local,
            is_built_in,
        };
        let (resolved, wrong) = match resolve(asking, settings) {
            Ok(resolved) => (resolved, None),
            // it answers all the same, and says to each call what is wrong
            Err(trouble) if trouble.is_configuration() && settings.outlives_wrong_settings => {
                match stand_ins(&connector).filter(|_| connector.exit_unset().is_none()) {
                    Some(values) => (ResolvedSettings::without_credential(values), Some(trouble)),
                    None => return Err(trouble),
                }
            }
            Err(trouble) => return Err(trouble),
        };
        let ResolvedSettings {
            values,
            credential,
            unset_secrets,
            is_unconfigured,
        } = resolved;
        let gate = gate(settings.allowed(&name), &connector, &values, is_local);
        let mut accounts = None;
        let backend = match file.reached {
            Reached::Network => connector.connect(values, network(settings.ca_file())?),
            // what only lists tools makes no database
            Reached::InProcess if settings.only_lists => connector.connect(values, Network::new()),
            Reached::InProcess => {
                let directory = settings.data_directory()?;
                let store = Store::open_with(&directory, bounds.store.clone()).await;
                let store = store.map_err(Trouble::failed)?;
                self.changes = ChangeStore::of(store.clone());
                self.brakes = Brakes::new(bounds.writes, self.changes.clone());
                self.trail = AuditTrail::new(self.changes.clone(), bounds.audits_reads);
                let local = self.open_board(&name, &connector, &values, store, gate.clone())?;
                accounts = Some(BoardAccounts {
                    board: local.board.clone(),
                    connector: connector.clone(),
                    store: local.store.clone(),
                });
                let upstream: InProcess<_, Body> =
                    InProcess::new(local.board.service_for(AccountId::local()));
                self.local = Some(local);
                // its cards are the user's own
                connector.connect(values, upstream).with_own_texts()
            }
        };
        let groups = settings
            .groups_of(&name, connector.groups())
            .map_err(|wrong| Trouble::usage(format!("{name}: {wrong}")))?;
        Ok(Served {
            name,
            backend,
            groups,
            skills: None,
            unset_secrets,
            is_unconfigured,
            structures_results: settings.structures_results()?,
            confirms_by_form: settings.confirms_by_form()?,
            gate,
            accounts,
            is_local,
            is_built_in,
            own_file: file.own_path(),
            credential,
            wrong: wrong.map(|trouble| trouble.to_string()),
            readiness: Readiness::default(),
        })
    }

    /// The board of this machine; what programs write at `/xapi2` is kept, audited and held like
    /// any other write.
    fn open_board(
        &self,
        name: &str,
        connector: &Connector,
        values: &SettingValues,
        store: Store,
        gate: Gate,
    ) -> Result<LocalBoard, Trouble> {
        let models = board_models::of_connector(connector)?;
        let identity = connector.identity(values);
        let journal = Arc::new(BoardJournal::new(name, LOCAL_ADDRESS, identity, connector));
        let brakes = BoardBrakes {
            brakes: self.brakes.clone(),
            trail: self.trail.clone(),
            journal: Arc::clone(&journal),
        };
        let (on_record, held) = (Arc::clone(&journal) as _, Arc::new(brakes));
        Ok(LocalBoard {
            board: Board::with_journal(store.clone(), models, on_record, held),
            store,
            gate,
            journal,
        })
    }

    /// The board of this machine, and the name that it is served under.
    pub(crate) fn local_board(&self) -> Option<(&LocalBoard, &str)> {
        let local = self.local.as_ref()?;
        let served = self.served.iter().find(|served| served.is_local)?;
        Some((local, &served.name))
    }

    /// Closes what was opened.
    pub(crate) async fn close(self) {
        self.trail.finish().await;
        self.changes.close().await;
        if let Some(local) = self.local {
            local.store.close().await;
        }
    }
}

/// Opens the store alone, for commands that manage accounts.
pub(crate) async fn open_store(data_directory: &Path) -> Result<Store, Trouble> {
    Store::open(data_directory).await.map_err(Trouble::failed)
}

/// The network, which also trusts the certificates of this file.
pub(crate) fn network(ca_file: Option<PathBuf>) -> Result<Network, Trouble> {
    match ca_file {
        Some(path) => Network::with_ca_file(&path)
            .map_err(|error| Trouble::usage(format!("--ca-file: {error}"))),
        None => Ok(Network::new()),
    }
}
