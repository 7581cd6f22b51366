//! A backend in memory that we and others write to. It keeps for every field who wrote what over
//! what, so that what an undo must leave is known without asking the planner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::oracle;
use crate::planner::{
    Attached, ChangePlan, CurrentRecord, CurrentRecords, FieldEquality, Image, PastChange,
    PlannedRecord, RecordAct, RecordNow, RecordRef, RecordTraits, Transition, UnknownVerdict,
    decide_unknown, records_to_read,
};

pub(super) const FIELDS: [&str; 4] = ["a", "b", "c", "d"];
/// The field that is a set, and what may be in it. Nobody keeps who wrote which: a thing is in it or
/// not, and what is left is told by the changes.
pub(super) const SET: &str = "tags";
pub(super) const ITEMS: [&str; 3] = ["x", "y", "z"];
/// What stands for a record's being there among its fields.
pub(super) const BEING: &str = "";

/// What plans an undo.
pub(super) type Planner = fn(&[PastChange], &CurrentRecords) -> ChangePlan;

/// What is wrong with an undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// Somebody else's value was overwritten, or not given back.
    ValueLost(String),
    Otherwise(String),
}

/// A source of numbers that are the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    pub(super) fn is_below(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    Start,
    Others,
    /// We, with the change at this place of the history.
    Ours(usize),
}

/// The fields of a thing, and what is in its set.
pub(super) type ShownThing = (BTreeMap<&'static str, Value>, BTreeSet<&'static str>);

pub(super) fn equality() -> FieldEquality {
    FieldEquality::default().unordered(SET)
}

/// One value written over another.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) time: usize,
    pub(super) writer: Writer,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    /// So many writes under it are as if they had never been: an undo gave back what was before
    /// them.
    pub(super) cancels: usize,
}

/// A record through all its ids.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) id: usize,
    pub(super) version: Option<u64>,
    pub(super) is_there: bool,
    pub(super) is_attached: bool,
    pub(super) values: BTreeMap<&'static str, Value>,
    pub(super) set: BTreeSet<&'static str>,
    /// Those of the history that are of it.
    pub(super) changes: Vec<usize>,
    pub(super) writes: BTreeMap<&'static str, Vec<Write>>,
    /// When something happened to it that no change that is kept tells of.
    pub(super) unexplained_at: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) dice: Dice,
    /// Values are few and come again, and fields come and go.
    pub(super) repeats: bool,
    /// One record, which nobody makes or deletes.
    is_plain: bool,
    last_value: i64,
    last_id: usize,
    time: usize,
    pub(super) things: Vec<Thing>,
    pub(super) history: Vec<PastChange>,
    /// Which of the changes are undos.
    pub(super) undos: BTreeSet<usize>,
}

impl World {
    pub(super) fn new(seed: u64, is_plain: bool) -> Self {
        let mut dice = Dice(seed);
        let repeats = !is_plain && dice.is_below(40);
        let mut world = Self {
            repeats,
            is_plain,
            last_value: 0,
            last_id: 0,
            time: 0,
            things: Vec::new(),
            history: Vec::new(),
            undos: BTreeSet::new(),
            dice,
        };
        let count = if is_plain { 1 } else { 1 + world.dice.below(3) };
        for _ in 0..count {
            world.begin(Writer::Start);
        }
        world
    }

    fn value(&mut self) -> Value {
        if self.repeats {
            return Value::from(self.dice.below(3));
        }
        self.last_value += 1;
        Value::from(self.last_value)
    }

    fn begin(&mut self, writer: Writer) -> usize {
        self.last_id += 1;
        let mut thing = Thing {
            id: self.last_id,
            version: self.dice.is_below(50).then_some(1),
            is_there: true,
            is_attached: false,
            values: BTreeMap::new(),
            set: BTreeSet::new(),
            changes: Vec::new(),
            writes: FIELDS.iter().map(|field| (*field, Vec::new())).collect(),
            unexplained_at: Vec::new(),
        };
        thing.writes.insert(BEING, Vec::new());
        let time = self.time;
        let mut write = |field: &'static str, value: Value| {
            thing.writes.get_mut(field).unwrap().push(Write {
                time,
                writer,
                before: None,
                after: Some(value),
                cancels: 0,
            });
        };
        write(BEING, true.into());
        for field in FIELDS {
            if self.is_plain || self.dice.is_below(80) {
                let value = self.value();
                write(field, value.clone());
                thing.values.insert(field, value);
            }
        }
        if !self.is_plain {
            let items = ITEMS.into_iter().filter(|_| self.dice.is_below(40));
            thing.set = items.collect();
        }
        self.things.push(thing);
        self.things.len() - 1
    }

    /// Something happens: we or others write.
    pub(super) fn go_on(&mut self) {
        self.time += 1;
        let place = self.dice.below(self.things.len());
        match self.dice.below(100) {
            0..45 => self.we_change(place),
            45..80 => self.others_change(place),
            _ if self.is_plain => {}
            80..86 => {
                let writer = Writer::Ours(self.history.len());
                let place = self.begin(writer);
                let after = self.things[place].image();
                self.record(
                    place,
                    Transition::Made {
                        after,
                        instead_of: None,
                    },
                );
            }
            86..91 if self.things[place].is_there => {
                let before = self.things[place].image();
                let writer = Writer::Ours(self.history.len());
                self.things[place].is_there = false;
                self.write(place, BEING, writer, None, 0);
                self.record(place, Transition::Deleted { before });
            }
            91..94 if self.things[place].is_there => {
                self.things[place].is_there = false;
                self.things[place].unexplained_at.push(self.time);
                self.write(place, BEING, Writer::Others, None, 0);
            }
            94..98 if self.things[place].is_there => {
                // a comment: no field shows it
                self.things[place].unexplained_at.push(self.time);
                self.things[place].move_on();
            }
            98 => self.things[place].is_attached = true,
            _ => {}
        }
    }

    fn we_change(&mut self, place: usize) {
        if !self.things[place].is_there {
            return;
        }
        let before = self.things[place].image();
        let writer = Writer::Ours(self.history.len());
        for _ in 0..=self.dice.below(3) {
            self.change_one(place, writer);
        }
        self.things[place].move_on();
        let after = self.things[place].image();
        let transition = match !self.is_plain && self.dice.is_below(4) {
            true => {
                self.things[place].unexplained_at.push(self.time);
                Transition::NotKept {
                    why: "it was too large".to_owned(),
                }
            }
            false => Transition::Changed { before, after },
        };
        self.record(place, transition);
    }

    pub(super) fn others_change(&mut self, place: usize) {
        if !self.things[place].is_there {
            return;
        }
        self.time += 1;
        for _ in 0..=self.dice.below(2) {
            self.change_one(place, Writer::Others);
        }
        self.things[place].unexplained_at.push(self.time);
        self.things[place].move_on();
    }

    fn change_one(&mut self, place: usize, writer: Writer) {
        if !self.is_plain && self.dice.is_below(25) {
            for item in ITEMS.into_iter().filter(|_| self.dice.is_below(50)) {
                let set = &mut self.things[place].set;
                if !set.remove(item) {
                    set.insert(item);
                }
            }
            return;
        }
        let field = FIELDS[self.dice.below(FIELDS.len())];
        let removes = self.repeats && self.dice.is_below(20);
        let value = (!removes).then(|| self.value());
        if self.things[place].values.get(field) != value.as_ref() {
            self.write(place, field, writer, value, 0);
        }
    }

    fn write(
        &mut self,
        place: usize,
        field: &'static str,
        writer: Writer,
        after: Option<Value>,
        cancels: usize,
    ) {
        let thing = &mut self.things[place];
        let writes = &thing.writes[field];
        let before = oracle::value_left(writes, writes.len());
        let write = Write {
            time: self.time,
            writer,
            before,
            after: after.clone(),
            cancels,
        };
        thing.writes.get_mut(field).unwrap().push(write);
        if field != BEING {
            match after {
                Some(value) => thing.values.insert(field, value),
                None => thing.values.remove(field),
            };
        }
    }

    fn record(&mut self, place: usize, transition: Transition) {
        self.things[place].changes.push(self.history.len());
        self.history.push(PastChange {
            change: format!("c{}", self.history.len()),
            record: self.things[place].record(),
            transition,
            is_selected: false,
        });
    }

    /// The history with a selection of it, and the records that planning needs, as they are.
    pub(super) fn before_planning(
        &self,
        selected: &BTreeSet<usize>,
    ) -> (Vec<PastChange>, CurrentRecords) {
        let mut history = self.history.clone();
        for place in selected {
            history[*place].is_selected = true;
        }
        let wanted = records_to_read(&history);
        let things = self
            .things
            .iter()
            .filter(|thing| wanted.contains(&thing.record()));
        let current: CurrentRecords = things
            .map(|thing| (thing.record(), thing.current()))
            .collect();
        assert_eq!(
            current.len(),
            wanted.len(),
            "every record to be read is one that there was"
        );
        (history, current)
    }

    /// Undoes a selection, or the first records of its plan, and looks at what became of them.
    /// Gives back the places of the changes that this made.
    pub(super) fn undo(
        &mut self,
        selected: &BTreeSet<usize>,
        planner: Planner,
        at_most: usize,
    ) -> Result<BTreeSet<usize>, Broken> {
        let (history, current) = self.before_planning(selected);
        let plan = planner(&history, &current);
        if plan.records.len() != current.len() {
            return Err(Broken::Otherwise(format!(
                "a record is not in the plan: {plan:?}"
            )));
        }
        self.time += 1;
        let first = self.history.len();
        for planned in plan.records.iter().take(at_most) {
            let id: usize = planned.record.id.parse().unwrap();
            let place = self.things.iter().position(|thing| thing.id == id).unwrap();
            let before = self.things[place].clone();
            let going = oracle::being(&before, &history, selected).going;
            self.apply(place, planned, &going)?;
            let after = &self.things[place];
            let seen = oracle::Seen {
                history: &history,
                selected,
                undos: &self.undos,
                before: &before,
                after,
                planned,
            };
            seen.check(self.repeats).map_err(|broken| {
                let more = format!("\n{planned:?}\nbefore {before:?}\nafter {after:?}");
                let more = history
                    .iter()
                    .fold(more, |more, past| format!("{more}\n{past:?}"));
                match broken {
                    Broken::ValueLost(what) => Broken::ValueLost(what + &more),
                    Broken::Otherwise(what) => Broken::Otherwise(what + &more),
                }
            })?;
        }
        let made: BTreeSet<usize> = (first..self.history.len()).collect();
        self.undos.extend(&made);
        Ok(made)
    }

    /// Sends what is planned for a record, and records it.
    fn apply(
        &mut self,
        place: usize,
        planned: &PlannedRecord,
        going: &BTreeSet<usize>,
    ) -> Result<(), Broken> {
        let otherwise = |what: &str| Err(Broken::Otherwise(format!("{what}: {planned:?}")));
        let thing = self.things[place].clone();
        let (before, values) = (thing.image(), planned.values());
        let writer = Writer::Ours(self.history.len());
        let is_there = thing.is_there;
        match planned.act {
            RecordAct::Nothing => return Ok(()),
            RecordAct::Change | RecordAct::Delete if !is_there => return otherwise("it is gone"),
            RecordAct::Make if is_there => return otherwise("it is there"),
            RecordAct::Change | RecordAct::Delete if planned.version != before.version => {
                return otherwise("its version is another");
            }
            RecordAct::Change | RecordAct::Make => {
                let now = match planned.act {
                    RecordAct::Change => thing.values.clone(),
                    _ => BTreeMap::new(),
                };
                for field in FIELDS {
                    let writes = &thing.writes[field];
                    let is = oracle::value_left(writes, writes.len());
                    let value = match values.get(field) {
                        Some(value) => value.clone(),
                        None => now.get(field).cloned(),
                    };
                    match &value {
                        Some(value) => self.things[place].values.insert(field, value.clone()),
                        None => self.things[place].values.remove(field),
                    };
                    if value != is {
                        let cancels = self.cancelled(place, field, going, value.as_ref());
                        self.write(place, field, writer, value, cancels);
                    }
                }
                let is_made = planned.act == RecordAct::Make;
                match values.get(SET) {
                    Some(Some(Value::Array(items))) => {
                        let is_in = |item: &&str| items.contains(&Value::from(*item));
                        self.things[place].set = ITEMS.into_iter().filter(is_in).collect();
                    }
                    Some(other) => return otherwise(&format!("a set is to be {other:?}")),
                    None if is_made => self.things[place].set.clear(),
                    None => {}
                }
                if is_made {
                    let cancels = self.cancelled(place, BEING, going, Some(&true.into()));
                    self.write(place, BEING, writer, Some(true.into()), cancels);
                    self.last_id += 1;
                    let thing = &mut self.things[place];
                    (thing.is_there, thing.id, thing.is_attached) = (true, self.last_id, false);
                    thing.version = thing.version.map(|_| 1);
                    let (after, instead_of) = (thing.image(), Some(planned.record.clone()));
                    self.record(place, Transition::Made { after, instead_of });
                } else {
                    self.things[place].move_on();
                    let after = self.things[place].image();
                    let sent = Transition::Changed {
                        after: before.with(&values),
                        before,
                    };
                    self.decide_as_unknown(&sent, &thing, place)?;
                    let Transition::Changed { before, .. } = sent else {
                        unreachable!()
                    };
                    self.record(place, Transition::Changed { before, after });
                }
            }
            RecordAct::Delete => {
                // what the changes of it wrote is undone with it
                for field in FIELDS {
                    let writes = &thing.writes[field];
                    let left = oracle::left_in_effect(writes, going, 0);
                    let value = oracle::value_left(writes, left);
                    if left < writes.len() && value.as_ref() != thing.values.get(field) {
                        self.write(place, field, writer, value, writes.len() - left);
                    }
                }
                let cancels = self.cancelled(place, BEING, going, None);
                self.write(place, BEING, writer, None, cancels);
                self.things[place].is_there = false;
                // as it was when it was deleted
                self.things[place].values = thing.values.clone();
                self.record(place, Transition::Deleted { before });
            }
        }
        Ok(())
    }

    /// How many writes of a field are as if they had never been, once it has this value again.
    fn cancelled(
        &self,
        place: usize,
        field: &'static str,
        going: &BTreeSet<usize>,
        value: Option<&Value>,
    ) -> usize {
        let writes = &self.things[place].writes[field];
        let left = oracle::left_in_effect(writes, going, 0);
        let has_value = |left: &usize| oracle::value_left(writes, *left).as_ref() == value;
        let given_back = Some(left).filter(has_value);
        // where values are all different, one that comes back comes from where it was
        let older = || {
            (0..writes.len())
                .rev()
                .find(has_value)
                .filter(|_| !self.repeats)
        };
        given_back
            .or_else(older)
            .map_or(0, |left| writes.len() - left)
    }

    /// Had the program died before or behind the request, now tells which.
    fn decide_as_unknown(
        &self,
        sent: &Transition,
        before: &Thing,
        place: usize,
    ) -> Result<(), Broken> {
        let decided = |thing: &Thing| decide_unknown(sent, &thing.current().now, &equality());
        let (unsent, done) = (decided(before), decided(&self.things[place]));
        let never = UnknownVerdict::NeverHappened {
            changed_since: false,
        };
        if (&unsent, &done) != (&never, &UnknownVerdict::Done) {
            return Err(Broken::Otherwise(format!(
                "decided as {unsent:?} and {done:?}: {sent:?}"
            )));
        }
        Ok(())
    }

    /// What is there, whatever its ids and versions.
    pub(super) fn shown(&self) -> Vec<Option<ShownThing>> {
        let shown = self.things.iter();
        shown
            .map(|thing| {
                let shown = || (thing.values.clone(), thing.set.clone());
                thing.is_there.then(shown)
            })
            .collect()
    }
}

impl Thing {
    pub(super) fn record(&self) -> RecordRef {
        RecordRef::new("backend", "thing", self.id.to_string())
    }

    pub(super) fn image(&self) -> Image {
        let names = self.values.keys().copied().chain([SET]);
        let fields = names.filter_map(|name| Some((name.to_owned(), self.value(name)?)));
        Image::new(fields, self.version.map(Value::from))
    }

    /// The value of a field. In which order a set comes tells nothing.
    pub(super) fn value(&self, field: &str) -> Option<Value> {
        if field != SET {
            return self.values.get(field).cloned();
        }
        let mut items: Vec<&str> = self.set.iter().copied().collect();
        if self.unexplained_at.len() % 2 == 1 {
            items.reverse();
        }
        Some(Value::from(items))
    }

    fn current(&self) -> CurrentRecord {
        let now = match self.is_there {
            true => RecordNow::Found {
                image: self.image(),
                attached: self
                    .is_attached
                    .then(|| Attached::Other("a task".to_owned()))
                    .into_iter()
                    .collect(),
            },
            false => RecordNow::Gone,
        };
        CurrentRecord {
            now,
            name: None,
            traits: RecordTraits {
                equality: equality(),
                ..RecordTraits::default()
            },
        }
    }

    fn move_on(&mut self) {
        self.version = self.version.map(|version| version + 1);
    }
}
