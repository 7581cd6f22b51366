//! The skills of connector files: folders `NAME/skills` beside them. Those of the program's own files
//! are part of it.

use std::path::{Path, PathBuf};

use footbridge_mcp::Skills;

/// Files of skills that come with the program: the name of the connector file, the path in its
/// folder of skills, and the text.
static OF_PROGRAM: &[(&str, &str, &str)] = &[
    (
        "board",
        "work-a-board/SKILL.md",
        include_str!("../../../../connectors/board/skills/work-a-board/SKILL.md"),
    ),
    (
        "ptm",
        "evaluate-a-prompt/SKILL.md",
        include_str!("../../../../connectors/ptm/skills/evaluate-a-prompt/SKILL.md"),
    ),
    (
        "taiga",
        "plan-a-sprint/SKILL.md",
        include_str!("../../../../connectors/taiga/skills/plan-a-sprint/SKILL.md"),
    ),
    (
        "trueppm",
        "weekly-status-and-risks/SKILL.md",
        include_str!("../../../../connectors/trueppm/skills/weekly-status-and-risks/SKILL.md"),
    ),
];

/// The skills of one connector file, under the name that it is served by.
#[derive(Debug, Clone)]
pub(crate) struct ConnectorSkills {
    name: String,
    place: SkillPlace,
}

/// Where skills lie.
#[derive(Debug, Clone)]
enum SkillPlace {
    /// In the program, by the name of their connector file.
    Program(String),
    Folder(PathBuf),
}

impl ConnectorSkills {
    /// Those of a file that comes with the program, if there are any.
    pub(super) fn of_program(file: &str, name: &str) -> Option<Self> {
        let stem = match Path::new(file).file_stem()?.to_str()? {
            // a board is worked alike wherever it is
            super::PRODMCP => super::DEFAULT,
            stem => stem,
        };
        OF_PROGRAM.iter().any(|(of, ..)| *of == stem).then(|| Self {
            name: name.to_owned(),
            place: SkillPlace::Program(stem.to_owned()),
        })
    }

    /// Those beside a file of the user's.
    pub(super) fn beside(file: &Path, name: &str) -> Self {
        let folder = file.parent().unwrap_or(Path::new("")).join(name);
        Self {
            name: name.to_owned(),
            place: SkillPlace::Folder(folder.join("skills")),
        }
    }

    /// The skills as an endpoint takes them: `skill://NAME/SKILL-NAME/SKILL.md`.
    pub(crate) fn read<C>(&self) -> Skills<C> {
        let skills = match &self.place {
            SkillPlace::Folder(folder) => Skills::in_folder(folder),
            SkillPlace::Program(stem) => {
                let embedded_files = OF_PROGRAM.iter().filter(|(of, ..)| of == stem);
                Skills::embedded(embedded_files.map(|(_, path, text)| (*path, *text)))
            }
        };
        skills.under(&self.name)
    }
}

/// A skill as a message that a person picks, for clients that know no skills.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SkillPrompt {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) text: &'static str,
}

impl SkillPrompt {
    /// Of the text of a `SKILL.md` that comes with the program; each of its fields is on one line.
    fn of(skill: &'static str) -> Option<Self> {
        let (front, text) = skill.strip_prefix("---\n")?.split_once("\n---\n")?;
        let field = |name: &str| front.lines().find_map(|line| line.strip_prefix(name));
        Some(Self {
            name: field("name: ")?,
            description: field("description: ")?,
            text: text.trim(),
        })
    }
}

impl ConnectorSkills {
    /// Those of the program, each as a prompt made of its file.
    pub(crate) fn prompts(&self) -> Vec<SkillPrompt> {
        let SkillPlace::Program(stem) = &self.place else {
            return Vec::new();
        };
        let embedded_files = OF_PROGRAM.iter().filter(|(of, ..)| of == stem);
        let skills = embedded_files.filter(|(_, path, _)| path.ends_with("SKILL.md"));
        skills
            .filter_map(|(_, _, text)| SkillPrompt::of(text))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{ConnectorSkills, OF_PROGRAM};
    use crate::connectors::Connectors;

    #[test]
    fn every_skill_beside_a_file_of_the_program_is_part_of_it() {
        let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(&connectors).unwrap() {
            let folder = entry.unwrap().path().join("skills");
            let mut waiting = vec![folder.clone()];
            while let Some(place) = waiting.pop() {
                for entry in std::fs::read_dir(place).into_iter().flatten() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        waiting.push(path);
                        continue;
                    }
                    let stem = folder
                        .parent()
                        .unwrap()
                        .file_name()
                        .unwrap()
                        .to_str()
                        .unwrap();
                    let below = path.strip_prefix(&folder).unwrap().to_str().unwrap();
                    found.insert((stem.to_owned(), below.to_owned()));
                }
            }
        }
        let listed: BTreeSet<_> = OF_PROGRAM
            .iter()
            .map(|(stem, path, _)| ((*stem).to_owned(), (*path).to_owned()))
            .collect();
        assert_eq!(listed, found, "`OF_PROGRAM` names every file");
    }

    /// What a skill names between back-ticks is a tool of its connector or an argument of one, so
    /// a tool that goes or is renamed is missed; and each is a prompt too.
    #[test]
    fn every_tool_that_a_skill_names_is_there() {
        const VALUES: [&str; 4] = ["me", "current", "backlog", "columns"];
        let connectors = Connectors::with_directory(None).unwrap();
        for name in ["taiga", "trueppm", "ptm", "board", "prodmcp"] {
            let file = connectors.find(name).unwrap();
            let (_, connector) = file.compile().unwrap();
            let tools: BTreeSet<&str> = connector.tools().iter().map(|tool| &*tool.name).collect();
            let arguments: BTreeSet<&str> = connector
                .tools()
                .iter()
                .filter_map(|tool| tool.input_schema.get("properties")?.as_object())
                .flat_map(|properties| properties.keys().map(String::as_str))
                .collect();
            let prompts = file.skills(name, false).unwrap().prompts();
            assert_eq!(prompts.len(), 1, "{name}");
            for skill in prompts {
                assert!(!skill.name.is_empty() && !skill.description.is_empty());
                let mut named = 0;
                for code in skill.text.split('`').skip(1).step_by(2) {
                    let ends = |letter: char| !(letter.is_ascii_lowercase() || letter == '_');
                    let head = code.split(ends).next().unwrap_or_default();
                    let is_tool = tools.contains(head) || head == "query";
                    named += usize::from(is_tool);
                    let is_known = is_tool || arguments.contains(head) || VALUES.contains(&head);
                    assert!(head.is_empty() || is_known, "{}: `{code}`", skill.name);
                }
                assert!(named >= 5, "{} names {named} tools", skill.name);
            }
        }
    }

    #[test]
    fn the_skills_of_the_program_are_sound() {
        let stems: BTreeSet<&str> = OF_PROGRAM.iter().map(|(stem, ..)| *stem).collect();
        for stem in stems {
            let skills = ConnectorSkills::of_program(&format!("connectors/{stem}.yaml"), "named");
            let endpoint = footbridge_mcp::Endpoint::<()>::builder("test", "1")
                .skills(skills.unwrap().read())
                .build();
            assert_eq!(endpoint.err(), None, "{stem}");
        }
    }
}
