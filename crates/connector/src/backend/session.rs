//! Who we are at the backend: credentials exchanged for a token once, kept, and renewed once
//! however many calls need it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jaq_json::Val;
use secrecy::ExposeSecret;
use tokio::sync::Mutex as AsyncMutex;

use super::exchange::{self, Ask};
use super::secrets;
use super::values::{self, Held, to_json};
use super::{Inner, request};
use crate::connector::{Exchange, LoginPlan};
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables, plain_text};
use crate::json::Admitted;
use crate::settings::SessionTokens;

/// Characters that a token may have.
const MAX_TOKEN: usize = 16 << 10;

/// The session of one backend with one credential.
#[derive(Default)]
pub(super) struct Session {
    state: AsyncMutex<SessionState>,
    /// Exchanges that have ended, well or not. Changed only by whoever holds `state`.
    attempts: AtomicU64,
    me: AsyncMutex<Option<Known>>,
}

/// Who we are, as it was last said.
struct Known {
    me: Val,
    /// The credentials that it was said of, by their generation.
    generation: u64,
}

#[derive(Default)]
struct SessionState {
    kept: Option<KeptSession>,
    /// The last exchange failed.
    failure: Option<BackendError>,
}

struct KeptSession {
    token: SessionToken,
    /// The answer that gave it, over what the answers before it said; `$login`.
    answer: Val,
    me: Val,
}

/// A token as a header carries it.
#[derive(Clone)]
pub(super) struct SessionToken {
    pub(super) header: HeaderValue,
    pub(super) generation: u64,
}

impl SessionState {
    /// Goes on with a session that others may have made.
    fn take_over(&mut self, session: KeptSession) -> SessionToken {
        let token = session.token.clone();
        self.failure = None;
        self.kept = Some(session);
        token
    }
}

impl Session {
    /// Whether an account is used for it.
    pub(super) fn logs_in(inner: &Inner) -> bool {
        login(inner).is_some_and(|login| has_account(inner, login))
    }

    /// The token to send; none when this backend has no login, or the settings carry its header
    /// already.
    pub(super) async fn token(
        &self,
        inner: &Arc<Inner>,
    ) -> Result<Option<SessionToken>, BackendError> {
        let Some(login) = login(inner) else {
            return Ok(None);
        };
        let seen = self.attempts.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if let Some(session) = &state.kept {
            return Ok(Some(session.token.clone()));
        }
        if let Some(session) = self.of_keeper(inner, login, None)? {
            return Ok(Some(state.take_over(session)));
        }
        // whoever waited for an exchange that failed meanwhile shares its failure
        if let Some(failure) = state
            .failure
            .as_ref()
            .filter(|_| self.attempts.load(Ordering::SeqCst) > seen)
        {
            return Err(failure.clone());
        }
        self.log_in(inner, login, &mut state).await.map(Some)
    }

    /// A session from the credentials themselves, as far as there are any.
    async fn log_in(
        &self,
        inner: &Arc<Inner>,
        login: &LoginPlan,
        state: &mut SessionState,
    ) -> Result<SessionToken, BackendError> {
        if has_account(inner, login) {
            return self
                .exchange(inner, login, &login.exchange, Val::Null, state)
                .await;
        }
        let ended = BackendError::caller(format!(
            "The login that was kept for {} has ended: log in again.",
            inner.compiled().title
        ));
        let ended = ended.with_status(StatusCode::UNAUTHORIZED.as_u16());
        state.failure = Some(ended.clone());
        Err(ended)
    }

    /// The session that is kept between runs, unless it is the one that was refused.
    fn of_keeper(
        &self,
        inner: &Inner,
        login: &LoginPlan,
        refused: Option<&SessionToken>,
    ) -> Result<Option<KeptSession>, BackendError> {
        let Some(tokens) = inner
            .settings
            .session
            .as_ref()
            .and_then(|keeper| keeper.tokens())
        else {
            return Ok(None);
        };
        let token = tokens.token.expose_secret();
        let Some(header) = carried(login, token) else {
            return Ok(None);
        };
        if refused.is_some_and(|refused| refused.header == header) {
            return Ok(None);
        }
        let renewal = tokens.renewal.expose_secret().to_owned();
        // what was changed by hand renews nothing
        let answer = Admitted::new(renewal.into())
            .ok()
            .and_then(|json| jq::read(&json).ok())
            .unwrap_or_default();
        let renewing = texts(&answer);
        inner
            .secrets
            .add_login(std::iter::once(token).chain(renewing.iter().map(String::as_str)));
        let generation = self.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Some(KeptSession {
            token: SessionToken { header, generation },
            answer,
            me: Val::Null,
        }))
    }

    /// Takes the next token of this session, where a good answer brings one. The one that the
    /// request carried may be good for a while still.
    pub(super) async fn roll(
        &self,
        inner: &Arc<Inner>,
        carried_token: &SessionToken,
        headers: &HeaderMap,
    ) {
        let Some(login) = login(inner) else { return };
        let Some(next) = login
            .rolls
            .as_ref()
            .and_then(|rolls| headers.get(&rolls.header)?.to_str().ok())
            .map(str::trim)
            .filter(|next| !next.is_empty() && next.len() <= MAX_TOKEN)
        else {
            return;
        };
        let Some(header) = carried(login, next) else {
            return;
        };
        let mut state = self.state.lock().await;
        let Some(session) = &mut state.kept else {
            return;
        };
        // of answers that cross, the first one counts
        if session.token.generation != carried_token.generation || session.token.header == header {
            return;
        }
        let renewing = texts(&session.answer);
        inner
            .secrets
            .add_login(std::iter::once(next).chain(renewing.iter().map(String::as_str)));
        let generation = self.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        session.token = SessionToken { header, generation };
        keep(inner, next, &session.answer);
    }

    /// Replaces the token of that generation, unless another call did so already.
    pub(super) async fn renew(
        &self,
        inner: &Arc<Inner>,
        generation: u64,
    ) -> Result<(), BackendError> {
        let Some(login) = login(inner) else {
            return Ok(());
        };
        let mut state = self.state.lock().await;
        match &state.kept {
            Some(session) if session.token.generation != generation => return Ok(()),
            None => return state.failure.clone().map_or(Ok(()), Err),
            Some(_) => {}
        }
        let Some(refused) = state.kept.take() else {
            return Ok(());
        };
        // another program that shares it may have renewed it
        if let Some(session) = self.of_keeper(inner, login, Some(&refused.token))? {
            state.take_over(session);
            return Ok(());
        }
        if let Some(renew) = &login.renew
            && self
                .exchange(inner, login, renew, refused.answer, &mut state)
                .await
                .is_ok()
        {
            return Ok(());
        }
        // or does so at this moment
        if let Some(session) = self.of_keeper(inner, login, Some(&refused.token))? {
            state.take_over(session);
            return Ok(());
        }
        self.log_in(inner, login, &mut state).await.map(|_| ())
    }

    async fn exchange(
        &self,
        inner: &Arc<Inner>,
        login: &LoginPlan,
        exchange: &Exchange,
        last: Val,
        state: &mut SessionState,
    ) -> Result<SessionToken, BackendError> {
        let generation = self.attempts.load(Ordering::SeqCst) + 1;
        let attempt = self.attempt(inner, login, exchange, last, generation).await;
        self.attempts.store(generation, Ordering::SeqCst);
        match attempt {
            Ok(session) => {
                let token = session.token.clone();
                let generation = inner.credentials.now(inner).generation;
                let mut known = self.me.lock().await;
                // other credentials may be somebody else's
                let before = known
                    .as_ref()
                    .filter(|known| known.generation == generation)
                    .map(|known| &known.me);
                let me = over(before.unwrap_or(&Val::Null), &session.me);
                *known = says_something(&me).then_some(Known { me, generation });
                drop(known);
                state.failure = None;
                state.kept = Some(session);
                Ok(token)
            }
            Err(error) => {
                state.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn attempt(
        &self,
        inner: &Arc<Inner>,
        login: &LoginPlan,
        exchange: &Exchange,
        last: Val,
        generation: u64,
    ) -> Result<KeptSession, BackendError> {
        let title = &inner.compiled().title;
        let mut variables = Variables::default();
        variables.set(Variable::Settings, with_secrets(inner));
        variables.set(Variable::Login, last.clone());
        let body = values::one(inner, &exchange.body, &Held::Nothing, &variables).await?;
        let ask = Ask::new(Method::POST, exchange.path.clone(), Some(to_json(&body)?));
        // a login changes nothing: it may be sent again, and a failure of it leaves nothing in
        // doubt
        let ask = Ask {
            logs_in: true,
            reads: true,
            ..ask
        };
        let answer = Box::pin(exchange::json(inner, ask))
            .await
            .map_err(|error| refused(title, error))?;
        let answer = answer.map_or(Held::Nothing, Held::received);
        let token = values::one(inner, &exchange.token, &answer, &Variables::default()).await?;
        let Some(token) =
            plain_text(&token).filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN)
        else {
            let message = format!(
                "{title} took the login but gave no token. Check that its address is that of the API."
            );
            return Err(BackendError::backend(message, false));
        };
        let header = carried(login, &token).ok_or_else(|| {
            BackendError::backend(
                format!("{title} gave a token that no header can carry."),
                false,
            )
        })?;
        // a renewal need not repeat what the login said: who we are, or what renews the next token
        let answer = over(&last, &answer.value()?);
        let renewing = renewing(inner, login, &answer).await?;
        inner
            .secrets
            .add_login(std::iter::once(&token).chain(&renewing).map(String::as_str));
        let me = match &login.me {
            Some(filter) => without_secrets(
                inner,
                &values::one(
                    inner,
                    filter,
                    &Held::Made(answer.clone()),
                    &Variables::default(),
                )
                .await?,
            )?,
            None => Val::Null,
        };
        keep(inner, &token, &only(&answer, &renewing));
        Ok(KeptSession {
            token: SessionToken { header, generation },
            answer,
            me,
        })
    }

    /// `$me`: what the login said, or what the backend answers when asked.
    pub(super) async fn me(&self, inner: &Arc<Inner>) -> Result<Val, BackendError> {
        self.token(inner).await?;
        let generation = inner.credentials.now(inner).generation;
        // a token that a login gave is whose it was, whatever the settings hold by now
        let is_kept = |known: &&Known| known.generation == generation || login(inner).is_some();
        if let Some(known) = self.me.lock().await.as_ref().filter(is_kept) {
            return Ok(known.me.clone());
        }
        let Some(me_request) = &inner.compiled().me else {
            return Ok(Val::Null);
        };
        let answer = request::simple(inner, me_request, &inner.variables())
            .await?
            .value()?;
        *self.me.lock().await = Some(Known {
            me: answer.clone(),
            generation,
        });
        Ok(answer)
    }
}

/// What was said before with what is said now laid over it, key by key; a null says nothing.
fn over(before: &Val, now: &Val) -> Val {
    match (before, now) {
        (_, Val::Null) => before.clone(),
        (Val::Obj(known), Val::Obj(said)) => {
            let mut all = known.as_ref().clone();
            for (key, value) in said.iter() {
                let value = over(known.get(key).unwrap_or(&Val::Null), value);
                all.insert(key.clone(), value);
            }
            Val::obj(all)
        }
        _ => now.clone(),
    }
}

/// True unless it is null, or an object of nulls alone: what a filter makes of an answer that does
/// not say who we are.
fn says_something(value: &Val) -> bool {
    match value {
        Val::Obj(map) => map.values().any(says_something),
        value => *value != Val::Null,
    }
}

/// Part of the answer to a login, as tools may see it.
fn without_secrets(inner: &Inner, value: &Val) -> Result<Val, BackendError> {
    let unreadable =
        |why: String| BackendError::ours("The answer to the login could not be read.", why);
    let json = Admitted::new(to_json(value)?.into()).map_err(|why| unreadable(why.to_string()))?;
    jq::read(&inner.secrets.hide_in_json(json)).map_err(|why| unreadable(why.to_owned()))
}

/// The texts that the renewal of a session would send: they are as good as its token.
async fn renewing(
    inner: &Arc<Inner>,
    login: &LoginPlan,
    answer: &Val,
) -> Result<Vec<String>, BackendError> {
    let Some(renew) = &login.renew else {
        return Ok(Vec::new());
    };
    let mut variables = Variables::default();
    variables.set(Variable::Settings, with_secrets(inner));
    variables.set(Variable::Login, answer.clone());
    let body = values::one(inner, &renew.body, &Held::Nothing, &variables).await?;
    let Val::Obj(body) = body else {
        return Ok(plain_text(&body)
            .into_iter()
            .filter(|text| is_secret(inner, text))
            .collect());
    };
    Ok(body
        .values()
        .filter_map(plain_text)
        .filter(|text| is_secret(inner, text))
        .collect())
}

/// Long enough to be one, and no setting that anybody may see.
fn is_secret(inner: &Inner, text: &str) -> bool {
    text.len() >= secrets::SHORTEST && !inner.settings.open.values().any(|open| open == text)
}

/// The login, when it is needed and there is something to log in with.
fn login(inner: &Inner) -> Option<&LoginPlan> {
    let is_needed = |login: &&LoginPlan| {
        !inner.settings.headers.contains_key(&login.header)
            && (inner.settings.session.is_some() || has_account(inner, login))
    };
    inner.compiled().login.as_ref().filter(is_needed)
}

/// Whether everything is set that a person would be asked for.
fn has_account(inner: &Inner, login: &LoginPlan) -> bool {
    login.asks.iter().all(|name| inner.settings.has(name))
}

/// The header that carries a token; none where no header can.
fn carried(login: &LoginPlan, token: &str) -> Option<HeaderValue> {
    let text = if login.scheme.is_empty() {
        token.to_owned()
    } else {
        format!("{} {token}", login.scheme)
    };
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Hands a session to whoever keeps it between runs.
fn keep(inner: &Inner, token: &str, renewal: &Val) {
    if let Some(keeper) = &inner.settings.session
        && let Ok(renewal) = to_json(renewal)
    {
        keeper.keep(SessionTokens {
            token: token.to_owned().into(),
            renewal: renewal.into(),
        });
    }
}

/// Of an answer to a login, what renews its token: the rest of it is nobody's business later.
fn only(answer: &Val, renewing: &[String]) -> Val {
    let Val::Obj(all) = answer else {
        return Val::Null;
    };
    let is_wanted = |value: &Val| {
        let text = plain_text(value);
        text.is_some_and(|text| renewing.contains(&text))
    };
    let wanted: Vec<(Val, Val)> = all
        .iter()
        .filter(|(_, value)| is_wanted(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    // what stands deeper is kept with all that is around it
    if wanted.len() < renewing.len() {
        return answer.clone();
    }
    Val::obj(wanted.into_iter().collect())
}

/// The texts of an object.
fn texts(value: &Val) -> Vec<String> {
    match value {
        Val::Obj(all) => all.values().filter_map(plain_text).collect(),
        _ => Vec::new(),
    }
}

/// All settings; only what is sent for a token sees them.
fn with_secrets(inner: &Inner) -> Val {
    let open = inner
        .settings
        .open
        .iter()
        .map(|(name, value)| (Val::utf8_str(name.clone()), Val::utf8_str(value.clone())));
    let carried = inner.credentials.now(inner);
    let secret = carried.secrets.iter();
    let secret = secret.map(|(name, value)| {
        (
            Val::utf8_str(name.clone()),
            Val::utf8_str(value.expose_secret().to_owned()),
        )
    });
    Val::obj(open.chain(secret).collect())
}

/// A login that was refused is no fault of the caller.
fn refused(title: &str, error: BackendError) -> BackendError {
    let status = error.status();
    match status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            let refusal = |why: &str| {
                format!(
                    "{title} refused the login: {why} Check the user name, password and address in the settings."
                )
            };
            let plain = refusal(error.for_people());
            BackendError::caller(refusal(error.message()))
                .with_plain(plain)
                .with_status(status.as_u16())
        }
        _ => error,
    }
}
