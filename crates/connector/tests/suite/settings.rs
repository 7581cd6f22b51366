//! Settings: kinds, files, all problems at once, and no secret in any text.

use std::collections::HashMap;

use footbridge_connector::{Decides, Setting, SettingKind, SettingValues, compile};

use crate::golden::connector_file;
use crate::scripted::HEAD;

const FILE: &str = r#"
format: 1
connector: x
title: X
instructions: X.
settings:
  X_URL: { is: url, required: true, description: Address of X. }
  X_TOKEN: { secret: true, required: true, description: Token. }
  X_LIMIT: { is: integer, default: 5 }
  X_ON: { is: boolean, default: true }
  X_TENANT: {}
upstream:
  base: "{settings.X_URL}/api"
  headers: { Authorization: "Bearer {settings.X_TOKEN}", X-Tenant: "{settings.X_TENANT}" }
"#;

fn settings(pairs: &[(&str, &str)]) -> Result<SettingValues, Vec<String>> {
    let values: HashMap<&str, &str> = pairs.iter().copied().collect();
    let lookup = |name: &str| values.get(name).map(|value| (*value).to_owned());
    compile("x.yaml", FILE)
        .unwrap()
        .settings(&lookup)
        .map_err(|problems| problems.list().to_vec())
}

#[test]
fn good_values_are_taken() {
    for (url, base) in [
        ("https://example.org", "https://example.org/api"),
        ("http://localhost:8080/x//", "http://localhost:8080/x/api"),
        (" https://EXAMPLE.org/ ", "https://example.org/api"),
        ("http://[::1]:9", "http://[::1]:9/api"),
    ] {
        assert_eq!(
            settings(&[("X_URL", url), ("X_TOKEN", "t")])
                .unwrap()
                .base(),
            base
        );
    }
    for (name, value) in [("X_LIMIT", " -7 "), ("X_ON", "No"), ("X_ON", "1")] {
        assert!(
            settings(&[("X_URL", "http://h"), ("X_TOKEN", "t"), (name, value)]).is_ok(),
            "{value}"
        );
    }
}

/// The words that the programs before this one take.
#[test]
fn a_boolean_is_one_of_the_usual_words() {
    let file = FILE.replace(
        "X_ON: { is: boolean",
        "X_ON: { is: boolean, decides: read_only",
    );
    let connector = compile("x.yaml", &file).unwrap();
    let decided = |word: &str| {
        let values = [("X_URL", "http://h"), ("X_TOKEN", "t"), ("X_ON", word)];
        let lookup = |name: &str| {
            values
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        connector
            .settings(&lookup)
            .map(|settings| settings.decided(Decides::ReadOnly).unwrap().to_owned())
    };
    for word in ["true", "1", "yes", "on", "t", "y", "ON", " T "] {
        assert_eq!(decided(word).unwrap(), "true", "{word}");
    }
    for word in ["false", "0", "no", "off", "f", "n", "Off", " N\n"] {
        assert_eq!(decided(word).unwrap(), "false", "{word}");
    }
    for word in ["2", "ye", "enabled", "none", "-", "tr"] {
        assert!(
            decided(word).unwrap_err().list()[0].starts_with("X_ON must be true or false"),
            "{word}"
        );
    }
}

#[test]
fn all_problems_are_named_at_once() {
    let found = settings(&[
        ("X_URL", "example.org:80"),
        ("X_LIMIT", "many"),
        ("X_ON", "maybe"),
        ("X_TOKEN", ""),
    ])
    .unwrap_err();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn addresses_that_would_mislead_are_refused() {
    let mut lines = Vec::new();
    for url in [
        "ftp://h",
        "http://",
        "http://user:password@h",
        "http://h?x=1",
        "http://h#x",
        "http://h/\u{7f}{x}",
        "not an address",
        "file:///etc/passwd",
    ] {
        lines.extend(
            settings(&[("X_URL", url), ("X_TOKEN", "t")])
                .map(|settings| settings.base().to_owned())
                .unwrap_or_else(|problems| problems.join("\n"))
                .lines()
                .map(str::to_owned),
        );
    }
    assert!(lines.iter().all(|line| !line.contains("password@")));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for text in ["token", "token\n", "token\r\n"] {
        let file = path("good", text);
        assert!(
            settings(&[("X_URL", "http://h"), ("X_TOKEN_FILE", &file)]).is_ok(),
            "{text:?}"
        );
    }
    let (empty, two_lines, absent) = (
        path("empty", "\n"),
        path("two", "a\nb\n"),
        folder.path().join("absent").to_str().unwrap().to_owned(),
    );
    for (file, problem) in [
        (&empty, "which is empty"),
        (&two_lines, "a line break"),
        (&absent, "cannot be read"),
    ] {
        let found = settings(&[("X_URL", "http://h"), ("X_TOKEN_FILE", file)]).unwrap_err();
        assert!(found.len() == 1 && found[0].contains(problem), "{found:?}");
    }
    let both = settings(&[
        ("X_URL", "http://h"),
        ("X_TOKEN", "a"),
        ("X_TOKEN_FILE", &empty),
    ])
    .unwrap_err();
    assert_eq!(
        both,
        ["X_TOKEN and X_TOKEN_FILE are both set: set one of them"]
    );
    let ignored = settings(&[
        ("X_URL", "http://h"),
        ("X_TOKEN", "a"),
        ("X_TENANT_FILE", &absent),
    ]);
    assert!(ignored.is_ok(), "only secrets come from files");
}

#[test]
fn what_nobody_put_in_stops_the_start() {
    let left_open = |name: &str, value: &str| {
        let mut pairs = vec![("X_URL", "http://h"), ("X_TOKEN", "t")];
        pairs.retain(|(known, _)| *known != name);
        pairs.push((name, value));
        settings(&pairs)
    };
    for (name, value) in [
        ("X_TOKEN", "${X_TOKEN}"),
        ("X_TOKEN", " <your-token> "),
        ("X_TOKEN", "$X_TOKEN"),
        ("X_URL", "${X_URL}"),
        ("X_URL", "https://${HOST}/api"),
        ("X_URL", "<address>"),
        ("X_LIMIT", "${LIMIT}"),
        ("X_ON", "%IS_ON%"),
        ("X_TENANT", "team-${TENANT}"),
    ] {
        let found = left_open(name, value).unwrap_err();
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("{name} is still a placeholder")),
            "{found:?}"
        );
        assert!(
            !found[0].contains("TENANT}") && !found[0].contains("HOST"),
            "{found:?}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "<your-token>\n").unwrap();
    let found = settings(&[
        ("X_URL", "http://h"),
        ("X_TOKEN_FILE", file.to_str().unwrap()),
    ])
    .unwrap_err();
    assert!(
        found[0].starts_with("X_TOKEN_FILE names") && found[0].contains("placeholder"),
        "{found:?}"
    );
    for good in ["pa$$word", "$ecret", "a${b}c", "<3"] {
        assert!(left_open("X_TOKEN", good).is_ok(), "{good}");
    }
}

#[test]
fn a_letter_that_no_header_takes_stops_the_start() {
    for value in [
        "tok\u{e9}n",
        "token\u{2026}",
        "\u{201c}token\u{201d}",
        "to\u{200b}ken",
        "to\u{7f}ken",
        "to\nken",
    ] {
        for (name, pairs) in [
            (
                "X_TOKEN",
                [("X_URL", "http://h"), ("X_TOKEN", value), ("X_TENANT", "t")],
            ),
            (
                "X_TENANT",
                [("X_URL", "http://h"), ("X_TOKEN", "t"), ("X_TENANT", value)],
            ),
        ] {
            let found = settings(&pairs).unwrap_err();
            assert!(
                found.len() == 1
                    && found[0].starts_with(&format!("{name} holds a character that the header")),
                "{found:?}"
            );
            assert!(!found[0].contains(value), "{found:?}");
        }
    }
}

#[test]
fn a_value_has_a_limit() {
    const LIMIT: usize = 16 << 10;
    for (bytes, good) in [(LIMIT, true), (LIMIT + 1, false)] {
        assert_eq!(
            settings(&[("X_URL", "http://h"), ("X_TOKEN", &"t".repeat(bytes))]).is_ok(),
            good
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t");
        std::fs::write(&file, "t".repeat(bytes)).unwrap();
        assert_eq!(
            settings(&[
                ("X_URL", "http://h"),
                ("X_TOKEN_FILE", file.to_str().unwrap())
            ])
            .is_ok(),
            good
        );
    }
}

#[test]
fn a_secret_is_in_no_text() {
    let good = settings(&[
        ("X_URL", "http://h"),
        ("X_TOKEN", "pat_secret"),
        ("X_TENANT", "t"),
    ])
    .unwrap();
    assert!(!format!("{good:?}").contains("pat_secret"), "{good:?}");
    let bad = settings(&[("X_URL", "http://h"), ("X_TOKEN", "pat_secret\nmore")]).unwrap_err();
    assert!(
        bad[0].contains("X_TOKEN") && !bad[0].contains("pat_secret"),
        "{bad:?}"
    );
}

#[test]
fn the_rules_are_shown() {
    let connector = compile("x.yaml", FILE).unwrap();
    let token = connector
        .setting_rules()
        .iter()
        .find(|setting| setting.name == "X_TOKEN")
        .unwrap();
    assert!(token.secret && token.required && token.kind == SettingKind::Text);
    let limit = connector
        .setting_rules()
        .iter()
        .find(|setting| setting.name == "X_LIMIT")
        .unwrap();
    assert_eq!(limit.default.as_deref(), Some("5"));
}

const RULES: &str = r#"
format: 1
connector: x
title: X
instructions: X.
settings:
  X_LEVEL: { is: choice, choices: [DEBUG, INFO], default: INFO }
  X_SECONDS: { is: integer, default: 30, minimum: 1, maximum: 600 }
  X_ID: { secret: true, with: X_KEY }
  X_KEY: { secret: true, with: X_ID }
upstream:
  base: http://localhost
  timeout: "{settings.X_SECONDS}s"
  headers: { X-Client: "{footbridge.name}/{footbridge.version}", X-Session: "{footbridge.session}" }
"#;

fn by_rules(pairs: &[(&str, &str)]) -> Result<SettingValues, Vec<String>> {
    let lookup = |name: &str| {
        pairs
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    compile("x.yaml", RULES)
        .unwrap()
        .settings(&lookup)
        .map_err(|problems| problems.list().to_vec())
}

#[test]
fn a_choice_a_range_and_a_pair_are_held() {
    for good in [
        ("X_LEVEL", "debug"),
        ("X_SECONDS", "1"),
        ("X_SECONDS", "600"),
    ] {
        assert!(by_rules(&[good]).is_ok(), "{good:?}");
    }
    assert!(
        by_rules(&[("X_ID", "i"), ("X_KEY_FILE", "/dev/null/nothing")]).unwrap_err()[0]
            .contains("cannot be read")
    );
    assert!(by_rules(&[("X_ID", "i"), ("X_KEY", "k")]).is_ok());
    for (bad, sentence) in [
        (
            ("X_LEVEL", "loud"),
            "X_LEVEL must be one of DEBUG, INFO, and is none of them",
        ),
        (("X_SECONDS", "0"), "X_SECONDS must be at least 1, is 0"),
        (
            ("X_SECONDS", "601"),
            "X_SECONDS must be at most 600, is 601",
        ),
        (
            ("X_ID", "planted"),
            "X_ID is set and X_KEY is not: set both, or neither",
        ),
        (
            ("X_KEY", "planted"),
            "X_KEY is set and X_ID is not: set both, or neither",
        ),
    ] {
        assert_eq!(by_rules(&[bad]).unwrap_err(), [sentence]);
    }
}

#[test]
fn rules_of_settings_that_cannot_be_kept_are_problems_of_the_file() {
    let file = RULES
        .replace("choices: [DEBUG, INFO], ", "")
        .replace("minimum: 1,", "minimum: 700,")
        .replace("with: X_KEY", "with: X_NOWHERE")
        .replace(
            "X_KEY: { secret: true,",
            "X_KEY: { secret: true, choices: [a], maximum: 5,",
        )
        .replace("{footbridge.session}", "{footbridge.password}");
    insta::assert_snapshot!(compile("x.yaml", &file).unwrap_err().to_string());
}

#[test]
fn blanks_are_no_value_and_are_no_part_of_a_header() {
    let problems = settings(&[("X_URL", " "), ("X_TOKEN", "\t\n"), ("X_LIMIT", " ")]).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].starts_with("X_URL is not set")
            && problems[1].starts_with("X_TOKEN is not set"),
        "{problems:?}"
    );
    assert!(settings(&[("X_URL", "http://h"), ("X_TOKEN", " token\n")]).is_ok());
    let problems = settings(&[("X_URL", "http://h"), ("X_TOKEN", "to\nken")]).unwrap_err();
    assert!(
        problems[0].contains("line break") && !problems[0].contains("ken:"),
        "{problems:?}"
    );
}

#[test]
fn a_setting_decides_only_what_it_can() {
    let file = concat!(
        "settings:\n  A: { decides: read_only }\n  B: { is: boolean, default: true, decides: read_only }\n",
        "  C: { is: choice, choices: [LOUD], decides: log_level }\n  D: { is: boolean, default: true, decides: cloudflared }\n",
        "  E: { is: boolean, decides: read_only }\nupstream: { base: http://localhost }\n",
    );
    insta::assert_snapshot!(
        compile("x.yaml", &format!("{HEAD}{file}"))
            .unwrap_err()
            .to_string()
    );
}

#[test]
fn what_was_decided_is_known_by_what_it_decides() {
    let file = "settings: { RO: { is: boolean, default: true, decides: read_only } }\nupstream: { base: http://localhost }\n";
    let connector = compile("x.yaml", &format!("{HEAD}{file}")).unwrap();
    let decided = |value: Option<&str>| {
        let settings = connector.settings(&|_| value.map(str::to_owned)).unwrap();
        settings.decided(Decides::ReadOnly).map(str::to_owned)
    };
    assert_eq!(
        (decided(None).as_deref(), decided(Some("no")).as_deref()),
        (Some("true"), Some("false"))
    );
    assert_eq!(
        connector
            .settings(&|_| None)
            .unwrap()
            .decided(Decides::LogLevel),
        None
    );
}

/// What tells one backend and account from another, for every built-in file: its address, every
/// setting that is no secret, and whose a kept login is; a secret alone does not.
#[test]
fn another_address_setting_or_account_is_another_identity() {
    for name in [
        "board.yaml",
        "prodmcp.yaml",
        "taiga.yaml",
        "trueppm.yaml",
        "ptm.yaml",
    ] {
        let connector = compile(name, &connector_file(name)).unwrap();
        let of_kind = |rule: &Setting| match rule.kind {
            SettingKind::Url => ["https://one.example/api/v1", "https://two.example/api/v1"],
            SettingKind::Boolean => ["true", "false"],
            SettingKind::Integer => ["7", "8"],
            SettingKind::Choice => ["", ""],
            _ => ["one", "two"],
        };
        let value = |rule: &Setting, place: usize| match rule.choices.get(place) {
            Some(choice) => choice.clone(),
            None => of_kind(rule)[place].to_owned(),
        };
        let rules = connector.setting_rules();
        let with = |changed: Option<&str>| {
            let lookup = |name: &str| {
                let rule = rules.iter().find(|rule| rule.name == name)?;
                (!rule.asked).then(|| value(rule, usize::from(changed == Some(name))))
            };
            let values = connector.settings(&lookup);
            values.unwrap_or_else(|problems| panic!("{name}: {:?}", problems.list()))
        };
        let own = connector.identity(&with(None));
        assert_eq!(own, connector.identity(&with(None)), "{name}");
        for rule in rules.iter().filter(|rule| !rule.asked) {
            let other = connector.identity(&with(Some(&rule.name)));
            let tells_nobody = [
                "PTM_CF_AUTO_DISCOVER",
                "PTM_MCP_LOG_LEVEL",
                "PTM_MCP_READ_ONLY",
                "PTM_MCP_TIMEOUT_SECONDS",
                "TAIGA_WEB_URL",
                "TRUEPPM_API_TIMEOUT",
                "TRUEPPM_WEB_URL",
            ];
            let is_same = rule.secret || tells_nobody.contains(&rule.name.as_str());
            assert_eq!(other == own, is_same, "{name}: {}", rule.name);
        }
        let of = |who: &str| connector.identity(&with(None).of_account(who));
        assert!(of("ann") == of("ann") && of("ann") != of("ben") && of("ann") != own);
    }
}
