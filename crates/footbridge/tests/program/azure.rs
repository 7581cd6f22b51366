//! The script that deploys to Azure Container Apps, run with programs in place of `docker` and `az`
//! that write down what they are asked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const NAMED: [(&str, &str); 4] = [
    ("CONTAINER_IMAGE", "registry.example.org/footbridge"),
    ("IMAGE_TAG", "0.1.0"),
    ("AZURE_RESOURCE_GROUP", "tools"),
    ("AZURE_CONTAINER_APP", "footbridge"),
];

struct Deployment {
    folder: tempfile::TempDir,
}

impl Deployment {
    /// Programs that note their words; `failing` is what one of them begins with that ends with 7.
    fn with(failing: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["docker", "az"] {
            let path = folder.path().join(name);
            let log = folder.path().join("log");
            let text = format!(
                "#!/bin/sh\necho \"{name} $*\" >> '{}'\ncase \"{name} $*\" in {failing}) exit 7;; esac\n",
                log.display()
            );
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> Output {
        let path = std::env::var("PATH").unwrap();
        Command::new(root().join("packaging/azure/deploy"))
            .args(words)
            .current_dir(root())
            .env("PATH", format!("{}:{path}", self.folder.path().display()))
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    fn asked(&self) -> Vec<String> {
        let log = self.folder.path().join("log");
        std::fs::read_to_string(log)
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn it_builds_pushes_and_lets_the_app_run_it() {
    let deployment = Deployment::with("nothing");
    let ended = deployment.run(&[], &NAMED);
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(
        deployment.asked(),
        [
            "docker build --file ./packaging/container/Containerfile \
             --tag registry.example.org/footbridge:0.1.0 --tag registry.example.org/footbridge:latest .",
            "docker push registry.example.org/footbridge:0.1.0",
            "docker push registry.example.org/footbridge:latest",
            "az containerapp update --resource-group tools --name footbridge \
             --image registry.example.org/footbridge:0.1.0",
        ]
    );
}

#[test]
fn flags_go_before_variables_and_parts_are_left_out() {
    let deployment = Deployment::with("nothing");
    let extensions = deployment.folder.path().join("deep/extensions");
    let mut variables = NAMED.to_vec();
    let extensions_text = extensions.display().to_string();
    variables.push(("AZURE_EXTENSION_DIR", &extensions_text));
    let ended = deployment.run(
        &["--tag", "0.2.0", "--latest-tag", "", "--skip-build"],
        &variables,
    );
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(
        deployment.asked(),
        [
            "docker push registry.example.org/footbridge:0.2.0",
            "az containerapp update --resource-group tools --name footbridge \
             --image registry.example.org/footbridge:0.2.0",
        ]
    );
    assert!(extensions.is_dir());
}

#[test]
fn what_fails_first_ends_it() {
    let deployment = Deployment::with("'docker push'*");
    let ended = deployment.run(&[], &NAMED);
    assert_eq!(ended.status.code(), Some(7));
    assert_eq!(deployment.asked().len(), 2, "{:?}", deployment.asked());
}

#[test]
fn what_is_missing_or_unknown_is_named_and_nothing_runs() {
    let deployment = Deployment::with("nothing");
    let ended = deployment.run(&["--image", "x"], &[]);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2));
    for (flag, variable) in [
        ("--tag", "IMAGE_TAG"),
        ("--resource-group", "AZURE_RESOURCE_GROUP"),
        ("--container-app", "AZURE_CONTAINER_APP"),
    ] {
        assert!(said.contains(flag) && said.contains(variable), "{said}");
    }
    for (words, named) in [
        (&["--imagine", "x"][..], "--imagine"),
        (&["--tag"], "--tag"),
        (&["--context", "docs"], "docs does not hold the sources"),
    ] {
        let ended = deployment.run(words, &NAMED);
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains(named), "{words:?}: {told}");
    }
    assert!(deployment.asked().is_empty());
}
