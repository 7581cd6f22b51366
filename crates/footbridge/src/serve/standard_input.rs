//! The kind of stdin, and what it tells of who started the program: a client holds a pipe or a
//! socket, a person a terminal, a service manager nothing.

use crate::cli::Transport;

/// The transport that fits stdin. A terminal, `/dev/null` or a closed stdin (which the run time
/// replaces by `/dev/null`) mean HTTP.
#[cfg(unix)]
pub(crate) fn suggests() -> Transport {
    use std::os::unix::fs::FileTypeExt as _;
    match kind() {
        Ok(kind) if kind.is_fifo() || kind.is_socket() || kind.is_file() => Transport::Stdio,
        _ => Transport::Http,
    }
}

#[cfg(unix)]
fn kind() -> std::io::Result<std::fs::FileType> {
    use std::os::fd::AsFd as _;
    let stdin = std::io::stdin().as_fd().try_clone_to_owned()?;
    Ok(std::fs::File::from(stdin).metadata()?.file_type())
}

/// The transport that fits stdin: where there are no kinds of files, a terminal means HTTP.
#[cfg(not(unix))]
pub(crate) fn suggests() -> Transport {
    use std::io::IsTerminal as _;
    if std::io::stdin().is_terminal() {
        Transport::Http
    } else {
        Transport::Stdio
    }
}
