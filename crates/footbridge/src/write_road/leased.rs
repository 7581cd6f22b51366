//! Leases on the write road: a call of a tool over MCP is held to the leases of others, and to its
//! own, which it shows by their tokens. People and programs are told of a lease, and go on.

use std::collections::BTreeSet;
use std::time::SystemTime;

use footbridge_connector::{Connector, ConnectorTool, TouchedRecord};
use footbridge_mcp::Call;
use footbridge_store::{Lease, LeaseStanding, RecordAddress, Store, StoreError};
use serde_json::{Map, Value, json};

use super::call_end::{Refuser, RoadRefusal};
use crate::caller::{Caller, ResultReader};

/// The argument that carries the token. It is not in the listed schema: whoever is refused is told
/// of it.
pub(crate) const ARGUMENT: &str = "lease";
/// The entry of a call's `_meta` that carries it.
pub(crate) const META_LEASE: &str = "footbridge/lease";
/// Tokens that one call may show.
const MOST_TOKENS: usize = 20;
/// So many records are each looked up; of more, first those that anybody has.
const FEW_RECORDS: usize = 4;
/// Characters of a record's name in a sentence.
const NAME_CHARACTERS: usize = 60;

/// What leases mean for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseRule {
    /// It is held to them, and shows these tokens of its own.
    Held(Vec<String>),
    /// It goes on, and its caller is told.
    Told,
}

/// The schema of the argument.
pub(crate) fn schema() -> Value {
    json!({ "type": "string", "maxLength": 1000 })
}

impl LeaseRule {
    /// The rule for a call; what it says of its tokens is taken out of the arguments, unless the
    /// tool has an argument of that name for something else.
    pub(crate) fn of_call(
        call: &Call<Caller>,
        arguments: &mut Map<String, Value>,
        has_own_argument: bool,
    ) -> Self {
        let passed = (!has_own_argument)
            .then(|| arguments.remove(ARGUMENT))
            .flatten();
        if call.caller.reader() != ResultReader::Client {
            return Self::Told;
        }
        let passed_tokens = passed.iter().chain(call.meta().get(META_LEASE));
        let tokens = passed_tokens
            .filter_map(Value::as_str)
            .flat_map(str::split_whitespace)
            .take(MOST_TOKENS)
            .map(str::to_owned);
        Self::Held(tokens.collect())
    }
}

/// Holds a write to the leases of the records that it touches; gives what its caller is told.
///
/// # Errors
/// Why it may not write them.
pub(super) async fn check(
    store: &Store,
    rule: &LeaseRule,
    touched: &[(RecordAddress, Option<&str>)],
    now: SystemTime,
) -> Result<Option<String>, RoadRefusal> {
    let unread = |error: StoreError| refused(format!("Leases cannot be read: {error}."));
    let tokens: &[String] = match rule {
        LeaseRule::Held(tokens) => tokens,
        LeaseRule::Told => &[],
    };
    for token in tokens {
        if store
            .lease_of_token(token, now)
            .await
            .map_err(unread)?
            .is_none()
        {
            return Err(refused(
                "The lease of this token ended, so nothing was sent: somebody else may have the \
                 record by now. Claim it again and read it before you go on."
                    .to_owned(),
            ));
        }
    }
    let held = match touched.len() > FEW_RECORDS {
        true => Some(held_records(store, now).await.map_err(unread)?),
        false => None,
    };
    for (record, name) in touched {
        if held
            .as_ref()
            .is_some_and(|held| !held.contains(&key(record)))
        {
            continue;
        }
        if let Some(lease) = of_another(store, record, tokens, now)
            .await
            .map_err(unread)?
        {
            let sentence = held_by(&lease, *name, now);
            return match rule {
                LeaseRule::Told => Ok(Some(sentence)),
                LeaseRule::Held(_) => Err(refused(format!(
                    "{sentence}. Nothing was sent. Whoever has the lease passes its token as \
                     `{ARGUMENT}` (an argument that is not listed) or as {META_LEASE:?} in _meta; \
                     everybody else takes another record, or waits."
                ))),
            };
        }
    }
    Ok(None)
}

/// The lease that somebody else has of a record.
async fn of_another(
    store: &Store,
    record: &RecordAddress,
    tokens: &[String],
    now: SystemTime,
) -> Result<Option<Lease>, StoreError> {
    let mut other = match store.lease_standing(record, None, now).await? {
        LeaseStanding::HeldByOther(lease) => lease,
        LeaseStanding::Free | LeaseStanding::Own(_) | LeaseStanding::Ended => return Ok(None),
    };
    for token in tokens {
        match store.lease_standing(record, Some(token), now).await? {
            LeaseStanding::HeldByOther(lease) => other = lease,
            LeaseStanding::Free | LeaseStanding::Own(_) | LeaseStanding::Ended => return Ok(None),
        }
    }
    Ok(Some(other))
}

async fn held_records(
    store: &Store,
    now: SystemTime,
) -> Result<BTreeSet<(String, String, String)>, StoreError> {
    let leases = store.leases(None, now).await?;
    Ok(leases.iter().map(|lease| key(&lease.record)).collect())
}

fn key(record: &RecordAddress) -> (String, String, String) {
    (
        record.connector.clone(),
        record.kind.clone(),
        record.id.clone(),
    )
}

/// The kinds of records that are parts of others: who has the whole leased has them too.
#[derive(Debug)]
pub(super) struct WholeKinds(Vec<(String, String)>);

impl WholeKinds {
    pub(super) fn of(connector: &Connector) -> Self {
        let parts = connector
            .records()
            .filter_map(|kind| Some((kind.name.clone(), kind.part_of.clone()?)));
        Self(parts.collect())
    }

    /// The records of which leases count for what is touched, by the name that their connector is
    /// served under, each with what people call it.
    pub(super) fn records<'t>(
        &self,
        connector: &str,
        touched: &'t [TouchedRecord],
    ) -> Vec<(RecordAddress, Option<&'t str>)> {
        let known = touched.iter().filter(|one| !one.record.id.is_empty());
        let records = known.map(|one| {
            let kind = &one.record.kind;
            let whole = self.0.iter().find(|(part, _)| part == kind);
            let record = RecordAddress {
                connector: connector.to_owned(),
                kind: whole.map_or(kind, |(_, whole)| whole).clone(),
                id: one.record.id.clone(),
            };
            (record, one.name.as_deref())
        });
        records.collect()
    }
}

fn refused(message: String) -> RoadRefusal {
    RoadRefusal {
        by: Refuser::Lease,
        message,
    }
}

/// Who has a record, and until when: `card 7 is leased by codex-2 until 14:05 UTC`.
pub(crate) fn held_by(lease: &Lease, name: Option<&str>, now: SystemTime) -> String {
    let record = &lease.record;
    let name: String = name
        .map(|name| name.chars().filter(|c| !c.is_control()))
        .into_iter()
        .flatten()
        .take(NAME_CHARACTERS)
        .collect();
    let name = if name.is_empty() || name == record.id {
        String::new()
    } else {
        format!(" ({name})")
    };
    format!(
        "{} {}{name} is leased by {} until {}",
        record.kind,
        record.id,
        lease.holder,
        clock(&lease.until, now)
    )
}

/// A time as it is said of one that is near: the hour, with the day where that is another.
pub(crate) fn clock(time: &str, now: SystemTime) -> String {
    let today =
        jiff::Timestamp::try_from(now).map_or_else(|_| String::new(), |now| now.to_string());
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(hour)) if today.starts_with(day) => format!("{hour} UTC"),
        (Some(day), Some(hour)) => format!("{day} {hour} UTC"),
        _ => time.to_owned(),
    }
}

/// Whether the file's own tool has an argument that is called as that of leases.
pub(super) fn has_own_lease(tool: &ConnectorTool) -> bool {
    let listed = tool.input_schema.get("properties");
    let is_listed = listed.is_some_and(|properties| properties.get(ARGUMENT).is_some());
    let mut unlisted = tool.unlisted_arguments.iter();
    is_listed || unlisted.any(|(name, _)| *name == ARGUMENT)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use footbridge_connector::{RecordRef, Touch, TouchedRecord};
    use footbridge_store::{ClaimedLease, LeaseClaim, Store};
    use secrecy::ExposeSecret as _;

    use super::{LeaseRule, WholeKinds, check};

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn touched(id: &str) -> TouchedRecord {
        TouchedRecord {
            record: RecordRef::new("board", "card", id),
            name: Some("Fix\nit".to_owned()),
            touch: Touch::Changes,
            before: None,
            after: None,
            sent: Default::default(),
            not_taken: vec![],
            instead_of: None,
            not_kept: None,
        }
    }

    async fn claim(store: &Store, id: &str, seconds: u64) -> ClaimedLease {
        let claim = LeaseClaim {
            connector: "board".to_owned(),
            kind: "card".to_owned(),
            ids: vec![id.to_owned()],
            caller: "http".to_owned(),
            holder: "codex-2".to_owned(),
            life: Duration::from_secs(300),
            note: None,
        };
        store.claim_lease(claim, at(seconds)).await.unwrap()
    }

    #[tokio::test]
    async fn who_has_no_token_is_refused_or_told() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        let (first, second) = (claim(&store, "1", 0).await, claim(&store, "2", 0).await);
        let token = |claimed: &ClaimedLease| claimed.token.expose_secret().to_owned();
        let (one, two) = (token(&first), token(&second));
        let held = |tokens: &[&String]| {
            LeaseRule::Held(tokens.iter().map(|&token| token.clone()).collect())
        };
        let check = async |rule: LeaseRule, ids: &[&str], seconds| {
            let touched: Vec<_> = ids.iter().map(|id| touched(id)).collect();
            let records = WholeKinds(Vec::new()).records("board", &touched);
            let checked = check(&store, &rule, &records, at(seconds)).await;
            checked.map_err(|refusal| refusal.message)
        };
        let why = check(held(&[]), &["3", "1"], 1).await.unwrap_err();
        assert!(
            why.starts_with(
                "card 1 (Fixit) is leased by codex-2 until 08:05 UTC. Nothing was sent."
            ) && why.contains("`lease`")
                && why.contains("\"footbridge/lease\""),
            "{why}"
        );
        let told = check(LeaseRule::Told, &["1"], 1).await.unwrap();
        assert_eq!(
            told.as_deref(),
            Some("card 1 (Fixit) is leased by codex-2 until 08:05 UTC")
        );
        assert_eq!(check(held(&[]), &["3", ""], 1).await, Ok(None));
        assert_eq!(check(held(&[&one]), &["1", "3"], 1).await, Ok(None));
        assert!(check(held(&[&one]), &["1", "2"], 1).await.is_err());
        assert_eq!(check(held(&[&one, &two]), &["1", "2"], 1).await, Ok(None));
        // of many records too
        let many = ["3", "4", "5", "6", "7", "2"];
        assert!(check(held(&[&one]), &many, 1).await.is_err());
        assert_eq!(check(held(&[&two]), &many, 1).await, Ok(None));
        // a lease that ended is fenced, whatever it touches and whoever has the record by then
        store.release_lease(&one, None, at(2)).await.unwrap();
        let ended = check(held(&[&one]), &["1"], 3).await.unwrap_err();
        assert!(
            ended.contains("ended") && ended.contains("Claim it again"),
            "{ended}"
        );
        let again = claim(&store, "1", 3).await;
        assert!(check(held(&[&one]), &["3"], 4).await.is_err());
        assert_eq!(check(held(&[&token(&again)]), &["1"], 4).await, Ok(None));
        assert!(
            check(held(&[&"lea_guessed".to_owned()]), &["3"], 4)
                .await
                .is_err()
        );
        assert!(check(held(&[&two]), &["2"], 301).await.is_err());
    }
}
