//! Who we are at the backend: credentials exchanged for a token once, kept, and renewed once
//! however many calls need it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderValue, Method, StatusCode};
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

impl Session {
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
        if let Some(kept) = &state.kept {
            return Ok(Some(kept.token.clone()));
        }
        // whoever waited for an exchange that failed meanwhile shares its failure
        if let Some(failure) = state
            .failure
            .as_ref()
            .filter(|_| self.attempts.load(Ordering::SeqCst) > seen)
        {
            return Err(failure.clone());
        }
        self.exchange(inner, login, &login.exchange, Val::Null, &mut state)
            .await
            .map(Some)
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
            Some(kept) if kept.token.generation != generation => return Ok(()),
            None => return state.failure.clone().map_or(Ok(()), Err),
            Some(_) => {}
        }
        let answer = state
            .kept
            .take()
            .map(|kept| kept.answer)
            .unwrap_or_default();
        if let Some(renew) = &login.renew
            && self
                .exchange(inner, login, renew, answer, &mut state)
                .await
                .is_ok()
        {
            return Ok(());
        }
        self.exchange(inner, login, &login.exchange, Val::Null, &mut state)
            .await
            .map(|_| ())
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
        let made = self.attempt(inner, login, exchange, last, generation).await;
        self.attempts.store(generation, Ordering::SeqCst);
        match made {
            Ok(kept) => {
                let token = kept.token.clone();
                let generation = inner.credentials.now(inner).generation;
                let mut known = self.me.lock().await;
                // other credentials may be somebody else's
                let before = known
                    .as_ref()
                    .filter(|known| known.generation == generation)
                    .map(|known| &known.me);
                let me = over(before.unwrap_or(&Val::Null), &kept.me);
                *known = says_something(&me).then_some(Known { me, generation });
                drop(known);
                state.failure = None;
                state.kept = Some(kept);
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
        let text = if login.scheme.is_empty() {
            token.clone()
        } else {
            format!("{} {token}", login.scheme)
        };
        let mut header = HeaderValue::from_str(&text).map_err(|_| {
            BackendError::backend(
                format!("{title} gave a token that no header can carry."),
                false,
            )
        })?;
        header.set_sensitive(true);
        // a renewal need not repeat what the login said: who we are, or what renews the next token
        let answer = over(&last, &answer.value()?);
        let renewing = renewing(inner, login, &answer).await?;
        inner
            .secrets
            .add_login(std::iter::once(&token).chain(&renewing).map(String::as_str));
        let me = match &login.me {
            Some(filter) => shown(
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
        let Some(asked) = &inner.compiled().me else {
            return Ok(Val::Null);
        };
        let answer = request::simple(inner, asked, &inner.variables())
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
fn shown(inner: &Inner, value: &Val) -> Result<Val, BackendError> {
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

/// The login, when it is needed.
fn login(inner: &Inner) -> Option<&LoginPlan> {
    inner
        .compiled()
        .login
        .as_ref()
        .filter(|login| !inner.settings.headers.contains_key(&login.header))
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
            let told = |why: &str| {
                format!(
                    "{title} refused the login: {why} Check the user name, password and address in the settings."
                )
            };
            let plain = told(error.for_people());
            BackendError::caller(told(error.message()))
                .with_plain(plain)
                .with_status(status.as_u16())
        }
        _ => error,
    }
}
