//! What other programs see: calls, health and reflection, asked with bytes of their own making.

use std::net::SocketAddr;

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value as Dynamic};
use prost_types::FileDescriptorProto;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::world::{CAPTURE, Node, SHOP, config, paid};
use crate::testing::contracts;

/// A client of gRPC that shares no code with the other side.
pub(super) struct Client {
    sender: h2::client::SendRequest<Bytes>,
    _tasks: skald_telemetry::tasks::Tasks,
}

impl Client {
    pub(super) async fn new(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    pub(super) async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        let tasks = skald_telemetry::tasks::Tasks::new();
        tasks.spawn("client", async move {
            let _ = connection.await;
        });
        Self {
            sender,
            _tasks: tasks,
        }
    }

    /// Sends a message, and gives what comes back as it comes.
    async fn begin(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        message: &[u8],
    ) -> http::Response<h2::RecvStream> {
        let mut request = http::Request::post(format!("http://any{path}"))
            .header("content-type", "application/grpc+proto")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        let (response, mut stream) = self.sender.send_request(request, false).unwrap();
        stream.send_data(framed(message), true).unwrap();
        response.await.unwrap()
    }

    /// The messages of the answer, or code and message of its status.
    pub(super) async fn ask(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        message: &[u8],
    ) -> Result<Vec<Bytes>, String> {
        let (head, mut body) = self.begin(path, headers, message).await.into_parts();
        assert_eq!(head.status, 200);
        let mut bytes = Vec::new();
        while let Some(data) = body.data().await {
            let data = data.unwrap();
            let _ = body.flow_control().release_capacity(data.len());
            bytes.extend(data);
        }
        let trailers = body.trailers().await.unwrap().unwrap_or(head.headers);
        let text = |name: &str| {
            let value = trailers.get(name).map(|value| value.to_str().unwrap());
            value.unwrap_or_default().to_owned()
        };
        if text("grpc-status") != "0" {
            return Err(format!("{}: {}", text("grpc-status"), text("grpc-message")));
        }
        let mut messages = Vec::new();
        let mut rest = &bytes[..];
        while let Some((length, after)) = rest.split_at_checked(5) {
            let length = u32::from_be_bytes(length[1..].try_into().unwrap());
            let (message, after) = after.split_at(usize::try_from(length).unwrap());
            messages.push(Bytes::copy_from_slice(message));
            rest = after;
        }
        Ok(messages)
    }
}

fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat().into()
}

/// `CaptureRequest { order: "o-1", cents: 1999 }`
pub(super) fn capture_bytes() -> Vec<u8> {
    [&[0x0a, 3][..], b"o-1", &[0x10, 0xcf, 0x0f]].concat()
}

const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// The fields of a length-delimited kind with this number, one message deep each.
fn fields(bytes: &[u8], wanted: u32) -> Vec<Vec<u8>> {
    use prost::encoding::{WireType, decode_key, decode_varint, skip_field};
    let mut rest = bytes;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (number, kind) = decode_key(&mut rest).unwrap();
        if number == wanted && kind == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).unwrap()).unwrap();
            let (field, after) = rest.split_at(length);
            found.push(field.to_vec());
            rest = after;
        } else {
            skip_field(
                kind,
                number,
                &mut rest,
                prost::encoding::DecodeContext::default(),
            )
            .unwrap();
        }
    }
    found
}

#[tokio::test]
async fn a_tool_finds_and_calls_a_function_with_nothing_but_reflection() {
    let node = Node::start(config(), paid).await;
    let mut client = Client::new(node.address).await;
    // list_services
    let answer = client.ask(REFLECTION, &[], &[0x3a, 0]).await.unwrap();
    let services = fields(&fields(&answer[0], 6)[0], 1);
    let names: Vec<_> = services
        .iter()
        .map(|service| String::from_utf8(fields(service, 1).remove(0)).unwrap())
        .collect();
    assert_eq!(names, ["shop.payments.v1.Api", "grpc.health.v1.Health"]);
    // file_containing_symbol, under the older name too
    let mut pool = DescriptorPool::new();
    for (name, path) in names.iter().zip([
        REFLECTION,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ]) {
        let question = [&[0x22, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
        let answer = client.ask(path, &[], &question).await.unwrap();
        let files = fields(&fields(&answer[0], 4)[0], 1);
        let files = files
            .iter()
            .map(|file| FileDescriptorProto::decode(&**file).unwrap());
        pool.add_file_descriptor_protos(files).unwrap();
    }
    let service = pool.get_service_by_name("shop.payments.v1.Api").unwrap();
    let method = service
        .methods()
        .find(|method| method.name() == "Capture")
        .unwrap();
    let mut request = DynamicMessage::new(method.input());
    request.set_field_by_name("order", Dynamic::String("o-1".to_owned()));
    request.set_field_by_name("cents", Dynamic::U64(1_999));
    assert_eq!(request.encode_to_vec(), capture_bytes());
    let answer = client
        .ask(CAPTURE, &[], &request.encode_to_vec())
        .await
        .unwrap();
    let response = DynamicMessage::decode(method.output(), answer[0].clone()).unwrap();
    insta::assert_snapshot!(response.to_string(), @r#"ok{id:"r-1",cents:1999}"#);
}

#[tokio::test]
async fn what_a_tool_asks_for_in_vain_is_told_so() {
    let node = Node::start(config(), paid).await;
    let mut client = Client::new(node.address).await;
    for question in [
        &[0x22, 1, b'x'][..],
        &[0x1a, 1, b'x'],
        &[0x2a, 0],
        &[0x32, 1, b'x'],
        &[],
    ] {
        let answer = client.ask(REFLECTION, &[], question).await.unwrap();
        assert_eq!(fields(&answer[0], 7).len(), 1, "{question:?}");
    }
    for symbol in [
        "shop.payments.v1.Api.Capture",
        "shop.payments.v1.Receipt.cents",
        "google.protobuf.Empty",
    ] {
        let question = [
            &[0x22, u8::try_from(symbol.len()).unwrap()],
            symbol.as_bytes(),
        ]
        .concat();
        let answer = client.ask(REFLECTION, &[], &question).await.unwrap();
        assert_eq!(fields(&answer[0], 4).len(), 1, "{symbol}");
    }
}

#[tokio::test]
async fn health_is_told_and_its_end_too() {
    let node = Node::start(config(), paid).await;
    let mut client = Client::new(node.address).await;
    let serving = [Bytes::from_static(&[0x08, 1])];
    let service = b"shop.payments.v1.Api";
    let question = [&[0x0a, 20][..], service].concat();
    assert_eq!(
        client
            .ask("/grpc.health.v1.Health/Check", &[], &[])
            .await
            .unwrap(),
        serving
    );
    assert_eq!(
        client
            .ask("/grpc.health.v1.Health/Check", &[], &question)
            .await
            .unwrap(),
        serving
    );
    let status = client
        .ask("/grpc.health.v1.Health/Check", &[], &[0x0a, 1, b'x'])
        .await
        .unwrap_err();
    assert_eq!(status, "5: there is no service \"x\" here");
    let (_, mut watch) = client
        .begin("/grpc.health.v1.Health/Watch", &[], &[])
        .await
        .into_parts();
    assert_eq!(watch.data().await.unwrap().unwrap(), framed(&[0x08, 1]));
    node.tasks.stop();
    assert_eq!(watch.data().await.unwrap().unwrap(), framed(&[0x08, 2]));
    assert!(watch.data().await.is_none());
    assert_eq!(
        watch.trailers().await.unwrap().unwrap()["grpc-status"],
        "14"
    );
    node.stop().await;
}

#[tokio::test]
async fn where_several_components_have_a_function_one_has_to_be_named() {
    let offered = contracts(&[("payments", SHOP), ("payments-test", SHOP)]);
    let node = Node::start_with("127.0.0.1:0", config(), offered, paid).await;
    let mut client = Client::new(node.address).await;
    let status = client
        .ask(CAPTURE, &[], &capture_bytes())
        .await
        .unwrap_err();
    insta::assert_snapshot!(status, @"3: several components have this: payments, payments-test; name one with `skald-component`");
    for name in ["payments-test", "payments"] {
        let named = [("skald-component", name)];
        client.ask(CAPTURE, &named, &capture_bytes()).await.unwrap();
        assert_eq!(
            node.components.seen.lock().pop().unwrap().target.as_str(),
            name
        );
    }
}

#[tokio::test]
async fn what_is_no_grpc_gets_an_answer_of_http() {
    let node = Node::start(config(), paid).await;
    let mut client = Client::new(node.address).await;
    for (method, kind, status) in [
        ("GET", "application/grpc", 405),
        ("POST", "application/json", 415),
        ("POST", "application/grpc+json", 415),
        ("POST", "application/grpc-web", 415),
    ] {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://any{CAPTURE}"))
            .header("content-type", kind);
        let request = request.body(()).unwrap();
        let (response, _) = client.sender.send_request(request, true).unwrap();
        assert_eq!(response.await.unwrap().status(), status, "{method} {kind}");
    }
}

#[tokio::test]
async fn mistakes_are_told_in_the_words_of_grpc() {
    let node = Node::start(config(), paid).await;
    let mut client = Client::new(node.address).await;
    let mut said = Vec::new();
    for (path, headers, message) in [
        ("/shop.payments.v1.Api/Refund", &[][..], &[][..]),
        (CAPTURE, &[], &[0x10, 0xff]),
        (CAPTURE, &[], &[0x0a, 1, 0xff]),
        (CAPTURE, &[("grpc-timeout", "1s")], &[]),
        (CAPTURE, &[("skald-component", "orders")], &[]),
        (CAPTURE, &[("skald-cause", "chance")], &[]),
    ] {
        said.push(client.ask(path, headers, message).await.unwrap_err());
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    12: no component here has /shop.payments.v1.Api/Refund
    3: the message is cut off or no message at all
    3: `order` is not UTF-8
    3: `grpc-timeout` is not understood
    12: orders does not export /shop.payments.v1.Api/Capture
    3: `skald-cause` is not understood
    ");
    assert_eq!(node.components.seen.lock().len(), 0);
}
