//! No input makes a reader panic or take memory without measure. The long run is the example `mutate`.

mod support;

use support::mutation;

#[test]
fn mutated_input_neither_panics_nor_takes_memory_without_measure() {
    let summary = mutation::run(20_000, 1);
    assert_eq!((&summary.panics[..], &summary.greedy[..]), (&[][..], &[][..]), "{summary}");
    assert!(summary.accepted > summary.inputs / 50, "the damage must leave something to read: {summary}");
    assert!(summary.accepted < summary.inputs / 2, "the damage must be felt: {summary}");
}
