//! The skills of connector files: folders `NAME/skills` beside them. Those of the program's own files
//! are part of it.

use std::path::{Path, PathBuf};

use footbridge_mcp::Skills;

/// Files of skills that come with the program: the name of the connector file, the path in its
/// folder of skills, and the text.
static OF_PROGRAM: &[(&str, &str, &str)] = &[];

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
        let stem = Path::new(file).file_stem()?.to_str()?;
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
                let own = OF_PROGRAM.iter().filter(|(of, ..)| of == stem);
                Skills::embedded(own.map(|(_, path, text)| (*path, *text)))
            }
        };
        skills.under(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{ConnectorSkills, OF_PROGRAM};

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
