//! Settings: kinds, files, all problems at once, and no secret in any text.

use std::collections::HashMap;

use footbridge_connector::{SettingKind, Settings, compile};

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

fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let values: HashMap<&str, &str> = pairs.iter().copied().collect();
    let lookup = |name: &str| values.get(name).map(|value| (*value).to_owned());
    compile("x.yaml", FILE).unwrap().settings(&lookup).map_err(|problems| problems.list().to_vec())
}

#[test]
fn good_values_are_taken() {
    for (url, base) in [
        ("https://example.org", "https://example.org/api"),
        ("http://localhost:8080/x//", "http://localhost:8080/x/api"),
        (" https://EXAMPLE.org/ ", "https://example.org/api"),
        ("http://[::1]:9", "http://[::1]:9/api"),
    ] {
        assert_eq!(settings(&[("X_URL", url), ("X_TOKEN", "t")]).unwrap().base(), base);
    }
    for (name, value) in [("X_LIMIT", " -7 "), ("X_ON", "No"), ("X_ON", "1")] {
        assert!(settings(&[("X_URL", "http://h"), ("X_TOKEN", "t"), (name, value)]).is_ok(), "{value}");
    }
}

#[test]
fn all_problems_are_named_at_once() {
    let found = settings(&[("X_URL", "example.org:80"), ("X_LIMIT", "many"), ("X_ON", "maybe"), ("X_TOKEN", "")]).unwrap_err();
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
        assert!(settings(&[("X_URL", "http://h"), ("X_TOKEN_FILE", &file)]).is_ok(), "{text:?}");
    }
    let (empty, two_lines, absent) =
        (path("empty", "\n"), path("two", "a\nb\n"), folder.path().join("absent").to_str().unwrap().to_owned());
    for (file, problem) in [(&empty, "which is empty"), (&two_lines, "a line break"), (&absent, "cannot be read")] {
        let found = settings(&[("X_URL", "http://h"), ("X_TOKEN_FILE", file)]).unwrap_err();
        assert!(found.len() == 1 && found[0].contains(problem), "{found:?}");
    }
    let both = settings(&[("X_URL", "http://h"), ("X_TOKEN", "a"), ("X_TOKEN_FILE", &empty)]).unwrap_err();
    assert_eq!(both, ["X_TOKEN and X_TOKEN_FILE are both set: set one of them"]);
    let ignored = settings(&[("X_URL", "http://h"), ("X_TOKEN", "a"), ("X_TENANT_FILE", &absent)]);
    assert!(ignored.is_ok(), "only secrets come from files");
}

#[test]
fn a_value_has_a_limit() {
    const LIMIT: usize = 16 << 10;
    for (bytes, good) in [(LIMIT, true), (LIMIT + 1, false)] {
        assert_eq!(settings(&[("X_URL", "http://h"), ("X_TOKEN", &"t".repeat(bytes))]).is_ok(), good);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t");
        std::fs::write(&file, "t".repeat(bytes)).unwrap();
        assert_eq!(settings(&[("X_URL", "http://h"), ("X_TOKEN_FILE", file.to_str().unwrap())]).is_ok(), good);
    }
}

#[test]
fn a_secret_is_in_no_text() {
    let good = settings(&[("X_URL", "http://h"), ("X_TOKEN", "pat_secret"), ("X_TENANT", "t")]).unwrap();
    assert!(!format!("{good:?}").contains("pat_secret"), "{good:?}");
    let bad = settings(&[("X_URL", "http://h"), ("X_TOKEN", "pat_secret\nmore")]).unwrap_err();
    assert!(bad[0].contains("X_TOKEN") && !bad[0].contains("pat_secret"), "{bad:?}");
}

#[test]
fn the_rules_are_shown() {
    let connector = compile("x.yaml", FILE).unwrap();
    let token = connector.setting_rules().iter().find(|setting| setting.name == "X_TOKEN").unwrap();
    assert!(token.secret && token.required && token.kind == SettingKind::Text);
    let limit = connector.setting_rules().iter().find(|setting| setting.name == "X_LIMIT").unwrap();
    assert_eq!(limit.default.as_deref(), Some("5"));
}
