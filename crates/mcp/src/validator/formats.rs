//! Formats of texts, as JSON Schema names them: those that tools use. Of others nothing is known
//! here.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a text is in a format. Nothing of a format that is not known.
pub(super) fn is_in_format(format: &str, text: &str) -> Option<bool> {
    Some(match format {
        "date" => is_date(text),
        "time" => is_time(text),
        "date-time" => is_date_time(text),
        "duration" => is_duration(text),
        "email" => is_email(text),
        "hostname" => is_host_name(text),
        "uuid" => is_uuid(text),
        "uri" => is_uri(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        _ => return None,
    })
}

/// The number that so many digits are.
fn digits(text: &str, count: usize) -> Option<u32> {
    let are_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| are_digits)
}

/// Source: RFC 3339, `full-date`.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut next = |count| digits(parts.next()?, count);
    let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Source: RFC 3339, `full-time`. A leap second is one at the end of a day of UTC.
fn is_time(text: &str) -> bool {
    let (time, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(place) => text.split_at(place),
        None => return false,
    };
    let Some(offset) = minutes_of_offset(offset) else {
        return false;
    };
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (time, None),
    };
    let is_fraction = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = time.splitn(3, ':');
    let mut next = || digits(parts.next()?, 2);
    let (Some(hour), Some(minute), Some(second)) = (next(), next(), next()) else {
        return false;
    };
    let of_day = i64::from(hour * 60 + minute) - offset;
    fraction.is_none_or(is_fraction)
        && hour < 24
        && minute < 60
        && (second < 60 || second == 60 && of_day.rem_euclid(24 * 60) == 24 * 60 - 1)
}

fn minutes_of_offset(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes))
}

fn is_date_time(text: &str) -> bool {
    text.split_once(['T', 't'])
        .is_some_and(|(date, time)| is_date(date) && is_time(time))
}

/// Source: RFC 3339, `duration`.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let date = units(date, "YMD");
    match time.map(|time| units(time, "HMS")) {
        None => date == Some(true),
        Some(time) => date.is_some() && time == Some(true),
    }
}

/// Whether there are numbers each with its unit, in their order and none left out between; none
/// where it is something else.
fn units(text: &str, order: &str) -> Option<bool> {
    let (mut rest, mut place) = (text, None::<usize>);
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, unit) = rest.split_at_checked(end)?;
        let mut characters = unit.chars();
        let found = order.find(characters.next()?)?;
        if number.is_empty() || place.is_some_and(|before| found != before + 1) {
            return None;
        }
        (rest, place) = (characters.as_str(), Some(found));
    }
    Some(place.is_some())
}

/// Source: RFC 5321, `Mailbox`, without quoted names.
fn is_email(text: &str) -> bool {
    const SIGNS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte))
    };
    let Some((name, host)) = text.rsplit_once('@') else {
        return false;
    };
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => is_host_name(host),
    };
    name.len() <= 64 && name.split('.').all(is_atom) && is_host
}

/// Source: RFC 1123.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Source: RFC 3986, `URI`; of the host and the port only the characters are looked at.
fn is_uri(text: &str) -> bool {
    const SIGNS: &[u8] = b"-._~:/?#[]@!$&'()*+,;=%";
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_escaped = rest.split('%').skip(1).all(|after| {
        after
            .as_bytes()
            .get(..2)
            .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    let brackets = |text: &str| text.contains(['[', ']']);
    let authority = rest.strip_prefix("//").map(|rest| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.split_at_checked(end).unwrap_or((rest, ""))
    });
    let (authority, path) = authority.unwrap_or(("", rest));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let is_authority = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, port)) => {
            address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || port.starts_with(':'))
        }
        None => !brackets(host),
    };
    is_scheme
        && is_escaped
        && is_authority
        && !brackets(path)
        && path.matches('#').count() <= 1
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};
    use proptest::sample;

    use super::is_in_format;

    const FORMATS: [&str; 10] = [
        "date",
        "time",
        "date-time",
        "duration",
        "email",
        "hostname",
        "uuid",
        "uri",
        "ipv4",
        "ipv6",
    ];

    fn by_another_validator(format: &str, text: &str) -> bool {
        let schema = serde_json::json!({ "format": format });
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&schema).unwrap().is_valid(&text.into())
    }

    #[test]
    fn formats_are_what_another_validator_takes_them_for() {
        let mut different = Vec::new();
        for text in [
            "2026-02-28",
            "2026-02-29",
            "2024-02-29",
            "1900-02-29",
            "2000-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-1-01",
            "2026-04-31",
            "2026-11-28 ",
            "",
            "-",
            "10:00:00Z",
            "10:00:00",
            "24:00:00Z",
            "10:00:00.5+01:00",
            "10:00:00.+01:00",
            "10:00:00+0100",
            "23:59:60Z",
            "00:59:60+01:00",
            "10:59:60Z",
            "10:00:00z",
            "2026-11-28T10:00:00Z",
            "2026-11-28t10:00:00z",
            "2026-11-28 10:00:00Z",
            "P1D",
            "P",
            "PT",
            "P1Y2M3DT4H5M6S",
            "P1Y3D",
            "P1W",
            "P1W2D",
            "PT1H6S",
            "P1DT",
            "PT5M",
            "P-1D",
            "P1S",
            "1D",
            "PT1S1S",
            "a@b",
            "a@b.example",
            "a.b@c",
            ".a@b",
            "a..b@c",
            "a@",
            "@b",
            "a b@c",
            "a@b_c",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@[x]",
            "a@-b",
            "a",
            "x.example",
            "-x.example",
            "x-.example",
            "x..y",
            "x_y",
            "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "67E55044-10B1-426F-9247-BB680E5FE0C8",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "https://example.org/a?b#c",
            "mailto:a@b.example",
            "urn:a:b",
            "example",
            "//a/b",
            "/a",
            "https://[::1]:80/",
            "https://[x]/",
            "https://a b/",
            "https://a/%zz",
            "https://a/%20",
            "https://a/#b#c",
            "1http://a",
            "https://a/[b]",
            "http://ü/",
            "127.0.0.1",
            "127.0.0.01",
            "256.0.0.1",
            "1.2.3",
            "::1",
            "::g",
            "1::2::3",
            "fe80::1%eth0",
            "a:",
            "https://",
            "https://user@host:80/p",
        ] {
            for format in FORMATS {
                let expected = by_another_validator(format, text);
                if is_in_format(format, text) != Some(expected) {
                    different.push((format, text, expected));
                }
            }
        }
        assert_eq!(different, []);
        // The other one takes it.
        assert_eq!(is_in_format("date", "+026-01-01"), Some(false));
        assert_eq!(is_in_format("int32", "a"), None);
    }

    proptest! {
        #[test]
        fn times_are_what_another_validator_takes_them_for(
            format in sample::select(&FORMATS[..4]), text in "[0-9PTZz:WYMDHS]{0,25}"
        ) {
            prop_assert_eq!(is_in_format(format, &text), Some(by_another_validator(format, &text)));
        }

        #[test]
        fn near_times_are_too(
            text in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,2})?(Z|[+-][0-2][0-9]:[0-5][0-9])"
        ) {
            prop_assert_eq!(is_in_format("date-time", &text), Some(by_another_validator("date-time", &text)));
        }
    }
}
