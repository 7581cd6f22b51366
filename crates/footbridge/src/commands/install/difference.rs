//! The difference between two texts as people read it: the piece that goes and the piece that
//! comes. Lines beside it are not shown, as they may hold secrets of others.

/// The lines of the difference, with the line where it begins.
pub(super) fn difference_text(before: &str, after: &str) -> String {
    let start = word_start(before, common(before.chars(), after.chars()));
    let rest = |text: &str| text.get(start..).unwrap_or_default().to_owned();
    let (gone, come) = (rest(before), rest(after));
    let end = common(gone.chars().rev(), come.chars().rev());
    let cut = |text: &str| {
        text.get(..text.len() - end)
            .unwrap_or_default()
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let line = before
        .get(..start)
        .unwrap_or_default()
        .matches('\n')
        .count()
        + 1;
    let (gone, come) = (cut(&gone), cut(&come));
    let signed = |sign: char, lines: Vec<String>| {
        lines.into_iter().map(move |line| format!("{sign} {line}"))
    };
    std::iter::once(format!("@@ line {line} @@"))
        .chain(signed('-', gone))
        .chain(signed('+', come))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The start of the line, where nothing but space and a quotation mark stands before.
fn word_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_bare = line.chars().all(|c| c == '"' || c.is_whitespace());
    if is_bare { at - line.len() } else { at }
}

/// How many bytes two texts have in common from their start.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one.len_utf8())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::difference_text;

    #[test]
    fn what_comes_and_goes_is_shown_and_its_neighbours_are_not() {
        let before = "{\n  \"x\": \"planted\"\n}\n";
        let after = "{\n  \"x\": \"planted\",\n  \"y\": {\n    \"a\": 1\n  }\n}\n";
        assert_eq!(
            difference_text(before, after),
            "@@ line 2 @@\n+ ,\n+   \"y\": {\n+     \"a\": 1\n+   }"
        );
        assert_eq!(difference_text("a=1", "a=2"), "@@ line 1 @@\n- 1\n+ 2");
        assert_eq!(difference_text("é", "éü"), "@@ line 1 @@\n+ ü");
    }
}
