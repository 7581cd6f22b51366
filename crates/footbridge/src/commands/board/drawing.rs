//! A board drawn for a terminal: its columns side by side where they fit, else one below the other.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The narrowest column, and the widest.
const NARROWEST: usize = 16;
const WIDEST: usize = 40;
/// Blanks between columns.
const GAP: usize = 2;
/// Lines of a title.
const TITLE_LINES: usize = 2;
/// Cards of a column that are drawn.
const CARDS: usize = 40;

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RED: &str = "\u{1b}[1;31m";
const PLAIN: &str = "\u{1b}[0m";

/// A board as it is drawn.
pub(super) struct DrawnBoard {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) columns: Vec<DrawnColumn>,
}

/// A column, or the place of the cards that are in none.
pub(super) struct DrawnColumn {
    pub(super) key: Option<String>,
    pub(super) title: String,
    pub(super) limit: Option<u64>,
    pub(super) cards: Vec<DrawnCard>,
}

/// A card.
pub(super) struct DrawnCard {
    /// Its place among all that were read.
    pub(super) place: usize,
    pub(super) title: String,
    pub(super) notes: Vec<String>,
}

/// A line of a column, and how it looks.
struct DrawnLine {
    text: String,
    style: &'static str,
}

impl DrawnBoard {
    pub(super) fn text(&self, width: usize, is_coloured: bool) -> String {
        let width = width.max(NARROWEST);
        let mut lines = vec![styled(
            &shortened(&cell(&self.name), width),
            BOLD,
            is_coloured,
        )];
        if !self.description.is_empty() {
            lines.push(styled(
                &shortened(&cell(&self.description), width),
                DIM,
                is_coloured,
            ));
        }
        lines.push(String::new());
        let count = self.columns.len();
        if count == 0 {
            lines.push("no columns and no cards".to_owned());
            return lines.join("\n");
        }
        let gaps = GAP * (count - 1);
        let each = width.saturating_sub(gaps) / count;
        if each >= NARROWEST {
            lines.extend(self.side_by_side(each.min(WIDEST), is_coloured));
        } else {
            for column in &self.columns {
                let drawn = column.lines(width.min(2 * WIDEST));
                lines.extend(drawn.iter().map(|line| line.painted(is_coloured)));
                lines.push(String::new());
            }
            lines.pop();
        }
        lines.join("\n")
    }

    fn side_by_side(&self, each: usize, is_coloured: bool) -> Vec<String> {
        let columns: Vec<Vec<DrawnLine>> = self
            .columns
            .iter()
            .map(|column| column.lines(each))
            .collect();
        let longest = columns.iter().map(Vec::len).max().unwrap_or_default();
        (0..longest)
            .map(|row| {
                let mut line = String::new();
                for column in &columns {
                    let (shown, taken) = match column.get(row) {
                        Some(drawn) => (drawn.painted(is_coloured), drawn.text.width()),
                        None => (String::new(), 0),
                    };
                    line.push_str(&shown);
                    line.push_str(&" ".repeat(each.saturating_sub(taken) + GAP));
                }
                line.trim_end().to_owned()
            })
            .collect()
    }
}

impl DrawnColumn {
    fn lines(&self, width: usize) -> Vec<DrawnLine> {
        let count = self.cards.len();
        let is_over = self
            .limit
            .is_some_and(|limit| u64::try_from(count).is_ok_and(|count| count > limit));
        let cards = match self.limit {
            Some(limit) if is_over => format!(" {count} of {limit}!"),
            Some(limit) => format!(" {count} of {limit}"),
            None => format!(" {count}"),
        };
        let title = shortened(&cell(&self.title), width.saturating_sub(cards.width()));
        let style = if is_over { RED } else { BOLD };
        let mut lines = vec![
            DrawnLine {
                text: format!("{title}{cards}"),
                style,
            },
            DrawnLine {
                text: "─".repeat(width),
                style: DIM,
            },
        ];
        for card in self.cards.iter().take(CARDS) {
            let title = folded(&cell(&card.title), width);
            lines.extend(title.into_iter().map(|text| DrawnLine { text, style: "" }));
            if !card.notes.is_empty() {
                let notes: Vec<String> = card.notes.iter().map(|note| cell(note)).collect();
                lines.push(DrawnLine {
                    text: shortened(&format!("  {}", notes.join(" · ")), width),
                    style: DIM,
                });
            }
        }
        if let Some(more) = count.checked_sub(CARDS).filter(|more| *more > 0) {
            lines.push(DrawnLine {
                text: format!("and {more} more"),
                style: DIM,
            });
        }
        lines
    }
}

impl DrawnLine {
    fn painted(&self, is_coloured: bool) -> String {
        styled(&self.text, self.style, is_coloured)
    }
}

fn styled(text: &str, style: &str, is_coloured: bool) -> String {
    match is_coloured && !style.is_empty() && !text.is_empty() {
        true => format!("{style}{text}{PLAIN}"),
        false => text.to_owned(),
    }
}

/// What somebody wrote, on one line: without what moves a cursor or turns the direction of text.
pub(super) fn cell(text: &str) -> String {
    let is_harmless = |c: &char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        !turns && !c.is_control()
    };
    let words = text.split_whitespace();
    let words = words.map(|word| word.chars().filter(is_harmless).collect::<String>());
    words.collect::<Vec<_>>().join(" ")
}

/// The text as far as it has room.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = taken(text, width.saturating_sub(1)).to_owned();
    short.push('…');
    short
}

/// The beginning of a text that has room in a width.
fn taken(text: &str, width: usize) -> &str {
    let mut room = width;
    for (place, character) in text.char_indices() {
        match room.checked_sub(character.width().unwrap_or_default()) {
            Some(left) => room = left,
            None => return text.split_at(place).0,
        }
    }
    text
}

/// A title on a few lines, broken between words where that is possible.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > width && lines.len() + 1 < TITLE_LINES {
        let fitting = taken(rest, width);
        let end = fitting
            .rfind(' ')
            .filter(|end| *end > 0)
            .unwrap_or(fitting.len());
        if end == 0 {
            break;
        }
        let (line, after) = rest.split_at(end);
        lines.push(line.to_owned());
        rest = after.trim_start();
    }
    lines.push(shortened(rest, width));
    lines
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::{DrawnBoard, DrawnCard, DrawnColumn, PLAIN};

    fn card(title: &str, notes: &[&str]) -> DrawnCard {
        DrawnCard {
            place: 0,
            title: title.to_owned(),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        }
    }

    fn column(title: &str, limit: Option<u64>, cards: Vec<DrawnCard>) -> DrawnColumn {
        DrawnColumn {
            key: Some(title.to_lowercase()),
            title: title.to_owned(),
            limit,
            cards,
        }
    }

    fn board() -> DrawnBoard {
        DrawnBoard {
            name: "Release".to_owned(),
            description: String::new(),
            columns: vec![
                column("To do", None, vec![card("Write it down", &["high", "ana"])]),
                column(
                    "Doing",
                    Some(1),
                    vec![card("日本語の長い題名です", &[]), card("Two", &[])],
                ),
                column("Done", None, vec![]),
            ],
        }
    }

    #[test]
    fn columns_stand_side_by_side_with_their_counts_and_limits() {
        let drawn = board().text(60, false);
        assert_eq!(
            drawn,
            "Release\n\
             \n\
             To do 1             Doing 2 of 1!       Done 0\n\
             ──────────────────  ──────────────────  ──────────────────\n\
             Write it down       日本語の長い題名で\n\
             \u{20}\u{20}high · ana        す\n\
             \u{20}                   Two"
        );
    }

    #[test]
    fn whatever_the_width_and_the_texts_no_line_is_longer() {
        let mut board = board();
        let titles = [
            "\u{1b}[2J\u{202e}evil\u{2066} \u{7}x\ny".to_owned(),
            "🦀".repeat(200),
            "x".repeat(4000),
            "word ".repeat(50),
            String::new(),
            "a\u{300}\u{301}".repeat(60),
        ];
        for title in &titles {
            let note = title.as_str();
            board.columns[0].cards.push(card(title, &[note]));
            board.columns.push(column(title, Some(7), vec![]));
        }
        board.name.clone_from(&titles[2]);
        for width in [0, 1, 16, 20, 60, 80, 200, 1000] {
            let drawn = board.text(width, false);
            assert!(!drawn.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{width}");
            for line in drawn.lines() {
                assert!(line.width() <= width.max(16), "{width}: {line:?}");
            }
        }
        let many = (0..60).map(|_| card("x", &[])).collect();
        board.columns = vec![column("A", None, many)];
        assert!(board.text(80, false).ends_with("and 20 more"));
        board.columns.clear();
        assert!(board.text(80, false).contains("no columns and no cards"));
    }

    #[test]
    fn colour_marks_what_is_over_its_limit_and_nothing_of_the_text() {
        let drawn = board().text(60, true);
        assert!(
            drawn.contains("\u{1b}[1;31mDoing 2 of 1!\u{1b}[0m"),
            "{drawn:?}"
        );
        let plain = drawn
            .replace(PLAIN, "")
            .replace("\u{1b}[1;31m", "")
            .replace("\u{1b}[1m", "")
            .replace("\u{1b}[2m", "");
        assert_eq!(plain, board().text(60, false));
    }
}
