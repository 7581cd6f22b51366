//! What the stand-in knows, and what a test may turn: accounts, tokens, members, records, budgets
//! of requests. No routes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use super::Odd;
use super::asked::Asked;

pub(crate) type Record = Map<String, Value>;

/// Reads a minute that a token of an agent has.
const READS: u32 = 120;
/// Of these, computed ones.
const COMPUTED_READS: u32 = 12;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Reading what agents may read.
    McpRead,
    /// Everything its owner may do.
    LegacyFull,
    /// A token of a project: nothing here.
    Project,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) account: String,
    pub(crate) scope: Scope,
    pub(crate) reads: u32,
    pub(crate) computed_reads: u32,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) tokens: BTreeMap<String, Token>,
    /// `auth/me/` by account.
    pub(crate) accounts: BTreeMap<String, Value>,
    /// Accounts that are in a team, and so see its velocity.
    pub(crate) in_team: BTreeSet<String>,
    /// Accounts and the projects that they are members of.
    pub(crate) members: BTreeSet<(String, String)>,
    /// Projects that agents may not read.
    pub(crate) opted_out: BTreeSet<String>,
    pub(crate) projects: Vec<Record>,
    pub(crate) programs: Vec<Record>,
    pub(crate) tasks: Vec<Record>,
    pub(crate) sprints: Vec<Record>,
    pub(crate) risks: Vec<Record>,
    pub(crate) backlog: Vec<Record>,
    /// `me/work/` by account.
    pub(crate) work: BTreeMap<String, Value>,
    /// Simulations by project.
    pub(crate) simulations: BTreeMap<String, Record>,
    /// Signals of the health of sprints, by project.
    pub(crate) signals: BTreeMap<String, Vec<Value>>,
    /// Calendar days by which a change of a task moves everything.
    pub(crate) slip: i64,
    pub(crate) seen: Vec<Asked>,
    /// The host that links name; the one that was asked when none is set.
    pub(crate) host: Option<String>,
    odd: VecDeque<(String, Odd)>,
    throttle: Option<(u32, u32)>,
}

impl World {
    pub(crate) fn add_token(&mut self, token: &str, account: &str, scope: Scope) {
        let known = Token {
            account: account.to_owned(),
            scope,
            reads: READS,
            computed_reads: COMPUTED_READS,
        };
        self.tokens.insert(token.to_owned(), known);
    }

    /// Takes one read off the token's budget; the seconds to wait when there is none left.
    pub(crate) fn spend(&mut self, token: &str, is_computed: bool) -> Option<u32> {
        if let Some((left, seconds)) = self.throttle.filter(|(left, _)| *left > 0) {
            self.throttle = Some((left - 1, seconds));
            return Some(seconds);
        }
        let token = self
            .tokens
            .get_mut(token)
            .filter(|token| token.scope == Scope::McpRead)?;
        if token.reads == 0 || (is_computed && token.computed_reads == 0) {
            return Some(42);
        }
        token.reads -= 1;
        token.computed_reads -= u32::from(is_computed);
        None
    }

    /// A minute passes: every budget is full again.
    pub(crate) fn a_minute_passes(&mut self) {
        for token in self.tokens.values_mut() {
            (token.reads, token.computed_reads) = (READS, COMPUTED_READS);
        }
    }

    /// As many reads as anybody wants.
    pub(crate) fn no_budgets(&mut self) {
        for token in self.tokens.values_mut() {
            (token.reads, token.computed_reads) = (u32::MAX, u32::MAX);
        }
    }

    /// The next `requests` are told to wait.
    pub(crate) fn throttle(&mut self, requests: u32, seconds: u32) {
        self.throttle = Some((requests, seconds));
    }

    /// The next request whose path begins so is answered oddly; an empty path is any.
    pub(crate) fn answer_oddly(&mut self, path: &str, odd: Odd) {
        self.odd.push_back((path.to_owned(), odd));
    }

    pub(crate) fn odd_answer_to(&mut self, asked: &Asked) -> Option<Odd> {
        let at = self
            .odd
            .iter()
            .position(|(path, _)| asked.path.starts_with(path.as_str()))?;
        self.odd.remove(at).map(|(_, odd)| odd)
    }

    /// What was asked since the last time, a line each.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.seen)
            .iter()
            .map(Asked::line)
            .collect()
    }

    pub(crate) fn task(&mut self, id: &str) -> &mut Record {
        self.tasks.iter_mut().find(|task| task["id"] == id).unwrap()
    }

    pub(crate) fn tasks_of(&self, project: &str) -> Vec<Record> {
        self.tasks
            .iter()
            .filter(|task| task["project"] == project)
            .cloned()
            .collect()
    }

    /// So many tasks in a project, made of one that is there.
    pub(crate) fn fill(&mut self, project: &str, count: usize) {
        let template = self.tasks[0].clone();
        for number in self.tasks_of(project).len()..count {
            let made = made_of(&template, 9, number);
            let mut task = Record::from_iter(made);
            task.insert("project".into(), json!(project));
            task.insert("name".into(), json!(format!("Filler {number}")));
            self.tasks.push(task);
        }
    }
}

/// A record like another one, with an id of its own that stands behind every recorded one.
pub(crate) fn made_of(template: &Record, kind: usize, number: usize) -> Record {
    let mut record = template.clone();
    record.insert(
        "id".into(),
        json!(format!("e0000000-000{kind}-4000-8000-{number:012x}")),
    );
    for (key, text) in [
        ("short_id", format!("{:08X}", 0x1000 + number)),
        ("short_id_display", format!("T-{}", 0x1000 + number)),
        ("qualified_id", format!("T-{}", 0x1000 + number)),
    ] {
        if record.contains_key(key) {
            record.insert(key.into(), json!(text));
        }
    }
    for key in ["name", "title"] {
        if record.contains_key(key) {
            record.insert(
                key.into(),
                json!(format!("One like the others, number {number}")),
            );
        }
    }
    record
}
