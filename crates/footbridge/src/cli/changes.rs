//! The command line of `footbridge changes`: which changes, and what becomes of them.

use clap::{Args, Subcommand};

use super::{CommonOptions, FileOptions};
use crate::exit::Trouble;

/// Changes that are listed where no number is said.
const LISTED: u32 = 20;

#[derive(Debug, Args)]
pub(crate) struct ChangesArguments {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<ChangesCommand>,
}

impl ChangesArguments {
    /// What is done: the list, where no other word is said.
    ///
    /// # Errors
    /// When `--json` stands before a command, which would not see it.
    pub(crate) fn command(&mut self) -> Result<&mut ChangesCommand, Trouble> {
        let json = std::mem::take(&mut self.json);
        if json && self.command.is_some() {
            return Err(Trouble::usage(
                "--json stands behind the command, as in footbridge changes list --json",
            ));
        }
        Ok(self
            .command
            .get_or_insert_with(|| ChangesCommand::list(json)))
    }

    /// The same, taken.
    ///
    /// # Errors
    /// As [`ChangesArguments::command`].
    pub(crate) fn into_command(mut self) -> Result<ChangesCommand, Trouble> {
        self.command()?;
        Ok(self.command.unwrap_or_else(|| ChangesCommand::list(false)))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChangesCommand {
    /// List changes, the newest first
    List {
        #[command(flatten)]
        selection: SelectionOptions,
        /// How many
        #[arg(long, default_value_t = LISTED, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those older than this one
        #[arg(long, value_name = "CHANGE")]
        before: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// Show one change with what it did to each record
    Show {
        /// Its number
        #[arg(value_name = "CHANGE")]
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// Approve a proposal: it is carried out, unless people changed since what it is about
    Approve {
        /// Its number
        #[arg(value_name = "CHANGE")]
        id: String,
        /// Do it without a question
        #[arg(long)]
        yes: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// A connector file of your own that it was proposed with
        #[arg(long = "file", value_name = "FILE")]
        connector_files: Vec<String>,
        #[command(flatten)]
        options: CommonOptions,
    },
    /// Decline a proposal: it is never carried out
    Decline {
        /// Its number
        #[arg(value_name = "CHANGE")]
        id: String,
        /// Why, for the record
        #[arg(long)]
        reason: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// Undo changes: show what that would do, then do it
    Undo {
        /// Their numbers; none means all that the other options select
        #[arg(value_name = "CHANGE")]
        ids: Vec<String>,
        #[command(flatten)]
        selection: SelectionOptions,
        /// Only show what it would do
        #[arg(long)]
        dry_run: bool,
        /// Do it without a question
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
        /// Do it if the plan is still this one, by the digest that --dry-run printed
        #[arg(long, value_name = "DIGEST", conflicts_with = "dry_run")]
        plan: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// A connector file of your own that changes were made with; may be repeated
        #[arg(long = "file", value_name = "FILE")]
        connector_files: Vec<String>,
        #[command(flatten)]
        options: CommonOptions,
    },
}

impl ChangesCommand {
    fn list(json: bool) -> Self {
        Self::List {
            selection: SelectionOptions::default(),
            limit: LISTED,
            before: None,
            json,
            files: FileOptions::default(),
        }
    }
}

/// Which changes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SelectionOptions {
    /// Of this connector
    #[arg(short, long, value_name = "CONNECTOR")]
    pub(crate) connector: Option<String>,
    /// By this tool
    #[arg(long)]
    pub(crate) tool: Option<String>,
    /// Of callers of this kind: local, http or action
    #[arg(long)]
    pub(crate) caller: Option<String>,
    /// Through a client of this name
    #[arg(long)]
    pub(crate) client: Option<String>,
    /// Of this record, as KIND:ID; the connector must be said
    #[arg(long, value_name = "KIND:ID", requires = "connector")]
    pub(crate) record: Option<String>,
    /// Not older than this: 2h, 3d, or a time such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// In this state: proposed, sent, done, failed, unknown, withdrawn or expired
    #[arg(long)]
    pub(crate) state: Option<String>,
}
