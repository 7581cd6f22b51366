//! Characters outside ASCII that look like letters of a mark, as a table of those letters alone.
//! Source: Unicode TS 39 and the compatibility forms of UAX 15; a test holds the table to the
//! crates that carry all of it, which the program need not.

/// Letters that follow each other in the name of a mark, and the characters that look like them.
static LOOKALIKES: [(&str, &str); 11] = [
    (
        "c",
        "\
         \u{3f2}\u{3f9}\u{421}\u{441}\u{1004}\u{105a}\u{13df}\u{1c83}\u{1d04}\u{1d9c}\u{2102}\
         \u{212d}\u{216d}\u{217d}\u{24b8}\u{24d2}\u{2ca4}\u{2ca5}\u{a4da}\u{a7f2}\u{abaf}\u{ff23}\
         \u{ff43}\u{102a2}\u{10302}\u{10415}\u{1043d}\u{1051b}\u{118e9}\u{118f2}\u{1ccd8}\
         \u{1d134}\u{1d402}\u{1d41c}\u{1d436}\u{1d450}\u{1d46a}\u{1d484}\u{1d49e}\u{1d4b8}\
         \u{1d4d2}\u{1d4ec}\u{1d520}\u{1d554}\u{1d56e}\u{1d588}\u{1d5a2}\u{1d5bc}\u{1d5d6}\
         \u{1d5f0}\u{1d60a}\u{1d624}\u{1d63e}\u{1d658}\u{1d672}\u{1d68c}\u{1e03f}\u{1e05e}\
         \u{1f12b}\u{1f132}\u{1f74c}\
         ",
    ),
    ("co", "\u{ab43}"),
    (
        "d",
        "\
         \u{500}\u{501}\u{13a0}\u{13e7}\u{146f}\u{15de}\u{15ea}\u{1d30}\u{1d48}\u{2145}\u{2146}\
         \u{216e}\u{217e}\u{24b9}\u{24d3}\u{a4d2}\u{a4d3}\u{ff24}\u{ff44}\u{1018b}\u{1ccd9}\
         \u{1d403}\u{1d41d}\u{1d437}\u{1d451}\u{1d46b}\u{1d485}\u{1d49f}\u{1d4b9}\u{1d4d3}\
         \u{1d4ed}\u{1d507}\u{1d521}\u{1d53b}\u{1d555}\u{1d56f}\u{1d589}\u{1d5a3}\u{1d5bd}\
         \u{1d5d7}\u{1d5f1}\u{1d60b}\u{1d625}\u{1d63f}\u{1d659}\u{1d673}\u{1d68d}\u{1f133}\
         ",
    ),
    (
        "e",
        "\
         \u{395}\u{415}\u{435}\u{4bc}\u{4bd}\u{13ac}\u{1d31}\u{1d49}\u{2091}\u{212e}\u{212f}\
         \u{2130}\u{2147}\u{22ff}\u{24ba}\u{24d4}\u{2d39}\u{a4f0}\u{a5cb}\u{ab32}\u{ff25}\u{ff45}\
         \u{10286}\u{118a6}\u{118ae}\u{1ccda}\u{1d404}\u{1d41e}\u{1d438}\u{1d452}\u{1d46c}\
         \u{1d486}\u{1d4d4}\u{1d4ee}\u{1d508}\u{1d522}\u{1d53c}\u{1d556}\u{1d570}\u{1d58a}\
         \u{1d5a4}\u{1d5be}\u{1d5d8}\u{1d5f2}\u{1d60c}\u{1d626}\u{1d640}\u{1d65a}\u{1d674}\
         \u{1d68e}\u{1d6ac}\u{1d6e6}\u{1d720}\u{1d75a}\u{1d794}\u{1df81}\u{1e035}\u{1e056}\
         \u{1f134}\
         ",
    ),
    (
        "n",
        "\
         \u{39d}\u{548}\u{54c}\u{578}\u{57c}\u{1d3a}\u{207f}\u{2099}\u{2115}\u{24c3}\u{24dd}\
         \u{2c9a}\u{a4e0}\u{ff2e}\u{ff4e}\u{10513}\u{11abe}\u{1cce3}\u{1d40d}\u{1d427}\u{1d441}\
         \u{1d45b}\u{1d475}\u{1d48f}\u{1d4a9}\u{1d4c3}\u{1d4dd}\u{1d4f7}\u{1d511}\u{1d52b}\
         \u{1d55f}\u{1d579}\u{1d593}\u{1d5ad}\u{1d5c7}\u{1d5e1}\u{1d5fb}\u{1d615}\u{1d62f}\
         \u{1d649}\u{1d663}\u{1d67d}\u{1d697}\u{1d6b4}\u{1d6ee}\u{1d728}\u{1d762}\u{1d79c}\
         \u{1f13d}\
         ",
    ),
    (
        "o",
        "\
         \u{ba}\u{39f}\u{3a3}\u{3bf}\u{3c3}\u{3ec}\u{3ed}\u{3f9}\u{41e}\u{43e}\u{555}\u{585}\
         \u{5e1}\u{647}\u{665}\u{6be}\u{6c1}\u{6d5}\u{6f5}\u{7c0}\u{7cb}\u{840}\u{966}\u{9e6}\
         \u{a66}\u{ae6}\u{b20}\u{b66}\u{be6}\u{c02}\u{c66}\u{c82}\u{ce6}\u{d02}\u{d20}\u{d66}\
         \u{d82}\u{e50}\u{ed0}\u{101d}\u{1040}\u{10ff}\u{110b}\u{11bc}\u{12d0}\u{17e0}\u{1a45}\
         \u{1a80}\u{1a90}\u{1bea}\u{1c82}\u{1cbf}\u{1d0f}\u{1d11}\u{1d3c}\u{1d52}\u{2092}\u{2134}\
         \u{24c4}\u{24de}\u{2c9e}\u{2c9f}\u{2d54}\u{3007}\u{3147}\u{3267}\u{a4f3}\u{ab3d}\u{fba6}\
         \u{fba7}\u{fba8}\u{fba9}\u{fbaa}\u{fbab}\u{fbac}\u{fbad}\u{fee9}\u{feea}\u{feeb}\u{feec}\
         \u{ff10}\u{ff2f}\u{ff4f}\u{ffb7}\u{10292}\u{102ab}\u{1030f}\u{10404}\u{1042c}\u{104c2}\
         \u{104ea}\u{10516}\u{1092c}\u{10c17}\u{10d07}\u{11124}\u{11302}\u{114d0}\u{118a8}\
         \u{118b5}\u{118b7}\u{118c8}\u{118d7}\u{118e0}\u{11de0}\u{16ae9}\u{1cce4}\u{1ccf0}\
         \u{1d40e}\u{1d428}\u{1d442}\u{1d45c}\u{1d476}\u{1d490}\u{1d4aa}\u{1d4de}\u{1d4f8}\
         \u{1d512}\u{1d52c}\u{1d546}\u{1d560}\u{1d57a}\u{1d594}\u{1d5ae}\u{1d5c8}\u{1d5e2}\
         \u{1d5fc}\u{1d616}\u{1d630}\u{1d64a}\u{1d664}\u{1d67e}\u{1d698}\u{1d6b6}\u{1d6ba}\
         \u{1d6d0}\u{1d6d4}\u{1d6f0}\u{1d6f4}\u{1d70a}\u{1d70e}\u{1d72a}\u{1d72e}\u{1d744}\
         \u{1d748}\u{1d764}\u{1d768}\u{1d77e}\u{1d782}\u{1d79e}\u{1d7a2}\u{1d7b8}\u{1d7bc}\
         \u{1d7ce}\u{1d7d8}\u{1d7e2}\u{1d7ec}\u{1d7f6}\u{1e03c}\u{1e05c}\u{1e140}\u{1e2f0}\
         \u{1ee24}\u{1ee64}\u{1ee84}\u{1f13e}\u{1fbf0}\
         ",
    ),
    (
        "r",
        "\
         \u{1a6}\u{24c}\u{2b3}\u{413}\u{433}\u{13a1}\u{13b1}\u{13d2}\u{1587}\u{1d26}\u{1d3f}\
         \u{1d63}\u{211b}\u{211c}\u{211d}\u{24c7}\u{24e1}\u{2c84}\u{2c85}\u{a4e3}\u{ab47}\u{ab48}\
         \u{ab81}\u{ff32}\u{ff52}\u{104b4}\u{16a19}\u{16f35}\u{1cce7}\u{1d216}\u{1d411}\u{1d42b}\
         \u{1d445}\u{1d45f}\u{1d479}\u{1d493}\u{1d4c7}\u{1d4e1}\u{1d4fb}\u{1d52f}\u{1d563}\
         \u{1d57d}\u{1d597}\u{1d5b1}\u{1d5cb}\u{1d5e5}\u{1d5ff}\u{1d619}\u{1d633}\u{1d64d}\
         \u{1d667}\u{1d681}\u{1d69b}\u{1e033}\u{1e054}\u{1f12c}\u{1f141}\
         ",
    ),
    (
        "s",
        "\
         \u{17f}\u{1bc}\u{1bd}\u{2e2}\u{405}\u{455}\u{54f}\u{d1f}\u{10bd}\u{10fd}\u{13d5}\u{13da}\
         \u{1cbd}\u{209b}\u{24c8}\u{24e2}\u{a4e2}\u{a576}\u{a731}\u{a7f1}\u{abaa}\u{ff33}\u{ff53}\
         \u{10296}\u{10420}\u{10448}\u{118a1}\u{118c1}\u{16ad6}\u{16f3a}\u{1cce8}\u{1d412}\
         \u{1d42c}\u{1d446}\u{1d460}\u{1d47a}\u{1d494}\u{1d4ae}\u{1d4c8}\u{1d4e2}\u{1d4fc}\
         \u{1d516}\u{1d530}\u{1d54a}\u{1d564}\u{1d57e}\u{1d598}\u{1d5b2}\u{1d5cc}\u{1d5e6}\
         \u{1d600}\u{1d61a}\u{1d634}\u{1d64e}\u{1d668}\u{1d682}\u{1d69c}\u{1e069}\u{1f142}\
         ",
    ),
    ("st", "\u{fb05}\u{fb06}"),
    (
        "t",
        "\
         \u{3a4}\u{422}\u{7e0}\u{13a2}\u{1d40}\u{1d57}\u{209c}\u{22a4}\u{24c9}\u{24e3}\u{27d9}\
         \u{2ca6}\u{3112}\u{4e05}\u{a4d4}\u{a50b}\u{ff34}\u{ff54}\u{10297}\u{102b1}\u{10315}\
         \u{118bc}\u{16f0a}\u{1cce9}\u{1d373}\u{1d413}\u{1d42d}\u{1d447}\u{1d461}\u{1d47b}\
         \u{1d495}\u{1d4af}\u{1d4c9}\u{1d4e3}\u{1d4fd}\u{1d517}\u{1d531}\u{1d54b}\u{1d565}\
         \u{1d57f}\u{1d599}\u{1d5b3}\u{1d5cd}\u{1d5e7}\u{1d601}\u{1d61b}\u{1d635}\u{1d64f}\
         \u{1d669}\u{1d683}\u{1d69d}\u{1d6bb}\u{1d6f5}\u{1d72f}\u{1d769}\u{1d7a3}\u{1f143}\
         \u{1f768}\
         ",
    ),
    (
        "u",
        "\
         \u{1b2}\u{28b}\u{3a5}\u{3c5}\u{3d2}\u{54d}\u{57d}\u{1200}\u{144c}\u{1d1c}\u{1d41}\
         \u{1d58}\u{1d64}\u{1db8}\u{1db9}\u{222a}\u{22c3}\u{24ca}\u{24e4}\u{a4f4}\u{a79e}\u{a79f}\
         \u{ab4e}\u{ab52}\u{ab5f}\u{ff35}\u{ff55}\u{104ce}\u{104f6}\u{118b8}\u{118d8}\u{16f42}\
         \u{1ccea}\u{1d414}\u{1d42e}\u{1d448}\u{1d462}\u{1d47c}\u{1d496}\u{1d4b0}\u{1d4ca}\
         \u{1d4e4}\u{1d4fe}\u{1d518}\u{1d532}\u{1d54c}\u{1d566}\u{1d580}\u{1d59a}\u{1d5b4}\
         \u{1d5ce}\u{1d5e8}\u{1d602}\u{1d61c}\u{1d636}\u{1d650}\u{1d66a}\u{1d684}\u{1d69e}\
         \u{1d6bc}\u{1d6d6}\u{1d6f6}\u{1d710}\u{1d730}\u{1d74a}\u{1d76a}\u{1d784}\u{1d7a4}\
         \u{1d7be}\u{1f144}\
         ",
    ),
];

/// How many of the letters that are left a character looks like; most often one. The letters are
/// in lower case.
pub(super) fn looks_like(character: char, left: &str) -> Option<usize> {
    if character.is_ascii() {
        return left
            .starts_with(character.to_ascii_lowercase())
            .then_some(1);
    }
    let mut fitting = LOOKALIKES
        .iter()
        .filter(|(letters, _)| left.starts_with(letters));
    fitting
        .find(|(_, characters)| characters.contains(character))
        .map(|(letters, _)| letters.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unicode_normalization::UnicodeNormalization;
    use unicode_security::skeleton;

    use super::{LOOKALIKES, looks_like};
    use crate::fence::mark::NAME;

    /// What a character may be taken for, by all that Unicode says.
    fn forms(character: char) -> [String; 3] {
        let lower = |letters: &mut dyn Iterator<Item = char>| {
            letters.flat_map(char::to_lowercase).collect::<String>()
        };
        let folded = lower(&mut std::iter::once(character).nfkc());
        let as_it_is: String = skeleton(character.encode_utf8(&mut [0; 4])).collect();
        [
            lower(&mut as_it_is.nfkc()),
            skeleton(&folded).collect(),
            folded,
        ]
    }

    #[test]
    fn the_table_has_whatever_looks_like_a_part_of_the_name() {
        let known = LOOKALIKES
            .iter()
            .flat_map(|(_, characters)| characters.chars());
        let known: BTreeSet<char> = known.collect();
        let mut wrong = Vec::new();
        for character in '\u{80}'..=char::MAX {
            let forms = forms(character);
            let may_fit = |form: &String| NAME.contains(form.as_str()) && !form.is_empty();
            if !known.contains(&character) && !forms.iter().any(may_fit) {
                continue;
            }
            for start in 0..NAME.len() {
                let left = NAME.get(start..).unwrap();
                let fits = |form: &&String| !form.is_empty() && left.starts_with(form.as_str());
                let length = forms.iter().find(fits).map(String::len);
                if looks_like(character, left) != length {
                    wrong.push((left, character.escape_unicode().to_string(), length));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn letters_of_ascii_look_like_themselves_alone() {
        assert_eq!(looks_like('C', "content"), Some(1));
        assert_eq!(looks_like('0', "ontent"), None);
        assert_eq!(looks_like('t', ""), None);
    }
}
