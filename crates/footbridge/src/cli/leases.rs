//! The command lines of `footbridge leases` and `footbridge audit`.

use clap::{Args, Subcommand, ValueEnum};

use super::FileOptions;
use crate::exit::Trouble;

/// How a check of the audit ends.
pub(super) const AUDIT_EXITS: &str = "Exit codes:
  0  the chain is whole
  1  it could not be read
  2  the command or the settings are wrong
  3  the chain is broken: the first row that is wrong is named";

#[derive(Debug, Args)]
pub(crate) struct LeasesArguments {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<LeasesCommand>,
}

impl LeasesArguments {
    /// What is done: the list, where no other word is said.
    ///
    /// # Errors
    /// When `--json` stands before a command, which would not see it.
    pub(crate) fn command(&mut self) -> Result<&mut LeasesCommand, Trouble> {
        let json = std::mem::take(&mut self.json);
        if json && self.command.is_some() {
            return Err(Trouble::usage(
                "--json stands behind the command, as in footbridge leases list --json",
            ));
        }
        Ok(self
            .command
            .get_or_insert_with(|| LeasesCommand::list(json)))
    }

    /// The same, taken.
    ///
    /// # Errors
    /// As [`LeasesArguments::command`].
    pub(crate) fn into_command(mut self) -> Result<LeasesCommand, Trouble> {
        self.command()?;
        Ok(self.command.unwrap_or_else(|| LeasesCommand::list(false)))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum LeasesCommand {
    /// List the records that are leased, those that end first before the others
    List {
        /// Of this connector
        #[arg(short, long, value_name = "CONNECTOR")]
        connector: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// End a lease, whoever has it; its token is refused from then on
    End {
        /// The record, as KIND:ID
        #[arg(value_name = "KIND:ID")]
        record: String,
        /// Of this connector, where several have such a record
        #[arg(short, long, value_name = "CONNECTOR")]
        connector: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
}

impl LeasesCommand {
    fn list(json: bool) -> Self {
        Self::List {
            connector: None,
            json,
            files: FileOptions::default(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that no row of the audit was changed, taken out or moved
    #[command(after_help = AUDIT_EXITS)]
    Verify {
        /// A row that is known from before, as SEQUENCE:DIGEST: it must still be there
        #[arg(long, value_name = "SEQUENCE:DIGEST")]
        known: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// Print the rows of the audit, one in each line
    Export {
        /// Not older than this: 2h, 3d, or a time such as 2027-01-31T00:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// How they are written
        #[arg(long, value_enum, default_value_t = AuditFormat::Jsonl)]
        format: AuditFormat,
        /// The same as --format jsonl
        #[arg(long, conflicts_with = "format")]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
}

/// The form of exported rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// A JSON object in each line
    Jsonl,
    /// Comma-separated values with a line of headings
    Csv,
}
