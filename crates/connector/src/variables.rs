//! The variables of the environment that any program needs, whatever it does: to find its files,
//! the network and the words of its user. Not settings, and nothing secret.

/// The variables, apart from those of the locale.
const NEEDED: [&str; 35] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "TERM",
    "NO_COLOR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "TMPDIR",
    "TEMP",
    "TMP",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
];
/// What the variables of the locale begin with.
const LOCALE: &str = "LC_";

/// Whether any program needs the variable of that name, such as `PATH` or `HTTPS_PROXY`. What this
/// library starts is given these and no others.
pub fn is_needed_variable(name: &str) -> bool {
    let is = |known: &&str| {
        if cfg!(windows) {
            known.eq_ignore_ascii_case(name)
        } else {
            **known == *name
        }
    };
    NEEDED.iter().any(is) || name.starts_with(LOCALE)
}

#[cfg(test)]
mod tests {
    use super::is_needed_variable;

    #[test]
    fn what_programs_need_is_kept_apart_from_what_is_set_for_one() {
        for name in [
            "PATH",
            "HOME",
            "LC_ALL",
            "LC_CTYPE",
            "https_proxy",
            "SSL_CERT_FILE",
            "APPDATA",
        ] {
            assert!(is_needed_variable(name), "{name}");
        }
        for name in [
            "PTM_API_TOKEN",
            "FOOTBRIDGE_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "LD_PRELOAD",
            "LC",
            "MY_PATH",
            "",
        ] {
            assert!(!is_needed_variable(name), "{name}");
        }
        assert_eq!(is_needed_variable("Path"), cfg!(windows));
    }
}
