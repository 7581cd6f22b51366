//! The connectors that can be named: built in, in the user's directory, or a file by its path, and
//! where their requests go. Opens no backend.

mod directory;
mod skills;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use footbridge_connector::{Connector, Declaration, MAX_FILE_BYTES, Problems};

use crate::exit::Trouble;
use crate::small_file;
use crate::spelling::did_you_mean;
use directory::Directory;
pub(crate) use skills::ConnectorSkills;

/// A connector file that was found, not yet compiled.
#[derive(Debug)]
pub(crate) struct ConnectorFile {
    /// The name it was found by; a file that was named by its path has only the one it gives
    /// itself.
    name: Option<String>,
    /// What problems call it.
    pub(crate) file: String,
    pub(crate) text: Cow<'static, str>,
    pub(crate) reached: Reached,
    origin: Origin,
}

/// Who wrote a connector file.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// It comes with the program.
    BuiltIn(&'static BuiltInFile),
    /// It was found by its name in the user's directory.
    Directory,
    /// It was named by its path.
    Path,
}

/// Where a connector's requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// To the board in this process.
    InProcess,
    /// Over the network.
    Network,
}

/// A connector that comes with the program.
#[derive(Debug)]
struct BuiltIn {
    name: &'static str,
    file: &'static BuiltInFile,
    reached: Reached,
}

/// A connector file that comes with the program.
#[derive(Debug)]
struct BuiltInFile {
    path: &'static str,
    text: &'static str,
    /// What the text says, as the build wrote it.
    json: &'static str,
    /// Compiled when it is first needed, and once.
    compiled: OnceLock<Connector>,
}

impl BuiltInFile {
    const fn new(path: &'static str, text: &'static str, json: &'static str) -> Self {
        let compiled = OnceLock::new();
        Self {
            path,
            text,
            json,
            compiled,
        }
    }
}

static BOARD_FILE: BuiltInFile = BuiltInFile::new(
    "connectors/board.yaml",
    include_str!("../../../connectors/board.yaml"),
    include_str!(concat!(env!("OUT_DIR"), "/board.json")),
);
static PRODMCP_FILE: BuiltInFile = BuiltInFile::new(
    "connectors/prodmcp.yaml",
    include_str!("../../../connectors/prodmcp.yaml"),
    include_str!(concat!(env!("OUT_DIR"), "/prodmcp.json")),
);
static TAIGA_FILE: BuiltInFile = BuiltInFile::new(
    "connectors/taiga.yaml",
    include_str!("../../../connectors/taiga.yaml"),
    include_str!(concat!(env!("OUT_DIR"), "/taiga.json")),
);
static TRUEPPM_FILE: BuiltInFile = BuiltInFile::new(
    "connectors/trueppm.yaml",
    include_str!("../../../connectors/trueppm.yaml"),
    include_str!(concat!(env!("OUT_DIR"), "/trueppm.json")),
);
static PTM_FILE: BuiltInFile = BuiltInFile::new(
    "connectors/ptm.yaml",
    include_str!("../../../connectors/ptm.yaml"),
    include_str!(concat!(env!("OUT_DIR"), "/ptm.json")),
);

/// The board of this machine, a Production Board somewhere else, and other backends.
static BUILT_IN: [BuiltIn; 5] = [
    BuiltIn {
        name: "board",
        file: &BOARD_FILE,
        reached: Reached::InProcess,
    },
    BuiltIn {
        name: PRODMCP,
        file: &PRODMCP_FILE,
        reached: Reached::Network,
    },
    BuiltIn {
        name: "taiga",
        file: &TAIGA_FILE,
        reached: Reached::Network,
    },
    BuiltIn {
        name: "trueppm",
        file: &TRUEPPM_FILE,
        reached: Reached::Network,
    },
    BuiltIn {
        name: "ptm",
        file: &PTM_FILE,
        reached: Reached::Network,
    },
];

/// The connector of a Production Board somewhere else.
pub(crate) const PRODMCP: &str = "prodmcp";

/// The connector that is served when none is named.
pub(crate) const DEFAULT: &str = "board";

/// Every connector that can be named.
#[derive(Debug)]
pub(crate) struct Connectors {
    of_user: Directory,
}

impl Connectors {
    /// The built-in connectors, and those in a directory of the user's.
    pub(crate) fn with_directory(directory: Option<&Path>) -> Result<Self, Trouble> {
        Ok(Self {
            of_user: directory
                .map(Directory::read)
                .transpose()?
                .unwrap_or_default(),
        })
    }

    /// The connector of that name, or the file at that path. A file of the user's goes before a
    /// built-in one of the same name.
    pub(crate) fn find(&self, name_or_path: &str) -> Result<ConnectorFile, Trouble> {
        if is_path(name_or_path) {
            return ConnectorFile::read(Path::new(name_or_path), None);
        }
        let built_in = BUILT_IN.iter().find(|known| known.name == name_or_path);
        if let Some(path) = self.of_user.path_of(name_or_path)? {
            if built_in.is_some() {
                tracing::warn!(file = %path.display(), "this file is served as {name_or_path}, in place of the built-in connector");
            }
            return ConnectorFile::read(path, Some(name_or_path));
        }
        let known = built_in.ok_or_else(|| {
            Trouble::usage(format!(
                "there is no connector {name_or_path:?}{}; there are: {}; a file of your own is named by its path, such as ./my.yaml",
                did_you_mean(name_or_path, self.names()).trim_end_matches('?'),
                self.names().join(", ")
            ))
        })?;
        Ok(ConnectorFile {
            name: Some(known.name.to_owned()),
            file: known.file.path.to_owned(),
            text: Cow::Borrowed(known.file.text),
            reached: known.reached,
            origin: Origin::BuiltIn(known.file),
        })
    }

    /// Whether a connector has that name, so that settings may be kept for it.
    pub(crate) fn has(&self, name: &str) -> bool {
        BUILT_IN.iter().any(|known| known.name == name)
            || self.of_user.names().any(|known| known == name)
    }

    /// All names: the built-in ones, then the user's.
    pub(crate) fn names(&self) -> Vec<&str> {
        let built_in = BUILT_IN.iter().map(|known| known.name);
        built_in
            .chain(
                self.of_user
                    .names()
                    .filter(|name| !BUILT_IN.iter().any(|known| known.name == *name)),
            )
            .collect()
    }
}

impl ConnectorFile {
    fn read(path: &Path, name: Option<&str>) -> Result<Self, Trouble> {
        let text = small_file::read(path, MAX_FILE_BYTES as u64).map_err(|error| {
            Trouble::usage(format!(
                "cannot read the connector file {}: {error}",
                path.display()
            ))
        })?;
        let origin = if name.is_some() {
            Origin::Directory
        } else {
            Origin::Path
        };
        Ok(Self {
            name: name.map(str::to_owned),
            file: path.display().to_string(),
            text: Cow::Owned(text),
            reached: Reached::Network,
            origin,
        })
    }

    /// What it declares, with the name it is served by; none when its faults hide that.
    pub(crate) fn declaration(&self) -> Option<(String, Declaration)> {
        let declaration = Declaration::read(&self.text)?;
        let name = self.name.as_ref().unwrap_or(&declaration.name).clone();
        Some((name, declaration))
    }

    /// Whether it was named by its path.
    pub(crate) fn is_named_by_path(&self) -> bool {
        matches!(self.origin, Origin::Path)
    }

    /// Its skills, served under its name: those that come with the program, or those beside a file
    /// of the user's that is named for that.
    pub(crate) fn skills(&self, name: &str, is_named: bool) -> Option<ConnectorSkills> {
        if let Origin::BuiltIn(file) = self.origin {
            return ConnectorSkills::of_program(file.path, name);
        }
        is_named.then(|| ConnectorSkills::beside(Path::new(&self.file), name))
    }

    /// Where it is, unless it comes with the program.
    pub(crate) fn own_path(&self) -> Option<PathBuf> {
        (!self.is_built_in()).then(|| PathBuf::from(&self.file))
    }

    /// Whether it comes with the program.
    pub(crate) fn is_built_in(&self) -> bool {
        matches!(self.origin, Origin::BuiltIn(_))
    }

    /// Compiles it, and gives the name it is served by.
    pub(crate) fn compile(&self) -> Result<(String, Connector), Trouble> {
        let connector = self.connector().map_err(|problems| {
            let first = problems
                .list()
                .first()
                .map(|problem| problem.in_file(&self.file))
                .unwrap_or_default();
            match problems.list().len() {
                1 => Trouble::usage(first),
                count => Trouble::usage(format!(
                    "{first}; and {} more: footbridge lint {} lists them",
                    count - 1,
                    self.file
                )),
            }
        })?;
        let inner_name = connector.name();
        if let (Origin::Directory, Some(name)) = (self.origin, self.name.as_deref())
            && inner_name != name
        {
            return Err(Trouble::usage(format!(
                "{} calls itself {inner_name}: rename it to {inner_name}.yaml, or write `connector: {name}` into it",
                self.file
            )));
        }
        Ok((
            self.name.clone().unwrap_or_else(|| inner_name.to_owned()),
            connector,
        ))
    }

    /// The connector that the file describes.
    fn connector(&self) -> Result<Connector, Problems> {
        let Origin::BuiltIn(file) = self.origin else {
            return footbridge_connector::compile(&self.file, &self.text);
        };
        if let Some(connector) = file.compiled.get() {
            return Ok(connector.clone());
        }
        let connector = footbridge_connector::compile_sound(file.path, file.text, file.json)?;
        Ok(file.compiled.get_or_init(|| connector).clone())
    }
}

/// What keeps a connector file from being served; none where nothing does.
pub(crate) fn wrong_with(path: &Path) -> Option<Trouble> {
    let read = ConnectorFile::read(path, None);
    read.and_then(|file| file.compile()).err()
}

/// Whether a word can only mean a connector: a built-in one, or the path of a file.
pub(crate) fn names_one(word: &str) -> bool {
    BUILT_IN.iter().any(|known| known.name == word) || is_path(word)
}

/// The names of the built-in connectors.
pub(crate) fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|known| known.name)
}

/// A path has a separator or ends as connector files do; a name has neither.
fn is_path(text: &str) -> bool {
    text.contains(std::path::is_separator) || directory::is_connector_file(Path::new(text))
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Connectors, is_path};

    #[test]
    fn a_built_in_file_is_compiled_once() {
        let connectors = Connectors::with_directory(None).unwrap();
        for known in &BUILT_IN {
            let compiled = |name| connectors.find(name).unwrap().compile().unwrap().1;
            let first = compiled(known.name);
            for other in &BUILT_IN {
                assert_eq!(
                    std::ptr::eq(first.tools(), compiled(other.name).tools()),
                    std::ptr::eq(known.file, other.file),
                    "{} {}",
                    known.name,
                    other.name
                );
            }
        }
    }

    #[test]
    fn every_built_in_connector_is_sound_down_to_its_filters() {
        for known in &BUILT_IN {
            let compiled = footbridge_connector::compile(known.file.path, known.file.text);
            assert_eq!(compiled.err(), None, "{}", known.name);
        }
    }

    #[test]
    fn what_has_a_separator_or_the_ending_is_a_path() {
        assert!(
            ["./my", "my.yaml", "my.yml", "a/b", "/a", "../x.yaml"]
                .iter()
                .all(|text| is_path(text))
        );
        assert!(
            ["my", "my.json", "yaml", "prodmcp", ""]
                .iter()
                .all(|text| !is_path(text))
        );
    }
}
