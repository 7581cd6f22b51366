//! An update against a release server on this machine: what is good, what is older, what is wrong,
//! and what breaks off between any two steps. Keys are made here.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::Blake2b512;
use flate2::Compression;
use flate2::write::GzEncoder;
use footbridge_connector::Network;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::manifest::ReleaseManifest;
use super::{MANIFEST, ReleaseSource, SIGNATURE, UpdateStep, address};

/// The version that is replaced.
const OLD: &str = "0.1.0";
/// The name of the packed program.
const FILE: &str = "program.gz";
/// Bytes that are served at a time, where pieces are.
const SERVED: usize = 16;
/// What the child of the test of crashes is told by.
const CHILD: &str = "FOOTBRIDGE_TEST_OF_UPDATE";

/// Somebody who signs, in the form of minisign.
struct Signer {
    pair: Ed25519KeyPair,
    id: [u8; 8],
}

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let mut id = [0; 8];
        random.fill(&mut id).unwrap();
        Self {
            pair: Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap(),
            id,
        }
    }

    fn public_key(&self) -> String {
        let public = self.pair.public_key();
        STANDARD.encode([b"Ed", self.id.as_slice(), public.as_ref()].concat())
    }

    fn sign(&self, text: &[u8]) -> String {
        let comment = "timestamp:1";
        let signature = self.pair.sign(&Blake2b512::digest(text));
        let all = [signature.as_ref(), comment.as_bytes()].concat();
        format!(
            "untrusted comment: of a test\n{}\ntrusted comment: {comment}\n{}\n",
            STANDARD.encode([b"ED", self.id.as_slice(), signature.as_ref()].concat()),
            STANDARD.encode(self.pair.sign(&all))
        )
    }
}

/// A program that says its version.
fn program(version: &str) -> Vec<u8> {
    format!("#!/bin/sh\necho \"footbridge {version}\"\n").into_bytes()
}

fn packed(program: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(program).unwrap();
    encoder.finish().unwrap()
}

/// What a release server holds.
#[derive(Clone)]
struct Release {
    manifest: Vec<u8>,
    signature: Vec<u8>,
    file: Vec<u8>,
    /// Where the file is, when it is elsewhere.
    leads_to: Option<String>,
    /// Pieces of the file are served, and no more at a time than `SERVED` bytes.
    is_in_pieces: bool,
}

impl Release {
    fn of(version: &str, signer: &Signer) -> Self {
        Self::with(version, packed(&program(version)), signer, |_| {})
    }

    fn with(
        version: &str,
        file: Vec<u8>,
        signer: &Signer,
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let digest: String = Sha256::digest(&file)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let machine = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        let mut manifest = json!({
            "name": "footbridge", "version": version,
            "files": { machine: { "name": FILE, "bytes": file.len(), "sha256": digest } }
        });
        change(&mut manifest);
        let manifest = manifest.to_string().into_bytes();
        Self {
            signature: signer.sign(&manifest).into_bytes(),
            manifest,
            file,
            leads_to: None,
            is_in_pieces: false,
        }
    }

    /// Serves it until the test ends, and gives the address.
    fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/releases", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().unwrap().unwrap();
                let path = first.split(' ').nth(1).unwrap().to_owned();
                let mut range = None;
                for line in lines
                    .map(Result::unwrap)
                    .take_while(|line| !line.is_empty())
                {
                    let line = line.to_lowercase();
                    if let Some(asked) = line.strip_prefix("range: bytes=") {
                        let (first, last) = asked.split_once('-').unwrap();
                        range = Some((first.parse().unwrap(), last.parse().unwrap()));
                    }
                }
                let piece = |body: &[u8], (first, last): (usize, usize)| {
                    let last = (last + 1).min(body.len()).min(first + SERVED);
                    body[first.min(last)..last].to_vec()
                };
                let found = match path.rsplit('/').next().unwrap() {
                    MANIFEST => Some(self.manifest.clone()),
                    SIGNATURE => Some(self.signature.clone()),
                    FILE if self.is_in_pieces => range.map(|range| piece(&self.file, range)),
                    FILE => Some(self.file.clone()),
                    _ => None,
                };
                let status = if self.is_in_pieces && path.ends_with(FILE) {
                    "206 Partial Content"
                } else {
                    "200 OK"
                };
                let head = match (&found, &self.leads_to) {
                    (Some(_), Some(to)) if path.starts_with("/releases/") => {
                        format!("302 Found\r\nlocation: {to}{path}\r\ncontent-length: 0")
                    }
                    (Some(body), _) => format!("{status}\r\ncontent-length: {}", body.len()),
                    (None, _) => "404 Not Found\r\ncontent-length: 0".to_owned(),
                };
                write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").unwrap();
                if head.starts_with("20") {
                    // a client that has read enough hangs up
                    let _sent = stream.write_all(&found.unwrap());
                }
            }
        });
        address
    }
}

/// A folder with the old program.
struct Installed(tempfile::TempDir);

impl Installed {
    fn new() -> Self {
        let installed = Self(tempfile::tempdir().unwrap());
        fs::write(installed.program(), program(OLD)).unwrap();
        let mode = fs::Permissions::from_mode(0o751);
        fs::set_permissions(installed.program(), mode).unwrap();
        installed
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("footbridge")
    }

    /// What the program says, if it works.
    fn says(&self) -> String {
        let answer = Command::new(self.program()).output().unwrap();
        assert!(answer.status.success());
        String::from_utf8(answer.stdout).unwrap().trim().to_owned()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.0.path()).unwrap().count()
    }
}

async fn update(
    releases: &str,
    key: &str,
    program: &Path,
    step: &mut dyn FnMut(UpdateStep),
) -> Result<bool, String> {
    let source = ReleaseSource {
        network: Network::new(),
        releases: address(releases).map_err(|trouble| trouble.to_string())?,
        key,
    };
    let run = async {
        let newest = source.newest().await?;
        let is_newer = newest.is_newer_than(OLD)?;
        if is_newer {
            source.install(&newest, program, step).await?;
        }
        Ok(is_newer)
    };
    run.await
        .map_err(|trouble: crate::exit::Trouble| trouble.to_string())
}

#[tokio::test]
async fn a_newer_release_takes_the_place_of_the_program() {
    let signer = Signer::new();
    for (leads_on, is_in_pieces) in [(false, false), (true, false), (false, true)] {
        let installed = Installed::new();
        let mut release = Release::of("0.2.0", &signer);
        release.is_in_pieces = is_in_pieces;
        // one that holds the files leads there
        release.leads_to = leads_on.then(|| "/elsewhere".to_owned());
        let outcome = update(
            &release.serve(),
            &signer.public_key(),
            &installed.program(),
            &mut |_| {},
        )
        .await;
        assert_eq!(outcome, Ok(true));
        assert_eq!(installed.says(), "footbridge 0.2.0");
        let mode = fs::metadata(installed.program())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o751);
        assert_eq!(installed.files(), 1);
    }
}

#[tokio::test]
async fn what_is_not_newer_or_not_right_leaves_the_old_program() {
    let signer = Signer::new();
    let other = Signer::new();
    let good = Release::of("0.2.0", &signer);
    let with = |file: Vec<u8>, change: &dyn Fn(&mut Value)| {
        Release::with("0.2.0", file, &signer, |manifest| change(manifest))
    };
    let changed = |change: &dyn Fn(&mut Release)| {
        let mut release = good.clone();
        change(&mut release);
        release
    };
    let cases: Vec<(&str, Release, Result<bool, &str>)> = vec![
        ("the same", Release::of(OLD, &signer), Ok(false)),
        ("older", Release::of("0.0.9", &signer), Ok(false)),
        (
            "another's signature",
            Release::of("0.2.0", &other),
            Err("was not signed by whoever made this program"),
        ),
        (
            "a broken signature",
            changed(&|release| release.signature.truncate(60)),
            Err("no signature of minisign"),
        ),
        (
            "a replaced manifest",
            changed(&|release| {
                release.manifest = Release::of("9.9.9", &other).manifest;
            }),
            Err("was not signed"),
        ),
        (
            "an old manifest with its own signature",
            Release::of("0.0.1", &signer),
            Ok(false),
        ),
        (
            "a manifest of something else",
            with(good.file.clone(), &|manifest| {
                manifest["name"] = json!("other")
            }),
            Err("is that of \"other\""),
        ),
        (
            "a truncated file",
            changed(&|release| release.file.truncate(20)),
            Err("came with 20 of"),
        ),
        (
            "a truncated file in pieces",
            changed(&|release| {
                release.file.truncate(20);
                release.is_in_pieces = true;
            }),
            Err("came with 20 of"),
        ),
        (
            "a file that grew",
            changed(&|release| release.file.extend_from_slice(&[0; 9])),
            Err("the answer is too large"),
        ),
        (
            "another file of the same size",
            changed(&|release| *release.file.last_mut().unwrap() ^= 1),
            Err("its checksum differs"),
        ),
        (
            "no program for this machine",
            with(good.file.clone(), &|manifest| {
                let files = manifest["files"].as_object_mut().unwrap();
                let file = files.values().next().unwrap().clone();
                files.clear();
                files.insert("z80-cpm".to_owned(), file);
            }),
            Err("it has some for z80-cpm"),
        ),
        (
            "a program that says another version",
            with(packed(&program("0.3.0")), &|_| {}),
            Err("says it is \"footbridge 0.3.0\""),
        ),
        (
            "a program that does not start",
            with(packed(b"\x7fELF nonsense"), &|_| {}),
            Err("does not start"),
        ),
        (
            "a program that fails",
            with(packed(b"#!/bin/sh\nexit 3\n"), &|_| {}),
            Err("exit status: 3"),
        ),
        (
            "no gzip",
            with(program("0.2.0"), &|_| {}),
            Err("cannot be unpacked"),
        ),
        (
            "a redirect away from this machine, in clear text",
            changed(&|release| release.leads_to = Some("http://192.0.2.1".to_owned())),
            Err("302"),
        ),
    ];
    for (what, release, wanted) in cases {
        let installed = Installed::new();
        let outcome = update(
            &release.serve(),
            &signer.public_key(),
            &installed.program(),
            &mut |_| {},
        )
        .await;
        match (&outcome, wanted) {
            (Ok(is_newer), Ok(wanted)) => assert_eq!(*is_newer, wanted, "{what}"),
            (Err(said), Err(wanted)) => assert!(said.contains(wanted), "{what}: {said}"),
            _ => panic!("{what}: {outcome:?}"),
        }
        assert_eq!(installed.says(), format!("footbridge {OLD}"), "{what}");
        assert_eq!(installed.files(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_and_a_server_that_is_not_there_are_said() {
    let signer = Signer::new();
    let key = signer.public_key();
    let nowhere = update("http://127.0.0.1:1", &key, Path::new("/none"), &mut |_| {}).await;
    assert!(nowhere.unwrap_err().contains("nothing was changed"));
    let releases = Release::of("0.2.0", &signer).serve();
    let gone = update(&releases, &key, Path::new("/proc/footbridge"), &mut |_| {}).await;
    assert!(gone.unwrap_err().contains("nothing was changed"));
    for refused in ["http://releases.example.org", "ftp://x", "releases"] {
        assert!(address(refused).is_err(), "{refused}");
    }
}

/// The process ends between any two steps: this test starts itself and aborts there.
#[tokio::test]
async fn a_crash_between_any_two_steps_leaves_the_old_program_or_the_new_one() {
    if let Ok(told) = std::env::var(CHILD) {
        let [releases, key, program, last] = told.split('|').collect::<Vec<_>>()[..] else {
            panic!("{told}");
        };
        let last: usize = last.parse().unwrap();
        let mut count = 0;
        let mut step = |_| {
            if count == last {
                std::process::abort();
            }
            count += 1;
        };
        update(releases, key, Path::new(program), &mut step)
            .await
            .unwrap();
        return;
    }
    let signer = Signer::new();
    let key = signer.public_key();
    let releases = Release::of("0.2.0", &signer).serve();
    let own = std::env::current_exe().unwrap();
    let name = format!(
        "{}::a_crash_between_any_two_steps_leaves_the_old_program_or_the_new_one",
        module_path!().split_once("::").unwrap().1
    );
    let steps = 6;
    for last in 0..steps {
        let installed = Installed::new();
        let program = installed.program();
        let ended = Command::new(&own)
            .args(["--exact", &name])
            .env(
                CHILD,
                format!("{releases}|{key}|{}|{last}", program.display()),
            )
            .output()
            .unwrap();
        assert!(!ended.status.success(), "step {last}: {ended:?}");
        let wanted = if last == steps - 1 { "0.2.0" } else { OLD };
        assert_eq!(installed.says(), format!("footbridge {wanted}"), "{last}");
        // the next update clears what that one left
        let again = update(&releases, &key, &program, &mut |_| {}).await;
        assert_eq!(again, Ok(true));
        assert_eq!(installed.says(), "footbridge 0.2.0");
        assert_eq!(installed.files(), 1);
    }
}

/// This test starts itself at a terminal, and without one.
#[tokio::test]
async fn a_person_sees_how_far_it_is_and_a_log_gets_no_bar() {
    if let Ok(told) = std::env::var(CHILD) {
        let [releases, key, program] = told.split('|').collect::<Vec<_>>()[..] else {
            panic!("{told}");
        };
        let updated = update(releases, key, Path::new(program), &mut UpdateStep::tell).await;
        assert_eq!(updated, Ok(true));
        return;
    }
    let signer = Signer::new();
    let key = signer.public_key();
    let mut release = Release::of("0.2.0", &signer);
    release.is_in_pieces = true;
    let bytes = release.file.len();
    let releases = release.serve();
    let name = format!(
        "{}::a_person_sees_how_far_it_is_and_a_log_gets_no_bar",
        module_path!().split_once("::").unwrap().1
    );
    for (terminal, is_shown) in [(Some("xterm"), true), (Some("dumb"), false), (None, false)] {
        let installed = Installed::new();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let told = format!("{releases}|{key}|{}", installed.program().display());
        command
            .args(["--exact", &name, "--nocapture"])
            .env(CHILD, told)
            .env("TERM", terminal.unwrap_or("xterm"))
            .stdout(Stdio::null());
        let said = match terminal {
            Some(_) => at_terminal(&mut command),
            None => String::from_utf8(command.output().unwrap().stderr).unwrap(),
        };
        assert_eq!(installed.says(), "footbridge 0.2.0", "{said}");
        for told in ["footbridge: fetching 0.0 MB", "footbridge: trying the new"] {
            assert!(said.contains(told), "{said:?}");
        }
        let bar = format!("\r\u{1b}[K[........................] 0 of {bytes} bytes");
        assert_eq!(said.contains(&bar), is_shown, "{said:?}");
        assert_eq!(said.contains('\u{1b}'), is_shown, "{said:?}");
        if is_shown {
            let drawn = said.rsplit_once("bytes").unwrap().1;
            assert!(drawn.starts_with("\r\u{1b}[K"), "it is gone: {said:?}");
            assert!(said.matches(&format!("of {bytes} bytes")).count() > 2);
        }
    }
}

/// Runs it with a terminal for its stderr, and gives what is shown there.
fn at_terminal(command: &mut Command) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut child = command.stderr(theirs).spawn().unwrap();
    command.stderr(Stdio::null());
    let mut shown = Vec::new();
    // the other side is closed, which a terminal says with an error
    let _closed = fs::File::from(ours).read_to_end(&mut shown);
    assert!(child.wait().unwrap().success());
    String::from_utf8(shown).unwrap()
}

/// What Debian's minisign made: `minisign -G`, then `minisign -S -m manifest.json`.
#[test]
fn what_minisign_itself_signs_is_taken() {
    let (key, text, signature) = (
        include_str!("tests/minisign.pub"),
        include_bytes!("tests/manifest.json"),
        include_bytes!("tests/manifest.json.minisig"),
    );
    let key = key.lines().nth(1).unwrap();
    let manifest = ReleaseManifest::verified(text, signature, key).unwrap();
    assert_eq!(manifest.version, "0.2.0");
    let mut changed = text.to_vec();
    changed.push(b' ');
    assert!(ReleaseManifest::verified(&changed, signature, key).is_err());
}
