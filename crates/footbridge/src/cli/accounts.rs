//! The command line of `footbridge account` and `footbridge token`: who may use the local board.

use clap::{Args, Subcommand};

use super::FileOptions;

#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Add an account
    Add {
        /// Its name, unique
        name: String,
        /// Its e-mail address, to log in with
        #[arg(long)]
        email: Option<String>,
        /// Ask for a password, or read it from the first line of stdin when that is no terminal
        #[arg(long, requires = "email")]
        password: bool,
        /// Make it an administrator
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        options: AccountOptions,
    },
    /// List the accounts
    List {
        #[command(flatten)]
        options: AccountOptions,
    },
    /// Remove an account and its tokens
    Remove {
        /// Its name or e-mail address
        name: String,
        /// Erase its boards and cards with it, for good
        #[arg(long)]
        erase_records: bool,
        #[command(flatten)]
        options: AccountOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token and print it, this once
    Create {
        /// What to call it
        name: String,
        /// What it may do, separated by commas: board:read, board:write, card:read, card:write
        /// [default: everything]
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<String>,
        /// When it ends: in 30d or 12h, or at 2027-01-31T00:00:00Z [default: when it is revoked]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// Whose token it is
        #[arg(long, default_value = "local")]
        account: String,
        #[command(flatten)]
        options: AccountOptions,
    },
    /// List the tokens of an account; the tokens themselves are not kept
    List {
        /// Whose tokens
        #[arg(long, default_value = "local")]
        account: String,
        #[command(flatten)]
        options: AccountOptions,
    },
    /// Revoke a token at once
    Revoke {
        /// Its id, or its first characters as the list shows them
        token: String,
        /// Whose token it is
        #[arg(long, default_value = "local")]
        account: String,
        #[command(flatten)]
        options: AccountOptions,
    },
}

/// What each of them takes.
#[derive(Debug, Args)]
pub(crate) struct AccountOptions {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) files: FileOptions,
}
