//! What one run of a filter may spend: rounds, working time and machine stack. Knows no values.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jaq_core::compile::TermId;

use super::clock::worked;

/// Stack that each thread running filters must have, in bytes.
///
/// Filters run on the host's blocking threads (`tokio::task::spawn_blocking`): build the runtime
/// with `thread_stack_size(FILTER_STACK_BYTES)`. A filter may build a value as deep as its fuel
/// allows, and such a value is walked recursively; on smaller stacks that can end the process.
pub const FILTER_STACK_BYTES: usize = 32 << 20;

/// Rounds of loops and recursion that one run may make.
pub(crate) const FUEL: u64 = 20_000;
/// Time that one run may work. Waiting for a core is no work: many calls at once on few cores do
/// not end each other's filters.
pub(crate) const TIME: Duration = Duration::from_millis(250);
/// Stack that nested calls of one run may take.
const NESTED_BYTES: usize = 768 << 10;
/// The clock is read once in so many rounds.
const CLOCK_EVERY: u64 = 256;

/// Time that one run may take when it only goes through what is there: large bodies take their
/// time.
pub(crate) const STEP_TIME: Duration = Duration::from_millis(2_500);
/// Values that `..` and `.[]` of one run may give.
pub(crate) const STEPS: u64 = 2_000_000;
/// Bytes of a text, or of a value that is made a text, that cost a round.
pub(crate) const BYTES_A_ROUND: usize = 1 << 10;

/// Why a run was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    Fuel = -1001,
    Time = -1002,
    Stack = -1003,
}

impl Spent {
    pub(crate) fn code(self) -> i32 {
        self as i32
    }

    pub(crate) fn from_code(code: i32) -> Option<Self> {
        [Self::Fuel, Self::Time, Self::Stack]
            .into_iter()
            .find(|spent| spent.code() == code)
    }
}

/// What one run has left. A run never leaves its thread.
pub(crate) struct Budget {
    fuel: Cell<u64>,
    steps: Cell<u64>,
    /// What the thread may have worked by then.
    until: Duration,
    /// The same for steps.
    steps_until: Duration,
    base: usize,
    /// While a program is being compiled: how many entry points to take, and those taken.
    pub(crate) entries: Cell<usize>,
    pub(crate) taken: RefCell<Vec<TermId>>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self::within(TIME, STEP_TIME)
    }

    /// A budget of these times, in place of [`TIME`] and [`STEP_TIME`].
    pub(crate) fn within(time: Duration, step_time: Duration) -> Self {
        let here = 0u8;
        let now = worked();
        Self {
            fuel: Cell::new(FUEL),
            steps: Cell::new(STEPS),
            until: now + time,
            steps_until: now + step_time,
            base: (&raw const here).addr(),
            entries: Cell::new(0),
            taken: RefCell::default(),
        }
    }

    /// One value of `..` or `.[]`.
    pub(crate) fn step(&self) -> Result<(), i32> {
        let Some(left) = self.steps.get().checked_sub(1) else {
            return Err(Spent::Fuel.code());
        };
        self.steps.set(left);
        if left.is_multiple_of(CLOCK_EVERY) && worked() > self.steps_until {
            return Err(Spent::Time.code());
        }
        Ok(())
    }

    /// Bytes that can still be paid for.
    pub(crate) fn bytes_left(&self) -> usize {
        usize::try_from(self.fuel.get())
            .unwrap_or(usize::MAX)
            .saturating_mul(BYTES_A_ROUND)
    }

    pub(crate) fn spend(&self, rounds: u64) -> Result<(), i32> {
        let before = self.fuel.get();
        let Some(left) = before.checked_sub(rounds) else {
            return Err(Spent::Fuel.code());
        };
        self.fuel.set(left);
        let here = 0u8;
        if self.base.abs_diff((&raw const here).addr()) > NESTED_BYTES {
            return Err(Spent::Stack.code());
        }
        if before / CLOCK_EVERY != left / CLOCK_EVERY && worked() > self.until {
            return Err(Spent::Time.code());
        }
        Ok(())
    }
}
