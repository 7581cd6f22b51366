//! Epics, stories, tasks and issues: what is kept of one, and the records that Taiga shows of it.
//! How they change is `change`.

use serde_json::{Map, Value, json};

use super::asked::Asked;
use super::history::Entry;
use super::recording;
use super::world::{Attachment, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Epic,
    Story,
    Task,
    Issue,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Epic, Self::Story, Self::Task, Self::Issue];

    /// The route's name.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Epic => "epics",
            Self::Story => "userstories",
            Self::Task => "tasks",
            Self::Issue => "issues",
        }
    }

    pub(crate) fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.path() == path)
    }

    /// The name in history routes and in the routes of custom attributes.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Epic => "epic",
            Self::Story => "userstory",
            Self::Task => "task",
            Self::Issue => "issue",
        }
    }

    /// As a message speaks of it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Story => "user story",
            _ => self.singular(),
        }
    }

    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::Epic => "Epic",
            Self::Story => "UserStory",
            Self::Task => "Task",
            Self::Issue => "Issue",
        }
    }

    /// The catalogue of its statuses.
    pub(crate) fn statuses(self) -> &'static str {
        match self {
            Self::Epic => "epic-statuses",
            Self::Story => "userstory-statuses",
            Self::Task => "task-statuses",
            Self::Issue => "issue-statuses",
        }
    }

    fn detail(self) -> Map<String, Value> {
        recording::record(match self {
            Self::Epic => "epic get",
            Self::Story => "story get",
            Self::Task => "task get",
            Self::Issue => "issue get",
        })
    }

    /// What a list leaves out of the detail.
    fn left_out_of_lists(self) -> &'static [&'static str] {
        match self {
            Self::Story => &[
                "blocked_note_html",
                "description",
                "description_html",
                "neighbors",
            ],
            Self::Epic => &[
                "comment",
                "blocked_note_html",
                "description",
                "description_html",
                "neighbors",
            ],
            Self::Task | Self::Issue => &[
                "comment",
                "generated_user_stories",
                "blocked_note_html",
                "description",
                "description_html",
                "neighbors",
            ],
        }
    }

    /// What may be written, with what it is when nothing is said.
    pub(crate) fn fields(self) -> Map<String, Value> {
        let mut fields = super::sample::object(json!({
            "subject": "", "description": "", "status": null, "assigned_to": null, "tags": [], "watchers": [], "is_blocked": false,
            "blocked_note": ""
        }));
        let own = match self {
            Self::Epic => {
                json!({ "color": "#d3d7cf", "client_requirement": false, "team_requirement": false })
            }
            Self::Story => json!({
                "due_date": null, "milestone": null, "points": {}, "assigned_users": [], "swimlane": null,
                "client_requirement": false, "team_requirement": false
            }),
            Self::Task => {
                json!({ "due_date": null, "milestone": null, "user_story": null, "is_iocaine": false })
            }
            Self::Issue => {
                json!({ "due_date": null, "milestone": null, "type": null, "priority": null, "severity": null })
            }
        };
        fields.extend(super::sample::object(own));
        fields
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) id: u64,
    pub(crate) reference: u64,
    pub(crate) project: u64,
    pub(crate) owner: u64,
    pub(crate) version: i64,
    pub(crate) fields: Map<String, Value>,
    /// Which fields made which version.
    pub(crate) changes: Vec<(i64, Vec<String>)>,
    /// Newest last.
    pub(crate) history: Vec<Entry>,
    pub(crate) created: String,
    pub(crate) modified: String,
    pub(crate) order: u64,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) attributes_version: i64,
}

impl Item {
    /// A new one with the defaults of its project; it is not in the world yet.
    pub(crate) fn new(world: &mut World, kind: Kind, project: u64, owner: u64) -> Self {
        let id = world.next_id(match kind {
            Kind::Epic => "epic",
            Kind::Story => "story",
            Kind::Task => "task",
            Kind::Issue => "issue",
        });
        let (created, order) = (world.tick(), world.order());
        let home = world.projects.get_mut(&project).unwrap();
        home.last_ref += 1;
        let mut fields = kind.fields();
        let first = |catalogue: &str| home.catalogues[catalogue][0]["id"].clone();
        fields.insert("status".into(), first(kind.statuses()));
        match kind {
            Kind::Story => {
                let nothing = first("points");
                let roles = home.catalogues["roles"]
                    .iter()
                    .filter(|role| role["computable"] == true);
                let points = roles
                    .map(|role| (role["id"].to_string(), nothing.clone()))
                    .collect();
                fields.insert("points".into(), Value::Object(points));
            }
            Kind::Issue => {
                fields.insert("type".into(), first("issue-types"));
                fields.insert(
                    "priority".into(),
                    home.catalogues["priorities"][1]["id"].clone(),
                );
                fields.insert(
                    "severity".into(),
                    home.catalogues["severities"][2]["id"].clone(),
                );
            }
            Kind::Epic | Kind::Task => {}
        }
        Self {
            kind,
            id,
            reference: home.last_ref,
            project,
            owner,
            version: 1,
            fields,
            changes: Vec::new(),
            history: Vec::new(),
            modified: created.clone(),
            created,
            order,
            attributes: Map::new(),
            attributes_version: 1,
        }
    }

    pub(crate) fn field(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }

    pub(crate) fn id_in(&self, name: &str) -> Option<u64> {
        self.field(name).as_u64()
    }

    pub(crate) fn subject(&self) -> &str {
        self.field("subject").as_str().unwrap_or_default()
    }

    pub(crate) fn is_closed(&self, world: &World) -> bool {
        self.status(world)
            .is_some_and(|status| status["is_closed"] == true)
    }

    pub(crate) fn status<'w>(&self, world: &'w World) -> Option<&'w Map<String, Value>> {
        world
            .catalogue_row(self.kind.statuses(), self.id_in("status")?)
            .map(|(_, row)| row)
    }

    /// The names of its tags.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        self.field("tags")
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tag| tag[0].as_str())
    }

    pub(crate) fn total_points(&self, world: &World) -> Option<f64> {
        let ids = self
            .field("points")
            .as_object()?
            .values()
            .filter_map(Value::as_u64);
        let values = ids.filter_map(|id| world.catalogue_row("points", id)?.1["value"].as_f64());
        values.reduce(|sum, value| sum + value)
    }

    /// What a GET by id answers.
    pub(crate) fn detail(&self, world: &World) -> Map<String, Value> {
        let mut record = self.record(world);
        record.insert("neighbors".into(), self.neighbors(world));
        record
    }

    /// Adds what a request asks for beside: names of files, and the tasks of a story.
    pub(crate) fn include(&self, world: &World, asked: &Asked, record: &mut Map<String, Value>) {
        let is_asked = |name: &str| asked.parameter(name).is_some();
        if is_asked("include_attachments") {
            let show = |file: &&Attachment| json!({ "id": file.id, "attached_file": format!("attachments/{}", file.name), "thumbnail_card_url": null });
            let files = world.attachments_of(self.kind, self.id);
            record.insert("attachments".into(), files.iter().map(show).collect());
        }
        if is_asked("include_tasks") && self.kind == Kind::Story {
            let show = |task: &Self| {
                json!({
                    "id": task.id, "ref": task.reference, "subject": task.subject(), "status_id": task.field("status"),
                    "is_blocked": task.field("is_blocked"), "is_iocaine": false, "is_closed": task.is_closed(world)
                })
            };
            let of_story =
                |task: &&Self| task.kind == Kind::Task && task.id_in("user_story") == Some(self.id);
            let tasks = world.items.values().filter(of_story).map(show);
            record.insert("tasks".into(), tasks.collect());
        }
    }

    /// What a create or a change answers.
    pub(crate) fn written(&self, world: &World) -> Map<String, Value> {
        let mut record = self.record(world);
        record.shift_remove("neighbors");
        record
    }

    /// What a list holds of it: everything but the long texts.
    pub(crate) fn row(&self, world: &World) -> Map<String, Value> {
        let mut record = self.record(world);
        self.kind
            .left_out_of_lists()
            .iter()
            .for_each(|key| drop(record.shift_remove(*key)));
        record
    }

    /// The light rows of `dashboard=true` and of a sprint: the keys of the recorded one.
    pub(crate) fn light(&self, world: &World, label: &str) -> Map<String, Value> {
        let mut template = recording::record(label);
        if let Some(Value::Array(stories)) = template.get("user_stories") {
            template = stories[0].as_object().unwrap().clone();
        }
        let record = self.record(world);
        template
            .into_iter()
            .map(|(key, value)| (key.clone(), record.get(&key).cloned().unwrap_or(value)))
            .collect()
    }

    fn record(&self, world: &World) -> Map<String, Value> {
        let mut record = self.kind.detail();
        let mut set = |key: &str, value: Value| {
            if let Some(known) = record.get_mut(key) {
                *known = value;
            }
        };
        for (key, value) in &self.fields {
            set(key, value.clone());
        }
        let status = self.status(world);
        let comments = self
            .history
            .iter()
            .filter(|entry| entry.is_comment())
            .count();
        let text = |name: &str| {
            self.field(name)
                .as_str()
                .filter(|text| !text.is_empty())
                .map(|text| format!("<p>{text}</p>"))
        };
        let sprint = self
            .id_in("milestone")
            .and_then(|id| world.sprints.get(&id));
        set("id", json!(self.id));
        set("ref", json!(self.reference));
        set("version", json!(self.version));
        set("project", json!(self.project));
        set("project_extra_info", project_info(world, self.project));
        set(
            "status_extra_info",
            json!(status.map(|row| json!({ "name": row["name"], "color": row["color"], "is_closed": row["is_closed"] }))),
        );
        set(
            "assigned_to_extra_info",
            json!(self.id_in("assigned_to").map(|user| person(world, user))),
        );
        set("owner", json!(self.owner));
        set("owner_extra_info", person(world, self.owner));
        set("milestone_slug", json!(sprint.map(|sprint| &sprint.slug)));
        set("milestone_name", json!(sprint.map(|sprint| &sprint.name)));
        set("is_closed", json!(self.is_closed(world)));
        set("created_date", json!(self.created));
        set("modified_date", json!(self.modified));
        set("total_comments", json!(comments));
        set(
            "description_html",
            json!(text("description").unwrap_or_default()),
        );
        set(
            "blocked_note_html",
            json!(text("blocked_note").unwrap_or_default()),
        );
        set(
            "due_date_status",
            json!(if self.field("due_date").is_null() {
                "not_set"
            } else {
                "set"
            }),
        );
        set(
            "total_watchers",
            json!(self.field("watchers").as_array().map_or(0, Vec::len)),
        );
        for key in [
            "backlog_order",
            "sprint_order",
            "kanban_order",
            "us_order",
            "taskboard_order",
            "epics_order",
        ] {
            set(key, json!(self.order));
        }
        set(
            "total_attachments",
            json!(world.attachments_of(self.kind, self.id).len()),
        );
        match self.kind {
            Kind::Story => {
                let epics = epics_of(world, self.id);
                set("total_points", json!(self.total_points(world)));
                set(
                    "epics",
                    if epics.is_empty() {
                        Value::Null
                    } else {
                        Value::Array(epics)
                    },
                );
            }
            Kind::Task => {
                let story = self
                    .id_in("user_story")
                    .and_then(|id| world.items.get(&(Kind::Story, id)));
                let info = story
                    .map(|story| json!({ "id": story.id, "ref": story.reference, "subject": story.subject(), "epics": null }));
                set("user_story_extra_info", json!(info));
            }
            Kind::Epic => {
                let stories = world
                    .links
                    .iter()
                    .filter(|link| link.epic == self.id)
                    .filter_map(|link| world.items.get(&(Kind::Story, link.story)));
                let (total, closed) = stories.fold((0, 0), |(total, closed), story| {
                    (total + 1, closed + i32::from(story.is_closed(world)))
                });
                set(
                    "user_stories_counts",
                    json!({ "total": total, "progress": if total == 0 { Value::Null } else { json!(closed) } }),
                );
            }
            Kind::Issue => {}
        }
        record
    }

    fn neighbors(&self, world: &World) -> Value {
        let of_project = |item: &&Self| item.kind == self.kind && item.project == self.project;
        let pin = |item: Option<&Self>| {
            item.map(
                |item| json!({ "id": item.id, "ref": item.reference, "subject": item.subject() }),
            )
        };
        let before = world
            .items
            .values()
            .filter(of_project)
            .rfind(|item| item.id < self.id);
        let after = world
            .items
            .values()
            .filter(of_project)
            .find(|item| item.id > self.id);
        json!({ "previous": pin(before), "next": pin(after) })
    }
}

pub(crate) fn project_info(world: &World, id: u64) -> Value {
    let project = &world.projects[&id];
    json!({ "name": project.name, "slug": project.slug, "logo_small_url": null, "id": id })
}

pub(crate) fn person(world: &World, id: u64) -> Value {
    let user = world.user(id);
    json!({
        "username": user.username, "full_name_display": user.full_name, "photo": null, "big_photo": null,
        "gravatar_id": format!("{id:032x}"), "is_active": true, "id": id
    })
}

fn epics_of(world: &World, story: u64) -> Vec<Value> {
    let epics = world
        .links
        .iter()
        .filter(|link| link.story == story)
        .filter_map(|link| world.items.get(&(Kind::Epic, link.epic)));
    let show = |epic: &Item| {
        let home = &world.projects[&epic.project];
        let project = json!({ "id": home.id, "name": home.name, "slug": home.slug });
        json!({ "id": epic.id, "ref": epic.reference, "subject": epic.subject(), "color": epic.field("color"), "project": project })
    };
    epics.map(show).collect()
}
