//! The command line of `login`, `logout` and `whoami`.

use clap::Args;
use secrecy::SecretString;

use super::{CommonOptions, DirectoryOption, FileOptions, RootsOption, secret};
use crate::credentials::{REFERENCE_CONNECTOR, SecretPlace};

/// How `login` ends.
pub(super) const EXITS: &str = "Exit codes:
  0    logged in, and the login is kept
  1    the backend refused, is down, or the login cannot be kept; what was kept before stays
  2    the command or the settings are wrong
  130  the questions were not answered";

/// How `whoami` ends.
pub(super) const WHOAMI_EXITS: &str = "Exit codes:
  0  the backend said who it is
  1  the backend refused or is down
  2  the command or the settings are wrong
  3  nobody is logged in";

/// Where backends are and what is believed of them.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct BackendOptions {
    #[command(flatten)]
    pub(crate) directory: DirectoryOption,
    #[command(flatten)]
    pub(crate) files: FileOptions,
    #[command(flatten)]
    pub(crate) roots: RootsOption,
}

impl From<BackendOptions> for CommonOptions {
    fn from(options: BackendOptions) -> Self {
        Self {
            directory: options.directory,
            files: options.files,
            roots: options.roots,
            ..Self::default()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct LoginArguments {
    /// The connector whose backend it is, or its file
    #[arg(value_name = "CONNECTOR", default_value = REFERENCE_CONNECTOR)]
    pub(crate) connector: String,
    /// The token to keep; - reads it from the first line of stdin [default: it is asked for]
    #[arg(long, value_name = "TOKEN", value_parser = secret, allow_hyphen_values = true)]
    pub(crate) token: Option<SecretString>,
    /// Where its secrets are kept, and nowhere else [default: the keyring, where this build uses one
    /// and it answers; else the file]
    #[arg(long, value_name = "PLACE")]
    pub(crate) keep_in: Option<SecretPlace>,
    #[command(flatten)]
    pub(crate) options: BackendOptions,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutArguments {
    /// The connector whose backend it is, or its file
    #[arg(value_name = "CONNECTOR", default_value = REFERENCE_CONNECTOR)]
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) options: BackendOptions,
}

#[derive(Debug, Args)]
pub(crate) struct WhoamiArguments {
    /// The connector whose backend it is, or its file
    #[arg(value_name = "CONNECTOR", default_value = REFERENCE_CONNECTOR)]
    pub(crate) connector: String,
    /// Print JSON, with the address and where the credential comes from
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) options: BackendOptions,
}
