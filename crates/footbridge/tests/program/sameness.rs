//! Two values are the same for what keeps calls and second calls, and for what plans an undo, or
//! for neither: a wall stands between the two, and one rule.

use footbridge_connector::FieldEquality;
use footbridge_mcp::canonical_json;
use proptest::prelude::{
    BoxedStrategy, Just, ProptestConfig, Strategy as _, any, prop_assert_eq, prop_oneof, proptest,
};
use serde_json::{Map, Value};

/// Numbers that are one in several spellings, and some that only look alike.
const NUMBERS: [&str; 14] = [
    "0",
    "-0",
    "0.0",
    "-0.0",
    "1",
    "1.0",
    "1e0",
    "1.5",
    "100",
    "1e2",
    "9007199254740993",
    "9007199254740992.0",
    "1e300",
    "-1",
];

/// Few values, so that two of them are often the same.
fn value() -> BoxedStrategy<Value> {
    let number = (0..NUMBERS.len()).prop_map(|place| serde_json::from_str(NUMBERS[place]).unwrap());
    let leaf = prop_oneof![
        number,
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "[a1 ]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("[ab]", inner), 0..3)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
    .boxed()
}

/// The same value with its maps turned round and its numbers in another spelling.
fn respelled(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let small = number.as_f64().filter(|float| float.abs() < 1e15);
            small.map_or_else(|| value.clone(), Value::from)
        }
        Value::Array(items) => items.iter().map(respelled).collect(),
        Value::Object(members) => {
            let turned = members.iter().rev();
            let turned = turned.map(|(name, value)| (name.clone(), respelled(value)));
            turned.collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn are_same(one: &Value, other: &Value) -> (bool, bool) {
    let planner = FieldEquality::default().is_same("field", Some(one), Some(other));
    (planner, canonical_json(one) == canonical_json(other))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_planner_and_the_keys_of_calls_take_the_same_values_for_one(
        one in value(), other in value(),
    ) {
        let (planner, keys) = are_same(&one, &other);
        prop_assert_eq!(planner, keys, "{} {}", one, other);
        prop_assert_eq!(are_same(&one, &respelled(&one)), (true, true), "{}", one);
    }
}
