//! Settings, address, headers, paging, errors and hints of a file.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderName;
use serde_json::Value;

use super::filters::Filters;
use crate::connector::Paging;
use crate::definition::{self, Definition, SettingKind};
use crate::jq::FilterId;
use crate::place::Placed;
use crate::problem::Found;
use crate::settings::{Rules, Setting};
use crate::template::Template;

/// Time that one request may take when the file does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Time that a file may allow for one request.
const MAX_TIMEOUT: Duration = Duration::from_secs(600);
/// Rows that one walk over pages may read, whatever the file says.
pub(crate) const MAX_WALK_ROWS: u32 = 5_000;

pub(super) struct Upstream {
    /// None only when a problem was found.
    pub(super) rules: Option<Rules>,
    pub(super) timeout: Duration,
    pub(super) paging: Option<Paging>,
    pub(super) errors: Vec<FilterId>,
    pub(super) hints: BTreeMap<u16, String>,
}

pub(super) fn settle<'d>(definition: &'d Definition, filters: &mut Filters<'d>, found: &mut Found) -> Upstream {
    let upstream = &definition.upstream;
    let settings = settings(definition, found);
    let base = template(definition, &upstream.base, "upstream.base", filters, found);
    let mut headers = Vec::new();
    for (name, text) in upstream.headers.iter() {
        let part = format!("upstream.headers.{}", name.value);
        match HeaderName::from_bytes(name.value.as_bytes()) {
            Ok(header) => headers.extend(template(definition, text, &part, filters, found).map(|template| (header, template))),
            Err(_) => found.add(name.place, part, format!("`{}` is not a header name", name.value)),
        }
    }
    let errors = upstream
        .error
        .iter()
        .enumerate()
        .map(|(index, filter)| filters.add(filter, format!("upstream.error[{index}]")))
        .collect();
    Upstream {
        rules: base.map(|base| Rules { settings, base, headers }),
        timeout: upstream.timeout.as_ref().map_or(DEFAULT_TIMEOUT, |text| timeout(text, found)),
        paging: paging(definition, found),
        errors,
        hints: hints(definition, found),
    }
}

fn settings(definition: &Definition, found: &mut Found) -> Vec<Setting> {
    let mut list: Vec<Setting> = Vec::new();
    for (name, setting) in definition.settings.iter() {
        let part = format!("settings.{}", name.value);
        let letters = name.value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if !letters || !name.value.starts_with(|c: char| c.is_ascii_uppercase()) {
            found.add_with_hint(name.place, part.clone(), "is not the name of a variable", "capital letters, digits and `_`");
        }
        if setting.required && setting.default.is_some() {
            found.add(name.place, part.clone(), "has a default and is required: it can be only one of the two");
        }
        if setting.secret && setting.default.is_some() {
            found.add(name.place, part.clone(), "is a secret and has a default: a secret must come from outside");
        }
        if setting.secret && setting.kind != SettingKind::Text {
            found.add(name.place, part.clone(), "is a secret, and a secret is text");
        }
        list.push(Setting {
            name: name.value.clone(),
            kind: setting.kind,
            default: setting.default.as_ref().and_then(|value| default(setting.kind, value, &part, found)),
            required: setting.required,
            secret: setting.secret,
            description: setting.description.clone(),
        });
    }
    list
}

fn default(kind: SettingKind, default: &Placed<Value>, part: &str, found: &mut Found) -> Option<String> {
    match (kind, &default.value) {
        (SettingKind::Text | SettingKind::Url, Value::String(text)) => Some(text.clone()),
        (SettingKind::Integer, Value::Number(number)) if number.is_i64() => Some(number.to_string()),
        (SettingKind::Boolean, Value::Bool(bool)) => Some(bool.to_string()),
        (_, value) => {
            found.add(default.place, part, format!("the default {value} does not fit `is`"));
            None
        }
    }
}

/// A template over settings.
fn template(
    definition: &Definition,
    text: &Placed<String>,
    part: &str,
    filters: &Filters<'_>,
    found: &mut Found,
) -> Option<Template> {
    let template = filters.template(text, part, found)?;
    for name in template.names() {
        let known = name.strip_prefix("settings.").is_some_and(|name| definition.settings.get(name).is_some());
        if !known {
            let place = filters.place(text, text.value.find(&format!("{{{name}}}")).unwrap_or_default());
            found.add_with_hint(place, part, format!("there is no `{name}`"), "only `settings.NAME` can stand here");
        }
    }
    Some(template)
}

/// `30s`, `500ms`, `2m`.
fn timeout(text: &Placed<String>, found: &mut Found) -> Duration {
    let number = text.value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.value.strip_prefix(number).unwrap_or_default();
    let time = number.parse::<u32>().ok().and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        "m" => Some(Duration::from_secs(u64::from(number) * 60)),
        _ => None,
    });
    match time {
        Some(time) if !time.is_zero() && time <= MAX_TIMEOUT => time,
        _ => {
            let hint = format!("write it like `30s`, `500ms` or `2m`, at most {}m", MAX_TIMEOUT.as_secs() / 60);
            found.add_with_hint(text.place, "upstream.timeout", format!("`{}` is not a time for a request", text.value), hint);
            DEFAULT_TIMEOUT
        }
    }
}

fn paging(definition: &Definition, found: &mut Found) -> Option<Paging> {
    let mut list = None;
    for (name, paging) in definition.upstream.paging.iter() {
        let part = format!("upstream.paging.{}", name.value);
        let definition::PagingKind::After = paging.kind;
        if name.value != "list" {
            found.add_with_hint(name.place, part.clone(), "nothing uses this paging", "models use the one called `list`");
        }
        let cap = paging.cap.as_ref().map_or(MAX_WALK_ROWS, |cap| cap.value);
        if !(1..=MAX_WALK_ROWS).contains(&cap) {
            let place = paging.cap.as_ref().map_or(name.place, |cap| cap.place);
            found.add(place, part.clone(), format!("`cap` must be 1 to {MAX_WALK_ROWS}, is {cap}"));
        }
        list = Some(Paging {
            after: paging.after.clone(),
            size: paging.size.clone(),
            offset: paging.offset.clone(),
            rows: path(&paging.rows, &format!("{part}.rows"), found),
            more: path(&paging.more, &format!("{part}.more"), found),
            cap: usize::try_from(cap).unwrap_or_default(),
        });
    }
    list
}

/// `.a.b` → its names; `.` → none.
fn path(text: &Placed<String>, part: &str, found: &mut Found) -> Vec<String> {
    let names: Vec<String> = match text.value.strip_prefix('.') {
        Some("") => return Vec::new(),
        Some(names) => names.split('.').map(str::to_owned).collect(),
        None => Vec::new(),
    };
    let plain = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if names.is_empty() || !names.iter().all(plain) {
        found.add_with_hint(
            text.place,
            part,
            format!("`{}` is not a plain path", text.value),
            "names joined by dots, such as `.meta.has_more`",
        );
    }
    names
}

fn hints(definition: &Definition, found: &mut Found) -> BTreeMap<u16, String> {
    let mut hints = BTreeMap::new();
    for (status, hint) in definition.upstream.hints.iter() {
        match status.value.parse::<u16>() {
            Ok(code @ 300..=599) => {
                hints.insert(code, hint.clone());
            }
            _ => found.add(status.place, "upstream.hints", format!("`{}` is not an HTTP status of an error", status.value)),
        }
    }
    hints
}
