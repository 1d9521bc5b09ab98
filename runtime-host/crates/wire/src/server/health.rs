//! `grpc.health.v1.Health`: whether this node takes calls.

use bytes::Bytes;
use http::Response;
use http_body::Body;
use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use super::{Line, malformed};
use crate::{
    answer::{Answer, Pen},
    contract::Contracts,
    frame::Frames,
    status::{Code, Status},
};

pub(super) const CHECK: &str = "/grpc.health.v1.Health/Check";
pub(super) const WATCH: &str = "/grpc.health.v1.Health/Watch";
pub(super) const SERVICE: &str = "grpc.health.v1.Health";

/// `HealthCheckRequest`
#[derive(Clone, PartialEq, Message)]
struct Question {
    #[prost(string, tag = "1")]
    service: String,
}

/// `HealthCheckResponse`
#[derive(Clone, PartialEq, Message)]
struct Health {
    #[prost(int32, tag = "1")]
    status: i32,
}

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;
const SERVICE_UNKNOWN: i32 = 3;

pub(super) async fn check<B: Body<Data = Bytes> + Unpin>(
    contracts: &Contracts,
    frames: Frames<B>,
    line: &Line<'_>,
) -> Result<Vec<u8>, Status> {
    let service = asked(frames).await?;
    if !is_known(contracts, &service) {
        let what = format!("there is no service {service:?} here");
        return Err(Status::new(Code::NotFound, what));
    }
    Ok(Health { status: now(line) }.encode_to_vec())
}

/// Says how it is, and once more when the node begins to stop.
pub(super) async fn watch<B: Body<Data = Bytes> + Unpin>(
    contracts: &Contracts,
    frames: Frames<B>,
    line: &Line<'_>,
) -> Response<Answer> {
    let service = match asked(frames).await {
        Ok(service) => service,
        Err(status) => return Answer::unary(Err(status)),
    };
    let status = if is_known(contracts, &service) {
        now(line)
    } else {
        SERVICE_UNKNOWN
    };
    let (pen, response) = Answer::stream();
    let stop = line.stop.clone();
    line.tasks.spawn("health watch", async move {
        if say(&pen, status).await.is_ok() {
            tokio::select! {
                () = stop.wait() => {}
                () = pen.closed() => return,
            }
        }
        // Nobody may be left to hear it.
        let _ = say(&pen, NOT_SERVING).await;
        let _ = pen
            .send(Err(Status::new(Code::Unavailable, "the node stops")))
            .await;
    });
    response
}

async fn say(pen: &Pen, status: i32) -> Result<(), ()> {
    let message = Health { status }.encode_to_vec();
    pen.send(Ok(message.into())).await.map_err(|_| ())
}

async fn asked<B: Body<Data = Bytes> + Unpin>(frames: Frames<B>) -> Result<String, Status> {
    let message = Question::decode(frames.only().await?);
    Ok(message
        .map_err(|error| malformed(error.to_string()))?
        .service)
}

fn is_known(contracts: &Contracts, service: &str) -> bool {
    service.is_empty() || service == SERVICE || contracts.services().contains(service)
}

fn now(line: &Line<'_>) -> i32 {
    if line.stop.is_said() {
        NOT_SERVING
    } else {
        SERVING
    }
}

/// The standard's description of all this, for reflection.
pub(super) fn file() -> FileDescriptorProto {
    let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
    let values = (0..)
        .zip(names)
        .map(|(number, name)| EnumValueDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            ..EnumValueDescriptorProto::default()
        });
    let standing = EnumDescriptorProto {
        name: Some("ServingStatus".to_owned()),
        value: values.collect(),
        ..EnumDescriptorProto::default()
    };
    let question = message("HealthCheckRequest", "service", (Type::String, None));
    let status = ".grpc.health.v1.HealthCheckResponse.ServingStatus";
    let mut health = message("HealthCheckResponse", "status", (Type::Enum, Some(status)));
    health.enum_type.push(standing);
    let service = ServiceDescriptorProto {
        name: Some("Health".to_owned()),
        method: vec![method("Check", false), method("Watch", true)],
        ..ServiceDescriptorProto::default()
    };
    FileDescriptorProto {
        name: Some("grpc/health/v1/health.proto".to_owned()),
        package: Some("grpc.health.v1".to_owned()),
        message_type: vec![question, health],
        service: vec![service],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    }
}

fn message(name: &str, field: &str, (ty, type_name): (Type, Option<&str>)) -> DescriptorProto {
    let field = FieldDescriptorProto {
        name: Some(field.to_owned()),
        number: Some(1),
        label: Some(Label::Optional.into()),
        r#type: Some(ty.into()),
        type_name: type_name.map(str::to_owned),
        ..FieldDescriptorProto::default()
    };
    DescriptorProto {
        name: Some(name.to_owned()),
        field: vec![field],
        ..DescriptorProto::default()
    }
}

fn method(name: &str, is_stream: bool) -> MethodDescriptorProto {
    MethodDescriptorProto {
        name: Some(name.to_owned()),
        input_type: Some(".grpc.health.v1.HealthCheckRequest".to_owned()),
        output_type: Some(".grpc.health.v1.HealthCheckResponse".to_owned()),
        server_streaming: Some(is_stream),
        ..MethodDescriptorProto::default()
    }
}
