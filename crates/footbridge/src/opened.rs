//! Connectors opened for use: compiled, with their settings, bound to their upstream. Calls
//! nothing.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use footbridge_board::Board;
use footbridge_connector::{
    Backend, Connector, Decides, InProcess, Network, Setting, SettingKind, Settings as Values, Tool,
};
use footbridge_store::{AccountId, Store};

use crate::allow::{AllowWord, AllowedEffect, Passage};
use crate::audit_trail::AuditTrail;
use crate::board_journal::BoardJournal;
use crate::board_models;
use crate::brakes::Brakes;
use crate::change_store::ChangeStore;
use crate::connectors::{self, ConnectorFile, ConnectorSkills, Connectors, Reached};
use crate::exit::Trouble;
use crate::gate::Gate;
use crate::readiness::Readiness;
use crate::scrub;
use crate::settings::{Bounds, Settings};
use crate::spelling::did_you_mean;

/// The address of the board of this machine, as it is shown and kept.
const LOCAL_ADDRESS: &str = "this machine";

/// The group of tools over what was changed, which are of no connector.
const CHANGES: &str = "changes";
/// The group of tools over leases.
const LEASES: &str = "leases";

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
    /// Where its backend is, for people and for the record.
    pub(crate) address: String,
    /// Neither a secret nor the address was set: nobody said that this backend is theirs.
    pub(crate) is_unconfigured: bool,
    /// The accounts of the local board, where this is it.
    pub(crate) accounts: Option<BoardAccounts>,
}

/// The accounts of the local board, which programs write as at `/xapi2`.
#[derive(Debug, Clone)]
pub(crate) struct BoardAccounts {
    board: Board,
    connector: Connector,
}

impl BoardAccounts {
    /// The board as this account sees it.
    pub(crate) fn backend(&self, account_id: AccountId) -> Option<Backend> {
        let values = self.connector.settings(&|_: &str| None).ok()?;
        let upstream: InProcess<_, Body> = InProcess::new(self.board.service_for(account_id));
        Some(self.connector.connect(values, upstream).with_own_texts())
    }
}

impl Served {
    /// What becomes of the calls of a tool.
    pub(crate) fn passage(&self, tool: &Tool) -> Passage {
        self.gate.passage(&tool.name, tool.effect)
    }

    /// Whether clients see the tool in their list.
    pub(crate) fn lists(&self, tool: &Tool) -> bool {
        let of_tool = |(group, _): &&(String, bool)| tool.group.as_ref() == Some(group);
        self.groups
            .iter()
            .find(of_tool)
            .map_or(tool.is_listed, |(_, is_listed)| *is_listed)
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
    /// Where what is no change is audited.
    pub(crate) trail: AuditTrail,
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
        let own = [CHANGES, LEASES].into_iter();
        settings.check_groups(groups.map(|(group, _)| group.as_str()).chain(own))?;
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
            lists_changes: settings.lists(CHANGES),
            lists_leases: settings.lists(LEASES),
        };
        let mut wrong: Vec<Trouble> = Vec::new();
        for (file, name, connector) in compiled {
            let skills = file.skills(&name, settings.with_skills().contains(&name));
            match opened
                .open_one(file.reached, name, connector, settings, &bounds)
                .await
            {
                Ok(served) => opened.served.push(Served { skills, ..served }),
                // What else is wrong with the settings is said with it.
                Err(trouble) if trouble.is_configuration() => wrong.push(trouble),
                Err(trouble) => return Err(trouble),
            }
        }
        if wrong.is_empty() {
            return Ok(opened);
        }
        opened.close().await;
        Err(Trouble::configuration(
            wrong
                .iter()
                .map(Trouble::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        ))
    }

    async fn open_one(
        &mut self,
        reached: Reached,
        name: String,
        connector: Connector,
        settings: &Settings,
        bounds: &Bounds,
    ) -> Result<Served, Trouble> {
        let is_local = reached == Reached::InProcess;
        check_names(&connector, is_local, settings.names_in_file(&name))
            .map_err(|wrong| Trouble::usage(format!("{name}: {wrong}")))?;
        let unreadable = RefCell::new(None);
        let lookup = |setting: &str| {
            let found = if is_local {
                Ok(None)
            } else {
                settings.of_connector(&name, setting)
            };
            found.unwrap_or_else(|trouble| {
                unreadable.replace(Some(trouble));
                None
            })
        };
        let value_or_stand_in = |setting: &str| {
            lookup(setting)
                .or_else(|| stand_in(&connector, setting).filter(|_| settings.only_lists))
        };
        let values = connector.settings(&value_or_stand_in).map_err(|problems| {
            Trouble::configuration(format!("{name}: {}", problems.list().join("; ")))
        })?;
        let is_blank = |name: &str| lookup(name).is_none_or(|value| value.trim().is_empty());
        let is_unset = |setting: &&Setting| is_blank(&setting.name) && is_blank(&file_of(setting));
        let is_replaced = |setting: &Setting| {
            let other = setting.unless.as_ref().and_then(|name| {
                connector
                    .setting_rules()
                    .iter()
                    .find(|other| other.name == *name)
            });
            other.is_some_and(|other| !is_unset(&other))
        };
        let secrets = connector
            .setting_rules()
            .iter()
            .filter(|setting| setting.secret && !is_local && !is_replaced(setting));
        let (unset, set): (Vec<_>, Vec<_>) = secrets.partition(is_unset);
        // With one credential set, the others are its alternatives, or for what stands before the
        // backend.
        let unset_secrets = if set.is_empty() {
            unset.iter().map(|setting| setting.name.clone()).collect()
        } else {
            Vec::new()
        };
        let mut address = connector.address_settings().peekable();
        let is_unconfigured =
            !unset_secrets.is_empty() && address.peek().is_some() && address.all(is_blank);
        if let Some(trouble) = unreadable.take() {
            return Err(trouble);
        }
        let gate = gate(settings.allowed(&name), &connector, &values, is_local);
        let mut accounts = None;
        let backend = match reached {
            Reached::Network => connector.connect(values, network(settings.ca_file())?),
            // what only lists tools makes no database
            Reached::InProcess if settings.only_lists => connector.connect(values, Network::new()),
            Reached::InProcess => {
                let directory = settings.data_directory()?;
                let store = Store::open_with(&directory, bounds.store.clone()).await;
                let store = store.map_err(Trouble::failed)?;
                let local = open_board(&name, &connector, &values, store, gate.clone())?;
                accounts = Some(BoardAccounts {
                    board: local.board.clone(),
                    connector: connector.clone(),
                });
                let upstream: InProcess<_, Body> =
                    InProcess::new(local.board.service_for(AccountId::local()));
                self.changes = ChangeStore::of(local.store.clone());
                self.brakes = Brakes::new(bounds.writes, self.changes.clone());
                self.trail = AuditTrail::new(self.changes.clone(), bounds.audits_reads);
                self.local = Some(local);
                // its cards are the user's own
                connector.connect(values, upstream).with_own_texts()
            }
        };
        let address = match is_local {
            true => LOCAL_ADDRESS.to_owned(),
            false => backend.address().to_owned(),
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
            gate,
            address,
            accounts,
            readiness: Readiness::default(),
        })
    }

    /// The board of this machine, and the name that it is served under.
    pub(crate) fn local_board(&self) -> Option<(&LocalBoard, &str)> {
        let local = self.local.as_ref()?;
        let served = self
            .served
            .iter()
            .find(|served| served.address == LOCAL_ADDRESS)?;
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

/// Every name among those whose skills are wanted must be that of a file of the user's own.
fn check_skills(
    names: &[String],
    served: &[(ConnectorFile, String, Connector)],
) -> Result<(), Trouble> {
    let own = served.iter().filter(|(file, ..)| !file.is_built_in());
    let own: Vec<&str> = own.map(|(_, name, _)| name.as_str()).collect();
    match names.iter().find(|name| !own.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) if served.iter().any(|(_, other, _)| other == name) => {
            Err(Trouble::usage(format!(
                "{name} is no connector file of your own: its skills are served anyway, so leave \
                 it out of --skills"
            )))
        }
        Some(name) => Err(Trouble::usage(format!(
            "no connector file of your own that is served is called {name:?}, so --skills cannot \
             name it; there are: {}",
            if own.is_empty() {
                "none".to_owned()
            } else {
                own.join(", ")
            }
        ))),
    }
}

/// Opens the store alone, for commands that manage accounts.
pub(crate) async fn open_store(data_directory: &Path) -> Result<Store, Trouble> {
    Store::open(data_directory).await.map_err(Trouble::failed)
}

fn open_board(
    name: &str,
    connector: &Connector,
    values: &Values,
    store: Store,
    gate: Gate,
) -> Result<LocalBoard, Trouble> {
    let models = board_models::of_connector(connector)?;
    let identity = connector.identity(values);
    let journal = Arc::new(BoardJournal::new(name, LOCAL_ADDRESS, identity, connector));
    let board = Board::with_journal(store.clone(), models, Arc::clone(&journal) as _);
    Ok(LocalBoard {
        store,
        board,
        gate,
        journal,
    })
}

/// A value for a setting without which nothing can be called, where nothing is: its tools can be
/// listed all the same.
fn stand_in(connector: &Connector, name: &str) -> Option<String> {
    let setting = connector
        .setting_rules()
        .iter()
        .find(|setting| setting.required && setting.name == name)?;
    Some(match setting.kind {
        SettingKind::Url => "https://unset.invalid".to_owned(),
        SettingKind::Text => "unset".to_owned(),
        SettingKind::Integer => setting
            .minimum
            .or(setting.maximum)
            .unwrap_or_default()
            .to_string(),
        SettingKind::Boolean => "false".to_owned(),
        SettingKind::Choice => setting.choices.first().cloned().unwrap_or_default(),
    })
}

/// The gate: what the operator opened, else what the backend's own setting says, else writing on
/// the board of this machine alone.
fn gate(
    allowed: Option<Vec<AllowWord>>,
    connector: &Connector,
    values: &Values,
    is_local: bool,
) -> Gate {
    if let Some(words) = allowed {
        return Gate::said(by_published_name(words, connector));
    }
    let is_open = is_local || values.decided(Decides::ReadOnly) == Some("false");
    let deciding = connector
        .setting_rules()
        .iter()
        .find(|setting| setting.decides == Some(Decides::ReadOnly));
    let switch = deciding.map(|setting| format!("{}=false", setting.name));
    Gate::by_default(
        if is_open {
            vec![AllowedEffect::Write]
        } else {
            Vec::new()
        },
        switch,
    )
}

/// Each tool of the words by the name that it is published under, its aliases too.
fn by_published_name(words: Vec<AllowWord>, connector: &Connector) -> Vec<AllowWord> {
    let published = |word| match word {
        AllowWord::Tool(name, passage) => {
            let tool = connector.tools().iter().find(|tool| is_called(tool, &name));
            AllowWord::Tool(tool.map_or(name, |tool| tool.name.clone()), passage)
        }
        effect @ AllowWord::Effect(_) => effect,
    };
    words.into_iter().map(published).collect()
}

fn is_called(tool: &Tool, name: &str) -> bool {
    tool.name == name || tool.aliases.iter().any(|alias| alias == name)
}

/// A word that is no tool of the connectors it is for was meant to open or close something.
fn check_allowed_tools(
    settings: &Settings,
    compiled: &[(ConnectorFile, String, Connector)],
) -> Result<(), Trouble> {
    for (_, name, _) in compiled {
        let words = settings.allowed(name).unwrap_or_default();
        let own = settings.has_own_allowed(name);
        let among = compiled
            .iter()
            .filter(|(_, other, _)| !own || other == name);
        let tools = || {
            among
                .clone()
                .flat_map(|(_, _, connector)| connector.tools())
        };
        for word in words {
            let AllowWord::Tool(unknown, _) = word else {
                continue;
            };
            if tools().any(|tool| is_called(tool, &unknown)) {
                continue;
            }
            let near = did_you_mean(&unknown, tools().map(|tool| tool.name.as_str()));
            return Err(Trouble::usage(format!(
                "allow: there is no tool {unknown:?} in {}{}",
                among
                    .map(|(_, name, _)| name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                near
            )));
        }
    }
    Ok(())
}

/// The variable that names the file of a secret.
fn file_of(setting: &Setting) -> String {
    format!("{}_FILE", setting.name)
}

/// Settings of a connector that nobody has were meant for another.
fn check_connectors_in_file(
    settings: &Settings,
    connectors: &Connectors,
    opened: Vec<&str>,
) -> Result<(), Trouble> {
    let unknown = settings
        .connectors_in_file()
        .find(|name| !connectors.has(name) && !opened.contains(name));
    unknown.map_or(Ok(()), |name| {
        Err(Trouble::usage(format!(
            "the settings file has settings for {name:?}, and there is no connector of that name; there are: {}; \
             one of your own is found in the directory that connectors_directory or --connectors names",
            connectors.names().join(", ")
        )))
    })
}

/// Names that a connector does not have were meant to do something.
fn check_names<'n>(
    connector: &Connector,
    is_local: bool,
    names: impl Iterator<Item = &'n str>,
) -> Result<(), String> {
    let rules = if is_local {
        &[]
    } else {
        connector.setting_rules()
    };
    for name in names {
        if !rules
            .iter()
            .any(|rule| rule.name == name || (rule.secret && file_of(rule) == name))
        {
            let known: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has: {}", known.join(", "))
            };
            return Err(format!(
                "the settings file sets {name}, which is no setting of it; {known}"
            ));
        }
    }
    Ok(())
}

/// The network, which also trusts the certificates of this file.
pub(crate) fn network(ca_file: Option<PathBuf>) -> Result<Network, Trouble> {
    match ca_file {
        Some(path) => Network::with_ca_file(&path)
            .map_err(|error| Trouble::usage(format!("--ca-file: {error}"))),
        None => Ok(Network::new()),
    }
}
