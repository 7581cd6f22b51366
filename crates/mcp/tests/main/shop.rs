//! The shop of the examples, counted: its length is what people compare libraries by.

#[test]
fn the_shop_is_short_and_shorter_than_with_rmcp() {
    let written = |source: &str| {
        source
            .lines()
            .filter(|line| !line.trim().is_empty())
            .count()
    };
    let ours = written(include_str!("../../examples/shop/main.rs"));
    let theirs = written(include_str!(
        "../../../../bench/peers/examples/rmcp_shop.rs"
    ));
    assert!(
        ours <= 220 && ours < theirs,
        "{ours} lines against {theirs}"
    );
}
