//! Random interleavings of units, against a few maps.

use proptest::{collection::vec, option, prelude::*};
use tokio::runtime::Builder;

use super::empty;
use crate::contract::model::{Step, UNITS, agrees};

fn step() -> impl Strategy<Value = Step> {
    let writes = vec((0..6_u8, option::of(0..3_u8)), 0..4);
    prop_oneof![
        2 => (0..UNITS).prop_map(Step::Open),
        3 => (0..UNITS, 0..6_u8).prop_map(|(unit, key)| Step::Read(unit, key)),
        1 => (0..UNITS, 0..2_u8).prop_map(|(unit, store)| Step::List(unit, store)),
        4 => (0..UNITS, writes, 0..3_u8, option::weighted(0.2, 1..20_u8))
            .prop_map(|(unit, writes, events, handles)| Step::Commit(unit, writes, events, handles)),
        1 => (0..12_u8).prop_map(Step::Advance),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn it_does_what_the_model_does(steps in vec(step(), 1..60)) {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let (store, _directory) = empty().await;
            agrees(&*store, &steps).await;
        });
    }
}
