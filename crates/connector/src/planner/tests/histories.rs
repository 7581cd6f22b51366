//! Random histories of us and others over several records, and undos of all kinds among them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{ProptestConfig, any, proptest};
use serde_json::{Value, json};

use super::oracle::being;
use super::world::{Broken, Planner, Thing, World};
use crate::planner::{
    ChangePlan, CurrentRecords, FieldVerdict, PastChange, PlannedField, PlannedRecord, RecordAct,
    RecordNow, RecordRef, Transition, plan_undo,
};

/// Histories of one case of a property.
const HISTORIES_OF_A_CASE: u64 = 16;

/// Lives through one history; the planner is to hold at every undo.
fn live(seed: u64, planner: Planner) -> Result<(), Broken> {
    let mut world = World::new(seed, false);
    let mut last_undo = BTreeSet::new();
    for _ in 0..=world.dice.below(3) {
        for _ in 0..2 + world.dice.below(10) {
            world.go_on();
        }
        let selected = selection(&mut world, &last_undo);
        last_undo = match world.dice.below(5) {
            0 => undo_and_undo_that(&mut world, &selected, planner)?,
            1 => undo_in_two_parts(&mut world, &selected, planner)?,
            2 => undo_with_a_crash(&mut world, &selected, planner)?,
            3 => undo_what_was_seen(&mut world, &selected, planner)?,
            _ => world.undo(&selected, planner, usize::MAX)?,
        };
    }
    Ok(())
}

/// Some of our changes, undos among them.
fn selection(world: &mut World, last_undo: &BTreeSet<usize>) -> BTreeSet<usize> {
    let all = 0..world.history.len();
    match world.dice.below(5) {
        0 => all.collect(),
        1 => {
            let since = world.dice.below(all.len() + 1);
            all.skip(since).collect()
        }
        2 => {
            let last = all.len();
            all.skip(last.saturating_sub(1)).collect()
        }
        3 if !last_undo.is_empty() => last_undo.clone(),
        _ => all.filter(|_| world.dice.is_below(50)).collect(),
    }
}

/// An undo that is undone gives back what was before it. The history goes on without the second.
fn undo_and_undo_that(
    world: &mut World,
    selected: &BTreeSet<usize>,
    planner: Planner,
) -> Result<BTreeSet<usize>, Broken> {
    let before = world.shown();
    let undo = world.undo(selected, planner, usize::MAX)?;
    let mut other = world.clone();
    other.undo(&undo, planner, usize::MAX)?;
    same(&before, &other.shown(), "the undo of the undo gives back")?;
    Ok(undo)
}

/// The newer half, then the older: together they are as the whole, unless records come and go.
fn undo_in_two_parts(
    world: &mut World,
    selected: &BTreeSet<usize>,
    planner: Planner,
) -> Result<BTreeSet<usize>, Broken> {
    let is_exact = tells_values_apart(world, selected);
    let mut other = world.clone();
    let whole = other.undo(selected, planner, usize::MAX)?;
    let middle = selected
        .iter()
        .nth(selected.len() / 2)
        .copied()
        .unwrap_or_default();
    let (older, newer): (BTreeSet<_>, BTreeSet<_>) =
        selected.iter().partition(|change| **change < middle);
    let mut undo = world.undo(&newer, planner, usize::MAX)?;
    undo.extend(world.undo(&older, planner, usize::MAX)?);
    let mut changes = undo.iter().map(|change| &world.history[*change]);
    let are_changes = changes.all(|past| matches!(past.transition, Transition::Changed { .. }))
        && whole.iter().all(|change| {
            matches!(
                other.history[*change].transition,
                Transition::Changed { .. }
            )
        });
    if are_changes && is_exact {
        same(&other.shown(), &world.shown(), "two parts are the whole")?;
    }
    Ok(undo)
}

/// The program dies on the way; somebody may write meanwhile; the same selection is undone again.
fn undo_with_a_crash(
    world: &mut World,
    selected: &BTreeSet<usize>,
    planner: Planner,
) -> Result<BTreeSet<usize>, Broken> {
    let is_exact = tells_values_apart(world, selected);
    let mut other = world.clone();
    other.undo(selected, planner, usize::MAX)?;
    let sent = world.dice.below(3);
    let mut undo = world.undo(selected, planner, sent)?;
    let is_alone = world.dice.is_below(50);
    if !is_alone {
        let place = world.dice.below(world.things.len());
        world.others_change(place);
    }
    undo.extend(world.undo(selected, planner, usize::MAX)?);
    if is_alone && is_exact {
        same(
            &other.shown(),
            &world.shown(),
            "going on is the same as having gone through",
        )?;
        let again = world.undo(selected, planner, usize::MAX)?;
        same(&BTreeSet::new(), &again, "once more does nothing")?;
    }
    Ok(undo)
}

/// Whether what was undone is told by its values: they are all different, no undo, which gives back
/// one that there was, is to be undone with the rest, and no record comes back by an older deletion
/// than the one by which it is gone.
fn tells_values_apart(world: &World, selected: &BTreeSet<usize>) -> bool {
    let comes_back_by_value = |thing: &Thing| being(thing, &world.history, selected).is_by_value;
    !world.repeats
        && world.undos.is_disjoint(selected)
        && !world.things.iter().any(comes_back_by_value)
}

/// Somebody writes after the plan was seen: what it is about is as it was, or its digest is not.
fn undo_what_was_seen(
    world: &mut World,
    selected: &BTreeSet<usize>,
    planner: Planner,
) -> Result<BTreeSet<usize>, Broken> {
    let plan = |world: &World| {
        let (history, current) = world.before_planning(selected);
        planner(&history, &current)
    };
    let seen = plan(world);
    same(&seen, &plan(world), "the same is planned the same")?;
    for _ in 0..=world.dice.below(2) {
        let place = world.dice.below(world.things.len());
        world.others_change(place);
    }
    let now = plan(world);
    if seen.digest == now.digest {
        let told = |plan: &ChangePlan| -> Vec<_> {
            let records = plan.records.iter();
            let told = records.map(|record| {
                let conflicts = record.fields.iter().filter(|field| field.is_conflict());
                let conflicts: Vec<_> = conflicts.collect();
                let mut shown = json!([record.act, record.values(), conflicts]);
                order_sets(&mut shown);
                shown
            });
            told.collect()
        };
        same(&told(&seen), &told(&now), "one digest, one plan")?;
        return world.undo(selected, planner, usize::MAX);
    }
    Ok(BTreeSet::new())
}

/// Puts the items of sets in one order.
fn order_sets(shown: &mut Value) {
    match shown {
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        Value::Array(items) => items.iter_mut().for_each(order_sets),
        Value::Object(members) => members.values_mut().for_each(order_sets),
        _ => {}
    }
}

fn same<T: PartialEq + std::fmt::Debug>(one: &T, other: &T, what: &str) -> Result<(), Broken> {
    match one == other {
        true => Ok(()),
        false => Err(Broken::Otherwise(format!("{what}: {one:#?}\n{other:#?}"))),
    }
}

fn live_all(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        if let Err(Broken::ValueLost(what) | Broken::Otherwise(what)) = live(seed, plan_undo) {
            panic!("history {seed}: {what}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn others_lose_nothing_and_conflicts_are_named(seed in any::<u64>()) {
        live_all((0..HISTORIES_OF_A_CASE).map(|more| seed.wrapping_add(more)));
    }
}

/// Some minutes, on every core:
/// `cargo test -p footbridge-connector --lib a_million -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn a_million_histories() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || live_all((0..1_000_000).skip(thread).step_by(threads)));
        }
    });
}

/// What comes to mind first: what was before the first change, where it is still what the last one
/// left. What others did in between is gone.
fn plan_first_against_last(history: &[PastChange], current: &CurrentRecords) -> ChangePlan {
    let mut by_record: BTreeMap<&RecordRef, Vec<&PastChange>> = BTreeMap::new();
    for past in history.iter().filter(|past| past.is_selected) {
        by_record.entry(&past.record).or_default().push(past);
    }
    let planned = by_record.into_iter().map(|(record, changes)| {
        let RecordNow::Found { image: now, .. } = &current[record].now else {
            panic!("it is gone")
        };
        let mut ends: BTreeMap<&String, (_, _)> = BTreeMap::new();
        for past in &changes {
            let Transition::Changed { before, after } = &past.transition else {
                panic!("{past:?}")
            };
            for (field, is) in after
                .fields
                .iter()
                .filter(|(f, is)| before.fields.get(*f) != Some(is))
            {
                ends.entry(field)
                    .or_insert((before.fields.get(field), is))
                    .1 = is;
            }
        }
        let fields = ends.into_iter().map(|(field, (first, last))| PlannedField {
            field: field.clone(),
            change: changes.last().map(|past| past.change.clone()),
            verdict: match now.fields.get(field) {
                Some(is) if is == last => FieldVerdict::Set {
                    value: first.cloned(),
                    now: Some(is.clone()),
                    changed_since: false,
                },
                _ => FieldVerdict::Gone,
            },
        });
        let fields: Vec<PlannedField> = fields
            .filter(|planned| planned.verdict != FieldVerdict::Gone)
            .collect();
        let plan = PlannedRecord {
            record: record.clone(),
            name: None,
            changes: changes.iter().map(|past| past.change.clone()).collect(),
            act: if fields.is_empty() {
                RecordAct::Nothing
            } else {
                RecordAct::Change
            },
            version: now.version.clone(),
            is_already: false,
            fields,
            obstacles: Vec::new(),
            lost: None,
        };
        (plan, String::new())
    });
    ChangePlan::sealed(planned.collect())
}

#[test]
fn the_histories_break_what_comes_to_mind_first() {
    let lost = |planner: Planner| {
        let lost = (0..2_000).filter(|seed| {
            let mut world = World::new(*seed, true);
            for _ in 0..8 + world.dice.below(8) {
                world.go_on();
            }
            let all = (0..world.history.len()).collect();
            matches!(
                world.undo(&all, planner, usize::MAX),
                Err(Broken::ValueLost(_))
            )
        });
        lost.count()
    };
    assert_eq!(lost(plan_undo), 0);
    let lost = lost(plan_first_against_last);
    assert!(lost > 500, "{lost} of 2,000");
}
