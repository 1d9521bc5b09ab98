//! Connections as clients see them: kept, stopped, cut.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::Instant,
};

use crate::testing::{Fake, World, read_all};

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let world = World::new(Fake::counting()).await;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(world.connect().await))
            .await
            .unwrap();
    world
        .tasks
        .spawn("client", async { connection.await.unwrap() });
    for _ in 0..3 {
        sender.ready().await.unwrap();
        let request = Request::get("/shop/x")
            .header("host", "shop.test")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            "0 bytes"
        );
    }
    assert_eq!(world.fake.asked.lock().len(), 3);
}

#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    let world = World::new(Fake::counting()).await;
    let stream = TokioIo::new(world.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
    world
        .tasks
        .spawn("client", async { drop(connection.await) });
    let request = Request::get("http://shop.test/shop/x")
        .body(Empty::<Bytes>::new())
        .unwrap();
    assert_eq!(
        sender.send_request(request).await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(
        world.fake.last().0.headers()["spin-full-url"],
        "http://shop.test/shop/x"
    );
}

/// A component that says when it was asked and answers when it is told.
fn held() -> (Arc<Fake>, Arc<Notify>, Arc<Notify>) {
    let (asked, open) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (say, gate) = (Arc::clone(&asked), Arc::clone(&open));
    let fake = Fake::slow(move |_| {
        let (say, gate) = (Arc::clone(&say), Arc::clone(&gate));
        Box::pin(async move {
            say.notify_one();
            gate.notified().await;
            Ok(Response::new(Bytes::from_static(b"finished")))
        })
    });
    (fake, asked, open)
}

#[tokio::test]
async fn a_stop_lets_a_running_request_finish_and_then_closes_its_connection() {
    let (fake, asked, open) = held();
    let world = World::new(fake).await;
    let mut busy = world.connect().await;
    let mut idle = world.connect().await;
    busy.write_all(b"GET /shop/x HTTP/1.1\r\nhost: shop.test\r\n\r\n")
        .await
        .unwrap();
    asked.notified().await;
    world.tasks.stop();
    assert_eq!(read_all(&mut idle).await, "");
    open.notify_one();
    // It was asked to be kept open, and yet there is an end.
    assert!(read_all(&mut busy).await.ends_with("finished"));
    assert_eq!(
        world
            .tasks
            .drain(Duration::from_secs(5))
            .await
            .unfinished
            .len(),
        0
    );
    assert!(TcpStream::connect(world.address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let (fake, asked, _open) = held();
    let world = World::new(fake).await;
    let mut busy = world.connect().await;
    busy.write_all(b"GET /shop/x HTTP/1.1\r\nhost: shop.test\r\n\r\n")
        .await
        .unwrap();
    asked.notified().await;
    let began = Instant::now();
    world.tasks.stop();
    assert_eq!(read_all(&mut busy).await, "");
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_finish_its_header_is_cut() {
    let world = World::new(Fake::counting()).await;
    for unfinished in [
        "",
        "G",
        "PRI * HTTP/2.0\r\n",
        "GET /shop/x HTTP/1.1\r\nx-slow: ",
    ] {
        let began = Instant::now();
        let mut stream = world.connect().await;
        stream.write_all(unfinished.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(began.elapsed().as_secs(), 60, "{unfinished}");
    }
    assert!(world.fake.asked.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_gives_its_place_back() {
    let world = World::new(Fake::counting()).await;
    let stream = TokioIo::new(world.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
    let began = Instant::now();
    let request = Request::get("http://shop/shop/x").body(Empty::<Bytes>::new());
    let ended = async { connection.await.map_err(|error| error.to_string()) };
    let asked = async {
        let answer = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        // It is kept, and asks nothing more.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = ended => (),
        () = asked => (),
    }
    let periods = began.elapsed().as_secs() / 60;
    assert!((2..=3).contains(&periods), "{periods}");
}
