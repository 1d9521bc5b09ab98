//! The list of runs: its order, its pages, and what can be asked of it.

use std::sync::Arc;

use skald_core::saga::{
    RunId,
    journal::{Append, Filter, Journal, Standing},
};

use super::{
    at,
    journal::{all, begin, next, standing},
};

async fn check(store: &impl Journal, filter: Filter, expected: &[&str]) {
    let found = store.list(&filter).await.unwrap();
    let found: Vec<_> = found.iter().map(|one| one.run.as_str()).collect();
    assert_eq!(found, expected, "{filter:?}");
}

async fn begin_four(store: &impl Journal) {
    for (run, time) in [("run_c", 2), ("run_b", 1), ("run_d", 1), ("run_a", 3)] {
        let mut append = begin(run);
        append.summary.started_at = at(time);
        store.append(append).await.unwrap();
    }
}

/// Those that began at once come in the order of their ids.
pub async fn the_list_is_in_the_order_of_beginnings<S: Journal>(store: Arc<S>) {
    begin_four(&*store).await;
    let in_order = ["run_b", "run_d", "run_c", "run_a"];
    check(&*store, all(), &in_order).await;
    let component = Some("checkout".to_owned());
    check(&*store, Filter { component, ..all() }, &in_order).await;
    let prefix = Some("run_".to_owned());
    check(&*store, Filter { prefix, ..all() }, &in_order).await;
    let prefix = Some(String::new());
    check(&*store, Filter { prefix, ..all() }, &in_order).await;
    let standings = Standing::ALL.to_vec();
    let filter = Filter { standings, ..all() };
    check(&*store, filter, &in_order).await;
}

/// A page begins after the run that the last one ended with; after a run that is not there, nothing comes.
pub async fn the_list_comes_in_pages<S: Journal>(store: Arc<S>) {
    begin_four(&*store).await;
    let page = async |after: Option<&str>, limit, expected: &[&str]| {
        let filter = Filter {
            after: after.map(RunId::from),
            limit,
            ..Filter::default()
        };
        check(&*store, filter, expected).await;
    };
    page(None, 3, &["run_b", "run_d", "run_c"]).await;
    page(Some("run_b"), 2, &["run_d", "run_c"]).await;
    page(Some("run_c"), 2, &["run_a"]).await;
    page(Some("run_a"), 2, &[]).await;
    page(Some("run_e"), 2, &[]).await;
    page(None, 0, &[]).await;
}

async fn begin_some_of_each(store: &impl Journal) {
    let of = |run: &str, component: &str, subject: &str| {
        let mut append = begin(run);
        append.summary.component = component.to_owned();
        append.summary.subject = subject.to_owned();
        append
    };
    let parked: Append = of("run_ab", "checkout", "order-2");
    for append in [
        of("run_aa", "checkout", "order-1"),
        parked.clone(),
        of("run_b_", "refund", "order-1"),
        of("run_b%", "refund", ""),
        standing(next(&parked), Standing::Parked),
    ] {
        store.append(append).await.unwrap();
    }
}

/// A standing is the one of the last entry.
pub async fn the_list_holds_what_is_asked_for<S: Journal>(store: Arc<S>) {
    const ALL: &[&str] = &["run_aa", "run_ab", "run_b%", "run_b_"];
    begin_some_of_each(&*store).await;
    for (name, expected) in [("checkout", &ALL[..2]), ("check", &[]), ("", &[])] {
        let component = Some(name.to_owned());
        check(&*store, Filter { component, ..all() }, expected).await;
    }
    let of_order = ["run_aa", "run_b_"];
    for (name, expected) in [("order-1", &of_order[..]), ("", &["run_b%"]), ("o", &[])] {
        let subject = Some(name.to_owned());
        check(&*store, Filter { subject, ..all() }, expected).await;
    }
    for (text, expected) in [
        ("run_a", &ALL[..2]),
        ("run_b_", &["run_b_"]),
        ("RUN_a", &[]),
        ("run", ALL),
    ] {
        let prefix = Some(text.to_owned());
        check(&*store, Filter { prefix, ..all() }, expected).await;
    }
    let (running, parked) = (Standing::Running, Standing::Parked);
    for (standings, expected) in [
        (vec![parked], &["run_ab"][..]),
        (vec![parked, running, parked], ALL),
        (vec![Standing::Failed], &[]),
    ] {
        let filter = Filter { standings, ..all() };
        check(&*store, filter, expected).await;
    }
}

/// What is asked for has to be so in every way.
pub async fn the_list_holds_what_is_asked_for_in_several_ways<S: Journal>(store: Arc<S>) {
    begin_some_of_each(&*store).await;
    let component = |name: &str| Filter {
        component: Some(name.to_owned()),
        ..all()
    };
    let parked = |filter| Filter {
        standings: vec![Standing::Parked],
        ..filter
    };
    let about = |subject: &str, filter| Filter {
        subject: Some(subject.to_owned()),
        ..filter
    };
    let beginning = |prefix: &str, filter| Filter {
        prefix: Some(prefix.to_owned()),
        ..filter
    };
    check(&*store, parked(component("checkout")), &["run_ab"]).await;
    check(&*store, parked(component("refund")), &[]).await;
    let first = |filter| about("order-1", filter);
    check(&*store, first(component("checkout")), &["run_aa"]).await;
    check(&*store, parked(first(all())), &[]).await;
    check(&*store, beginning("run_b", first(all())), &["run_b_"]).await;
    check(&*store, parked(beginning("run_a", all())), &["run_ab"]).await;
    let refund = component("refund");
    check(&*store, beginning("run_a", refund), &[]).await;
}
