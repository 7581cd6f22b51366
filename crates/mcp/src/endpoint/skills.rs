//! Skills as an endpoint serves them: their entries, and the folders that their files make.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SeenThings;
use super::listing::{Listed, ServedThing, ToldExtensions, page};
use super::ready_results::Unlisted;
use crate::policy::Policy;

/// The extension by its name. Source: extension Skills, Extension Identifier.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/skills";

/// A skill, by the address of its `SKILL.md`.
pub(crate) struct ReadySkill<C> {
    uri: String,
    json: String,
    pub(super) has_further_files: bool,
    rule: Option<Policy<C>>,
}

#[cfg(feature = "skills")]
impl<C> From<crate::skill::CheckedSkill<C>> for ReadySkill<C> {
    fn from(skill: crate::skill::CheckedSkill<C>) -> Self {
        Self {
            uri: skill.uri,
            json: skill.entry,
            has_further_files: skill.has_further_files,
            rule: skill.rule,
        }
    }
}

impl<C> ServedThing<C> for ReadySkill<C> {
    const KIND: &'static str = "skill";

    fn key(&self) -> &str {
        &self.uri
    }

    fn policy(&self) -> Option<&Policy<C>> {
        self.rule.as_ref()
    }
}

impl<C> Listed<C> for ReadySkill<C> {
    fn json(&self, _told: ToldExtensions) -> &str {
        &self.json
    }
}

/// A file or a folder in a folder of skills.
struct FolderChild {
    uri: String,
    json: String,
}

impl<C> ServedThing<C> for FolderChild {
    const KIND: &'static str = "file";

    fn key(&self) -> &str {
        &self.uri
    }

    fn policy(&self) -> Option<&Policy<C>> {
        None
    }
}

impl<C> Listed<C> for FolderChild {
    fn json(&self, _told: ToldExtensions) -> &str {
        &self.json
    }
}

impl<C: Send + Sync + 'static> SeenThings<'_, C> {
    /// Whether there are skills that the request may see.
    pub(crate) fn has_skills(&self) -> bool {
        !self.skills().is_empty()
    }

    /// Whether the request may see a skill with more than its `SKILL.md`.
    pub(crate) fn has_skill_folders(&self) -> bool {
        self.skills().iter().any(|skill| skill.has_further_files)
    }

    /// What `skills/get` gives, without the closing brace.
    pub(crate) fn skill(&self, uri: &str) -> Option<String> {
        let skills = self.skills();
        let skill = skills.iter().find(|skill| skill.uri == uri)?;
        Some(format!(r#"{{"skill":{}"#, skill.json))
    }

    /// A page of what lies in a folder of skills, without the closing brace. Nothing where there is
    /// no such folder.
    pub(crate) fn skill_folder(
        &self,
        uri: &str,
        cursor: Option<&str>,
    ) -> Option<Result<String, Unlisted>> {
        let folder = Some(uri).filter(|uri| uri.len() > "skill://".len())?;
        let extensions = ToldExtensions {
            skills: true,
            ..ToldExtensions::default()
        };
        let mut children = BTreeMap::new();
        for file in self.skill_files() {
            let below = file.key().strip_prefix(folder);
            let Some(below) = below.and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            let child = match below.split_once('/') {
                None => FolderChild {
                    uri: file.key().to_owned(),
                    json: file.json(extensions).to_owned(),
                },
                Some((name, _)) => folder_child(folder, name),
            };
            children.insert(child.uri.clone(), Arc::new(child));
        }
        if children.is_empty() {
            return None;
        }
        let children: Vec<&Arc<FolderChild>> = children.values().collect();
        let size = self.identity().profile.page_size;
        Some(
            page::<C, _>("resources", &children, cursor, size, extensions, 64)
                .ok_or(Unlisted::Cursor),
        )
    }
}

fn folder_child(parent: &str, folder: &str) -> FolderChild {
    let uri = format!("{parent}/{folder}");
    let name = percent_encoding::percent_decode_str(folder).decode_utf8_lossy();
    let json = serde_json::json!({ "uri": uri, "name": name, "mimeType": "inode/directory" });
    FolderChild {
        json: json.to_string(),
        uri,
    }
}
