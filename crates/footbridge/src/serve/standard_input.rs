//! The kind of stdin, and what it tells of who started the program: a client holds a pipe or a
//! socket, a person a terminal, a service manager nothing.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;

use crate::cli::Transport;

/// The transport that fits stdin. A terminal, `/dev/null` or a closed stdin (which the run time
/// replaces by `/dev/null`) mean HTTP.
pub(crate) fn suggests() -> Transport {
    match kind() {
        Ok(kind) if kind.is_fifo() || kind.is_socket() || kind.is_file() => Transport::Stdio,
        _ => Transport::Http,
    }
}

fn kind() -> io::Result<std::fs::FileType> {
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(File::from(stdin).metadata()?.file_type())
}
