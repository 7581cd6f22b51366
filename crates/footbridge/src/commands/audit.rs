//! `footbridge audit`: the check of the chain, and its rows for other programs.

use std::time::SystemTime;

use footbridge_store::{AuditCheck, AuditMark, AuditRow, Store};
use serde_json::{Value, json};

use crate::cli::{AuditArguments, AuditCommand, AuditFormat, FileOptions};
use crate::exit::{Exit, Trouble};
use crate::json_object::JsonObject;
use crate::opened::open_store;
use crate::selection;
use crate::settings::Settings;
use crate::terminal;

/// The code of a chain that is broken.
const BROKEN: u8 = 3;
/// The first line of a table for other programs.
const HEADINGS: &str = "sequence,at,kind,detail,previous,digest";

pub(crate) async fn run(arguments: AuditArguments) -> Result<Exit, Trouble> {
    match arguments.command {
        AuditCommand::Verify { known, json, files } => {
            let known = known.map(|text| mark(&text)).transpose()?;
            with_store(files, async |store| {
                let check = store.verify_audit(known.as_ref()).await;
                let check = check.map_err(Trouble::failed)?;
                terminal::print(match json {
                    true => check_json(&check).to_string(),
                    false => sentence(&check),
                })?;
                Ok(match check.broken {
                    None => Exit::Done,
                    Some(_) => Exit::Code(BROKEN),
                })
            })
            .await
        }
        AuditCommand::Export {
            since,
            format,
            json,
            files,
        } => {
            let since = since.map(|text| selection::since(&text, SystemTime::now()));
            let since = since.transpose().map_err(Trouble::usage)?;
            let format = if json { AuditFormat::Jsonl } else { format };
            with_store(files, async |store| {
                export(store, since, format).await?;
                Ok(Exit::Done)
            })
            .await
        }
    }
}

async fn with_store(
    files: FileOptions,
    work: impl AsyncFnOnce(&Store) -> Result<Exit, Trouble>,
) -> Result<Exit, Trouble> {
    let store = open_store(&Settings::of_files(files)?.data_directory()?).await?;
    let done = work(&store).await;
    store.close().await;
    done
}

/// A row that is known, as it is written: its number and its digest.
fn mark(text: &str) -> Result<AuditMark, Trouble> {
    let read = || {
        let (sequence, digest) = text.split_once(':')?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(AuditMark {
            sequence: sequence.parse().ok().filter(|number| *number >= 0)?,
            digest: is_digest.then(|| digest.to_ascii_lowercase())?,
        })
    };
    read().ok_or_else(|| {
        Trouble::usage(format!(
            "{text:?} is no row that is known: write SEQUENCE:DIGEST, as footbridge audit verify prints it"
        ))
    })
}

fn written(mark: &AuditMark) -> String {
    format!("{}:{}", mark.sequence, mark.digest)
}

fn check_json(check: &AuditCheck) -> Value {
    let broken = check
        .broken
        .as_ref()
        .map(|broken| json!({ "sequence": broken.sequence, "why": broken.why }));
    JsonObject::default()
        .with("whole", check.broken.is_none())
        .with("rows", check.rows)
        .with("anchor", written(&check.anchor))
        .with("last", written(&check.last))
        .with_some("broken", broken)
        .into()
}

fn sentence(check: &AuditCheck) -> String {
    let rows = check.rows;
    match &check.broken {
        None => format!(
            "the audit is whole: {rows} rows after {}\nlast {}",
            check.anchor.sequence,
            written(&check.last)
        ),
        Some(broken) => format!(
            "the audit is broken at row {}: {}\n{rows} rows before it are whole, the last is {}",
            broken.sequence,
            broken.why,
            written(&check.last)
        ),
    }
}

async fn export(
    store: &Store,
    since: Option<SystemTime>,
    format: AuditFormat,
) -> Result<(), Trouble> {
    if format == AuditFormat::Csv {
        terminal::print(HEADINGS)?;
    }
    let mut after = 0;
    loop {
        let rows = store.audit_rows(after, since).await;
        let rows = rows.map_err(Trouble::failed)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.sequence;
        let lines: Vec<String> = rows
            .iter()
            .map(|row| match format {
                AuditFormat::Jsonl => jsonl(row),
                AuditFormat::Csv => csv(row),
            })
            .collect();
        terminal::print(lines.join("\n"))?;
    }
}

/// The detail stays the text that the digest is of.
fn jsonl(row: &AuditRow) -> String {
    json!({
        "sequence": row.sequence,
        "at": row.at,
        "kind": row.kind.as_str(),
        "detail": row.detail,
        "previous": row.previous,
        "digest": row.digest,
    })
    .to_string()
}

/// RFC 4180: quotes around what may hold commas, doubled inside.
fn csv(row: &AuditRow) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    [
        row.sequence.to_string(),
        row.at.clone(),
        row.kind.to_string(),
        quoted(&row.detail),
        row.previous.clone(),
        row.digest.clone(),
    ]
    .join(",")
}

#[cfg(test)]
mod tests {
    use footbridge_store::{AuditKind, AuditRow};

    use super::{csv, jsonl, mark};

    #[test]
    fn a_row_is_a_line_whatever_it_holds() {
        let row = AuditRow {
            sequence: 7,
            at: "2027-01-15T08:00:00.000000Z".to_owned(),
            kind: AuditKind::Refusal,
            detail: r#"{"why":"a, \"b\"\n"}"#.to_owned(),
            previous: "0".to_owned(),
            digest: "1".to_owned(),
        };
        assert_eq!(
            csv(&row),
            r#"7,2027-01-15T08:00:00.000000Z,refusal,"{""why"":""a, \""b\""\n""}",0,1"#
        );
        let line = jsonl(&row);
        assert!(!line.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["detail"], row.detail);
    }

    #[test]
    fn a_row_that_is_known_is_read_as_it_is_printed() {
        let digest = "ab".repeat(32);
        assert_eq!(mark(&format!("12:{digest}")).unwrap().sequence, 12);
        for wrong in [
            "",
            "12",
            "x:ab",
            &format!("-1:{digest}"),
            "12:ab",
            &format!("12:{}", "é".repeat(32)),
        ] {
            let why = mark(wrong).unwrap_err().to_string();
            assert!(why.contains(&format!("{wrong:?}")), "{why}");
        }
    }
}
