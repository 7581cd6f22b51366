//! Tests of the limit on its own, with a clock that they set.

use super::*;

const OWNER: &str = "owner@example.org";
const RIGHT: &str = "correct horse battery";

/// A limit, and the time as the test says.
struct Scene {
    limit: LogInLimit,
    now: Instant,
}

impl Scene {
    fn new() -> Scene {
        // The key is always the same, so that no guess looks like the right password by chance.
        Scene {
            limit: LogInLimit {
                key: [7; 32],
                tables: Mutex::default(),
            },
            now: Instant::now(),
        }
    }

    fn with<T>(
        &self,
        email: &str,
        password: &str,
        from: Option<&str>,
        act: impl FnOnce(&LogInLimit, &Try<'_>) -> T,
    ) -> T {
        let address = from.map(|from| from.parse::<IpAddr>().unwrap());
        let password = SecretString::from(password);
        act(
            &self.limit,
            &Try {
                email,
                password: &password,
                address,
                exists: email == OWNER,
            },
        )
    }

    fn tries(&self, email: &str, password: &str, from: Option<&str>) -> Admission {
        self.with(email, password, from, |limit, tried| {
            limit.admit(tried, self.now)
        })
    }

    /// How many of so many wrong passwords are compared now.
    fn compared(&self, email: &str, from: Option<&str>, wrong: u32) -> u32 {
        let is_compared = |number: &u32| {
            self.tries(email, &format!("wrong {number}"), from)
                == Admission::At(self.now, Lane::Open)
        };
        u32::try_from((0..wrong).filter(is_compared).count()).unwrap()
    }

    fn log_in(&self, from: Option<&str>) -> Admission {
        let admission = self.tries(OWNER, RIGHT, from);
        if let Admission::At(_, lane) = admission {
            self.with(OWNER, RIGHT, from, |limit, tried| {
                limit.was_right(tried, lane)
            });
        }
        admission
    }
}

#[test]
fn five_wrong_passwords_are_free_and_then_one_in_ten_seconds() {
    for from in [Some("192.0.2.1"), None] {
        let mut scene = Scene::new();
        scene.log_in(from);
        // One of the look of the right one is let through: it does not count.
        assert!(
            (FREE_TRIES..=FREE_TRIES + 2).contains(&scene.compared(OWNER, from, 400)),
            "{from:?}"
        );
        assert!(
            matches!(scene.tries(OWNER, "wrong", from), Admission::NotFor(wait) if wait <= REFUSED_PACE)
        );
        scene.now += REFUSED_PACE - Duration::from_millis(1);
        assert!(matches!(
            scene.tries(OWNER, "wrong", from),
            Admission::NotFor(_)
        ));
        scene.now += Duration::from_millis(1);
        assert_eq!(
            scene.tries(OWNER, "wrong", from),
            Admission::At(scene.now, Lane::Open)
        );
        assert!(matches!(
            scene.tries(OWNER, "wrong", from),
            Admission::NotFor(_)
        ));
    }
}

#[test]
fn the_owner_gets_in_while_others_try() {
    for from in [Some("192.0.2.1"), None] {
        let scene = Scene::new();
        scene.log_in(from);
        for _ in 0..30 {
            scene.compared(OWNER, from, 40);
            assert_eq!(scene.log_in(from), Admission::At(scene.now, Lane::Familiar));
        }
    }
}

/// Before the right password was seen once, its owner stands in the queue with everybody, and gets
/// through it.
#[test]
fn an_owner_who_comes_first_under_attack_waits_and_gets_in() {
    let scene = Scene::new();
    scene.compared(OWNER, None, 45);
    let Admission::At(time, Lane::Open) = scene.log_in(None) else {
        panic!("the owner is refused")
    };
    assert!(time > scene.now && time <= scene.now + LONGEST_WAIT);
    assert_eq!(scene.log_in(None), Admission::At(scene.now, Lane::Familiar));
}

#[test]
fn a_queue_has_an_end_in_time_and_in_number() {
    let mut scene = Scene::new();
    let fit =
        FREE_TRIES + u32::try_from(LONGEST_WAIT.as_millis() / QUEUED_PACE.as_millis()).unwrap() + 1;
    for number in 0..fit {
        assert!(
            matches!(scene.tries(OWNER, "wrong", None), Admission::At(..)),
            "{number}"
        );
    }
    assert!(
        matches!(scene.tries(OWNER, "wrong", None), Admission::NotFor(wait) if wait > LONGEST_WAIT)
    );
    for _ in fit..QUEUED_TRIES {
        scene.now += QUEUED_PACE;
        assert!(matches!(
            scene.tries(OWNER, "wrong", None),
            Admission::At(..)
        ));
    }
    scene.now += LONGEST_WAIT + QUEUED_PACE;
    assert!(matches!(
        scene.tries(OWNER, "wrong", None),
        Admission::At(..)
    ));
    scene.now += QUEUED_PACE;
    assert!(
        matches!(scene.tries(OWNER, "wrong", None), Admission::NotFor(wait) if wait > LONGEST_WAIT / 2)
    );
}

#[test]
fn another_address_and_another_account_are_not_slowed_down() {
    let scene = Scene::new();
    scene.log_in(Some("192.0.2.9"));
    scene.compared(OWNER, Some("192.0.2.1"), 50);
    assert!(matches!(
        scene.tries(OWNER, "wrong", Some("192.0.2.1")),
        Admission::NotFor(_)
    ));
    assert_eq!(
        scene.tries(OWNER, "another", Some("192.0.2.2")),
        Admission::At(scene.now, Lane::Open)
    );
    assert_eq!(
        scene.tries("other@example.org", "wrong", Some("192.0.2.1")),
        Admission::At(scene.now, Lane::Open)
    );
}

#[test]
fn one_address_cannot_try_account_after_account() {
    let mut scene = Scene::new();
    let from = Some("192.0.2.1");
    let one_each = |scene: &Scene, names: std::ops::Range<u32>| {
        names
            .filter(|number| scene.compared(&format!("{number}@example.org"), from, 1) == 1)
            .count()
    };
    assert_eq!(
        one_each(&scene, 0..FREE_TRIES_OF_AN_ADDRESS + 50),
        FREE_TRIES_OF_AN_ADDRESS as usize
    );
    scene.now += REFUSED_PACE_OF_AN_ADDRESS;
    assert_eq!(one_each(&scene, 200..250), 1);
}

/// Names that nobody has are slowed down as well, and nobody can tell by it that nobody has them:
/// some of them queue, some do not.
#[test]
fn a_name_that_nobody_has_is_slowed_down_in_either_way() {
    let scene = Scene::new();
    let mut refusing = 0;
    for number in 0..200 {
        let name = format!("nobody{number}@example.org");
        assert_eq!(
            scene.compared(&name, None, 6),
            FREE_TRIES + u32::from(scene.is_queueing(&name)),
            "{name}"
        );
        refusing += u32::from(!scene.is_queueing(&name));
    }
    assert!((40..160).contains(&refusing), "{refusing}");
}

impl Scene {
    fn is_queueing(&self, name: &str) -> bool {
        self.limit.account(name)[0] & 1 == 0
    }
}

#[test]
fn what_is_remembered_is_bounded_and_keeps_who_tried_most() {
    let scene = Scene::new();
    scene.log_in(None);
    scene.compared(OWNER, None, 20);
    for number in 0..REMEMBERED + 100 {
        scene.compared(&format!("{number}@example.org"), None, 1);
    }
    let tables = scene.limit.tables.lock().unwrap();
    assert_eq!(tables.tries.len(), REMEMBERED);
    drop(tables);
    assert!(matches!(
        scene.tries(OWNER, "wrong", None),
        Admission::NotFor(_)
    ));
}

#[test]
fn tries_are_forgotten_after_a_while() {
    let mut scene = Scene::new();
    scene.log_in(None);
    scene.compared(OWNER, None, 20);
    scene.now += FORGOTTEN_AFTER;
    assert!(scene.compared(OWNER, None, 20) >= FREE_TRIES);
}

#[test]
fn a_right_password_is_no_wrong_one() {
    let scene = Scene::new();
    for _ in 0..50 {
        assert!(matches!(scene.log_in(Some("192.0.2.1")), Admission::At(..)));
    }
    assert!(scene.compared(OWNER, Some("192.0.2.1"), 20) >= FREE_TRIES);
}
