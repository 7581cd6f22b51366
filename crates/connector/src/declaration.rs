//! A file's declaration: its name, settings and kinds, read without the rest of it. For programs
//! that decide by them before they compile anything; says nothing of what is wrong with a file.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::definition::{Decides, Definition, Kind, SettingDefinition};
use crate::place::{Placed, Table};
use crate::problem::Found;
use crate::yaml::{self, tree};

/// What a connector file declares, without what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The name that the file gives its connector.
    pub name: String,
    /// Values from outside.
    pub settings: Vec<DeclaredSetting>,
    /// Behaviours that are not data.
    pub kinds: Vec<Kind>,
}

/// A setting, as far as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSetting {
    /// Its name, which is also the variable's.
    pub name: String,
    /// Never printed; may also come from the file that `NAME_FILE` names.
    pub secret: bool,
    /// Its value when nothing is set, not yet held against its kind.
    pub default: Option<String>,
    /// What of the program it decides.
    pub decides: Option<Decides>,
}

impl Declaration {
    /// Reads the declaration of a file, and of the file no more than it takes. A file that
    /// [`compile()`](crate::compile()) takes has one; one with faults may have one too.
    pub fn read(text: &str) -> Option<Self> {
        let mut head = Head {
            text,
            ..Head::default()
        };
        let is_read = text.len() <= yaml::MAX_FILE_BYTES && {
            let reading = serde_saphyr::with_deserializer_from_str_with_options(
                text,
                yaml::options(),
                |deserializer| deserializer.deserialize_map(&mut head),
            );
            // who has all of it goes no further, which the parser takes for a fault
            reading.is_ok() || head.is_complete()
        };
        if !is_read {
            return yaml::read(text, &mut Found::default()).map(Self::from);
        }
        let upstream = head.upstream.unwrap_or_default();
        let settings = head.settings.unwrap_or_default();
        Some(Self::new(head.name?, &settings, &upstream.kinds))
    }

    fn new(name: String, settings: &Table<SettingDefinition>, kinds: &[Placed<Kind>]) -> Self {
        let declared = |(name, setting): (&Placed<String>, &SettingDefinition)| DeclaredSetting {
            name: name.value.clone(),
            secret: setting.secret,
            default: setting
                .default
                .as_ref()
                .map(|default| match &default.value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                }),
            decides: setting.decides.as_ref().map(|decides| decides.value),
        };
        Self {
            name,
            settings: settings.iter().map(declared).collect(),
            kinds: kinds.iter().map(|kind| kind.value).collect(),
        }
    }
}

impl From<Definition> for Declaration {
    fn from(definition: Definition) -> Self {
        Self::new(
            definition.connector.value,
            &definition.settings,
            &definition.upstream.kinds,
        )
    }
}

/// The parts of a file that a declaration is made of, as far as they were read.
#[derive(Debug, Default)]
struct Head<'a> {
    text: &'a str,
    name: Option<String>,
    settings: Option<Table<SettingDefinition>>,
    upstream: Option<UpstreamHead>,
}

/// Of `upstream:`, what is declared.
#[derive(Debug, Default, Deserialize)]
struct UpstreamHead {
    #[serde(default)]
    kinds: Vec<Placed<Kind>>,
}

/// A key of the file that a declaration is made of, or another.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum HeadKey {
    Connector,
    Settings,
    Upstream,
    #[serde(other)]
    Other,
}

impl Head<'_> {
    fn is_complete(&self) -> bool {
        self.name.is_some() && self.settings.is_some() && self.upstream.is_some()
    }
}

impl<'de> Visitor<'de> for &mut Head<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connector file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while !self.is_complete()
            && let Some(key) = map.next_key()?
        {
            match key {
                HeadKey::Connector => self.name = Some(part(&mut map, self.text)?),
                HeadKey::Settings => self.settings = Some(part(&mut map, self.text)?),
                HeadKey::Upstream => self.upstream = Some(part(&mut map, self.text)?),
                HeadKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A value as a type of ours, by the reader that the whole file is read with.
fn part<'de, T: DeserializeOwned, A: MapAccess<'de>>(
    map: &mut A,
    text: &str,
) -> Result<T, A::Error> {
    let node = tree::written_node(map.next_value()?);
    tree::read(node, text).map_err(A::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::{Declaration, DeclaredSetting};
    use crate::definition::{Decides, Kind};

    const HEAD: &str = "format: 1\nconnector: a\ntitle: A\ninstructions: Says a.\n";
    const SETTINGS: &str = "settings:
  A_URL: { is: url, required: true }
  A_TOKEN: { secret: true }
  A_LEVEL: { is: choice, choices: [INFO, DEBUG], default: INFO, decides: log_level }
  A_CACHE: { is: boolean, default: true }
";
    const UPSTREAM: &str = "upstream:
  base: \"{settings.A_URL}\"
  kinds: [scrub_environment]
";
    const TOOLS: &str = "tools:
  - name: hear
    title: Hear
    description: What was heard.
    effect: read
    steps: [{ get: /heard }]
";

    fn expected() -> Declaration {
        let setting = |name: &str, secret, default: Option<&str>, decides| DeclaredSetting {
            name: name.to_owned(),
            secret,
            default: default.map(str::to_owned),
            decides,
        };
        Declaration {
            name: "a".to_owned(),
            settings: vec![
                setting("A_URL", false, None, None),
                setting("A_TOKEN", true, None, None),
                setting("A_LEVEL", false, Some("INFO"), Some(Decides::LogLevel)),
                setting("A_CACHE", false, Some("true"), None),
            ],
            kinds: vec![Kind::ScrubEnvironment],
        }
    }

    #[test]
    fn it_is_read_wherever_its_parts_stand() {
        for parts in [
            [HEAD, SETTINGS, UPSTREAM, TOOLS],
            [TOOLS, UPSTREAM, SETTINGS, HEAD],
            [UPSTREAM, HEAD, TOOLS, SETTINGS],
        ] {
            assert_eq!(Declaration::read(&parts.concat()), Some(expected()));
        }
    }

    #[test]
    fn nothing_is_read_behind_it() {
        let faulty = ["tools: [}", "tools: 1\n", "tool: []\n", "connector: b\n"];
        for rest in faulty {
            let text = [HEAD, SETTINGS, UPSTREAM, rest].concat();
            assert_eq!(Declaration::read(&text), Some(expected()), "{rest}");
        }
    }

    #[test]
    fn a_file_without_settings_and_kinds_declares_its_name() {
        let text = [HEAD, "upstream: { base: \"https://a.example\" }\n", TOOLS].concat();
        let declaration = Declaration::read(&text).unwrap();
        assert_eq!(declaration.name, "a");
        assert!(declaration.settings.is_empty() && declaration.kinds.is_empty());
    }

    #[test]
    fn what_is_no_connector_file_declares_nothing() {
        let too_large = format!("{HEAD}#{}", " ".repeat(crate::yaml::MAX_FILE_BYTES));
        for text in ["", "a", "[]", "{", "settings: {}", too_large.as_str()] {
            assert_eq!(Declaration::read(text), None, "{}", text.len());
        }
    }

    #[test]
    fn it_says_of_a_built_in_file_what_its_connector_says() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../connectors");
        let mut files = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let connector = crate::compile("a.yaml", &text).unwrap();
            let declaration = Declaration::read(&text).unwrap();
            assert_eq!(declaration.name, connector.name());
            assert_eq!(declaration.kinds, connector.kinds());
            let settings = connector.setting_rules().iter();
            let settings = settings.map(|setting| DeclaredSetting {
                name: setting.name.clone(),
                secret: setting.secret,
                default: setting.default.clone(),
                decides: setting.decides,
            });
            assert_eq!(declaration.settings, settings.collect::<Vec<_>>());
            files += 1;
        }
        assert!(files >= 4, "{files}");
    }
}
