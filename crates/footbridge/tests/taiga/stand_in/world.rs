//! The state of the stand-in: people, projects, items, sprints, links, sessions, and what a test
//! may turn. Requests are answered in `routes`; what is there from the start is `sample`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use super::Odd;
use super::asked::Asked;
use super::change;
use super::item::{Item, Kind};
use super::sample;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) users: Vec<User>,
    pub(crate) projects: BTreeMap<u64, Project>,
    pub(crate) items: BTreeMap<(Kind, u64), Item>,
    pub(crate) sprints: BTreeMap<u64, Sprint>,
    pub(crate) links: Vec<Link>,
    pub(crate) attachments: Vec<Attachment>,
    /// Definitions of custom attributes, as Taiga lists them.
    pub(crate) attributes: BTreeMap<(Kind, u64), Map<String, Value>>,
    pub(crate) access_tokens: BTreeMap<String, u64>,
    /// Of external applications; they do not end.
    pub(crate) application_tokens: BTreeMap<String, u64>,
    pub(crate) refresh_tokens: BTreeMap<String, u64>,
    /// Requests that each access token was good for.
    pub(crate) uses: BTreeMap<String, usize>,
    /// The last id of each sort of thing.
    pub(crate) last_ids: BTreeMap<&'static str, u64>,
    pub(crate) now: Timestamp,
    pub(crate) seen: Seen,
    pub(crate) turned: Turned,
}

/// What was asked, for tests to look at.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sent: Vec<Sent>,
    pub(crate) logins: usize,
    pub(crate) refreshes: usize,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// `GET /projects/1`, without the query.
    pub(crate) line: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) authorization: Option<String>,
    /// Null when it is not JSON.
    pub(crate) body: Value,
}

impl Sent {
    /// Every value of a parameter.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.query
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

impl Seen {
    pub(crate) fn note(&mut self, asked: &Asked) {
        self.sent.push(Sent {
            line: asked.line(),
            query: asked.query.clone(),
            authorization: asked.header("authorization").map(str::to_owned),
            body: serde_json::from_slice(&asked.body).unwrap_or_default(),
        });
    }

    /// The requests whose line begins so.
    pub(crate) fn of(&self, start: &str) -> Vec<&Sent> {
        self.sent
            .iter()
            .filter(|sent| sent.line.starts_with(start))
            .collect()
    }

    /// The last of them.
    pub(crate) fn last(&self, start: &str) -> &Sent {
        self.of(start)
            .pop()
            .unwrap_or_else(|| panic!("nothing was sent as {start}: {:?}", self.lines()))
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.sent.iter().map(|sent| sent.line.as_str()).collect()
    }
}

/// What a test turns to make the stand-in difficult.
#[derive(Debug, Default)]
pub(crate) struct Turned {
    /// So many of the next requests are throttled.
    pub(crate) throttle_next: usize,
    pub(crate) throttle_wait_seconds: u64,
    /// Requests after which an access token is good no more.
    pub(crate) uses_of_a_token: Option<usize>,
    /// Every login is refused.
    pub(crate) refuse_logins: bool,
    /// Somebody else changes this field of an item just before the next change of it arrives.
    pub(crate) meddle_with_next_patch: Option<(&'static str, Value)>,
    /// Answers in the place of the next ones to requests whose line begins so, in their order.
    pub(crate) odd: Vec<(&'static str, Odd)>,
}

impl Turned {
    pub(crate) fn odd_answer_to(&mut self, asked: &Asked) -> Option<Odd> {
        let line = asked.line();
        let position = self
            .odd
            .iter()
            .position(|(start, _)| line.starts_with(start))?;
        Some(self.odd.remove(position).1)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) username: &'static str,
    pub(crate) full_name: &'static str,
    pub(crate) email: &'static str,
    pub(crate) is_superuser: bool,
}

#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) description: String,
    pub(crate) is_private: bool,
    pub(crate) is_blocked: bool,
    pub(crate) admins: BTreeSet<u64>,
    pub(crate) members: Vec<u64>,
    /// By the route's name: `userstory-statuses`, `priorities` ...; rows as the route lists them.
    pub(crate) catalogues: BTreeMap<&'static str, Vec<Map<String, Value>>>,
    pub(crate) last_ref: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Sprint {
    pub(crate) id: u64,
    pub(crate) project: u64,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) owner: u64,
    pub(crate) estimated_start: String,
    pub(crate) estimated_finish: String,
    pub(crate) created: String,
    pub(crate) modified: String,
    /// Somebody closed it; that holds until something in it changes.
    pub(crate) closed: bool,
}

/// A file at an item.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub(crate) kind: Kind,
    pub(crate) item: u64,
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) size: u64,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) epic: u64,
    pub(crate) story: u64,
    pub(crate) order: u64,
}

impl World {
    /// A person changes a field of an item, in Taiga itself.
    pub(crate) fn person_changes(
        &mut self,
        kind: Kind,
        id: u64,
        field: &'static str,
        value: Value,
    ) {
        let me = self.users[0].id;
        let fields = Map::from_iter([(field.to_owned(), value)]);
        change::touch(self, me, kind, id, fields, String::new());
    }

    /// The world that the recording was made in, as far as its answers show.
    pub(crate) fn sample() -> Self {
        let mut world = Self {
            users: sample::users(),
            projects: BTreeMap::new(),
            items: BTreeMap::new(),
            sprints: BTreeMap::new(),
            links: Vec::new(),
            attachments: Vec::new(),
            attributes: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            application_tokens: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
            uses: BTreeMap::new(),
            last_ids: BTreeMap::new(),
            now: sample::START.parse().unwrap(),
            seen: Seen::default(),
            turned: Turned {
                throttle_wait_seconds: 1,
                ..Turned::default()
            },
        };
        sample::fill(&mut world);
        world
    }

    /// The next moment, as Taiga writes it; no two are equal.
    pub(crate) fn tick(&mut self) -> String {
        self.now += 7.milliseconds();
        self.now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// Microseconds of the current moment: what Taiga uses for new orders.
    pub(crate) fn order(&mut self) -> u64 {
        self.now += 1.milliseconds();
        u64::try_from(self.now.as_microsecond()).unwrap()
    }

    pub(crate) fn next_id(&mut self, what: &'static str) -> u64 {
        let last = self.last_ids.entry(what).or_default();
        *last += 1;
        *last
    }

    pub(crate) fn user(&self, id: u64) -> &User {
        self.users
            .iter()
            .find(|user| user.id == id)
            .unwrap_or_else(|| panic!("no user {id}"))
    }

    pub(crate) fn is_member(&self, project: u64, user: u64) -> bool {
        self.projects
            .get(&project)
            .is_some_and(|project| project.members.contains(&user))
    }

    /// Members and superusers see everything, others what is public.
    pub(crate) fn may_see(&self, project: u64, user: Option<u64>) -> bool {
        let public = self
            .projects
            .get(&project)
            .is_some_and(|project| !project.is_private);
        public
            || user
                .is_some_and(|user| self.user(user).is_superuser || self.is_member(project, user))
    }

    /// So many of the next requests are refused, with so long to wait.
    pub(crate) fn turn_throttle(&mut self, requests: usize, wait_seconds: u64) {
        self.turned = Turned {
            throttle_next: requests,
            throttle_wait_seconds: wait_seconds,
            ..std::mem::take(&mut self.turned)
        };
    }

    /// No access token is good any more; the refresh tokens stay.
    pub(crate) fn expire_access_tokens(&mut self) {
        self.access_tokens.clear();
    }

    /// Counts a use of the token that a request carries; one that was used often enough ends.
    pub(crate) fn use_token(&mut self, asked: &Asked) {
        let Some(most) = self.turned.uses_of_a_token else {
            return;
        };
        let Some(token) = asked
            .header("authorization")
            .and_then(|header| header.strip_prefix("Bearer "))
        else {
            return;
        };
        let uses = self.uses.entry(token.to_owned()).or_default();
        *uses += 1;
        if *uses > most {
            self.access_tokens.remove(token);
        }
    }

    /// A sprint of a project with that id and name; the rest is that of another one.
    pub(crate) fn sprint_like(&self, project: u64, id: u64, name: &str) -> Sprint {
        let other = &self.sprints[&1];
        let slug = format!("slug-of-{id}");
        Sprint {
            id,
            project,
            name: name.to_owned(),
            slug,
            ..other.clone()
        }
    }

    pub(crate) fn stories_of_sprint(&self, sprint: u64) -> Vec<&Item> {
        let of_sprint = |item: &&Item| {
            item.kind == Kind::Story && item.fields.get("milestone") == Some(&json!(sprint))
        };
        self.items.values().filter(of_sprint).collect()
    }

    /// Puts a file at an item.
    pub(crate) fn attach(&mut self, kind: Kind, item: u64, name: &str, size: u64) {
        let (id, name) = (self.next_id("attachment"), name.to_owned());
        self.attachments.push(Attachment {
            kind,
            item,
            id,
            name,
            size,
        });
    }

    pub(crate) fn attachments_of(&self, kind: Kind, item: u64) -> Vec<&Attachment> {
        let of_item = |file: &&Attachment| file.kind == kind && file.item == item;
        self.attachments.iter().filter(of_item).collect()
    }

    /// The sprint that an item is in: a task is where its story is.
    pub(crate) fn sprint_of(&self, item: &Item) -> Option<u64> {
        let story = item.id_in("user_story").filter(|_| item.kind == Kind::Task);
        let story = story.and_then(|id| self.items.get(&(Kind::Story, id)));
        story.unwrap_or(item).id_in("milestone")
    }

    /// A row of a catalogue by its id, wherever it is.
    pub(crate) fn catalogue_row(
        &self,
        catalogue: &str,
        id: u64,
    ) -> Option<(&Project, &Map<String, Value>)> {
        let of = |project: &'_ Project| {
            project
                .catalogues
                .get(catalogue)
                .and_then(|rows| rows.iter().position(|row| row["id"] == id))
        };
        self.projects
            .values()
            .find_map(|project| Some((project, &project.catalogues[catalogue][of(project)?])))
    }
}
