//! The system's way of opening an address in a browser. Not the browser itself.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::setting_table::{SETTINGS, SettingValueKind};

/// How long it is waited for what starts a browser; some of these end with the browser.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens an address; whether something was there that took it.
pub(super) async fn open(address: &str) -> bool {
    let Some((program, arguments)) = opener() else {
        return false;
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // no secret of ours is its business
    for row in SETTINGS {
        if let (SettingValueKind::Secret, Some(name)) = (row.kind, row.variable) {
            command.env_remove(name).env_remove(format!("{name}_FILE"));
        }
    }
    let Ok(mut started) = command.spawn() else {
        return false;
    };
    match tokio::time::timeout(PATIENCE, started.wait()).await {
        Ok(ended) => ended.is_ok_and(|status| status.success()),
        Err(_) => true,
    }
}

/// The program that opens addresses, and what stands before the address; none where there is no
/// screen.
fn opener() -> Option<(&'static str, &'static [&'static str])> {
    if cfg!(target_os = "macos") {
        return Some(("open", &[]));
    }
    if cfg!(windows) {
        // `start` is a word of the shell, which would read an & in the address
        return Some(("rundll32", &["url.dll,FileProtocolHandler"]));
    }
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_screen = is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    has_screen.then_some(("xdg-open", &[]))
}
