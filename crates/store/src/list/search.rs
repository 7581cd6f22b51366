//! A search: the text as rows hold it, and what of it the index of three characters is asked for.
//! The rows that this finds are looked at.

use crate::record::folded;

/// Characters beside each other that the index knows.
const PART: usize = 3;
/// Parts that the index is asked for: a row that has these has mostly the whole.
const MOST_PARTS: usize = 16;

/// A text to be found, without regard to case.
pub(super) struct Search {
    text: String,
    parts: String,
}

impl Search {
    pub(super) fn new(text: &str) -> Search {
        let text = folded(text);
        let characters: Vec<char> = text.chars().collect();
        let windows: Vec<&[char]> = characters.windows(PART).collect();
        let mut parts: Vec<String> = Vec::new();
        // From the whole length, the first and the last among them.
        let last = windows.len().saturating_sub(1);
        let picked = windows.len().min(MOST_PARTS);
        for number in 0..picked {
            let place = if picked > 1 {
                number * last / (picked - 1)
            } else {
                0
            };
            let Some(window) = windows.get(place) else {
                continue;
            };
            let part = format!(
                "\"{}\"",
                window.iter().collect::<String>().replace('"', "\"\"")
            );
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        Search {
            text,
            parts: parts.join(" AND "),
        }
    }

    /// As rows hold it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the index is asked; empty for a text that is too short for it.
    pub(super) fn parts(&self) -> &str {
        &self.parts
    }

    /// No row holds this character, and SQLite ends texts at it.
    pub(super) fn finds_nothing(&self) -> bool {
        self.text.contains('\0')
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn the_index_is_asked_for_parts_from_the_whole_length() {
        assert_eq!(Search::new("AB").parts(), "");
        assert_eq!(Search::new("ABC").parts(), "\"abc\"");
        assert_eq!(Search::new("a\"bä").parts(), "\"a\"\"b\" AND \"\"\"bä\"");
        assert_eq!(Search::new("aaaaaa").parts(), "\"aaa\"");
        let long: String = ('a'..='z').chain('α'..='ω').collect();
        let search = Search::new(&long);
        assert_eq!(search.parts().matches(" AND ").count(), 15);
        assert!(
            search.parts().starts_with("\"abc\"") && search.parts().ends_with("\"χψω\""),
            "{}",
            search.parts()
        );
    }
}
