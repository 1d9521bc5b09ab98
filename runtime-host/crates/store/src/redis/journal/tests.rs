//! Journals in Redis: the contract, the model, lost answers, owners that were fenced off, and servers that lost data.

mod faults;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use proptest::{collection::vec, prelude::*};
use skald_core::saga::journal::{Filter, Journal as _, Standing, Summary};
use test_redis::{Cluster, Options, Server};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    contract::{
        at,
        journal::{
            all, begin,
            model::{Step, agrees},
        },
    },
    redis::{Config, Redis},
    tests::model::journal_step,
};

mod on_a_server {
    crate::contract_suite!(super::server, journals);
}

mod in_a_cluster {
    crate::contract_suite!(super::cluster, journals);
}

async fn server() -> (Arc<Redis>, Server) {
    let server = durable();
    (Arc::new(open("app", server.url()).await), server)
}

async fn cluster() -> (Arc<Redis>, Cluster) {
    let cluster = Cluster::start(3).unwrap();
    (Arc::new(open("app", address(&cluster)).await), cluster)
}

fn durable() -> Server {
    Server::start(Options::default()).unwrap()
}

fn address(cluster: &Cluster) -> String {
    let hosts = cluster.addresses();
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    format!("redis+cluster://{}", hosts.join(","))
}

async fn open(application: &str, url: impl fmt::Display) -> Redis {
    let address = url.to_string().parse().unwrap();
    Redis::open(Config::new(application, address))
        .await
        .unwrap()
}

/// Compares with the model what random steps do, each time as another application of the same servers.
fn agree(url: &str, cases: u32) {
    let runtime = Runtime::new().unwrap();
    let case = AtomicU32::new(0);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    proptest!(config, |(steps in vec(journal_step(), 1..40))| {
        let application = case.fetch_add(1, Ordering::Relaxed).to_string();
        runtime.block_on(compare(&application, url, &steps));
    });
}

async fn compare(application: &str, url: &str, steps: &[Step]) {
    let reopen = async |store| {
        drop::<Redis>(store);
        open(application, url).await
    };
    agrees(open(application, url).await, steps, reopen).await;
}

/// Longer than what is asked of a bucket at once, in pages that are not.
#[tokio::test]
async fn a_long_list_comes_whole_in_any_pages() {
    let (store, _server) = server().await;
    let mut appends = JoinSet::new();
    let mut expected = Vec::new();
    for number in 0..6_000_u64 {
        let mut append = begin(&format!("run_{number:x}"));
        append.summary.started_at = at(number * 7 % 100);
        if number % 50 == 0 {
            append.summary.standing = Standing::Parked;
        }
        expected.push(append.summary.clone());
        let store = Arc::clone(&store);
        appends.spawn(async move { store.append(append).await.unwrap() });
    }
    appends.join_all().await;
    expected.sort_by_key(|one| (one.started_at, one.run.clone()));
    let parked = expected
        .iter()
        .filter(|one| one.standing == Standing::Parked);
    let parked: Vec<_> = parked.cloned().collect();
    for limit in [usize::MAX, 1_000] {
        assert_eq!(pages(&store, vec![], limit).await, expected);
        let all = Standing::ALL.to_vec();
        assert_eq!(pages(&store, all, limit).await, expected);
    }
    let standings = vec![Standing::Parked, Standing::Failed];
    assert_eq!(pages(&store, standings, 50).await, parked);
    let of_a_subject = Filter {
        subject: Some("subject of run_1".to_owned()),
        ..all()
    };
    assert_eq!(store.list(&of_a_subject).await.unwrap().len(), 1);
}

async fn pages(store: &Redis, standings: Vec<Standing>, limit: usize) -> Vec<Summary> {
    let mut filter = Filter {
        standings,
        limit,
        ..Filter::default()
    };
    let mut found: Vec<Summary> = Vec::new();
    loop {
        let mut page = store.list(&filter).await.unwrap();
        let Some(last) = page.last() else {
            return found;
        };
        filter.after = Some(last.run.clone());
        found.append(&mut page);
    }
}

#[test]
fn journals_on_a_server_do_what_the_model_does() {
    agree(&durable().url(), 48);
}

#[test]
fn journals_in_a_cluster_do_what_the_model_does() {
    let cluster = Cluster::start(3).unwrap();
    agree(&address(&cluster), 12);
}
