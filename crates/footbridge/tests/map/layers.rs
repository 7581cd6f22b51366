//! Layers: the top-level modules of a crate name each other in one direction only, the one that
//! the pictures in ARCHITECTURE.md show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::tree::{Uses, modules, uses};
use crate::{entry, folder_of, no_problems, read, root, top_level_modules, workspace};

#[test]
fn top_level_modules_use_what_lies_below_them() {
    let mut problems = Vec::new();
    for package in &workspace().packages {
        let Some(target) = package.targets.iter().find(|t| t.is_lib() || t.is_bin()) else {
            continue;
        };
        let uses = uses(&modules(target.src_path.as_std_path()));
        problems.extend(
            circles(&uses)
                .iter()
                .map(|circle| format!("{}: {}", package.name, described(circle, &uses))),
        );
    }
    no_problems(&problems);
}

#[test]
fn pictures_show_every_module_above_what_it_uses() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let mut problems = Vec::new();
    for package in &workspace().packages {
        let Some(target) = package.targets.iter().find(|t| t.is_lib() || t.is_bin()) else {
            continue;
        };
        let picture = picture(entry(&map, &folder_of(package)).unwrap_or_default());
        let drawn: BTreeSet<&str> = picture.iter().flatten().copied().collect();
        let declared = top_level_modules(package);
        let declared: BTreeSet<&str> = declared.iter().map(String::as_str).collect();
        for module in drawn.symmetric_difference(&declared) {
            problems.push(format!(
                "{}: `{module}` stands in the picture or in the crate's root, not in both",
                package.name
            ));
        }
        let uses = uses(&modules(target.src_path.as_std_path()));
        problems.extend(
            uses_that_climb(&picture, &uses)
                .iter()
                .map(|climbing| format!("{}: {climbing}", package.name)),
        );
    }
    no_problems(&problems);
}

/// The layers of a crate's picture, from the top down: in its first code block, the words behind
/// the bar; a line without a name before the bar goes on with the layer above it.
fn picture(entry: &str) -> Vec<Vec<&str>> {
    let mut layers: Vec<Vec<&str>> = Vec::new();
    for line in entry.split("```").nth(1).unwrap_or_default().lines() {
        let Some((name, names)) = line.split_once('│') else {
            continue;
        };
        let names = names.split('·').map(str::trim);
        match layers.last_mut().filter(|_| name.trim().is_empty()) {
            Some(layer) => layer.extend(names),
            None => layers.push(names.collect()),
        }
    }
    layers
}

/// Sentences about modules that use what stands above them.
fn uses_that_climb(picture: &[Vec<&str>], uses: &Uses) -> Vec<String> {
    let layer_of: BTreeMap<&str, usize> = picture
        .iter()
        .enumerate()
        .flat_map(|(layer, names)| names.iter().map(move |name| (*name, layer)))
        .collect();
    let mut climbing = Vec::new();
    for (from, used) in uses {
        for to in used.keys() {
            if layer_of.get(to.as_str()) < layer_of.get(from.as_str()) {
                climbing.push(format!("`{from}` uses `{to}`, which is drawn above it"));
            }
        }
    }
    climbing
}

#[test]
fn a_use_that_climbs_is_seen_in_the_picture() {
    let picture = picture("**`x`**\n```\ntop   │ a · b\n      │ c\nbelow │ d\n```\nwords `e`\n");
    assert_eq!(picture, [vec!["a", "b", "c"], vec!["d"]]);
    let uses: Uses = [("a", "d"), ("c", "a"), ("d", "c")]
        .into_iter()
        .map(|(from, to)| (from.to_owned(), [(to.to_owned(), BTreeSet::new())].into()))
        .collect();
    assert_eq!(
        uses_that_climb(&picture, &uses),
        ["`d` uses `c`, which is drawn above it"]
    );
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
            |mut all, (from, to): (String, BTreeMap<_, _>)| {
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
