use std::{future::pending, time::Duration};

use tokio::sync::oneshot;

use super::{Drained, Tasks};

const LONG: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn tasks_end_when_they_hear_the_word() {
    let tasks = Tasks::new();
    for number in 0..3 {
        let shutdown = tasks.shutdown();
        tasks.spawn(
            format!("worker {number}"),
            async move { shutdown.wait().await },
        );
    }
    assert_eq!(tasks.running(), 3);
    assert_eq!(tasks.drain(LONG).await, Drained::default());
    assert_eq!(tasks.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_is_named_and_dropped() {
    struct Gone(Option<oneshot::Sender<()>>);
    impl Drop for Gone {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(());
        }
    }
    let (sender, dropped) = oneshot::channel();
    let gone = Gone(Some(sender));
    let tasks = Tasks::new();
    tasks.spawn("deaf", async move {
        let _gone = gone;
        pending::<()>().await;
    });
    let drained = tasks.drain(LONG).await;
    assert_eq!(drained.unfinished, ["deaf"]);
    dropped.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_reported_and_stops_nobody_else() {
    let tasks = Tasks::new();
    let shutdown = tasks.shutdown();
    tasks.spawn("steady", async move { shutdown.wait().await });
    tasks.spawn("clumsy", async { panic!("oops") });
    let drained = tasks.drain(LONG).await;
    assert_eq!(
        drained,
        Drained {
            unfinished: vec![],
            panicked: vec!["clumsy".into()]
        }
    );
}

#[tokio::test]
async fn the_word_is_heard_by_those_who_ask_late_and_by_orphans() {
    let tasks = Tasks::new();
    let early = tasks.shutdown();
    assert!(!early.is_said());
    tasks.stop();
    tasks.shutdown().wait().await;
    assert!(early.is_said());

    let orphan = Tasks::new().shutdown();
    orphan.wait().await;
    assert!(orphan.is_said());
}
