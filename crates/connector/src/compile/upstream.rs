//! Settings, address, headers, throttle, errors and hints of a file.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderName;
use serde_json::Value;

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::connector::{Request, Timeout};
use crate::definition::{self, Decides, Kind, SettingKind};
use crate::jq::{Glue, Variable};
use crate::place::{Placed, Table};
use crate::settings::{IDENTITY, Rules, Setting};
use crate::template::Template;

/// Time that one request may take when the file does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Time that a file may allow for one request.
const MAX_TIMEOUT: Duration = Duration::from_secs(600);
/// Wait that a throttled call makes when the file does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(20);
/// Wait that a file may allow.
const MAX_WAIT: Duration = Duration::from_secs(120);

pub(super) struct CompiledUpstream {
    /// None only when a problem was found.
    pub(super) rules: Option<Rules>,
    pub(super) timeout: Timeout,
    pub(super) errors: Vec<Glue>,
    pub(super) hints: BTreeMap<u16, String>,
    pub(super) conflict: Option<Glue>,
    pub(super) version: Option<Glue>,
    pub(super) wait: Option<Glue>,
    pub(super) longest_wait: Duration,
    pub(super) me: Option<Request>,
}

impl<'d> Compilation<'d> {
    pub(super) fn upstream(&mut self) -> CompiledUpstream {
        let upstream = &self.definition.upstream;
        let settings = self.settings();
        let base = self.settings_template(&upstream.base, "upstream.base");
        let mut headers = Vec::new();
        for (name, text) in upstream.headers.iter() {
            let part = format!("upstream.headers.{}", name.value);
            match HeaderName::from_bytes(name.value.as_bytes()) {
                Ok(header) => headers.extend(
                    self.settings_template(text, &part)
                        .map(|template| (header, template)),
                ),
                Err(_) => self.found.add(
                    name.place,
                    part,
                    format!("`{}` is not a header name", name.value),
                ),
            }
        }
        let answered = FilterScope::new(self.definition, &[Variable::Status, Variable::Headers]);
        let mut errors = Vec::new();
        for (index, filter) in upstream.error.iter().enumerate() {
            errors.push(self.filter(filter, &format!("upstream.error[{index}]"), &answered));
        }
        let conflict =
            self.optional_filter(upstream.conflict.as_ref(), "upstream.conflict", &answered);
        let version = self.optional_filter(
            upstream.version.as_ref(),
            "upstream.version",
            &FilterScope::new(self.definition, &[]),
        );
        let throttle = upstream.throttle.as_ref();
        let wait = self.optional_filter(
            throttle.and_then(|throttle| throttle.wait.as_ref()),
            "upstream.throttle.wait",
            &answered,
        );
        let longest = throttle.and_then(|throttle| throttle.longest.as_ref());
        let longest_wait =
            self.duration(longest, DEFAULT_WAIT, MAX_WAIT, "upstream.throttle.longest");
        let me = upstream.me.as_ref().and_then(|me| {
            self.reading(
                &me.value,
                "upstream.me",
                &FilterScope::new(self.definition, &[]),
            )
        });
        CompiledUpstream {
            rules: base.map(|base| Rules {
                settings,
                base,
                headers,
            }),
            timeout: self.timeout(),
            errors,
            hints: self.hints(&upstream.hints, "upstream.hints"),
            conflict,
            version,
            wait,
            longest_wait,
            me,
        }
    }

    fn settings(&mut self) -> Vec<Setting> {
        let mut list: Vec<Setting> = Vec::new();
        for (name, setting) in self.definition.settings.iter() {
            let part = format!("settings.{}", name.value);
            let letters = name
                .value
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            if !letters || !name.value.starts_with(|c: char| c.is_ascii_uppercase()) {
                self.found.add_with_hint(
                    name.place,
                    part.clone(),
                    "is not the name of a variable",
                    "capital letters, digits and `_`",
                );
            }
            if setting.required && setting.default.is_some() {
                self.found.add(
                    name.place,
                    part.clone(),
                    "has a default and is required: it can be only one of the two",
                );
            }
            if setting.secret && setting.default.is_some() {
                self.found.add(
                    name.place,
                    part.clone(),
                    "is a secret and has a default: a secret must come from outside",
                );
            }
            if setting.secret && setting.kind != SettingKind::Text {
                self.found.add(
                    name.place,
                    part.clone(),
                    "is a secret, and a secret is text",
                );
            }
            list.push(Setting {
                name: name.value.clone(),
                kind: setting.kind,
                default: setting
                    .default
                    .as_ref()
                    .and_then(|value| self.setting_default(setting, value, &part)),
                required: setting.required,
                secret: setting.secret,
                choices: setting.choices.clone(),
                minimum: setting.minimum.as_ref().map(|least| least.value),
                maximum: setting.maximum.as_ref().map(|most| most.value),
                with: setting
                    .partner
                    .as_ref()
                    .map(|partner| partner.value.clone()),
                suffix: setting
                    .ensure_suffix
                    .as_ref()
                    .map(|suffix| suffix.value.clone()),
                unless: setting.unless.as_ref().map(|other| other.value.clone()),
                decides: setting.decides.as_ref().map(|decides| decides.value),
                asked: setting.asked,
                description: setting.description.clone(),
            });
            if let Some(suffix) = &setting.ensure_suffix
                && !matches!(setting.kind, SettingKind::Url | SettingKind::Text)
            {
                self.found.add(
                    suffix.place,
                    part.clone(),
                    "only a text or url has `ensure_suffix`",
                );
            }
            self.check_setting(name, setting, &part);
            let is_decided_before = list.iter().rev().skip(1).any(|other| {
                other.decides.is_some()
                    && other.decides == setting.decides.as_ref().map(|decides| decides.value)
            });
            self.check_decision(setting, is_decided_before, &part);
            if let Some(other) = &setting.unless
                && (self.definition.settings.get(&other.value).is_none()
                    || other.value == name.value)
            {
                self.found.add(
                    other.place,
                    part.clone(),
                    format!("there is no other setting `{}`", other.value),
                );
            }
        }
        list
    }

    /// What belongs to one kind of setting only.
    fn check_setting(
        &mut self,
        name: &Placed<String>,
        setting: &definition::SettingDefinition,
        part: &str,
    ) {
        let limits = [&setting.minimum, &setting.maximum];
        if let Some(limit) = limits
            .into_iter()
            .flatten()
            .next()
            .filter(|_| setting.kind != SettingKind::Integer)
        {
            self.found.add(
                limit.place,
                part,
                "only an integer has `minimum` and `maximum`",
            );
        }
        if let [Some(least), Some(most)] = limits
            && least.value > most.value
        {
            self.found.add(
                least.place,
                part,
                format!(
                    "no number is at least {} and at most {}",
                    least.value, most.value
                ),
            );
        }
        let is_choice = setting.kind == SettingKind::Choice;
        if is_choice == setting.choices.is_empty() {
            let what = if is_choice {
                "a choice needs `choices`"
            } else {
                "only a choice has `choices`"
            };
            self.found.add(name.place, part, what);
        }
        if let Some(partner) = &setting.partner
            && (self.definition.settings.get(&partner.value).is_none()
                || partner.value == name.value)
        {
            self.found.add(
                partner.place,
                part,
                format!("there is no other setting `{}`", partner.value),
            );
        }
    }
}

/// The levels that a log has, as backends' own servers call them.
const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

impl<'d> Compilation<'d> {
    /// What decides something of the program must be able to.
    fn check_decision(
        &mut self,
        setting: &definition::SettingDefinition,
        is_decided_before: bool,
        part: &str,
    ) {
        let Some(decides) = &setting.decides else {
            return;
        };
        let what = decides.value.name();
        if is_decided_before {
            self.found.add(
                decides.place,
                part,
                format!("another setting decides `{what}` already"),
            );
        }
        let is_complete = setting.default.is_some() || setting.required;
        let fits = match decides.value {
            Decides::LogLevel => {
                setting.kind == SettingKind::Choice
                    && setting
                        .choices
                        .iter()
                        .all(|choice| LEVELS.contains(&choice.as_str()))
            }
            Decides::ReadOnly | Decides::Cloudflared => {
                setting.kind == SettingKind::Boolean && is_complete
            }
        };
        if !fits {
            let hint = match decides.value {
                Decides::LogLevel => format!("a choice of {}", LEVELS.join(", ")),
                Decides::ReadOnly | Decides::Cloudflared => "a boolean with a default".to_owned(),
            };
            self.found
                .add_with_hint(decides.place, part, format!("cannot decide `{what}`"), hint);
        }
        let has_access = self
            .definition
            .upstream
            .kinds
            .iter()
            .any(|kind| kind.value == Kind::CloudflareAccess);
        if decides.value == Decides::Cloudflared && !has_access {
            self.found.add_with_hint(
                decides.place,
                part,
                "decides `cloudflared`, which nothing asks",
                "add `cloudflare_access` to `upstream.kinds`",
            );
        }
    }

    /// The time for one request: written down, or a setting's.
    fn timeout(&mut self) -> Timeout {
        let part = "upstream.timeout";
        let written = self.definition.upstream.timeout.as_ref();
        let Some((text, rest)) =
            written.and_then(|text| Some((text, text.value.strip_prefix("{settings.")?)))
        else {
            return Timeout::Fixed(self.duration(written, DEFAULT_TIMEOUT, MAX_TIMEOUT, part));
        };
        let most = i64::try_from(MAX_TIMEOUT.as_secs()).unwrap_or(i64::MAX);
        let name = rest.strip_suffix("}s").unwrap_or_default();
        let fits = |setting: &definition::SettingDefinition| {
            let limit = |limit: &Option<Placed<i64>>| limit.as_ref().map(|limit| limit.value);
            let is_whole = setting.kind == SettingKind::Integer
                && (setting.default.is_some() || setting.required);
            is_whole
                && limit(&setting.minimum).is_some_and(|n| n >= 1)
                && limit(&setting.maximum).is_some_and(|n| n <= most)
        };
        if self
            .definition
            .settings
            .get(name)
            .is_none_or(|setting| !fits(setting))
        {
            let hint = format!(
                "`{{settings.NAME}}s`, of an integer that is required or has a default, with a `minimum` of 1 or more and a `maximum` of {most} or less"
            );
            self.found.add_with_hint(
                text.place,
                part,
                format!("`{}` is not a time that can stand here", text.value),
                hint,
            );
        }
        Timeout::Setting(name.to_owned())
    }

    fn setting_default(
        &mut self,
        setting: &definition::SettingDefinition,
        default: &Placed<Value>,
        part: &str,
    ) -> Option<String> {
        match (setting.kind, &default.value) {
            (SettingKind::Choice, Value::String(text)) if setting.choices.contains(text) => {
                Some(text.clone())
            }
            (SettingKind::Integer, Value::Number(number))
                if number.as_i64().is_some_and(|number| {
                    let [least, most] = [&setting.minimum, &setting.maximum]
                        .map(|limit| limit.as_ref().map(|limit| limit.value));
                    least.is_some_and(|least| number < least)
                        || most.is_some_and(|most| number > most)
                }) =>
            {
                self.found.add(
                    default.place,
                    part,
                    format!("the default {number} is not between `minimum` and `maximum`"),
                );
                None
            }
            (SettingKind::Text | SettingKind::Url, Value::String(text)) => Some(text.clone()),
            (SettingKind::Integer, Value::Number(number)) if number.is_i64() => {
                Some(number.to_string())
            }
            (SettingKind::Boolean, Value::Bool(bool)) => Some(bool.to_string()),
            (_, value) => {
                self.found.add(
                    default.place,
                    part,
                    format!("the default {value} does not fit `is`"),
                );
                None
            }
        }
    }

    /// A template over settings.
    fn settings_template(&mut self, text: &Placed<String>, part: &str) -> Option<Template> {
        let template = self.template(text, part)?;
        for name in template.names() {
            let known = name
                .strip_prefix("settings.")
                .is_some_and(|name| self.definition.settings.get(name).is_some());
            let known = known
                || (part != "upstream.base"
                    && name
                        .strip_prefix("footbridge.")
                        .is_some_and(|n| IDENTITY.contains(&n)));
            if !known {
                let place = self.filters.place(
                    text,
                    text.value.find(&format!("{{{name}}}")).unwrap_or_default(),
                );
                self.found.add_with_hint(
                    place,
                    part,
                    format!("there is no `{name}`"),
                    "only `settings.NAME` can stand here",
                );
            }
        }
        Some(template)
    }

    pub(super) fn hints(&mut self, written: &Table<String>, part: &str) -> BTreeMap<u16, String> {
        let mut hints = BTreeMap::new();
        for (status, hint) in written.iter() {
            match status.value.parse::<u16>() {
                Ok(code @ 300..=599) => {
                    hints.insert(code, hint.clone());
                }
                _ => self.found.add(
                    status.place,
                    part,
                    format!("`{}` is not an HTTP status of an error", status.value),
                ),
            }
        }
        hints
    }
}
