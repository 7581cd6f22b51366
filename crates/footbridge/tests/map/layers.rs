//! Layers: the top-level modules of a crate name each other in one direction only.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::tree::{Uses, modules, uses};
use crate::{no_problems, root, workspace};

/// Crates whose modules are still in circles, and what is to come of each. A crate that has none
/// any more leaves the list.
const NOT_YET: [(&str, &str); 0] = [];

#[test]
fn top_level_modules_use_what_lies_below_them() {
    let mut problems = Vec::new();
    for package in &workspace().packages {
        let Some(target) = package.targets.iter().find(|t| t.is_lib() || t.is_bin()) else {
            continue;
        };
        let uses = uses(&modules(target.src_path.as_std_path()));
        let circles = circles(&uses);
        let is_expected = NOT_YET
            .iter()
            .any(|(name, _)| *name == package.name.as_str());
        match (is_expected, circles.is_empty()) {
            (false, false) => {
                problems.extend(
                    circles
                        .iter()
                        .map(|circle| format!("{}: {}", package.name, described(circle, &uses))),
                );
            }
            (true, true) => problems.push(format!(
                "{} has no circle any more: take it out of NOT_YET",
                package.name
            )),
            (true, false) | (false, true) => {}
        }
    }
    no_problems(&problems);
}

/// Sets of modules each of which reaches every other, by way of others or at once.
fn circles(uses: &Uses) -> Vec<BTreeSet<&str>> {
    let reached = |from: &str| {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(module) = open.pop() {
            for used in uses
                .get(&module)
                .into_iter()
                .flatten()
                .map(|(used, _)| used)
            {
                if reached.insert(used) {
                    open.push(used.clone());
                }
            }
        }
        reached
    };
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    for module in uses.keys() {
        if circles
            .iter()
            .any(|circle| circle.contains(module.as_str()))
        {
            continue;
        }
        let circle: BTreeSet<&str> = reached(module)
            .into_iter()
            .filter(|other| reached(other).contains(module.as_str()))
            .collect();
        if !circle.is_empty() {
            circles.push(circle);
        }
    }
    circles
}

/// A circle with its edges and the files they stand in.
fn described(circle: &BTreeSet<&str>, uses: &Uses) -> String {
    let names: Vec<&str> = circle.iter().copied().collect();
    let mut text = format!("a circle of {}", names.join(", "));
    for from in &names {
        for (to, files) in &uses[*from] {
            if !circle.contains(to.as_str()) {
                continue;
            }
            write!(text, "\n    {from} uses {to} in").unwrap();
            for file in files {
                let file = file.strip_prefix(root()).unwrap_or(file);
                write!(text, " {}", file.display()).unwrap();
            }
        }
    }
    text
}

#[test]
fn a_circle_is_told_with_its_edges() {
    let uses: Uses = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]
        .into_iter()
        .map(|(from, to)| {
            let files = [format!("{from}.rs").into()].into();
            (from.to_owned(), [(to.to_owned(), files)].into())
        })
        .fold(
            Uses::new(),
            |mut all, (from, to): (String, std::collections::BTreeMap<_, _>)| {
                all.entry(from).or_default().extend(to);
                all
            },
        );
    let found: Vec<String> = circles(&uses)
        .iter()
        .map(|circle| described(circle, &uses))
        .collect();
    assert_eq!(
        found,
        ["a circle of b, c\n    b uses c in b.rs\n    c uses b in c.rs"]
    );
}
