//! `footbridge update`: the newest release in place of this program. Nothing is touched before the
//! manifest's signature, then the file's checksum, then the new program itself were looked at; the
//! swap is one step, so that whatever breaks off leaves the old program or the new one.

mod manifest;
mod package_owner;
mod replacement;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use bytes::BytesMut;
use footbridge_connector::{Limits, Network, Upstream as _};
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;
use url::Url;

use self::manifest::{ReleaseFile, ReleaseManifest};
use self::package_owner::PackageOwner;
use self::replacement::Replacement;
use crate::build;
use crate::cli::UpdateArguments;
use crate::exit::{Exit, Trouble};
use crate::opened::network;
use crate::terminal::{self, ProgressLine};

/// The file that says which release there is, and its signature.
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.json.minisig";
/// Most bytes of a manifest, and of a signature.
const MAX_MANIFEST_BYTES: usize = 64 << 10;
/// Most bytes of a packed program.
const MAX_FILE_BYTES: usize = 64 << 20;
/// Time for a manifest, and for a packed program.
const MANIFEST_TIME: Duration = Duration::from_secs(30);
const FILE_TIME: Duration = Duration::from_secs(15 * 60);
/// Bytes of a piece of it.
const PIECE_BYTES: usize = 1 << 20;
/// Redirects that are followed: places where releases are kept lead to others.
const MAX_REDIRECTS: usize = 5;

pub(crate) async fn run(arguments: UpdateArguments) -> Result<Exit, Trouble> {
    let program = own_path()?;
    let owner = PackageOwner::of(&program);
    if let (Some(owner), false) = (&owner, arguments.check) {
        return Err(Trouble::failed(format!(
            "{} belongs to {}, which updates it: {}",
            program.display(),
            owner.name,
            owner.command
        )));
    }
    let (Some(releases), Some(key)) = (build::RELEASES, build::RELEASE_KEY) else {
        return Err(Trouble::failed(
            "this build has no address of releases and no key that signs them, so it cannot \
             update itself: get a newer program from where this one came from",
        ));
    };
    let source = ReleaseSource {
        network: network(arguments.roots.ca_file)?,
        releases: address(releases)?,
        key,
    };
    let newest = source.newest().await?;
    let is_newer = newest.is_newer_than(build::VERSION)?;
    if is_newer && !arguments.check {
        source
            .install(&newest, &program, &mut |step| step.tell())
            .await?;
    }
    if arguments.json {
        terminal::print(json!({
            "version": build::VERSION, "newest": newest.version, "is_newer": is_newer,
            "updated": is_newer && !arguments.check, "program": program.display().to_string(),
            "package_manager": owner.as_ref().map(|owner| owner.name),
            "command": owner.as_ref().map(|owner| owner.command),
        }))?;
        return Ok(Exit::Done);
    }
    let (version, own) = (&newest.version, build::VERSION);
    match (is_newer, arguments.check) {
        (false, _) => terminal::print(format_args!(
            "already up to date: this is {own}, and the newest release is {version}"
        ))?,
        (true, true) => {
            let command = owner.map_or("footbridge update", |owner| owner.command);
            terminal::print(format_args!(
                "{version} is there, and this is {own}: {command}"
            ))?;
        }
        (true, false) => terminal::print(format_args!("updated from {own} to {version}"))?,
    }
    Ok(Exit::Done)
}

/// The file of this program, where links have led.
fn own_path() -> Result<PathBuf, Trouble> {
    let program = std::env::current_exe().and_then(|program| program.canonicalize());
    program.map_err(|error| Trouble::failed(format!("the program does not find itself: {error}")))
}

/// The address of releases: encrypted, or on this machine.
fn address(text: &str) -> Result<Url, Trouble> {
    let mut url = Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "https" || is_of_this_machine(url))
        .ok_or_else(|| {
            Trouble::failed(format!(
                "this build was given {text:?} as the address of its releases, which is no https \
                 address"
            ))
        })?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn is_of_this_machine(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// What an update has come to. Each is told before what it names is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UpdateStep {
    Fetching { bytes: u64 },
    Checking,
    Writing,
    Trying,
    Swapping,
    Swapped,
}

impl UpdateStep {
    fn tell(self) {
        match self {
            Self::Fetching { bytes } => terminal::say(format_args!(
                "footbridge: fetching {:.1} MB",
                // nothing is counted with it
                bytes as f64 / 1e6
            )),
            Self::Trying => terminal::say("footbridge: trying the new program"),
            Self::Checking | Self::Writing | Self::Swapping | Self::Swapped => {}
        }
    }
}

/// Where releases come from, and who signs them.
struct ReleaseSource<'k> {
    network: Network,
    releases: Url,
    key: &'k str,
}

impl ReleaseSource<'_> {
    /// The newest release, as the manifest says and its signature confirms.
    async fn newest(&self) -> Result<ReleaseManifest, Trouble> {
        let limits = Limits {
            bytes: MAX_MANIFEST_BYTES,
            time: MANIFEST_TIME,
        };
        let signature = self.fetch(SIGNATURE, None, limits).await?;
        let text = self.fetch(MANIFEST, None, limits).await?;
        ReleaseManifest::verified(text.body(), signature.body(), self.key)
            .map_err(|why| Trouble::failed(format!("{}{MANIFEST} {why}", self.releases)))
    }

    /// Puts the program of that release in the place of this one.
    async fn install(
        &self,
        newest: &ReleaseManifest,
        program: &Path,
        step: &mut dyn FnMut(UpdateStep),
    ) -> Result<(), Trouble> {
        let file = newest.file_of_this_machine()?;
        step(UpdateStep::Fetching { bytes: file.bytes });
        let packed = self.fetch_file(file).await?;
        step(UpdateStep::Checking);
        let unpacked = file
            .unpacked(&packed)
            .map_err(|why| Trouble::failed(format!("{}{} {why}", self.releases, file.name)))?;
        step(UpdateStep::Writing);
        let replacement = Replacement::write(program, &unpacked)?;
        step(UpdateStep::Trying);
        replacement.try_out(&newest.version)?;
        step(UpdateStep::Swapping);
        replacement.swap()?;
        step(UpdateStep::Swapped);
        Ok(())
    }

    /// The packed program, piece by piece where the server has it so.
    async fn fetch_file(&self, file: &ReleaseFile) -> Result<Bytes, Trouble> {
        let total = usize::try_from(file.bytes)
            .ok()
            .filter(|bytes| *bytes <= MAX_FILE_BYTES)
            .ok_or_else(|| {
                Trouble::failed(format!(
                    "{} has {} bytes, and at most {MAX_FILE_BYTES} are taken",
                    file.name, file.bytes
                ))
            })?;
        let limits = Limits {
            bytes: total,
            time: FILE_TIME,
        };
        let line = ProgressLine::on_terminal();
        let mut fetched = BytesMut::new();
        while fetched.len() < total {
            if let Some(line) = &line {
                line.draw(fetched.len() as f64, Some(total as f64), "bytes");
            }
            let first = fetched.len();
            let last = first
                .saturating_add(PIECE_BYTES)
                .min(total)
                .saturating_sub(1);
            let range = format!("bytes={first}-{last}");
            let answer = self.fetch(&file.name, Some(&range), limits).await?;
            if answer.status() != StatusCode::PARTIAL_CONTENT {
                return Ok(answer.into_body());
            }
            if answer.body().is_empty() {
                break;
            }
            fetched.extend_from_slice(answer.body());
        }
        Ok(fetched.freeze())
    }

    /// A file of the releases. Where it leads elsewhere it stays encrypted.
    async fn fetch(
        &self,
        name: &str,
        range: Option<&str>,
        limits: Limits,
    ) -> Result<Response<Bytes>, Trouble> {
        let mut url = self
            .releases
            .join(name)
            .map_err(|_| Trouble::failed(format!("{name:?} is no name of a file")))?;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::new(Bytes::new());
            *request.uri_mut() = url
                .as_str()
                .parse()
                .map_err(|_| Trouble::failed(format!("{url} is no address")))?;
            // the checksum is that of the file, not of what it is packed in on the way
            let as_it_is = HeaderValue::from_static("identity");
            request
                .headers_mut()
                .insert(header::ACCEPT_ENCODING, as_it_is);
            if let Some(Ok(range)) = range.map(HeaderValue::from_str) {
                request.headers_mut().insert(header::RANGE, range);
            }
            let answer = self.network.send(request, limits).await.map_err(|why| {
                Trouble::failed(format!("cannot fetch {url}: {why}; nothing was changed"))
            })?;
            let status = answer.status();
            if status.is_success() {
                return Ok(answer);
            }
            let to = answer.headers().get(header::LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).map(|to| url.join(to));
            url = match to {
                Some(Ok(to)) if status.is_redirection() && self.may_lead_to(&to) => to,
                _ => {
                    return Err(Trouble::failed(format!(
                        "cannot fetch {url}: it answered {status}; nothing was changed"
                    )));
                }
            };
        }
        Err(Trouble::failed(format!(
            "{url} leads on and on; nothing was changed"
        )))
    }

    fn may_lead_to(&self, url: &Url) -> bool {
        url.scheme() == "https" || (is_of_this_machine(&self.releases) && is_of_this_machine(url))
    }
}
