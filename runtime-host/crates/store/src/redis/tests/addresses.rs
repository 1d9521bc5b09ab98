//! Where servers are, and who is let in.

use skald_core::store::StoreError;
use test_redis::{Cluster, Options, Server};

use super::{Whole, address, config, server};
use crate::{
    contract::{commit, key, set, value},
    redis::{Address, OpenError, Redis},
};

#[test]
fn addresses_are_read_and_shown_without_their_passwords() {
    for (text, shown) in [
        ("redis://localhost", "redis://localhost"),
        ("rediss://me:secret@host:1/2", "rediss://host:1/2"),
        ("redis+cluster://:secret@a:1,b:2", "redis+cluster://a:1,b:2"),
        (
            "rediss+sentinel://me:p@ss@a,b:2/main/3",
            "rediss+sentinel://a,b:2/main/3",
        ),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), shown);
        assert_eq!(format!("{address:?}"), shown);
        assert_eq!(address.is_cluster(), text.contains("cluster"));
    }
    for bad in [
        "",
        "host:1",
        "http://host",
        "redis+ring://a",
        "redis+sentinel://a:1",
        "redis://host:port",
    ] {
        let error = bad.parse::<Address>().unwrap_err();
        assert!(error.to_string().contains("; write redis://"), "{error}");
    }
}

#[tokio::test]
async fn who_has_no_password_is_not_let_in_and_hears_it_at_once() {
    let server = Server::start(Options::default().password("secret")).unwrap();
    let url = format!("redis://{}", server.address());
    let refused = Redis::open(config("app", &url)).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Store(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    let store = Whole::open("app", &server.url()).await;
    commit(&store, set(&key("stock", "apple"), "1")).await;
}

#[tokio::test]
async fn a_user_who_may_see_one_application_only_is_enough() {
    let server = server();
    let rules = [
        "ACL",
        "SETUSER",
        "skald",
        "on",
        ">secret",
        "~skald:app:*",
        "&skald:app:*",
        "&t",
        "+@all",
        "-@admin",
        "-@dangerous",
        "+info",
    ];
    server.ask(&rules).unwrap();
    let url = format!("redis://skald:secret@{}", server.address());
    let store = Whole::open("app", &url).await;
    let apple = key("stock", "apple");
    commit(&store, set(&apple, "1")).await;
    commit(
        &store,
        crate::contract::publish(&[crate::contract::event("t", "1")]),
    )
    .await;
    assert_eq!(value(&store, &apple).await.unwrap(), "1");
    assert!(Redis::open(config("other", &url)).await.is_err());
}

#[tokio::test]
async fn a_server_that_drops_data_is_refused() {
    let options = Options::default()
        .with("maxmemory", "100mb")
        .with("maxmemory-policy", "allkeys-lru");
    let server = Server::start(options.clone()).unwrap();
    let cluster = Cluster::start_with(3, &options).unwrap();
    let refused = Redis::open(config("app", &address(&cluster))).await;
    assert!(matches!(refused, Err(OpenError::Unfit(_))), "{refused:?}");
    let refused = Redis::open(config("app", &server.url())).await.unwrap_err();
    insta::assert_snapshot!(
        refused,
        @"this Redis is not fit to keep data: maxmemory-policy: allkeys-lru; When its memory is full it throws keys away: state, events and journals.; CONFIG SET maxmemory-policy noeviction"
    );
}
