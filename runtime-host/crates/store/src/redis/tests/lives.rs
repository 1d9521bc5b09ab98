//! Other servers than before: who is told, and what comes too late.

use skald_core::{
    event::EventLog as _,
    saga::journal::Journal as _,
    store::{Change, CommitError, Store as _, StoreError},
};
use test_redis::{Cluster, Options, Proxy, Server};

use super::{Whole, address, server};
use crate::{
    contract::{
        at, book, commit, event, get, handle, key,
        log::{part, read},
        publish, set, value,
    },
    redis::Notice,
};

/// A server behind a line, and a replica of it that copies no more.
async fn lagging() -> (Whole, Proxy, [Server; 2]) {
    let primary = server();
    let line = Proxy::start(primary.address()).unwrap();
    let store = Whole::open("app", &line.url()).await;
    commit(&store, publish(&[event("t", "1"), event("t", "2")])).await;
    let mut replica = primary.replica(Options::default()).unwrap();
    replica.promote().unwrap();
    (store, line, [primary, replica])
}

#[tokio::test]
async fn what_was_begun_before_another_server_took_over_comes_too_late() {
    let (store, line, servers) = lagging().await;
    let cart = book("cart", &part(&store).await);
    let first = read(&store, &["t"], 0, 1).await[0].sequence;
    let before = store.progress(&cart).await.unwrap();
    let life = store.redis.life();
    let mut handled = handle(&cart, first);
    handled.inbox.as_mut().unwrap().generation = before.generation;
    // Answered, and lost.
    commit(&store, handled.clone()).await;
    line.lead_to(servers[1].address());

    // A cursor that would pass what is not handled here.
    store
        .advance(&cart, before.generation, first)
        .await
        .unwrap();
    let now = store.progress(&cart).await.unwrap();
    assert_eq!((now.cursor, now.handled.len()), (before.cursor, 0));
    assert_ne!(now.generation, before.generation);
    // A handler that was at work, and a step whose run may not be there any more.
    let apple = key("stock", "apple");
    let late = Change {
        inbox: handled.inbox,
        ..set(&apple, "by a handler")
    };
    let outcome = store.commit(late, at(0)).await;
    assert!(
        matches!(outcome, Err(CommitError::AlreadyHandled(_))),
        "{outcome:?}"
    );
    let step = |life| Change {
        life: Some(life),
        ..set(&apple, "by a step")
    };
    let outcome = store.commit(step(life), at(0)).await;
    assert!(
        matches!(outcome, Err(CommitError::Store(StoreError::Unavailable(_)))),
        "{outcome:?}"
    );
    assert_eq!(value(&store, &apple).await, None);
    commit(&store, step(store.redis.life())).await;
    assert_eq!(value(&store, &apple).await.unwrap(), "by a step");
}

#[tokio::test]
async fn a_version_is_never_given_again_by_another_server() {
    let (store, line, servers) = lagging().await;
    let apple = key("stock", "apple");
    commit(&store, set(&apple, "lost")).await;
    let lost = get(&store, &apple).await.version;
    line.lead_to(servers[1].address());
    commit(&store, set(&apple, "kept")).await;
    let kept = get(&store, &apple).await.version;
    assert!(kept > lost, "{kept} after {lost}");
}

#[tokio::test]
async fn the_same_server_behind_another_connection_is_the_same() {
    let server = server();
    let line = Proxy::start(server.address()).unwrap();
    let store = Whole::open("app", &line.url()).await;
    let life = store.redis.life();
    commit(&store, publish(&[event("t", "1")])).await;
    line.hang_up();
    commit(&store, publish(&[event("t", "2")])).await;
    assert_eq!(store.redis.life(), life);
}

#[tokio::test]
async fn a_server_that_was_started_again_is_another() {
    let mut server = server();
    let store = Whole::open("app", &server.url()).await;
    let mut watch = store.redis.watch([]);
    assert_eq!(watch.next().await, Notice::Anew);
    let life = store.redis.life();
    server.restart().unwrap();
    commit(&store, publish(&[])).await;
    assert_ne!(store.redis.life(), life);
    assert_eq!(watch.next().await, Notice::Anew);
}

/// A cluster in which a replica takes a primary's place that does not have what was committed last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_hears_that_one_primary_of_a_cluster_was_replaced() {
    let cluster = Cluster::start(3).unwrap();
    let (here, there) = (
        Whole::open("app", &address(&cluster)).await,
        Whole::open("app", &address(&cluster)).await,
    );
    let apple = key("stock", "apple");
    commit(&here, set(&apple, "1")).await;
    let has_it = |server: &Server| server.ask(&["HLEN", "skald:app:{writer}:kv:stock"]).is_ok();
    let of = cluster.servers().iter().position(has_it).unwrap();
    let replica = cluster.replica(of).unwrap();
    cluster.servers()[of].keep_to_itself().unwrap();
    commit(&here, set(&apple, "2")).await;
    let mut watches = [here.redis.watch([]), there.redis.watch([])];
    for watch in &mut watches {
        assert_eq!(watch.next().await, Notice::Anew);
    }
    let lives = [here.redis.life(), there.redis.life()];
    replica.take_over().unwrap();
    // Neither of them asks anything of the servers by itself.
    for watch in &mut watches {
        assert_eq!(watch.next().await, Notice::Anew);
    }
    assert!(here.redis.life() > lives[0] && there.redis.life() > lives[1]);
    assert_eq!(value(&there, &apple).await.unwrap(), "1");
}
