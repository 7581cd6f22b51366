//! What the stand-in answers: its routes and the rules behind them.

use serde_json::{Map, Value, json};

use super::{ADMIN, Answer, OWNER, Prompt, STRANGER, Seen, Wall, Work, World};

/// Fields whose change makes a new version.
const CONTENT: [&str; 6] = [
    "prompt_text",
    "tests",
    "deepeval_metrics",
    "kpis",
    "provider_profiles",
    "judge_profile",
];
const SEVEN: [&str; 7] = [
    "stability_samples",
    "validation_samples",
    "flakiness_threshold",
    "min_consistent_improvement",
    "variance_aware_mutator",
    "variance_signal",
    "enforce_target_score",
];

type Reply = Result<Value, (u16, String)>;

fn refuse<T>(status: u16, text: &str) -> Result<T, (u16, String)> {
    Err((status, text.to_owned()))
}

impl World {
    pub(super) fn answer(&mut self, asked: &Seen) -> Answer {
        if let Some(answer) = self.wall(asked) {
            return answer;
        }
        if self.failing > 0 {
            self.failing -= 1;
            return Answer::text(
                500,
                "application/json",
                json!({"detail": "starting"}).to_string(),
            );
        }
        let (method, address) = asked.line.split_once(' ').unwrap();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if let Some(answer) = self.report(&path) {
            return answer;
        }
        let query: Map<String, Value> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(k, v)| (k.into_owned(), json!(v)))
            .collect();
        match self.route(method, &path, &query, asked) {
            Ok(body) => Answer::text(200, "application/json", body.to_string()),
            Err((status, text)) => Answer::text(
                status,
                "application/json",
                json!({"detail": text}).to_string(),
            ),
        }
    }

    fn wall(&self, asked: &Seen) -> Option<Answer> {
        let sent = |name: &str| asked.headers.get(name).map(|value| value.to_str().unwrap());
        let passes = |token: &str| {
            sent("cf-access-token") == Some(token) || sent("cf-access-client-secret") == Some(token)
        };
        let login = "https://team.cloudflareaccess.com/cdn-cgi/access/login/ptm";
        let mut answer = match self.wall {
            Wall::None => return None,
            Wall::Redirect(token) | Wall::Ask(token) | Wall::Forbid(token) | Wall::Page(token)
                if passes(token) =>
            {
                return None;
            }
            Wall::Redirect(_) => Answer::text(302, "text/html", ""),
            Wall::Ask(_) => Answer::text(401, "text/plain", ""),
            Wall::Forbid(_) => Answer::text(403, "text/plain", "Forbidden"),
            Wall::Page(_) => Answer::text(
                200,
                "text/html",
                format!("<!DOCTYPE html><a href=\"{login}\">Sign in</a>"),
            ),
        };
        match self.wall {
            Wall::Redirect(_) => answer.headers.push(("location", login.to_owned())),
            Wall::Ask(_) => answer.headers.push((
                "www-authenticate",
                "Cloudflare-Access realm=\"ptm\"".to_owned(),
            )),
            Wall::Forbid(_) => answer
                .headers
                .push(("cf-access-domain", "ptm.example.com".to_owned())),
            Wall::None | Wall::Page(_) => {}
        }
        Some(answer)
    }

    fn report(&self, path: &[&str]) -> Option<Answer> {
        let (of, key, kind) = match path {
            ["runs", key, "report.md"] => (&self.runs, key, "text/markdown"),
            ["runs", key, "report.html"] => (&self.runs, key, "text/html"),
            ["optimizations", key, "report.md"] => (&self.optimizations, key, "text/markdown"),
            _ => return None,
        };
        of.contains_key(*key).then(|| {
            let text = if kind == "text/html" {
                format!("<html><h1>{key}</h1></html>")
            } else {
                format!("# {key}")
            };
            Answer::text(200, kind, text)
        })
    }

    fn route(
        &mut self,
        method: &str,
        path: &[&str],
        query: &Map<String, Value>,
        asked: &Seen,
    ) -> Reply {
        let header = |name: &str| {
            asked
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let is_session = uuid_like(&header("x-ptm-mcp-session"));
        if !header("x-ptm-client").starts_with("ptm-mcp/0.4.0+footbridge.") || !is_session {
            return refuse(400, "who asks?");
        }
        if path == ["healthz"] {
            return Ok(json!("ok"));
        }
        let who = match header("authorization").strip_prefix("Bearer ") {
            Some(OWNER) => "ana",
            Some(ADMIN) => "root",
            Some(STRANGER) => "bob",
            _ => return refuse(401, "this token is not known"),
        };
        match (method, path) {
            ("GET", ["auth", "me"]) => Ok(json!({"user": who})),
            ("GET", ["meta"]) => Ok(json!({"version": self.version})),
            ("GET", ["providers"]) => Ok(json!([{"name": "local", "models": ["small"]}])),
            ("GET", ["prompts"]) => {
                let found = self
                    .prompts
                    .iter()
                    .filter(|(_, prompt)| may_see(who, prompt));
                let named = found.filter(|(_, prompt)| {
                    let wanted = |name: &str| {
                        query
                            .get(name)
                            .and_then(Value::as_str)
                            .unwrap_or_default()
                            .to_lowercase()
                    };
                    let group = wanted("group");
                    prompt.name.to_lowercase().contains(&wanted("search"))
                        && (group.is_empty() || prompt.groups.contains(&group))
                });
                page(named.map(|(id, prompt)| shown(id, prompt)).collect(), query)
            }
            ("POST", ["evals", "manual"]) => {
                known(
                    &asked.body,
                    &["prompt_text", "tests", "provider_profiles", "judge_profile"],
                )?;
                Ok(self.start_run(None, &asked.body))
            }
            ("GET", ["runs"]) => {
                let wanted = |(_, run): &(&String, &Work)| {
                    query
                        .get("prompt_id")
                        .is_none_or(|id| run.prompt.as_deref() == id.as_str())
                        && query
                            .get("status")
                            .is_none_or(|status| status == run.status)
                };
                page(
                    self.runs
                        .iter()
                        .filter(wanted)
                        .map(|(key, run)| json!({"run_key": key, "status": run.status, "results": ["long"]}))
                        .collect(),
                    query,
                )
            }
            ("GET", ["runs", key]) => {
                let run = self
                    .runs
                    .get_mut(*key)
                    .ok_or((404, "no such run".to_owned()))?;
                run.look();
                Ok(
                    json!({"run_key": key, "status": run.status, "completed_tests": run.looks, "total_tests": 3, "results": []}),
                )
            }
            ("GET", ["optimizations"]) => {
                let id = query
                    .get("prompt_id")
                    .and_then(Value::as_str)
                    .ok_or((422, "prompt_id".to_owned()))?;
                let of = self
                    .optimizations
                    .iter()
                    .filter(|(_, one)| one.prompt.as_deref() == Some(id));
                page(
                    of.map(|(id, one)| json!({"optimization_id": id, "status": one.status, "candidates": ["long"]})).collect(),
                    query,
                )
            }
            (method, ["optimizations", id, rest @ ..]) => {
                let one = self
                    .optimizations
                    .get_mut(*id)
                    .ok_or((404, "no such optimization".to_owned()))?;
                match (method, rest) {
                    ("GET", []) => Ok(
                        json!({"optimization_id": id, "status": one.status, "rounds": [], "asked": one.asked}),
                    ),
                    ("GET", ["status"]) => {
                        one.look();
                        Ok(
                            json!({"optimization_id": id, "status": one.status, "iteration": one.looks, "max_iterations": 3}),
                        )
                    }
                    ("POST", ["cancel"]) if one.status == "running" => {
                        one.status = "cancelled";
                        Ok(json!({"optimization_id": id, "status": "cancelled"}))
                    }
                    ("POST", ["cancel"]) => refuse(409, "it is not running"),
                    _ => refuse(501, "?"),
                }
            }
            (method, ["prompts", id, rest @ ..]) => {
                self.of_prompt(method, id, rest, query, who, &asked.body)
            }
            _ => refuse(501, "not known here"),
        }
    }

    fn of_prompt(
        &mut self,
        method: &str,
        id: &str,
        rest: &[&str],
        query: &Map<String, Value>,
        who: &str,
        body: &Value,
    ) -> Reply {
        let Some(prompt) = self
            .prompts
            .get_mut(id)
            .filter(|prompt| may_see(who, prompt))
        else {
            return refuse(404, "no such prompt");
        };
        let number = |text: &str| {
            text.parse::<usize>()
                .ok()
                .filter(|number| (1..=prompt.versions.len()).contains(number))
                .ok_or((404, "no such version".to_owned()))
        };
        let is_owner = prompt.owner == who || who == "root";
        let forbidden = || refuse(403, "you do not own it");
        match (method, rest) {
            ("GET", []) => Ok(shown(id, prompt)),
            ("GET", ["tests"]) => {
                Ok(json!({"tests": prompt.versions[prompt.active - 1].get("tests")}))
            }
            ("GET", ["versions"]) => Ok(
                json!({"items": prompt.versions.iter().enumerate().map(|(at, version)| numbered(at + 1, version)).collect::<Vec<_>>()}),
            ),
            ("GET", ["versions", "compare"]) => {
                let one = |name: &str| {
                    number(query.get(name).and_then(Value::as_str).unwrap_or_default())
                };
                let (from, to) = (one("from")?, one("to")?);
                Ok(
                    json!({"from": prompt.versions[from - 1]["prompt_text"], "to": prompt.versions[to - 1]["prompt_text"]}),
                )
            }
            ("GET", ["versions", n]) => Ok(numbered(number(n)?, &prompt.versions[number(n)? - 1])),
            ("POST", ["evals"]) => {
                known(body, &["version", "provider_profiles"])?;
                Ok(self.start_run(Some(id), body))
            }
            ("POST", ["optimizations"]) => {
                known(
                    body,
                    &[&["target_score", "max_iterations"], SEVEN.as_slice()].concat(),
                )?;
                let key = format!("opt-{}", self.optimizations.len() + 1);
                let work = Work {
                    prompt: Some(id.to_owned()),
                    status: "running",
                    looks: 0,
                    asked: body.clone(),
                };
                self.optimizations.insert(key.clone(), work);
                Ok(json!({"optimization_id": key, "status": "running"}))
            }
            ("PATCH", []) if prompt.in_repository => refuse(409, "its files are in a repository"),
            ("PATCH", []) if !is_owner => forbidden(),
            ("PATCH", []) => {
                let fields = known(
                    body,
                    &[
                        &["name", "description", "change_summary"],
                        CONTENT.as_slice(),
                    ]
                    .concat(),
                )?;
                let summary = fields
                    .get("change_summary")
                    .and_then(Value::as_str)
                    .filter(|text| !text.is_empty());
                self.audit.push(
                    summary
                        .ok_or((422, "change_summary is required".to_owned()))?
                        .to_owned(),
                );
                if fields.values().any(Value::is_null) {
                    return refuse(422, "null is no value");
                }
                let mut next = prompt.versions[prompt.active - 1].clone();
                let content: Vec<_> = fields
                    .iter()
                    .filter(|(name, _)| CONTENT.contains(&name.as_str()))
                    .collect();
                if !content.is_empty() {
                    next.extend(
                        content
                            .into_iter()
                            .map(|(name, value)| (name.clone(), value.clone())),
                    );
                    prompt.versions.push(next);
                    prompt.active = prompt.versions.len();
                }
                if let Some(name) = fields.get("name").and_then(Value::as_str) {
                    name.clone_into(&mut prompt.name);
                }
                if let Some(text) = fields.get("description").and_then(Value::as_str) {
                    text.clone_into(&mut prompt.description);
                }
                Ok(shown(id, prompt))
            }
            ("PUT", ["versions", _, "activate"]) if !is_owner => forbidden(),
            ("PUT", ["versions", n, "activate"]) => {
                prompt.active = number(n)?;
                Ok(shown(id, prompt))
            }
            (_, ["share" | "transfer"] | ["groups", _]) if who != "root" => {
                refuse(403, "for administrators")
            }
            ("PUT", ["share"]) => Ok(set(id, prompt, |prompt| prompt.shared = true)),
            ("DELETE", ["share"]) => Ok(set(id, prompt, |prompt| prompt.shared = false)),
            ("PUT", ["groups", group]) => Ok(set(id, prompt, |prompt| {
                prompt.groups.push((*group).to_owned())
            })),
            ("DELETE", ["groups", group]) if prompt.groups.iter().any(|one| one == group) => {
                Ok(set(id, prompt, |prompt| {
                    prompt.groups.retain(|one| one != group)
                }))
            }
            ("DELETE", ["groups", _]) => refuse(404, "it is not in that group"),
            ("POST", ["transfer"]) => {
                let to = known(body, &["new_owner"])?["new_owner"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                if to == prompt.owner {
                    return refuse(422, "they own it already");
                }
                Ok(set(id, prompt, |prompt| prompt.owner = to))
            }
            _ => refuse(501, "not known here"),
        }
    }

    fn start_run(&mut self, prompt: Option<&str>, asked: &Value) -> Value {
        let key = format!("run-{}", self.runs.len() + 1);
        let work = Work {
            prompt: prompt.map(str::to_owned),
            status: "running",
            looks: 0,
            asked: asked.clone(),
        };
        self.runs.insert(key.clone(), work);
        json!({"run_key": key, "status": "running"})
    }
}

impl Work {
    fn look(&mut self) {
        if self.status == "running" {
            self.looks += 1;
            self.status = if self.looks == 3 {
                "completed"
            } else {
                "running"
            };
        }
    }
}

fn may_see(who: &str, prompt: &Prompt) -> bool {
    who == "root" || prompt.owner == who || prompt.shared
}

fn set(id: &str, prompt: &mut Prompt, change: impl FnOnce(&mut Prompt)) -> Value {
    change(prompt);
    shown(id, prompt)
}

fn numbered(number: usize, version: &super::Version) -> Value {
    let mut shown = json!(version);
    shown["version"] = json!(number);
    shown
}

fn shown(id: &str, prompt: &Prompt) -> Value {
    let mut shown = json!(prompt.versions[prompt.active - 1]);
    let own = json!({
        "id": id, "name": prompt.name, "description": prompt.description, "owner": prompt.owner, "shared": prompt.shared,
        "groups": prompt.groups, "active_version": prompt.active
    });
    shown
        .as_object_mut()
        .unwrap()
        .extend(own.as_object().unwrap().clone());
    shown
}

fn known<'b>(body: &'b Value, names: &[&str]) -> Result<&'b Map<String, Value>, (u16, String)> {
    let fields = body
        .as_object()
        .ok_or((422, "an object is wanted".to_owned()))?;
    match fields.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => refuse(422, &format!("{name} is not known")),
        None => Ok(fields),
    }
}

fn page(rows: Vec<Value>, query: &Map<String, Value>) -> Reply {
    let number = |name: &str, default| {
        query
            .get(name)
            .and_then(Value::as_str)
            .map_or(default, |text| text.parse().unwrap())
    };
    let total = rows.len();
    Ok(
        json!({"items": rows.into_iter().skip(number("offset", 0)).take(number("limit", 20)).collect::<Vec<_>>(), "total": total}),
    )
}

/// A UUID of version 4.
fn uuid_like(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts[2].starts_with('4')
        && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}
