//! The verbs of the reference `prodmcp` beside ours: `docs/prodmcp.md` is made of this table, and
//! each of its rows is run.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::harness::golden::assert_golden;
use crate::harness::process::{Ended, Home, Running};

/// What the reference does, as it was observed; `{…}` is what differs from run to run.
struct Row {
    verb: &'static str,
    case: &'static str,
    stdout: &'static str,
    stderr: &'static str,
    code: i32,
    ours: Ours,
}

/// What we do.
enum Ours {
    /// The same, with these arguments and lines on stdin; `what` is shown beside it where a line
    /// of ours comes before or after.
    Same(
        &'static [&'static str],
        &'static [&'static str],
        &'static str,
    ),
    /// Something else, with its code, and why.
    Other(&'static [&'static str], i32, &'static str),
    /// Nothing here is run: it is another verb's matter.
    NotRun(&'static str),
}

use Ours::{NotRun, Other, Same};

/// The prompt for a token.
const PASTE: &str = "Paste your personal access token (pat_...): ";
const ASKED: &str = "Paste your personal access token (pat_...): Email: Password: ";

const ROWS: [Row; 17] = [
    Row {
        verb: "whoami",
        case: "without a token",
        stdout: "",
        stderr: "not signed in",
        code: 3,
        ours: Same(&["whoami"], &[], ""),
    },
    Row {
        verb: "logout",
        case: "without a saved token",
        stdout: "",
        stderr: "not signed in",
        code: 0,
        ours: Same(&["logout"], &[], ""),
    },
    Row {
        verb: "login --token T",
        case: "refused",
        stdout: "",
        stderr: "login failed: {message}",
        code: 1,
        ours: Same(
            &["login", "--token", "pat_wrong"],
            &[],
            "a note about the shell's history before it; what was kept before stays",
        ),
    },
    Row {
        verb: "login",
        case: "wrong password",
        stdout: ASKED,
        stderr: "login failed: {message}",
        code: 1,
        ours: Same(
            &["login"],
            &["", "ana@example.org", "wrong-pass-phrase"],
            "a line that says where the answers go before it",
        ),
    },
    Row {
        verb: "login",
        case: "empty e-mail",
        stdout: "Paste your personal access token (pat_...): Email: ",
        stderr: "email is required",
        code: 2,
        ours: Same(
            &["login"],
            &["", ""],
            "a line that says where the answers go before it",
        ),
    },
    Row {
        verb: "login",
        case: "end of input at a prompt",
        stdout: PASTE,
        stderr: "",
        code: 130,
        ours: Same(
            &["login"],
            &[],
            "a line that says where the answers go before it",
        ),
    },
    Row {
        verb: "login",
        case: "e-mail and password",
        stdout: ASKED,
        stderr: "ok signed in as ana@example.org",
        code: 0,
        ours: Same(
            &["login"],
            &["", "ana@example.org", "right-pass-phrase"],
            "a line that says where the answers go before it",
        ),
    },
    Row {
        verb: "whoami",
        case: "signed in",
        stdout: "{user as JSON}",
        stderr: "",
        code: 0,
        ours: Same(&["whoami"], &[], ""),
    },
    Row {
        verb: "login --token T",
        case: "accepted",
        stdout: "",
        stderr: "ok signed in as ana@example.org",
        code: 0,
        ours: Same(
            &["login", "--token", "{token}"],
            &[],
            "a note about the shell's history before it",
        ),
    },
    Row {
        verb: "logout",
        case: "with a saved token",
        stdout: "",
        stderr: "ok signed out",
        code: 0,
        ours: Same(&["logout"], &[], ""),
    },
    Row {
        verb: "tools",
        case: "",
        stdout: "{tools as JSON}",
        stderr: "",
        code: 0,
        ours: Other(
            &["tools", "-c", "prodmcp"],
            0,
            "a list for people; `--json` prints what clients receive",
        ),
    },
    Row {
        verb: "version",
        case: "",
        stdout: "prodmcp 1.0.2 and four lines",
        stderr: "",
        code: 0,
        ours: Other(
            &["version"],
            0,
            "our version, and the revisions of the protocol",
        ),
    },
    Row {
        verb: "doctor",
        case: "",
        stdout: "server, token, upstream, identity, five tools",
        stderr: "",
        code: 0,
        ours: Other(
            &["doctor", "prodmcp"],
            0,
            "the same and more, as findings; codes 0 to 3",
        ),
    },
    Row {
        verb: "serve",
        case: "without a token",
        stdout: "a log notification before anything is received",
        stderr: "",
        code: 0,
        ours: Other(
            &["serve", "prodmcp", "--transport", "stdio"],
            0,
            "instructions and calls say what is missing",
        ),
    },
    Row {
        verb: "update",
        case: "",
        stdout: "",
        stderr: "ok updated to {version}",
        code: 0,
        ours: NotRun(
            "`footbridge update`, see operating.md; nothing is replaced without a signature",
        ),
    },
    Row {
        verb: "an unknown verb",
        case: "",
        stdout: "",
        stderr: "{usage}",
        code: 2,
        ours: Other(&["loggin"], 2, "one line that says what was meant"),
    },
    Row {
        verb: "login --token",
        case: "without a value",
        stdout: "",
        stderr: "{usage}",
        code: 2,
        ours: Other(&["login", "--token"], 2, "one or more lines with the usage"),
    },
];

/// Whether a text is what the pattern says: the text around its braces.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('{') {
        None => text.trim_end_matches('\n') == pattern,
        Some((before, rest)) => {
            let after = rest.split_once('}').map_or("", |(_, after)| after);
            let text = text.trim_end_matches('\n');
            text.len() > before.len() + after.len()
                && text.starts_with(before)
                && text.ends_with(after)
        }
    }
}

fn shown(stdout: &str, stderr: &str, code: i32) -> String {
    let mut text = String::new();
    for (name, said) in [("stdout", stdout), ("stderr", stderr)] {
        if !said.is_empty() {
            write!(text, "{name} `{}`, ", said.trim_end()).unwrap();
        }
    }
    write!(text, "code {code}").unwrap();
    text
}

#[test]
fn the_verbs_of_the_reference_are_ours_or_a_line_says_why_not() {
    let (theirs, home) = (Home::new(), Home::new());
    let add = [
        "account",
        "add",
        "ana",
        "--email",
        "ana@example.org",
        "--password",
    ];
    let mut adding = Running::start_piped(&mut theirs.command(&add));
    adding.send("right-pass-phrase");
    assert_eq!(adding.ended().code, Some(0));
    let (_board, base) = Running::start_http(&mut theirs.command(&["serve", "board"]));
    let token = theirs.token("ana");
    let run = |arguments: &[&str], lines: &[&str]| -> Ended {
        let arguments: Vec<&str> = arguments
            .iter()
            .map(|word| {
                if *word == "{token}" {
                    token.as_str()
                } else {
                    word
                }
            })
            .collect();
        let mut command = home.command(&arguments);
        let mut running = Running::start_piped(command.env("PRODMCP_BASE_URL", &base));
        for line in lines {
            running.send(line);
        }
        running.close_input();
        running.ended()
    };
    let mut page = String::from(
        "# The verbs of `prodmcp`, and ours\n\nEach row is run by a test. `footbridge login`, `logout` and `whoami` mean the connector `prodmcp` where none is named.\n\n\
         | `prodmcp` | case | the reference | `footbridge` |\n|---|---|---|---|\n",
    );
    for row in &ROWS {
        let ours = match &row.ours {
            Same(arguments, lines, beside) => {
                let ended = run(arguments, lines);
                let last = ended.stderr.lines().last().unwrap_or_default();
                let stderr = if row.stderr.is_empty() { "" } else { last };
                assert_eq!(
                    ended.code,
                    Some(row.code),
                    "{} {}: {ended:?}",
                    row.verb,
                    row.case
                );
                assert!(
                    fits(row.stdout, &ended.stdout) && fits(row.stderr, stderr),
                    "{} {}: {ended:?}",
                    row.verb,
                    row.case
                );
                let is_alone = ended.stderr.lines().count() <= usize::from(!row.stderr.is_empty());
                assert_eq!(
                    is_alone,
                    beside.is_empty(),
                    "{} {}: {ended:?}",
                    row.verb,
                    row.case
                );
                match *beside {
                    "" => "the same".to_owned(),
                    beside => format!("the same; {beside}"),
                }
            }
            Other(arguments, code, why) => {
                let ended = run(arguments, &[]);
                assert_eq!(ended.code, Some(*code), "{}: {ended:?}", row.verb);
                (*why).to_owned()
            }
            NotRun(why) => (*why).to_owned(),
        };
        let reference = shown(row.stdout, row.stderr, row.code);
        writeln!(
            page,
            "| `{}` | {} | {reference} | {ours} |",
            row.verb, row.case
        )
        .unwrap();
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/prodmcp.md");
    assert_golden(&path, &page);
}
