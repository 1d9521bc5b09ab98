use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use skald_core::event::Published;
use tokio::time::sleep;

use crate::delivery::tests::world::{TOPIC, World};

#[tokio::test(start_paused = true)]
async fn what_is_in_the_log_is_settled() {
    let mut world = World::new();
    for index in 0..20 {
        world.publish(&format!("key {}", index % 3));
    }
    let deliveries = world.deliveries(Arc::new(|_| true));
    deliveries.settle().await.unwrap();
    world.assert_handled_in_order(20);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_appears_is_served() {
    let mut world = World::new();
    world.log.edit(|books| books.partitions.clear());
    let deliveries = world.deliveries(Arc::new(|_| true));
    world.publish("a");
    sleep(Duration::from_secs(5)).await;
    assert!(world.calls.effects().is_empty());
    world
        .log
        .edit(|books| books.partitions = vec!["log".into()]);
    sleep(Duration::from_secs(2)).await;
    world.assert_handled_in_order(1);
    drop(deliveries);
}

#[tokio::test(start_paused = true)]
async fn only_those_look_who_may_find_something() {
    let mut world = World::new();
    world
        .log
        .edit(|books| books.partitions = vec!["log".into(), "other".into()]);
    let deliveries = world.deliveries(Arc::new(|_| true));
    deliveries.settle().await.unwrap();
    let mut asked = Vec::new();
    for (partition, topic) in [
        ("log", TOPIC),
        ("other", "$for/stock"),
        ("log", "$for/cart"),
        ("log", "shop.other.v1"),
        ("another", TOPIC),
    ] {
        let before = world.log.count("head");
        let published = Published {
            partition: partition.into(),
            topic: topic.into(),
        };
        deliveries.wake_for(&[published].into());
        sleep(Duration::from_millis(20)).await;
        asked.push(world.log.count("head") - before);
    }
    assert_eq!(asked, [1, 1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_not_named_any_more_is_left_until_it_is_named_again() {
    let mut world = World::new();
    let deliveries = world.deliveries(Arc::new(|_| true));
    world.publish("a");
    deliveries.settle().await.unwrap();
    world.log.edit(|books| books.partitions.clear());
    sleep(Duration::from_secs(3)).await;
    let asked = world.log.count("head");
    deliveries.wake();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.log.count("head"), asked);
    world.publish("a");
    world
        .log
        .edit(|books| books.partitions = vec!["log".into()]);
    sleep(Duration::from_secs(3)).await;
    world.assert_handled_in_order(2);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_becomes_anothers_is_left_and_taken_up_again() {
    let mut world = World::new();
    let is_ours = Arc::new(AtomicBool::new(true));
    let share = Arc::clone(&is_ours);
    let deliveries = world.deliveries(Arc::new(move |_| share.load(Ordering::Relaxed)));
    world.publish("a");
    deliveries.settle().await.unwrap();
    is_ours.store(false, Ordering::Relaxed);
    deliveries.rouse();
    sleep(Duration::from_secs(2)).await;
    world.publish("a");
    deliveries.wake();
    sleep(Duration::from_secs(5)).await;
    world.assert_handled_in_order(1);
    is_ours.store(true, Ordering::Relaxed);
    deliveries.rouse();
    sleep(Duration::from_secs(2)).await;
    world.assert_handled_in_order(2);
}

#[tokio::test(start_paused = true)]
async fn all_deliveries_end_when_told_to_stop() {
    let mut world = World::new();
    let deliveries = world.deliveries(Arc::new(|_| true));
    world.publish("a");
    deliveries.settle().await.unwrap();
    let drained = world.tasks.drain(Duration::from_secs(5)).await;
    assert!(drained.unfinished.is_empty(), "{drained:?}");
}
