//! The selection of changes as people and clients write it.

use std::time::{Duration, SystemTime};

use footbridge_store::{ChangeId, ChangeSelection, ChangeState, RecordAddress};
use jiff::Timestamp;

/// A selection as it is written; what is empty says nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct WrittenSelection {
    pub(crate) ids: Vec<String>,
    pub(crate) connector: Option<String>,
    pub(crate) tool: Option<String>,
    pub(crate) caller: Option<String>,
    pub(crate) client: Option<String>,
    /// `KIND:ID`.
    pub(crate) record: Option<String>,
    /// A time, or how long ago.
    pub(crate) since: Option<String>,
    pub(crate) state: Option<String>,
}

impl WrittenSelection {
    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        let texts = [
            &self.connector,
            &self.tool,
            &self.caller,
            &self.client,
            &self.record,
            &self.since,
        ];
        self.ids.is_empty() && texts.into_iter().all(Option::is_none)
    }

    /// What it selects, seen from now.
    ///
    /// # Errors
    /// A sentence that names the text and what may be written.
    pub(crate) fn read(self, now: SystemTime) -> Result<ChangeSelection, String> {
        let ids = self
            .ids
            .iter()
            .map(|id| change(id))
            .collect::<Result<_, _>>()?;
        let states = match self.state {
            None => Vec::new(),
            Some(word) => vec![state(&word)?],
        };
        let record = match (self.record, &self.connector) {
            (None, _) => None,
            (Some(text), Some(connector)) => {
                let (kind, id) = text.split_once(':').ok_or_else(|| {
                    format!("{text:?} is no record: write it as KIND:ID, such as story:7")
                })?;
                Some(RecordAddress {
                    connector: connector.clone(),
                    kind: kind.to_owned(),
                    id: id.to_owned(),
                })
            }
            (Some(text), None) => {
                return Err(format!(
                    "of which connector is the record {text:?}? say that too"
                ));
            }
        };
        Ok(ChangeSelection {
            ids,
            caller: self.caller,
            client: self.client,
            connector: self.connector,
            tool: self.tool,
            record,
            states,
            since: self.since.map(|text| since(&text, now)).transpose()?,
            until: None,
            undoes: None,
        })
    }
}

/// A change by its number.
pub(crate) fn change(text: &str) -> Result<ChangeId, String> {
    ChangeId::parse(text)
        .ok_or_else(|| format!("{text:?} is no change: they have numbers, such as 12"))
}

fn state(word: &str) -> Result<ChangeState, String> {
    ChangeState::parse(word).ok_or_else(|| {
        let words = ChangeState::ALL.map(ChangeState::as_str).join(", ");
        format!("{word:?} is no state: they are {words}")
    })
}

/// A time, or the time that long ago.
pub(crate) fn since(text: &str, now: SystemTime) -> Result<SystemTime, String> {
    let wrong = || {
        format!(
            "{text:?} is no time: write how long ago, such as 2h or 3d, or 2027-01-31T00:00:00Z"
        )
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.into());
    }
    let age = duration(text).ok_or_else(wrong)?;
    now.checked_sub(age).ok_or_else(wrong)
}

/// How long, as people write it: 90s, 15m, 2h, 3d or 4w.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (at, _) = text.char_indices().last()?;
    let (number, unit) = text.split_at_checked(at)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let number: u64 = number.trim().parse().ok()?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{WrittenSelection, since};

    #[test]
    fn a_time_is_said_or_how_long_ago() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let ago = |text: &str| {
            now.duration_since(since(text, now).unwrap())
                .unwrap()
                .as_secs()
        };
        assert_eq!(
            ["90s", "2m", "3h", "2d", "1w", "0s"].map(ago),
            [90, 120, 10_800, 172_800, 604_800, 0]
        );
        let said = since("2001-09-09T01:46:40Z", now).unwrap();
        assert_eq!(said, now);
        for text in [
            "",
            "h",
            "2",
            "2y",
            "-1h",
            "2 hours",
            "99999999999999999999h",
            "9223372036854775807w",
            "é",
        ] {
            let error = since(text, now).unwrap_err();
            assert!(
                error.starts_with(&format!("{text:?} is no time")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let read = |selection: WrittenSelection| selection.read(SystemTime::now()).unwrap_err();
        let text = |text: &str| Some(text.to_owned());
        assert!(
            read(WrittenSelection {
                ids: vec!["x".to_owned()],
                ..Default::default()
            })
            .contains("\"x\"")
        );
        assert!(
            read(WrittenSelection {
                state: text("dne"),
                ..Default::default()
            })
            .contains("done")
        );
        assert!(
            read(WrittenSelection {
                record: text("story:1"),
                ..Default::default()
            })
            .contains("which connector")
        );
        let record = WrittenSelection {
            record: text("story"),
            connector: text("taiga"),
            ..Default::default()
        };
        assert!(read(record).contains("KIND:ID"));
        assert!(WrittenSelection::default().is_empty());
    }
}
