//! A line that shows how far long work is, for a person who waits at the terminal. It is drawn over
//! itself, and gone when the work is done.

use std::io::{self, IsTerminal as _, Write as _};

/// Characters of the bar.
const WIDTH: usize = 24;
/// Characters of the words behind it.
const MAX_WORDS: usize = 40;

/// The line. It is taken away when this is dropped.
#[derive(Debug)]
pub(crate) struct ProgressLine(());

impl ProgressLine {
    /// A line, where somebody sees it.
    pub(crate) fn on_terminal() -> Option<Self> {
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        // made only then: one that is dropped draws over its line
        (io::stderr().is_terminal() && !is_dumb).then(|| Self(()))
    }

    /// Draws how far the work is.
    pub(crate) fn draw(&self, done: f64, total: Option<f64>, words: &str) {
        write_over(&line(done, total, words));
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        write_over("");
    }
}

/// Writes in the place of what stands in the line.
fn write_over(text: &str) {
    let mut stderr = io::stderr();
    // Without a stderr there is nobody to tell.
    let _written = write!(stderr, "\r\u{1b}[K{text}").and_then(|()| stderr.flush());
}

fn line(done: f64, total: Option<f64>, words: &str) -> String {
    let words: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_WORDS)
        .collect();
    let done = done.max(0.0);
    let Some(total) = total.filter(|total| *total > 0.0) else {
        return format!("{done:.0} {words}").trim_end().to_owned();
    };
    let part = (done / total).clamp(0.0, 1.0);
    let cells = (0..WIDTH).map(|cell| {
        let is_filled = part * WIDTH as f64 >= (cell + 1) as f64;
        if is_filled { '#' } else { '.' }
    });
    let bar: String = cells.collect();
    format!("[{bar}] {done:.0} of {total:.0} {words}")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_line_says_how_far_it_is() {
        assert_eq!(
            line(6.0, Some(12.0), "pages"),
            "[############............] 6 of 12 pages"
        );
        assert_eq!(line(3.0, None, "rows\u{1b}[2J"), "3 rows [2J");
        assert_eq!(
            line(9.0, Some(3.0), ""),
            "[########################] 9 of 3"
        );
        assert_eq!(line(-1.0, Some(0.0), "x"), "0 x");
    }
}
