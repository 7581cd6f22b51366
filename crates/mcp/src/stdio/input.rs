//! Lines out of a byte stream, borrowed from one buffer and bounded in length. LF, CRLF and a bare
//! CR end a line. Reads no JSON.

use std::io::Read;

/// One line, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Message(&'a [u8]),
    /// Longer than the limit; its bytes are gone.
    TooLong,
}

/// Splits what it reads into lines.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the first line that was not handed out starts.
    start: usize,
    /// Up to where the buffer is known to hold no line end.
    searched: usize,
    limit: usize,
    /// Whether the line under way has passed the limit already.
    discarding: bool,
}

const CHUNK: usize = 64 * 1024;

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            buffer: Vec::with_capacity(CHUNK),
            start: 0,
            searched: 0,
            limit,
            discarding: false,
        }
    }

    /// The next whole line that is already here.
    pub(super) fn next_buffered(&mut self) -> Option<Line<'_>> {
        let unsearched = self.buffer.get(self.searched..)?;
        let Some(found) = memchr::memchr2(b'\n', b'\r', unsearched) else {
            self.searched = self.buffer.len();
            return None;
        };
        let (from, end) = (self.start, self.searched + found);
        self.start = end + 1;
        self.searched = self.start;
        if std::mem::take(&mut self.discarding) || end - from > self.limit {
            return Some(Line::TooLong);
        }
        // The LF of a CRLF leaves an empty line behind, which means nothing.
        self.buffer.get(from..end).map(Line::Message)
    }

    /// Reads more; false at the end of the input.
    pub(super) fn fill(&mut self) -> std::io::Result<bool> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.len() > self.limit {
            self.discarding = true;
            self.buffer.clear();
            self.searched = 0;
        }
        let filled = self.buffer.len();
        self.buffer.resize(filled + CHUNK, 0);
        let read = loop {
            match self
                .input
                .read(self.buffer.get_mut(filled..).unwrap_or_default())
            {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer
            .truncate(filled + read.as_ref().copied().unwrap_or_default());
        self.buffer.shrink_to(self.limit.min(4 * CHUNK));
        read.map(|bytes| bytes > 0)
    }

    /// What stood after the last line end when the input ended.
    pub(super) fn last(&mut self) -> Option<Line<'_>> {
        let rest = self
            .buffer
            .get(self.start..)
            .filter(|rest| !rest.is_empty());
        if self.discarding || rest.is_some_and(|rest| rest.len() > self.limit) {
            return Some(Line::TooLong);
        }
        rest.map(Line::Message)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::{any, proptest};

    use super::{Line, Lines};

    /// Hands out at most `step` bytes a read.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn all(bytes: &[u8], step: usize, limit: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(Trickle(bytes, step), limit);
        let mut found = Vec::new();
        let owned = |line: Line<'_>| match line {
            Line::Message(bytes) => Some(bytes.to_vec()),
            Line::TooLong => None,
        };
        loop {
            while let Some(line) = lines.next_buffered() {
                found.push(owned(line));
            }
            if !lines.fill().unwrap() {
                break;
            }
        }
        found.extend(lines.last().map(owned));
        found.retain(|line| line.as_deref() != Some(b""));
        found
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_over_it_does_not_hurt_the_next() {
        let text = format!("{}\n{}\nok\n", "a".repeat(10), "b".repeat(11));
        for step in [1, 3, 100] {
            assert_eq!(
                all(text.as_bytes(), step, 10),
                [Some(b"a".repeat(10)), None, Some(b"ok".to_vec())],
                "{step}"
            );
        }
        assert_eq!(all(&b"c".repeat(300_000), 100_000, 1000), [None]);
    }

    proptest! {
        /// Any cutting of the same bytes gives the same lines.
        #[test]
        fn lines_do_not_depend_on_how_they_arrive(lines in proptest::collection::vec("[a-z]{1,12}", 0..20), step in 1_usize..30, end in any::<u8>()) {
            let end = ["\n", "\r\n", "\r"][usize::from(end) % 3];
            let text = lines.iter().map(|line| format!("{line}{end}")).collect::<String>();
            let expected: Vec<_> = lines.iter().map(|line| Some(line.as_bytes().to_vec())).collect();
            assert_eq!(all(text.as_bytes(), step, 64), expected);
        }
    }
}
