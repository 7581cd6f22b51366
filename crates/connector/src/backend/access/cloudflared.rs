//! Asking the `cloudflared` program for the token of a person who has signed in. Bounded in time
//! and bytes; its output is never shown.

use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::variables::is_needed_variable;

/// The program, found on the path.
const PROGRAM: &str = "cloudflared";
/// Time that it may take.
const TIME: Duration = Duration::from_secs(15);
/// Bytes that it may write.
const MAX_OUTPUT: usize = 64 << 10;
/// Bytes that a token may have: a header carries it.
const MAX_TOKEN: usize = 8 << 10;
/// Why there is no token; goes behind "… and".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloudflaredFailure {
    /// There is no such program.
    NotThere,
    /// It could not be started.
    NotStarted,
    /// It ended with an error.
    Failed,
    /// It took too long.
    TimedOut,
    /// What it wrote is no token.
    NoToken,
}

impl fmt::Display for CloudflaredFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => write!(f, "`{PROGRAM}` is not installed here"),
            Self::NotStarted => write!(f, "`{PROGRAM}` is here and cannot be started"),
            Self::Failed => write!(f, "`{PROGRAM}` has no token for it"),
            Self::TimedOut => write!(f, "`{PROGRAM}` did not answer within {} s", TIME.as_secs()),
            Self::NoToken => write!(f, "`{PROGRAM}` gave something that is no token"),
        }
    }
}

/// The token for the application at that address.
pub(super) async fn token(app: &str) -> Result<SecretString, CloudflaredFailure> {
    ask(Path::new(PROGRAM), app).await
}

async fn ask(program: &Path, app: &str) -> Result<SecretString, CloudflaredFailure> {
    let mut command = Command::new(program);
    command
        .arg("access")
        .arg("token")
        .arg(format!("-app={app}"));
    // no setting of ours
    command.env_clear().envs(
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_needed_variable)),
    );
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CloudflaredFailure::NotThere,
        _ => CloudflaredFailure::NotStarted,
    })?;
    let output = child.stdout.take();
    let run = async {
        let text = match output {
            Some(output) => read(output).await?,
            None => String::new(),
        };
        let status = child.wait().await.map_err(|_| CloudflaredFailure::Failed)?;
        if status.success() {
            Ok(text)
        } else {
            Err(CloudflaredFailure::Failed)
        }
    };
    let text = tokio::time::timeout(TIME, run)
        .await
        .map_err(|_| CloudflaredFailure::TimedOut)??;
    // An old version says where it looked before it gives the token: the token is the last line.
    let token = text
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or_default();
    is_token(token)
        .then(|| SecretString::from(token.to_owned()))
        .ok_or(CloudflaredFailure::NoToken)
}

async fn read(output: impl AsyncRead + Unpin) -> Result<String, CloudflaredFailure> {
    let mut bytes = Vec::new();
    let read = output
        .take(MAX_OUTPUT as u64 + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|_| CloudflaredFailure::Failed)?;
    if read > MAX_OUTPUT {
        return Err(CloudflaredFailure::NoToken);
    }
    String::from_utf8(bytes).map_err(|_| CloudflaredFailure::NoToken)
}

/// Three parts of base64, as a JSON Web Token has them.
fn is_token(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
    };
    text.len() <= MAX_TOKEN && text.split('.').count() == 3 && text.split('.').all(is_part)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::PathBuf;

    use secrecy::ExposeSecret;

    use super::{CloudflaredFailure, MAX_OUTPUT, MAX_TOKEN, ask, is_token};

    /// A program that is written by another process: while this one has a file open for writing, a
    /// child of a test beside may inherit the handle for a moment, and no system runs a file that
    /// somebody is still writing to ("text file busy").
    fn program(directory: &tempfile::TempDir, script: &str) -> PathBuf {
        let path = directory.path().join("cloudflared");
        let write = r##"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""##;
        let written = std::process::Command::new("sh")
            .args(["-c", write, "sh"])
            .arg(&path)
            .arg(script)
            .status()
            .unwrap();
        assert!(written.success(), "{written}");
        path
    }

    async fn outcome(script: &str) -> Result<String, CloudflaredFailure> {
        let directory = tempfile::tempdir().unwrap();
        let program = program(&directory, script);
        ask(&program, "https://ptm.example.com/")
            .await
            .map(|token| token.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn the_token_is_the_last_line_of_a_program_that_ends_well() {
        assert_eq!(
            outcome("echo; echo looking; echo ' a.b.c '").await.unwrap(),
            "a.b.c"
        );
        assert_eq!(
            outcome(r#"test "$*" = "access token -app=https://ptm.example.com/" && echo a.b.c"#)
                .await
                .unwrap(),
            "a.b.c"
        );
    }

    #[tokio::test]
    async fn every_other_end_says_what_it_was() {
        assert_eq!(
            ask(std::path::Path::new("/nowhere/cloudflared"), "x")
                .await
                .unwrap_err(),
            CloudflaredFailure::NotThere
        );
        let directory = tempfile::tempdir().unwrap();
        let is_no_program = ask(directory.path(), "x").await.unwrap_err();
        assert_eq!(
            (is_no_program, is_no_program.to_string().as_str()),
            (
                CloudflaredFailure::NotStarted,
                "`cloudflared` is here and cannot be started"
            )
        );
        assert_eq!(
            outcome("echo a.b.c; exit 1").await.unwrap_err(),
            CloudflaredFailure::Failed
        );
        assert_eq!(
            outcome("echo Unable to find token").await.unwrap_err(),
            CloudflaredFailure::NoToken
        );
        assert_eq!(
            outcome("true").await.unwrap_err(),
            CloudflaredFailure::NoToken
        );
    }

    #[tokio::test]
    async fn its_output_has_an_end() {
        let padded =
            |bytes: usize| format!("head -c {bytes} /dev/zero | tr '\\0' '\\n'; echo a.b.c");
        assert_eq!(outcome(&padded(MAX_OUTPUT - 6)).await.unwrap(), "a.b.c");
        assert_eq!(
            outcome(&padded(MAX_OUTPUT - 5)).await.unwrap_err(),
            CloudflaredFailure::NoToken
        );
    }

    /// The clock is the test's: it goes on when there is nothing to do but wait.
    #[tokio::test(start_paused = true)]
    async fn it_has_its_time() {
        assert_eq!(
            outcome("exec tail -f /dev/null").await.unwrap_err(),
            CloudflaredFailure::TimedOut
        );
    }

    #[test]
    fn a_token_has_three_parts_and_a_bounded_length() {
        assert!(is_token(&format!("a.b.{}", "c".repeat(MAX_TOKEN - 4))));
        assert!(!is_token(&format!("a.b.{}", "c".repeat(MAX_TOKEN - 3))));
        assert!(
            ["", "a.b", "a.b.c.d", "a..c", "a.b.c d", "a.b.ç"]
                .iter()
                .all(|text| !is_token(text))
        );
    }
}
