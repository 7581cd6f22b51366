//! The package manager that put a program where it is, and that alone may replace it.

use std::fs;
use std::path::Path;

/// Who owns the file, and by which command that one updates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackageOwner {
    pub(super) name: &'static str,
    pub(super) command: &'static str,
}

/// A folder on the way to a program, by which its package manager is known.
struct OwnedFolder {
    /// Folders that follow each other.
    folders: &'static [&'static str],
    owner: PackageOwner,
}

const fn owned(
    folders: &'static [&'static str],
    name: &'static str,
    command: &'static str,
) -> OwnedFolder {
    OwnedFolder {
        folders,
        owner: PackageOwner { name, command },
    }
}

/// Where Debian lists the files of the package.
const DEBIAN_LIST: &str = "/var/lib/dpkg/info/footbridge.list";
const DEBIAN: PackageOwner = PackageOwner {
    name: "the Debian package",
    command: "sudo apt install ./footbridge_VERSION_amd64.deb, with the file of the new release",
};
/// Where it is in a container of ours.
const IN_CONTAINER: &str = "/footbridge";
const CONTAINER: PackageOwner = PackageOwner {
    name: "a container image",
    command: "docker compose pull, or docker pull with the image's name",
};
const VIRTUAL_ENVIRONMENT: PackageOwner = PackageOwner {
    name: "a Python environment",
    command: "python -m pip install --upgrade footbridge, in that environment",
};

/// The first that fits is the owner.
static OWNED_FOLDERS: [OwnedFolder; 9] = [
    owned(&["_npx"], "npx", "npx -y footbridge@latest"),
    owned(
        &["node_modules"],
        "npm",
        "npm install --global footbridge@latest",
    ),
    owned(&["archive-v0"], "uvx", "uvx footbridge@latest"),
    owned(
        &["uv", "tools", "footbridge"],
        "uv",
        "uv tool upgrade footbridge",
    ),
    owned(
        &["pipx", "venvs", "footbridge"],
        "pipx",
        "pipx upgrade footbridge",
    ),
    owned(
        &[".cargo", "bin"],
        "cargo",
        "cargo install --locked footbridge",
    ),
    owned(
        &["Cellar", "footbridge"],
        "Homebrew",
        "brew upgrade footbridge",
    ),
    owned(
        &["Claude Extensions"],
        "Claude Desktop",
        "open the bundle of the new release, footbridge.mcpb, in Claude Desktop",
    ),
    owned(
        &["nix", "store"],
        "Nix",
        "the command by which your profile is upgraded",
    ),
];

impl PackageOwner {
    /// The owner of a program; none where somebody put it there by hand.
    pub(super) fn of(program: &Path) -> Option<Self> {
        if program == Path::new(IN_CONTAINER) {
            return Some(CONTAINER);
        }
        if lists(Path::new(DEBIAN_LIST), program) {
            return Some(DEBIAN);
        }
        if let Some(owner) = Self::by_folder(program) {
            return Some(owner);
        }
        let environment = program.parent()?.parent()?;
        let is_environment = environment.join("pyvenv.cfg").exists();
        is_environment.then_some(VIRTUAL_ENVIRONMENT)
    }

    fn by_folder(program: &Path) -> Option<Self> {
        let parts: Vec<_> = program.iter().collect();
        let found = OWNED_FOLDERS.iter().find(|known| {
            parts
                .windows(known.folders.len())
                .any(|window| window.iter().zip(known.folders).all(|(a, b)| a == b))
        });
        found.map(|known| known.owner)
    }
}

/// Whether a list of files of a package names the program. `/bin` is a link to `/usr/bin`, and the
/// list may have either.
fn lists(list: &Path, program: &Path) -> bool {
    let text = fs::read_to_string(list).unwrap_or_default();
    let plain = |path: &Path| {
        path.strip_prefix("/usr")
            .map_or(path.to_owned(), |rest| Path::new("/").join(rest))
    };
    text.lines()
        .any(|line| plain(Path::new(line)) == plain(program))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{PackageOwner, lists};

    #[test]
    fn the_owner_is_known_by_the_way_to_the_program() {
        let name = |path: &str| PackageOwner::of(Path::new(path)).map(|owner| owner.name);
        for (path, owner) in [
            (
                "/home/u/.cache/uv/archive-v0/Xy/bin/footbridge",
                Some("uvx"),
            ),
            (
                "/home/u/.local/share/uv/tools/footbridge/bin/footbridge",
                Some("uv"),
            ),
            (
                "/home/u/.npm/_npx/1/node_modules/x/bin/footbridge",
                Some("npx"),
            ),
            ("/usr/lib/node_modules/x/bin/footbridge", Some("npm")),
            ("/home/u/.cargo/bin/footbridge", Some("cargo")),
            ("/footbridge", Some("a container image")),
            ("/usr/local/bin/footbridge", None),
            ("/home/u/bin/footbridge", None),
        ] {
            assert_eq!(name(path), owner, "{path}");
        }
    }

    #[test]
    fn an_environment_of_python_is_known_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("bin/footbridge");
        fs::create_dir(folder.path().join("bin")).unwrap();
        assert_eq!(PackageOwner::of(&program), None);
        fs::write(folder.path().join("pyvenv.cfg"), "home = /usr").unwrap();
        assert_eq!(
            PackageOwner::of(&program).map(|owner| owner.name),
            Some("a Python environment")
        );
    }

    #[test]
    fn debian_owns_what_its_list_names() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("footbridge.list");
        fs::write(&list, "/.\n/usr\n/usr/bin/footbridge\n").unwrap();
        assert!(lists(&list, Path::new("/usr/bin/footbridge")));
        assert!(lists(&list, Path::new("/bin/footbridge")));
        assert!(!lists(&list, Path::new("/usr/local/bin/footbridge")));
        assert!(!lists(Path::new("/none"), Path::new("/usr/bin/footbridge")));
    }
}
