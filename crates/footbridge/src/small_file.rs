//! The reader of a small text file that somebody named: never more than so many bytes of it,
//! whatever it is.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// The text of the file, which must be UTF-8 and have at most this many bytes.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Result<String> {
    let mut text = String::new();
    // A device may never end, and says nothing of its size.
    File::open(path)?
        .take(max_bytes.saturating_add(1))
        .read_to_string(&mut text)?;
    if text.len() as u64 > max_bytes {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("it is larger than {max_bytes} bytes"),
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_refused_beyond_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "12345").unwrap();
        assert_eq!(read(file.path(), 5).unwrap(), "12345");
        assert!(
            read(file.path(), 4)
                .unwrap_err()
                .to_string()
                .contains("larger than 4 bytes")
        );
        assert!(read("/dev/zero".as_ref(), 4).is_err());
    }
}
