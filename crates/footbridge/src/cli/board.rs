//! The command line of `footbridge board`.

use clap::Args;

use super::FileOptions;

#[derive(Debug, Args)]
pub(crate) struct BoardArguments {
    /// The board, by its name or id; the only one there is, or a list of them, without
    pub(crate) name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) files: FileOptions,
}
