//! A directory of connector files: which names it has, and their paths. Reads no file in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::exit::Trouble;

/// Entries that the directory may have: more are no collection of connectors but somebody's home.
const MAX_ENTRIES: usize = 10_000;

/// The connector files of a directory, by their names without the ending.
#[derive(Debug, Default)]
pub(super) struct Directory {
    files: BTreeMap<String, Vec<PathBuf>>,
}

impl Directory {
    pub(super) fn read(path: &Path) -> Result<Self, Trouble> {
        let wrong = |what: String| {
            Trouble::usage(format!(
                "the directory of connectors {}: {what}; name another with --connectors DIR",
                path.display()
            ))
        };
        let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        let entries = std::fs::read_dir(path).map_err(|error| wrong(error.to_string()))?;
        for (count, entry) in entries.enumerate() {
            if count == MAX_ENTRIES {
                return Err(wrong(format!("it has more than {MAX_ENTRIES} entries")));
            }
            let file = entry.map_err(|error| wrong(error.to_string()))?.path();
            let name = file
                .file_stem()
                .and_then(|stem| stem.to_str())
                .filter(|name| !name.starts_with('.'));
            if let Some(name) = name.filter(|_| is_connector_file(&file)) {
                files.entry(name.to_owned()).or_default().push(file.clone());
            }
        }
        Ok(Self { files })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The file of that name, if there is one. Two of them would leave open which is meant.
    pub(super) fn path_of(&self, name: &str) -> Result<Option<&Path>, Trouble> {
        match self.files.get(name).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([path]) => Ok(Some(path)),
            Some(several) => {
                let paths: Vec<_> = several
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                Err(Trouble::usage(format!(
                    "{} are both the connector {name}: remove one of them",
                    paths.join(" and ")
                )))
            }
        }
    }
}

/// Whether a path ends as connector files do.
pub(super) fn is_connector_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml")
}

#[cfg(test)]
mod tests {
    use super::{Directory, MAX_ENTRIES};

    #[test]
    fn connector_files_are_found_by_their_names_and_nothing_else_is() {
        let home = tempfile::tempdir().unwrap();
        for name in [
            "a.yaml",
            "b.yml",
            ".hidden.yaml",
            "notes.txt",
            "schema.json",
            "c",
        ] {
            std::fs::write(home.path().join(name), "").unwrap();
        }
        let found = Directory::read(home.path()).unwrap();
        assert_eq!(found.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            found.path_of("b").unwrap(),
            Some(home.path().join("b.yml").as_path())
        );
        assert_eq!(found.path_of("c").unwrap(), None);
        std::fs::write(home.path().join("a.yml"), "").unwrap();
        let twice = Directory::read(home.path())
            .unwrap()
            .path_of("a")
            .unwrap_err()
            .to_string();
        assert!(
            twice.contains("a.yaml") && twice.contains("a.yml"),
            "{twice}"
        );
    }

    #[test]
    fn a_directory_that_is_none_or_has_too_much_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file, home.path().join("gone")] {
            let error = Directory::read(&path).unwrap_err().to_string();
            assert!(
                error.contains(path.to_str().unwrap()) && error.contains("--connectors"),
                "{error}"
            );
        }
        let full = home.path().join("full");
        std::fs::create_dir(&full).unwrap();
        let add = |count: usize| drop(std::fs::File::create(full.join(count.to_string())).unwrap());
        (0..MAX_ENTRIES).for_each(add);
        assert!(Directory::read(&full).is_ok());
        add(MAX_ENTRIES);
        assert!(
            Directory::read(&full)
                .unwrap_err()
                .to_string()
                .contains("more than 10000 entries")
        );
    }
}
