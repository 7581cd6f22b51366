//! The source of a crate as its tokens: its modules without those of tests, what each names of the
//! other top-level modules, and the types it declares.
//!
//! Tokens, not a syntax tree: what stands inside a macro's call counts too. Comments do not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::read;

/// One file of a crate, or one module inside a file, reached by `mod` declarations from its root.
pub(crate) struct Module {
    /// Its names from the crate's root; empty for the root.
    pub(crate) path: Vec<String>,
    pub(crate) file: PathBuf,
    tokens: Vec<TokenTree>,
}

/// Where a top-level module names another one.
pub(crate) type Uses = BTreeMap<String, BTreeMap<String, BTreeSet<PathBuf>>>;

/// Every module of a crate but those that only tests have.
pub(crate) fn modules(root_file: &Path) -> Vec<Module> {
    let mut found = Vec::new();
    let folder = root_file.parent().unwrap();
    collect(
        Vec::new(),
        root_file,
        folder,
        tokens_of(root_file),
        &mut found,
    );
    found
}

/// What the top-level modules name of each other: `crate::other` and `super::other` that climbs to
/// the root, in `use` as in expressions. A name that the root re-exports is its module's.
pub(crate) fn uses(modules: &[Module]) -> Uses {
    let tops: BTreeSet<&str> = modules
        .iter()
        .filter_map(|module| match module.path.as_slice() {
            [only] => Some(only.as_str()),
            _ => None,
        })
        .collect();
    let origins: BTreeMap<String, String> = modules
        .iter()
        .filter(|module| module.path.is_empty())
        .flat_map(|root| origins(&root.tokens))
        .collect();
    let mut uses = Uses::new();
    for module in modules {
        let Some(top) = module.path.first() else {
            continue;
        };
        let mut names = BTreeSet::new();
        names_of_root(&module.tokens, module.path.len(), &mut names);
        for name in names {
            let module_of_name = origins.get(&name).unwrap_or(&name);
            if tops.contains(module_of_name.as_str()) && module_of_name != top {
                uses.entry(top.clone())
                    .or_default()
                    .entry(module_of_name.clone())
                    .or_default()
                    .insert(module.file.clone());
            }
        }
    }
    uses
}

/// The types, traits and aliases that a module declares, those inside functions too; not the
/// associated ones.
pub(crate) fn declared_types(module: &Module) -> Vec<String> {
    let mut names = Vec::new();
    declarations(&module.tokens, false, &mut names);
    names
}

fn tokens_of(file: &Path) -> Vec<TokenTree> {
    let stream = TokenStream::from_str(&read(file))
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    stream.into_iter().collect()
}

/// Takes what tests alone have out of a module, and the modules it declares out into their own.
fn collect(
    path: Vec<String>,
    file: &Path,
    folder: &Path,
    tokens: Vec<TokenTree>,
    found: &mut Vec<Module>,
) {
    let tokens = without_tests(tokens);
    let mut rest = Vec::new();
    let mut position = 0;
    while let Some(token) = tokens.get(position) {
        let name = match tokens.get(position + 1) {
            Some(TokenTree::Ident(name)) if is_word(token, "mod") => name.to_string(),
            _ => {
                rest.push(token.clone());
                position += 1;
                continue;
            }
        };
        let mut inner = path.clone();
        inner.push(name.clone());
        match tokens.get(position + 2) {
            Some(TokenTree::Group(body)) => collect(
                inner,
                file,
                &folder.join(&name),
                body.stream().into_iter().collect(),
                found,
            ),
            _ => {
                let file = folder.join(format!("{name}.rs"));
                let tokens = tokens_of(&file);
                collect(inner, &file, &folder.join(&name), tokens, found);
            }
        }
        position += 3;
    }
    found.push(Module {
        path,
        file: file.to_owned(),
        tokens: rest,
    });
}

/// The items of a module, or of a block, without those under `#[cfg(test)]`.
fn without_tests(tokens: Vec<TokenTree>) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_attribute = is_mark(&token, '#');
        let is_of_tests = matches!(
            tokens.peek(),
            Some(TokenTree::Group(attribute)) if is_attribute && attribute.to_string().replace(' ', "") == "[cfg(test)]"
        );
        if !is_of_tests {
            kept.push(token);
            continue;
        }
        // To the end of the item: its body or its semicolon.
        for token in tokens.by_ref() {
            let is_body =
                matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if is_body || is_mark(&token, ';') {
                break;
            }
        }
    }
    kept
}

/// Names at the root and the top-level modules they come from: every leaf of its `use`.
fn origins(root: &[TokenTree]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (position, token) in root.iter().enumerate() {
        if !is_word(token, "use") {
            continue;
        }
        let statement: Vec<TokenTree> = root
            .iter()
            .skip(position + 1)
            .take_while(|token| !is_mark(token, ';'))
            .filter(|token| !is_mark(token, ':'))
            .cloned()
            .collect();
        let path = match statement.as_slice() {
            [first, rest @ ..] if is_word(first, "crate") || is_word(first, "self") => rest,
            path => path,
        };
        if let [TokenTree::Ident(module), rest @ ..] = path {
            let mut leaves = Vec::new();
            leaves_of(rest, &mut leaves);
            found.extend(leaves.into_iter().map(|leaf| (leaf, module.to_string())));
        }
    }
    found
}

/// The last words of the paths in a `use` without its colons.
fn leaves_of(tokens: &[TokenTree], leaves: &mut Vec<String>) {
    for part in tokens.split(|token| is_mark(token, ',')) {
        match part.last() {
            Some(TokenTree::Group(group)) => {
                let inner: Vec<TokenTree> = group
                    .stream()
                    .into_iter()
                    .filter(|token| !is_mark(token, ':'))
                    .collect();
                leaves_of(&inner, leaves);
            }
            Some(TokenTree::Ident(name)) => leaves.push(name.to_string()),
            _ => {}
        }
    }
}

/// The words that follow `crate::`, or as many `super::` as climb from this depth to the root.
fn names_of_root(tokens: &[TokenTree], depth: usize, names: &mut BTreeSet<String>) {
    let mut climbed = 0;
    for (position, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            names_of_root(&inner, depth, names);
        }
        let is_path =
            is_mark_at(tokens, position + 1, ':') && is_mark_at(tokens, position + 2, ':');
        if is_word(token, "super") && is_path {
            let goes_on = position
                .checked_sub(3)
                .and_then(|before| tokens.get(before))
                .is_some_and(|before| is_word(before, "super"));
            climbed = if goes_on { climbed + 1 } else { 1 };
        }
        let is_root = is_word(token, "crate") || is_word(token, "super") && climbed == depth;
        if !is_root || !is_path {
            continue;
        }
        match tokens.get(position + 3) {
            Some(TokenTree::Ident(name)) => {
                names.insert(name.to_string());
            }
            Some(TokenTree::Group(group)) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                names.extend(
                    inner
                        .split(|token| is_mark(token, ','))
                        .filter_map(<[TokenTree]>::first)
                        .map(ToString::to_string),
                );
            }
            _ => {}
        }
    }
}

fn declarations(tokens: &[TokenTree], is_associated: bool, names: &mut Vec<String>) {
    const KEYWORDS: [&str; 5] = ["struct", "enum", "trait", "union", "type"];
    let mut holds_associated = false;
    for (position, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                if word == "impl" || word == "trait" {
                    holds_associated = true;
                }
                let is_declaration = KEYWORDS.contains(&word.as_str())
                    && !(word == "type" && is_associated)
                    && begins_item(tokens, position);
                if let (true, Some(TokenTree::Ident(name))) =
                    (is_declaration, tokens.get(position + 1))
                {
                    names.push(name.to_string());
                }
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                declarations(&inner, holds_associated, names);
                holds_associated = false;
            }
            token if is_mark(token, ';') => holds_associated = false,
            _ => {}
        }
    }
}

/// Whether a keyword stands where an item begins: at the start, or behind another item, an
/// attribute, a visibility or `unsafe`. Elsewhere it is a macro's own word.
fn begins_item(tokens: &[TokenTree], position: usize) -> bool {
    match position
        .checked_sub(1)
        .and_then(|before| tokens.get(before))
    {
        None | Some(TokenTree::Group(_)) => true,
        Some(before) => is_mark(before, ';') || is_word(before, "pub") || is_word(before, "unsafe"),
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(name) if name == word)
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn is_mark_at(tokens: &[TokenTree], position: usize, mark: char) -> bool {
    tokens
        .get(position)
        .is_some_and(|token| is_mark(token, mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &[&str], source: &str) -> Module {
        let tokens = TokenStream::from_str(source).unwrap().into_iter().collect();
        Module {
            path: path.iter().map(|name| (*name).to_owned()).collect(),
            file: PathBuf::from(format!("{}.rs", path.join("/"))),
            tokens: without_tests(tokens),
        }
    }

    #[test]
    fn what_a_module_names_is_seen_in_uses_expressions_and_macros() {
        let modules = [
            module(
                &[],
                "pub use low::{Kind as Sort, inner::{Deep}}; use other::Thing;",
            ),
            module(&["low"], "use crate::{Thing, low};"),
            module(
                &["other"],
                "fn f() { vec![crate::low::f(), { super::plain() }] }",
            ),
            module(
                &["plain", "deep"],
                "use super::super::other; use super::low; use crate::{Deep, Sort};",
            ),
            module(
                &["plain"],
                "#[cfg(test)] mod tests { use crate::other; } // crate::other",
            ),
        ];
        let found: Vec<String> = uses(&modules)
            .into_iter()
            .flat_map(|(from, to)| to.into_keys().map(move |to| format!("{from} -> {to}")))
            .collect();
        assert_eq!(
            found,
            [
                "low -> other",
                "other -> low",
                "other -> plain",
                "plain -> low",
                "plain -> other"
            ]
        );
    }

    #[test]
    fn declared_types_are_items_and_not_associated() {
        let module = module(
            &["one"],
            "pub(crate) struct A<T>(T); #[derive(Debug)] enum B { C } trait D { type E; }
             impl D for A { type E = u8; fn f() { struct G; } } type H = u8;
             #[cfg(test)] struct I; macro!(struct J); fn k() -> impl D { type L = u8; }",
        );
        assert_eq!(declared_types(&module), ["A", "B", "D", "G", "H"]);
    }
}
