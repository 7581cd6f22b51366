//! The manifest of each skill: its files with their digests, its front matter, and the resources
//! that its files are. Everything that is wrong is found here, before anything is served.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{MANIFEST, SkillFile, SkillRule, Skills, front_matter, media_type};
use crate::build_problem::BuildProblem;
use crate::limits;
use crate::resource::{Resource, ResourceBody, SkillPart};

/// What stands in an address as it is.
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Skills that are right, as the endpoint serves them.
pub(crate) struct CheckedSkills<C> {
    pub(crate) skills: Vec<CheckedSkill<C>>,
    pub(crate) resources: Vec<Resource<C>>,
    pub(crate) is_announced_to_everybody: bool,
}

/// A skill: its address, and its entry in lists.
pub(crate) struct CheckedSkill<C> {
    pub(crate) uri: String,
    pub(crate) entry: String,
    pub(crate) has_further_files: bool,
    pub(crate) rule: Option<crate::policy::Policy<C>>,
}

#[derive(Serialize)]
struct SkillEntry<'a> {
    uri: &'a str,
    frontmatter: &'a Map<String, Value>,
    resources: Vec<FileEntry<'a>>,
}

#[derive(Serialize)]
struct FileEntry<'a> {
    uri: &'a str,
    digest: &'a str,
    size: usize,
}

/// A file with what clients are told of it.
struct DescribedFile {
    path: String,
    uri: String,
    digest: String,
    bytes: bytes::Bytes,
}

impl<C: Send + Sync + 'static> Skills<C> {
    /// Checks everything; the problems are all there are.
    pub(crate) fn checked(self) -> Result<CheckedSkills<C>, Vec<BuildProblem>> {
        let Self {
            files,
            mut problems,
            place,
            rule,
            is_announced_to_everybody,
        } = self;
        if let Some(problem) = problem_of_place(&place) {
            problems.push(BuildProblem::new(&place, problem));
        }
        let files = described(files, &place, &mut problems);
        let front_matters = front_matters(&files, &mut problems);
        if front_matters.len() > limits::SKILLS {
            let (found, most) = (front_matters.len(), limits::SKILLS);
            let problem = format!("there are {found} skills, and an endpoint has {most} at most");
            problems.push(BuildProblem::new(&place, problem));
        }
        let mut skills = Vec::new();
        for (folder, fields) in &front_matters {
            let within = of_folder(&files, folder);
            if let Some(problem) = problem_of_size(&within) {
                problems.push(BuildProblem::new(folder, problem));
            }
            skills.push(skill(folder, fields, &within, rule.as_ref()));
        }
        let folders: Vec<&String> = front_matters.keys().collect();
        let mut resources = Vec::new();
        for file in &files {
            let owners: Vec<String> = folders
                .iter()
                .filter(|folder| is_below(&file.path, folder))
                .map(|folder| (*folder).clone())
                .collect();
            if owners.is_empty() && problems.is_empty() {
                let problem = format!("it lies in no skill: a skill is a folder with a {MANIFEST}");
                problems.push(BuildProblem::new(&file.path, problem));
            }
            let fields = folder_of_manifest(&file.path).and_then(|of| front_matters.get(of));
            resources.push(resource(file, fields, owners, rule.clone()));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(CheckedSkills {
            skills,
            resources,
            is_announced_to_everybody,
        })
    }
}

/// What is wrong with the path before those of the skills.
fn problem_of_place(place: &str) -> Option<String> {
    let is_good = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    (!place.is_empty() && !place.split('/').all(is_good)).then(|| {
        "a path of skills has segments of A-Z a-z 0-9 - . _ ~ between its slashes, none of which \
         begins with a dot"
            .to_owned()
    })
}

/// What is wrong with the path of a file.
fn problem_of_path(path: &str) -> Option<&'static str> {
    let is_hidden = |segment: &str| segment.is_empty() || segment.starts_with('.');
    if path.split('/').any(is_hidden) {
        return Some("no part of a path is empty or begins with a dot, as `..` does");
    }
    let is_bad = |character: char| character.is_control() || character == '\\';
    (path.contains(is_bad) || path.len() > limits::URI_BYTES / 3)
        .then_some("a path has no backslash and no control character, and is not that long")
}

/// The files with their addresses and digests, by path.
fn described(
    files: Vec<SkillFile>,
    place: &str,
    problems: &mut Vec<BuildProblem>,
) -> Vec<DescribedFile> {
    let (mut seen, mut bytes_of_all) = (BTreeSet::new(), 0_usize);
    let mut found = Vec::new();
    for SkillFile { path, bytes } in files {
        bytes_of_all = bytes_of_all.saturating_add(bytes.len());
        let too_large = bytes.len() > limits::SKILL_FILE_BYTES;
        let problem = match problem_of_path(&path) {
            Some(problem) => Some(problem.to_owned()),
            None if !seen.insert(path.clone()) => Some("the path is used twice".to_owned()),
            None if too_large => Some(format!(
                "it has more than {} bytes",
                limits::SKILL_FILE_BYTES
            )),
            None => None,
        };
        if let Some(problem) = problem {
            problems.push(BuildProblem::new(&path, problem));
            continue;
        }
        let path = match place {
            "" => path,
            _ => format!("{place}/{path}"),
        };
        found.push(DescribedFile {
            uri: address(&path),
            digest: digest(&bytes),
            path,
            bytes,
        });
    }
    if bytes_of_all > limits::ALL_SKILL_BYTES {
        let most = limits::ALL_SKILL_BYTES;
        let problem = format!("the skills have {bytes_of_all} bytes, more than {most}");
        problems.push(BuildProblem::new(place, problem));
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn address(path: &str) -> String {
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| utf8_percent_encode(segment, &KEPT).to_string())
        .collect();
    format!("skill://{}", segments.join("/"))
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a text does not fail.
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    text
}

/// The folder of which a file makes a skill.
fn folder_of_manifest(path: &str) -> Option<&str> {
    path.strip_suffix(MANIFEST)?.strip_suffix('/')
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn of_folder<'a>(files: &'a [DescribedFile], folder: &str) -> Vec<&'a DescribedFile> {
    files
        .iter()
        .filter(|file| is_below(&file.path, folder))
        .collect()
}

/// The front matter of each skill, by its folder.
fn front_matters(
    files: &[DescribedFile],
    problems: &mut Vec<BuildProblem>,
) -> BTreeMap<String, Map<String, Value>> {
    let mut found = BTreeMap::new();
    for file in files {
        let folder = match folder_of_manifest(&file.path) {
            Some(folder) => folder,
            None if file.path == MANIFEST => "",
            None => continue,
        };
        match front_matter_of(folder, &file.bytes) {
            Ok(fields) => {
                found.insert(folder.to_owned(), fields);
            }
            Err(problem) => problems.push(BuildProblem::new(&file.path, problem)),
        }
    }
    found
}

fn front_matter_of(folder: &str, bytes: &[u8]) -> Result<Map<String, Value>, String> {
    if bytes.len() > limits::SKILL_TEXT_BYTES {
        let most = limits::SKILL_TEXT_BYTES;
        return Err(format!(
            "it has more than {most} bytes: put what is not always needed into files beside it"
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    let fields = front_matter::read(text)?;
    let name = fields.get("name").and_then(Value::as_str);
    let folder_name = folder.rsplit('/').next().unwrap_or(folder);
    if name == Some(folder_name) {
        return Ok(fields);
    }
    Err(format!(
        "`name` is {:?} and its folder is {folder_name:?}: they must be the same",
        name.unwrap_or_default()
    ))
}

fn problem_of_size(files: &[&DescribedFile]) -> Option<String> {
    let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
    if files.len() > limits::SKILL_FILES {
        let (found, most) = (files.len(), limits::SKILL_FILES);
        return Some(format!(
            "it has {found} files, and a skill has {most} at most"
        ));
    }
    (bytes > limits::SKILL_BYTES).then(|| {
        let most = limits::SKILL_BYTES;
        format!("it has {bytes} bytes, and a skill has {most} at most")
    })
}

fn skill<C: 'static>(
    folder: &str,
    fields: &Map<String, Value>,
    files: &[&DescribedFile],
    rule: Option<&SkillRule<C>>,
) -> CheckedSkill<C> {
    let uri = address(&format!("{folder}/{MANIFEST}"));
    let entry = SkillEntry {
        uri: &uri,
        frontmatter: fields,
        resources: files
            .iter()
            .map(|file| FileEntry {
                uri: &file.uri,
                digest: &file.digest,
                size: file.bytes.len(),
            })
            .collect(),
    };
    // It holds texts, numbers and values that JSON has.
    let entry = serde_json::to_string(&entry).unwrap_or_default();
    let rule = rule.map(|rule| {
        let (rule, folder) = (Arc::clone(rule), folder.to_owned());
        let rule: crate::policy::Policy<C> = Arc::new(move |call| rule(call, &folder));
        rule
    });
    CheckedSkill {
        uri,
        entry,
        has_further_files: files.len() > 1,
        rule,
    }
}

/// A file as a resource. Who may see one of the skills that it belongs to may read it.
fn resource<C: Send + Sync + 'static>(
    file: &DescribedFile,
    fields: Option<&Map<String, Value>>,
    owners: Vec<String>,
    rule: Option<SkillRule<C>>,
) -> Resource<C> {
    let text = std::str::from_utf8(&file.bytes).ok().map(str::to_owned);
    let file_name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let field = |name: &str| fields.and_then(|fields| fields.get(name)?.as_str());
    let mime_type = media_type::of(file_name, text.is_some());
    let bytes = file.bytes.clone();
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let name = field("name").unwrap_or(file_name);
    let mut resource = Resource::new(&*file.uri, name, move |_| {
        let body = match std::str::from_utf8(&bytes) {
            Ok(text) => ResourceBody::from(text),
            Err(_) => ResourceBody::from(bytes.to_vec()),
        };
        std::future::ready(Ok(body))
    })
    .mime_type(mime_type)
    .size(size)
    .of_skill(match fields {
        Some(_) => SkillPart::Manifest,
        None => SkillPart::FurtherFile,
    });
    if let Some(description) = field("description") {
        resource = resource.description(description);
    }
    match rule {
        None => resource,
        Some(rule) => {
            resource.allowed_for(move |call| owners.iter().any(|folder| rule(call, folder)))
        }
    }
}
