//! The content encodings of answers: which are asked for, and bodies taken out of them within the
//! limit. Looks at no charset.

use std::io::Read;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status, read::MultiGzDecoder};
use http::{HeaderMap, HeaderValue, header};

use crate::upstream::Unanswered;

/// What is asked for.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, deflate, br");
/// Encodings that may lie around one body.
const MAX_ENCODINGS: usize = 4;
/// Bytes that are taken out of an encoding at once.
const PIECE: usize = 16 << 10;

/// One encoding that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Deflate,
    Brotli,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }
}

/// The encodings that lie around a body, the innermost first. The error says which cannot be read.
pub(super) fn encodings(headers: &HeaderMap) -> Result<Vec<Encoding>, Unanswered> {
    let mut found = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let unreadable = |name: &str| {
            Unanswered::Encoded(format!("in the encoding {name:?}, which was not asked for"))
        };
        let names = value
            .to_str()
            .map_err(|_| unreadable("?"))?
            .split(',')
            .map(str::trim);
        for name in names.filter(|name| !name.is_empty()) {
            match name.to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => found.push(Encoding::Gzip),
                "deflate" => found.push(Encoding::Deflate),
                "br" => found.push(Encoding::Brotli),
                "identity" => {}
                other => return Err(unreadable(&other.chars().take(40).collect::<String>())),
            }
            if found.len() > MAX_ENCODINGS {
                return Err(Unanswered::Encoded(format!(
                    "in more than {MAX_ENCODINGS} encodings"
                )));
            }
        }
    }
    Ok(found)
}

/// The body without its encodings. No step of it has more bytes than the limit.
pub(super) fn decoded(
    mut body: Bytes,
    encodings: &[Encoding],
    limit: usize,
) -> Result<Bytes, Unanswered> {
    for encoding in encodings.iter().rev() {
        let decoded = match encoding {
            Encoding::Gzip => read(MultiGzDecoder::new(&*body), limit),
            Encoding::Brotli => read(brotli_decompressor::Decompressor::new(&*body, PIECE), limit),
            Encoding::Deflate => inflate(&body, limit),
        };
        body = decoded.map_err(|why| match why {
            DecodingFault::TooLarge => Unanswered::TooLarge,
            DecodingFault::Damaged => Unanswered::Encoded(format!(
                "whose encoding, {}, is cut off or damaged",
                encoding.name()
            )),
        })?;
    }
    Ok(body)
}

enum DecodingFault {
    TooLarge,
    Damaged,
}

fn read(decoder: impl Read, limit: usize) -> Result<Bytes, DecodingFault> {
    let mut out = Vec::new();
    // one byte more than there may be tells that there are more
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .take(most)
        .read_to_end(&mut out)
        .map_err(|_| DecodingFault::Damaged)?;
    if out.len() > limit {
        Err(DecodingFault::TooLarge)
    } else {
        Ok(out.into())
    }
}

/// `deflate` is a zlib stream; some servers send the bare one that lies in it. flate2's readers
/// take a stream that is cut off for one that has ended, so this asks for its end.
fn inflate(body: &[u8], limit: usize) -> Result<Bytes, DecodingFault> {
    let has_header = match body {
        [first, second, ..] => first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0,
        _ => false,
    };
    let mut decoder = Decompress::new(has_header);
    let mut out = Vec::new();
    loop {
        out.reserve(PIECE);
        let (read, before) = (decoder.total_in(), out.len());
        let rest = usize::try_from(read)
            .ok()
            .and_then(|read| body.get(read..))
            .unwrap_or_default();
        let status = decoder
            .decompress_vec(rest, &mut out, FlushDecompress::None)
            .map_err(|_| DecodingFault::Damaged)?;
        if out.len() > limit {
            return Err(DecodingFault::TooLarge);
        }
        match status {
            Status::StreamEnd => return Ok(out.into()),
            _ if decoder.total_in() == read && out.len() == before => {
                return Err(DecodingFault::Damaged);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::{HeaderMap, header};
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::{Encoding, MAX_ENCODINGS, decoded, encodings};
    use crate::upstream::Unanswered;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn bare(body: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 5, 20)
            .write_all(body)
            .unwrap();
        out
    }

    type Encode = fn(&[u8]) -> Vec<u8>;

    const ALL: [(Encoding, Encode); 4] = [
        (Encoding::Gzip, gzip),
        (Encoding::Deflate, zlib),
        (Encoding::Deflate, bare),
        (Encoding::Brotli, brotli),
    ];

    #[test]
    fn the_limit_is_that_of_the_decoded_body() {
        const LIMIT: usize = 1 << 20;
        for (encoding, encode) in ALL {
            for (size, good) in [(LIMIT, true), (LIMIT + 1, false), (64 * LIMIT, false)] {
                let result = decoded(encode(&vec![b' '; size]).into(), &[encoding], LIMIT);
                assert_eq!(
                    result.map(|body| body.len()),
                    if good {
                        Ok(size)
                    } else {
                        Err(Unanswered::TooLarge)
                    },
                    "{encoding:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_no_answer() {
        let body: Vec<u8> = (0..5000_u32)
            .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        for (encoding, encode) in ALL {
            let whole = encode(&body);
            for end in [1, 2, 9, whole.len() / 2, whole.len() - 1] {
                let cut = decoded(whole[..end].to_vec().into(), &[encoding], 1 << 20);
                assert!(
                    matches!(&cut, Err(Unanswered::Encoded(why)) if why.contains(encoding.name())),
                    "{encoding:?} {end}: {cut:?}"
                );
            }
        }
    }

    #[test]
    fn each_encoding_is_known_by_its_names_and_others_are_named() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            encodings(&headers)
        };
        assert_eq!(of(&[]), Ok(vec![]));
        assert_eq!(
            of(&["identity", "GZIP , br", "x-gzip,"]),
            Ok(vec![Encoding::Gzip, Encoding::Brotli, Encoding::Gzip])
        );
        assert!(
            matches!(of(&["gzip, zstd"]), Err(Unanswered::Encoded(why)) if why.contains("\"zstd\""))
        );
        assert!(of(&["br"; MAX_ENCODINGS]).is_ok() && of(&["br"; MAX_ENCODINGS + 1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn whatever_was_encoded_comes_back(body in any::<Vec<u8>>(), layers in proptest::collection::vec(0..4_usize, 0..4)) {
            let mut encoded = body.clone();
            for layer in &layers {
                encoded = ALL[*layer].1(&encoded);
            }
            let encodings: Vec<_> = layers.iter().map(|layer| ALL[*layer].0).collect();
            prop_assert_eq!(decoded(encoded.into(), &encodings, 1 << 20), Ok(body.into()));
        }
        #[test]
        fn any_bytes_end(body in any::<Vec<u8>>(), layer in 0..4_usize) {
            let _outcome = decoded(body.into(), &[ALL[layer].0], 1 << 16);
        }
    }
}
