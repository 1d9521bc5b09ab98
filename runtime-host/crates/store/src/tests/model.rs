//! Random interleavings of units, and of what owners do to journals, against a few maps.

use proptest::{collection::vec, option, prelude::*};
use tokio::runtime::Builder;

use super::empty;
use crate::{
    Config, Embedded,
    contract::{
        journal::model as journals,
        model::{Step, UNITS, agrees},
    },
};

pub(crate) fn step() -> impl Strategy<Value = Step> {
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

fn append() -> impl Strategy<Value = journals::Step> {
    let off = prop_oneof![6 => Just(0_i64), 3 => -2..0_i64, 1 => 1..3_i64];
    let runs = 0..journals::RUNS.len();
    (runs, 1..4_u64, off, option::of(0..3_u8), 0..6_usize).prop_map(
        |(run, epoch, off, says, standing)| journals::Step::Append {
            run,
            epoch,
            off,
            says,
            standing,
        },
    )
}

fn ask() -> impl Strategy<Value = journals::Ask> {
    let prefix = (0..journals::RUNS.len(), 0..7_usize);
    (
        vec(0..6_usize, 0..4),
        option::weighted(0.3, 0..2_usize),
        option::weighted(0.3, 0..3_usize),
        option::weighted(0.3, prefix),
    )
        .prop_map(|(standings, component, subject, prefix)| journals::Ask {
            standings,
            component,
            subject,
            prefix,
        })
}

pub(crate) fn journal_step() -> impl Strategy<Value = journals::Step> {
    prop_oneof![
        12 => append(),
        2 => (0..journals::RUNS.len()).prop_map(journals::Step::Purge),
        4 => (ask(), 1..4_usize).prop_map(|(ask, limit)| journals::Step::List(ask, limit)),
        1 => Just(journals::Step::Reopen),
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

    #[test]
    fn its_journals_do_what_the_model_does(steps in vec(journal_step(), 1..40)) {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let open = || Embedded::open(Config::new(directory.path())).unwrap();
            journals::agrees(open(), &steps, async |store: Embedded| {
                store.close().await;
                drop(store);
                open()
            })
            .await;
        });
    }
}
