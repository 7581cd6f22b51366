//! What this build is: its version and commit, and where its releases come from and who signs
//! them. All of it is decided when the program is built.

/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit it was built from; none in a build for development.
pub(crate) const COMMIT: Option<&str> = option_env!("FOOTBRIDGE_COMMIT");

/// The address of its releases, below which their manifest is; none where nobody publishes any.
pub(crate) const RELEASES: Option<&str> = option_env!("FOOTBRIDGE_RELEASES");

/// The public key, in minisign's form, of those who sign the manifest.
pub(crate) const RELEASE_KEY: Option<&str> = option_env!("FOOTBRIDGE_RELEASE_KEY");

/// The version, with its commit where there is one.
pub(crate) fn version() -> String {
    match COMMIT {
        Some(commit) => format!("{VERSION} ({commit})"),
        None => VERSION.to_owned(),
    }
}
