//! Names: a type's name stands for one thing in the whole workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::tree::{declared_types, modules};
use crate::{no_problems, root, workspace};

#[test]
fn a_type_name_means_one_thing_in_the_workspace() {
    let mut declared: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for package in &workspace().packages {
        for target in package.targets.iter().filter(|t| t.is_lib() || t.is_bin()) {
            for module in modules(target.src_path.as_std_path()) {
                for name in declared_types(&module) {
                    let file = module.file.strip_prefix(root()).unwrap_or(&module.file);
                    declared
                        .entry(name.clone())
                        .or_default()
                        .insert(file.to_owned());
                    *counts.entry(name).or_default() += 1;
                }
            }
        }
    }
    let mut problems = Vec::new();
    for (name, files) in &declared {
        if counts[name] > 1 {
            let files: Vec<_> = files
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            problems.push(format!(
                "`{name}` stands for {} things: {}",
                counts[name],
                files.join(" ")
            ));
        }
    }
    no_problems(&problems);
}
