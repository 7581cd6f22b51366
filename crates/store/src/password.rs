//! Password hashes (argon2id), computed off the async threads, one at a time in each of two lanes.
//! No accounts.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, RECOMMENDED_SALT_LEN, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::StoreError;
use crate::log_in_limit::{Lane, LogInLimit};

/// How many characters a password may have.
pub const PASSWORD_CHARACTERS: RangeInclusive<usize> = 8..=256;

/// How many may wait for their turn in a lane; one more is turned away.
const WAITING: usize = 64;

/// Too many logins at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

pub(crate) struct PasswordGate {
    open: Turns,
    familiar: Turns,
    limit: OnceLock<LogInLimit>,
}

/// One lane: hashes computed one after the other, in memory that is kept. An allocator would not
/// give back what each hash took.
struct Turns {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    workspace: Arc<Mutex<Workspace>>,
}

/// The 19 MiB that a hash is computed in.
type Workspace = Vec<Block>;

impl PasswordGate {
    pub(crate) fn new() -> PasswordGate {
        PasswordGate {
            open: Turns::new(),
            familiar: Turns::new(),
            limit: OnceLock::new(),
        }
    }

    /// How fast passwords may be tried.
    pub(crate) fn limit(&self) -> Result<&LogInLimit, StoreError> {
        if let Some(limit) = self.limit.get() {
            return Ok(limit);
        }
        let limit = LogInLimit::new()?;
        Ok(self.limit.get_or_init(|| limit))
    }

    /// Hashes a new password; none when its length is refused.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<Option<String>, StoreError> {
        if !PASSWORD_CHARACTERS.contains(&password.expose_secret().chars().count()) {
            return Ok(None);
        }
        match self
            .open
            .run(move |workspace| hash_now(&password, workspace))
            .await
        {
            Ok(Some(hash)) => Ok(Some(hash)),
            Ok(None) | Err(TooMany) => Err(StoreError::Failed(
                "the password could not be hashed".into(),
            )),
        }
    }

    /// Compares a password with a hash. Without a hash the same work is done for nothing, so that
    /// the time does not tell whether the account exists.
    pub(crate) async fn verify(
        &self,
        lane: Lane,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, TooMany> {
        let turns = match lane {
            Lane::Open => &self.open,
            Lane::Familiar => &self.familiar,
        };
        turns
            .run(move |workspace| verify_now(&password, hash.as_deref(), workspace))
            .await
    }
}

impl Turns {
    fn new() -> Turns {
        Turns {
            running: Arc::new(Semaphore::new(1)),
            admitted: Arc::new(Semaphore::new(1 + WAITING)),
            workspace: Arc::default(),
        }
    }

    /// Runs this when its turn comes; the default when it panicked.
    async fn run<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&mut Workspace) -> T + Send + 'static,
    ) -> Result<T, TooMany> {
        let _admitted = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_| TooMany)?;
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| TooMany)?;
        let workspace = Arc::clone(&self.workspace);
        let done = tokio::task::spawn_blocking(move || {
            let _running = running;
            work(&mut workspace.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(done.await.unwrap_or_default())
    }
}

fn hash_now(password: &SecretString, workspace: &mut Workspace) -> Option<String> {
    let mut salt = [0; RECOMMENDED_SALT_LEN];
    getrandom::fill(&mut salt).ok()?;
    let (version, params) = (Version::default(), Params::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
    let output = digest(
        &argon2,
        password,
        &salt,
        Params::DEFAULT_OUTPUT_LEN,
        workspace,
    )?;
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(version.into()),
        params: ParamsString::try_from(&params).ok()?,
        salt: Some(Salt::new(&salt).ok()?),
        hash: Some(output),
    };
    Some(hash.to_string())
}

fn verify_now(password: &SecretString, hash: Option<&str>, workspace: &mut Workspace) -> bool {
    static NOBODY: OnceLock<Option<String>> = OnceLock::new();
    let known = hash.is_some();
    let mut nobody = || {
        NOBODY.get_or_init(|| hash_now(&SecretString::from("nobody has this password"), workspace))
    };
    let Some(hash) = hash.map(str::to_owned).or_else(|| nobody().clone()) else {
        return false;
    };
    matches(password, &hash, workspace).unwrap_or(false) && known
}

/// Compares under the parameters that the hash names; none when it is no hash of argon2.
fn matches(password: &SecretString, hash: &str, workspace: &mut Workspace) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash
        .version
        .map_or(Ok(Version::default()), Version::try_from)
        .ok()?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
    let (salt, expected) = (hash.salt?, hash.hash?);
    // Outputs are compared in constant time.
    Some(digest(&argon2, password, &salt, expected.len(), workspace)? == expected)
}

fn digest(
    argon2: &Argon2<'_>,
    password: &SecretString,
    salt: &[u8],
    length: usize,
    workspace: &mut Workspace,
) -> Option<Output> {
    workspace.resize(argon2.params().block_count(), Block::default());
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..length)?;
    argon2
        .hash_password_into_with_memory(
            password.expose_secret().as_bytes(),
            salt,
            output,
            workspace.as_mut_slice(),
        )
        .ok()?;
    Output::new(output).ok()
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher;

    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let gate = PasswordGate::new();
        let hash = gate
            .hash(SecretString::from("correct horse"))
            .await
            .unwrap()
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        for lane in [Lane::Open, Lane::Familiar] {
            assert_eq!(
                gate.verify(
                    lane,
                    SecretString::from("correct horse"),
                    Some(hash.clone())
                )
                .await,
                Ok(true)
            );
            assert_eq!(
                gate.verify(
                    lane,
                    SecretString::from("correct house"),
                    Some(hash.clone())
                )
                .await,
                Ok(false)
            );
            assert_eq!(
                gate.verify(lane, SecretString::from("nobody has this password"), None)
                    .await,
                Ok(false)
            );
            assert_eq!(
                gate.verify(
                    lane,
                    SecretString::from("correct horse"),
                    Some("no hash".to_owned())
                )
                .await,
                Ok(false)
            );
        }
    }

    /// What was stored before, under whatever parameters, is still compared.
    #[tokio::test]
    async fn a_hash_that_the_library_made_is_a_hash() {
        let gate = PasswordGate::new();
        for argon2 in [
            Argon2::default(),
            Argon2::from(Params::new(64, 3, 2, Some(24)).unwrap()),
        ] {
            let hash: PasswordHash = argon2.hash_password(b"correct horse").unwrap();
            let hash = hash.to_string();
            assert_eq!(
                gate.verify(
                    Lane::Open,
                    SecretString::from("correct horse"),
                    Some(hash.clone())
                )
                .await,
                Ok(true),
                "{hash}"
            );
            assert_eq!(
                gate.verify(
                    Lane::Open,
                    SecretString::from("correct house"),
                    Some(hash.clone())
                )
                .await,
                Ok(false),
                "{hash}"
            );
        }
    }

    #[tokio::test]
    async fn a_password_has_eight_to_256_characters() {
        let gate = PasswordGate::new();
        for (length, accepted) in [(7, false), (8, true), (256, true), (257, false)] {
            let hashed = gate
                .hash(SecretString::from("x".repeat(length)))
                .await
                .unwrap();
            assert_eq!(hashed.is_some(), accepted, "{length}");
        }
    }

    #[tokio::test]
    async fn who_finds_a_lane_full_is_turned_away_and_the_other_lane_is_open() {
        let gate = PasswordGate::new();
        let held = gate.open.running.acquire().await.unwrap();
        let mut logins: Vec<_> = (0..1 + WAITING)
            .map(|_| Arc::clone(&gate.open.admitted).try_acquire_owned().unwrap())
            .collect();
        let verify = |lane| gate.verify(lane, SecretString::from("12345678"), None);
        assert_eq!(verify(Lane::Open).await, Err(TooMany));
        assert_eq!(verify(Lane::Familiar).await, Ok(false));
        drop((held, logins.pop()));
        assert_eq!(verify(Lane::Open).await, Ok(false));
    }

    /// Each lane has one workspace, which every hash of the lane is computed in.
    #[tokio::test]
    async fn hashes_share_the_memory_of_their_lane() {
        let gate = PasswordGate::new();
        let verify = || gate.verify(Lane::Open, SecretString::from("12345678"), None);
        verify().await.unwrap();
        let place = |turns: &Turns| turns.workspace.lock().unwrap().as_ptr();
        let before = place(&gate.open);
        for verified in [verify().await, verify().await] {
            assert_eq!(verified, Ok(false));
        }
        assert_eq!(place(&gate.open), before);
        assert_eq!(
            gate.open.workspace.lock().unwrap().len(),
            Params::default().block_count()
        );
        assert!(
            gate.familiar.workspace.lock().unwrap().is_empty(),
            "a lane that nobody takes costs nothing"
        );
    }
}
