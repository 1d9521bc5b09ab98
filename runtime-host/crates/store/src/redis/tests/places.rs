//! Where data lies, and who finds it.

use skald_core::event::{
    EventLog as _,
    archive::{Archive as _, Keep},
};
use test_redis::Cluster;

use super::{Whole, address, server};
use crate::{
    contract::{
        at, book, key,
        log::{interest, part, published},
        set,
    },
    redis::{Config, Granted, OpenError, Redis},
};

async fn open(url: &str, granted: &[(&str, &[&str])]) -> Result<Redis, OpenError> {
    let components = granted.iter().map(|(component, stores)| Granted {
        component: (*component).into(),
        stores: stores.iter().map(|store| (*store).into()).collect(),
    });
    let config = Config::new("app", url.parse().unwrap());
    Redis::open(Config {
        components: components.collect(),
        ..config
    })
    .await
}

async fn apples(redis: &Redis, component: &str) -> Option<String> {
    let mut view = redis.of(component).snapshot().await.unwrap();
    let found = view.get(&key("stock", "apples")).await.unwrap().value;
    found.map(|value| String::from_utf8_lossy(&value).into_owned())
}

#[tokio::test]
async fn a_renamed_component_finds_its_data() {
    let server = server();
    let before = open(&server.url(), &[("inventory", &["stock"])])
        .await
        .unwrap();
    let change = set(&key("stock", "apples"), "7");
    before.of("inventory").commit(change, at(0)).await.unwrap();
    let after = open(&server.url(), &[("warehouse", &["stock"])])
        .await
        .unwrap();
    assert_eq!(apples(&after, "warehouse").await.unwrap(), "7");
    let again = open(
        &server.url(),
        &[("inventory", &[]), ("warehouse", &["stock"])],
    )
    .await
    .unwrap();
    assert_eq!(apples(&again, "inventory").await.unwrap(), "7");
}

#[tokio::test]
async fn components_with_stores_in_several_places_commit_to_all_of_them_on_one_server() {
    let server = server();
    drop(
        open(&server.url(), &[("a", &["stock"]), ("b", &["other"])])
            .await
            .unwrap(),
    );
    let redis = open(&server.url(), &[("a", &["stock", "other"])])
        .await
        .unwrap();
    let mut change = set(&key("stock", "apples"), "1");
    change
        .writes
        .extend(set(&key("other", "apples"), "2").writes);
    let store = redis.of("a");
    store.commit(change, at(0)).await.unwrap();
    let mut view = store.snapshot().await.unwrap();
    assert_eq!(
        view.get(&key("stock", "apples"))
            .await
            .unwrap()
            .value
            .unwrap(),
        "1"
    );
    assert_eq!(
        view.get(&key("other", "apples"))
            .await
            .unwrap()
            .value
            .unwrap(),
        "2"
    );
    // The other place has moved on too.
    let mut other = redis.of("b").snapshot().await.unwrap();
    assert!(other.get(&key("other", "apples")).await.unwrap().version > 0);
}

#[tokio::test]
async fn other_programs_see_how_far_subscribers_are_and_lose_nothing_they_still_need() {
    let server = server();
    let store = Whole::open("app", &server.url()).await;
    let numbers = published(&store, 3).await;
    let part = part(&store).await;
    let shard = part.rsplit_once('/').unwrap().1;
    let stream = format!("skald:app:{{writer}}:log:{shard}");
    server
        .ask(&["XGROUP", "CREATE", &stream, "theirs", "0"])
        .unwrap();
    server
        .ask(&[
            "XREADGROUP",
            "GROUP",
            "theirs",
            "one",
            "COUNT",
            "2",
            "STREAMS",
            &stream,
            ">",
        ])
        .unwrap();
    store
        .advance(&book("cart", &part), 0, numbers[2])
        .await
        .unwrap();
    let groups = server.ask(&["XINFO", "GROUPS", &stream]).unwrap();
    assert!(
        groups.contains("cart") && groups.contains("theirs"),
        "{groups}"
    );
    let all = Keep {
        after: u64::MAX,
        since: Some(at(1_000)),
        bytes: None,
    };
    // Two are with them and not acknowledged.
    assert_eq!(store.trim(&part, all).await.unwrap(), 0);
    server
        .ask(&[
            "XREADGROUP",
            "GROUP",
            "theirs",
            "one",
            "NOACK",
            "STREAMS",
            &stream,
            ">",
        ])
        .unwrap();
    server
        .ask(&["XGROUP", "DELCONSUMER", &stream, "theirs", "one"])
        .unwrap();
    assert_eq!(store.trim(&part, all).await.unwrap(), 3);
}

#[tokio::test]
async fn in_a_cluster_a_component_whose_stores_are_in_several_places_is_refused() {
    let cluster = Cluster::start(3).unwrap();
    let url = address(&cluster);
    drop(
        open(&url, &[("a", &["stock"]), ("b", &["other"])])
            .await
            .unwrap(),
    );
    let refused = open(&url, &[("a", &["stock", "other"])]).await.unwrap_err();
    insta::assert_snapshot!(
        refused,
        @r#"component "a" has its data in place "a", and its store "other" is in place "b": a cluster cannot commit to both at once; do not share the store, or use one server with Sentinel"#
    );
}

#[tokio::test]
async fn a_subscriber_reads_on_past_what_is_not_kept_any_more() {
    let server = server();
    let store = Whole::open("app", &server.url()).await;
    let numbers = published(&store, 3).await;
    let cart = book("cart", &part(&store).await);
    let all = Keep {
        after: u64::MAX,
        since: Some(at(1_000_000)),
        bytes: None,
    };
    assert_eq!(store.trim(&cart.partition, all).await.unwrap(), 3);
    let wants = interest("cart", &["t"]);
    let stretch = store.read_on(&cart, &wants, 0, 9).await.unwrap();
    assert_eq!((stretch.events.len(), stretch.to), (0, numbers[2]));
}
