//! Characters that cannot be seen, and so can hide a text, or change what one seems to say. Where
//! such a character does its proper work, as a joiner does between letters of Persian or the parts
//! of an emoji, it stays as it is. Source: Unicode, Default_Ignorable_Code_Point, and the rules for
//! joiners of RFC 5892, appendix A.

/// A control character that is neither a tab nor the end of a line.
pub(super) fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0xb | 0xc | 0xe..=0x1f | 0x7f)
}

/// Whether any byte is one: a run of them at once, as hardly a text has any.
pub(super) fn has_control(bytes: &[u8]) -> bool {
    let in_run = |run: &[u8]| run.iter().fold(false, |has, byte| has | is_control(*byte));
    bytes.chunks(64).any(in_run)
}

/// True for a character that leaves no trace where it stands.
pub(super) fn is_hidden(character: char) -> bool {
    match character {
        '\0'..='\x7f' => u8::try_from(character).is_ok_and(is_control),
        '\u{80}'..='\u{9f}' | '\u{ad}' => true,
        '\u{a0}'..='\u{34e}' => false,
        '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' => true,
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}' => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// Whether the text holds such a character where it does no work.
pub(super) fn is_in(text: &str) -> bool {
    let (mut before, mut rest) = (None, text.chars());
    while let Some(character) = rest.next() {
        if is_hidden(character) && !belongs(before, character, rest.as_str()) {
            return true;
        }
        before = Some(character);
    }
    false
}

/// Whether a hidden character does its proper work between what is before and after it.
pub(super) fn belongs(before: Option<char>, character: char, after: &str) -> bool {
    let Some(before) = before else { return false };
    let next = || after.chars().next();
    let is_next = |is: fn(char) -> bool| next().is_some_and(is);
    match character {
        // joiners: in scripts whose letters have several forms, and the zero-width joiner inside an
        // emoji
        '\u{200c}' => joins(before) && (is_next(joins) || is_virama(before)),
        '\u{200d}' => {
            (joins(before) && (is_next(joins) || is_virama(before)))
                || ((is_emoji(before) || before == '\u{fe0f}') && is_next(is_emoji))
        }
        // where a word may be broken, in scripts that write no spaces
        '\u{200b}' | '\u{2060}' => writes_no_spaces(before) && is_next(writes_no_spaces),
        // which way what is beside it is read
        '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            is_right_to_left(before) || is_next(is_right_to_left)
        }
        // which of its forms a symbol or an ideograph has
        '\u{fe0e}' | '\u{fe0f}' => {
            is_emoji(before) || matches!(before, '0'..='9' | '#' | '*' | '©' | '®')
        }
        '\u{fe00}'..='\u{fe0d}' => {
            is_ideograph(before)
                || matches!(before, '\u{2200}'..='\u{22ff}' | '\u{1000}'..='\u{109f}')
        }
        '\u{e0100}'..='\u{e01ef}' => is_ideograph(before),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        '\u{34f}' => matches!(before, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5f4}'),
        '\u{115f}' | '\u{1160}' => {
            matches!(before, '\u{1100}'..='\u{11ff}')
                || is_next(|c| matches!(c, '\u{1100}'..='\u{11ff}'))
        }
        '\u{e0020}'..='\u{e007f}' => is_in_flag(before, character, after),
        _ => false,
    }
}

/// Letters and marks of scripts that use joiners.
fn joins(character: char) -> bool {
    let is_of_script = matches!(
        character,
        '\u{620}'..='\u{6ff}' | '\u{710}'..='\u{7fa}' | '\u{840}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{f40}'..='\u{fbc}'
            | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17d3}' | '\u{1820}'..='\u{18aa}' | '\u{1a20}'..='\u{1aad}'
            | '\u{1b00}'..='\u{1bff}' | '\u{a840}'..='\u{a95f}' | '\u{a980}'..='\u{aaf6}' | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}' | '\u{11000}'..='\u{11fff}'
    );
    is_of_script && !is_hidden(character)
}

/// What takes a letter's own vowel away: a joiner after it says how it is written, at the end of a
/// word too.
fn is_virama(character: char) -> bool {
    let is_of_indic = matches!(u32::from(character), 0x900..=0xdff)
        && matches!(u32::from(character) & 0x7f, 0x4d | 0x4a);
    is_of_indic
        || matches!(
            character,
            '\u{dca}' | '\u{1039}' | '\u{103a}' | '\u{17d2}' | '\u{1b44}' | '\u{a9c0}'
        )
}

fn writes_no_spaces(character: char) -> bool {
    matches!(character, '\u{e01}'..='\u{eff}' | '\u{f40}'..='\u{fbc}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17f9}' | '\u{1950}'..='\u{1aad}' | '\u{a9e0}'..='\u{aadf}')
        && !is_hidden(character)
}

fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{591}'..='\u{5f4}' | '\u{608}'..='\u{61b}' | '\u{61d}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Pictures, and what colours them.
fn is_emoji(character: char) -> bool {
    matches!(character, '\u{203c}' | '\u{2049}' | '\u{20e3}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}')
        || matches!(character, '\u{2460}'..='\u{24ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}')
        || matches!(
            character,
            '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}'
        )
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Letters that stand for the flags of England, Scotland and Wales; any others would be a text.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// Whether a letter of a tag is one of such a flag. It can only be told from before it, so it looks
/// at what follows and takes what fits the rest of a flag's name after a letter of it, or the flag
/// itself before it.
fn is_in_flag(before: char, character: char, after: &str) -> bool {
    let letter = |c: char| {
        u32::from(c)
            .checked_sub(0xe0000)
            .and_then(char::from_u32)
            .filter(|c| *c < '\x7f')
    };
    let rest: Option<String> = after.split_once('\u{e007f}').map(|(rest, _)| {
        rest.chars()
            .take(6)
            .map(|c| letter(c).unwrap_or('?'))
            .collect()
    });
    if character == '\u{e007f}' {
        return FLAGS
            .iter()
            .any(|flag| letter(before).is_some_and(|last| flag.ends_with(last)));
    }
    let (Some(this), Some(rest)) = (letter(character), rest) else {
        return false;
    };
    FLAGS.iter().any(|flag| {
        let Some(start) = flag
            .strip_suffix(rest.as_str())
            .and_then(|start| start.strip_suffix(this))
        else {
            return false;
        };
        match start.chars().next_back() {
            None => before == '\u{1f3f4}',
            Some(last) => letter(before) == Some(last),
        }
    })
}
