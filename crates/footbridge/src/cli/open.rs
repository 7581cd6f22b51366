//! The command line of `footbridge open`.

use clap::Args;

use super::{FileOptions, RootsOption};

/// How it ends.
pub(super) const EXITS: &str = "Exit codes:
  0  a browser was started, or the address was printed
  1  nothing answers there, it is not Footbridge, or it keeps its data elsewhere
  2  the command or the settings are wrong";

#[derive(Debug, Args)]
pub(crate) struct OpenArguments {
    /// Address of the server [default: its public URL of the settings file, else this machine and
    /// its port]
    pub(crate) url: Option<String>,
    /// Print the address, which signs in once and for two minutes, and start no browser
    #[arg(long)]
    pub(crate) print: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) files: FileOptions,
    #[command(flatten)]
    pub(crate) roots: RootsOption,
}
