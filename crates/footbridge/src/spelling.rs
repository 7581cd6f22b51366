//! A word that is none of those that are known, and the one that was probably meant.

/// How alike two words are before one is taken for the other.
const LIKENESS: f64 = 0.8;

/// `; did you mean X?`, or nothing where none is alike.
pub(crate) fn did_you_mean<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let word = word.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        // the first half of a name of two words
        let is_start = word.len() > 2 && name.starts_with(&word);
        if is_start {
            1.0
        } else {
            strsim::jaro_winkler(&word, &name)
        }
    };
    let like: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .collect();
    let best = like
        .iter()
        .map(|(likeness, _)| *likeness)
        .fold(0.0, f64::max);
    let names: Vec<&str> = like
        .iter()
        .filter(|(likeness, _)| *likeness >= best)
        .map(|(_, name)| *name)
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", names.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn the_likest_names_are_offered_and_strangers_are_not() {
        let known = ["claude-code", "claude-desktop", "codex", "cursor"];
        assert_eq!(did_you_mean("curser", known), "; did you mean cursor?");
        assert_eq!(
            did_you_mean("Claude", known),
            "; did you mean claude-code or claude-desktop?"
        );
        assert_eq!(did_you_mean("wrok", ["Work"]), "; did you mean Work?");
        assert_eq!(did_you_mean("emacs", known), "");
        assert_eq!(did_you_mean("", known), "");
    }
}
