//! `grpc.reflection.v1.ServerReflection`: what can be called here, for tools that ask.

use bytes::Bytes;
use http::Response;
use http_body::Body;
use prost::{Message, Oneof};
use prost_types::{DescriptorProto, FileDescriptorProto};

use super::{Line, health, malformed};
use crate::{answer::Answer, contract::Contracts, frame::Frames, status::Code};

pub(super) const PATH: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
/// The same under its older name, which some tools still ask first.
pub(super) const PATH_ALPHA: &str =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

/// `ServerReflectionRequest`
#[derive(Clone, PartialEq, Message)]
struct Question {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(oneof = "Asked", tags = "3, 4, 5, 6, 7")]
    asked: Option<Asked>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Asked {
    #[prost(string, tag = "3")]
    FileByFilename(String),
    #[prost(string, tag = "4")]
    FileContainingSymbol(String),
    #[prost(message, tag = "5")]
    FileContainingExtension(Extension),
    #[prost(string, tag = "6")]
    AllExtensionNumbersOfType(String),
    #[prost(string, tag = "7")]
    ListServices(String),
}

#[derive(Clone, PartialEq, Message)]
struct Extension {
    #[prost(string, tag = "1")]
    containing_type: String,
    #[prost(int32, tag = "2")]
    extension_number: i32,
}

/// `ServerReflectionResponse`
#[derive(Clone, PartialEq, Message)]
struct Reflected {
    #[prost(string, tag = "1")]
    valid_host: String,
    #[prost(message, optional, tag = "2")]
    original_request: Option<Question>,
    #[prost(oneof = "Answered", tags = "4, 6, 7")]
    answered: Option<Answered>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Answered {
    #[prost(message, tag = "4")]
    Files(Files),
    #[prost(message, tag = "6")]
    Services(Services),
    #[prost(message, tag = "7")]
    Error(Failure),
}

#[derive(Clone, PartialEq, Message)]
struct Files {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file_descriptor_proto: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    service: Vec<Service>,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Failure {
    #[prost(int32, tag = "1")]
    error_code: i32,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// What was answered is asked again so rarely that files are looked for one by one.
struct Mirror {
    services: Vec<String>,
    files: Vec<FileDescriptorProto>,
}

pub(super) fn answer<B>(
    contracts: &Contracts,
    mut frames: Frames<B>,
    line: &Line<'_>,
) -> Response<Answer>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let mirror = Mirror::of(contracts);
    let (pen, response) = Answer::stream();
    let stop = line.stop.clone();
    line.tasks.spawn("reflection", async move {
        loop {
            let next = tokio::select! {
                next = frames.next() => next,
                () = stop.wait() => return,
            };
            let reply = match next {
                Ok(None) => return,
                Ok(Some(message)) => match Question::decode(message) {
                    Ok(question) => Ok(mirror.reflect(question).encode_to_vec().into()),
                    Err(error) => Err(malformed(error.to_string())),
                },
                Err(status) => Err(status),
            };
            let is_last = reply.is_err();
            if pen.send(reply).await.is_err() || is_last {
                return;
            }
        }
    });
    response
}

// === impl Mirror ===

impl Mirror {
    fn of(contracts: &Contracts) -> Self {
        let mut services: Vec<_> = contracts.services().into_iter().collect();
        services.push(health::SERVICE.to_owned());
        let mut files = contracts.files.clone();
        files.push(health::file());
        Self { services, files }
    }

    fn reflect(&self, question: Question) -> Reflected {
        let answered = match &question.asked {
            Some(Asked::ListServices(_)) => {
                let services = self.services.iter().cloned();
                Answered::Services(Services {
                    service: services.map(|name| Service { name }).collect(),
                })
            }
            Some(Asked::FileByFilename(name)) => self.file(name, |file| file.name() == name),
            Some(Asked::FileContainingSymbol(symbol)) => {
                self.file(symbol, |file| holds(file, symbol))
            }
            Some(Asked::FileContainingExtension(_) | Asked::AllExtensionNumbersOfType(_)) => {
                failure(Code::NotFound, "there are no extensions here".to_owned())
            }
            None => failure(
                Code::Unimplemented,
                "the question is not known here".to_owned(),
            ),
        };
        Reflected {
            valid_host: question.host.clone(),
            original_request: Some(question),
            answered: Some(answered),
        }
    }

    /// A file with those it needs, so that nobody has to ask for them.
    fn file(&self, wanted: &str, is_it: impl Fn(&FileDescriptorProto) -> bool) -> Answered {
        let Some(first) = self.files.iter().find(|file| is_it(file)) else {
            return failure(Code::NotFound, format!("there is no {wanted} here"));
        };
        let mut found = vec![first];
        let mut next = 0;
        while let Some(file) = found.get(next) {
            let is_new = |name: &&String| !found.iter().any(|known| known.name() == **name);
            let needed: Vec<&String> = file.dependency.iter().filter(is_new).collect();
            let needed = needed
                .into_iter()
                .filter_map(|name| self.files.iter().find(|file| file.name() == name));
            found.extend(needed);
            next += 1;
        }
        Answered::Files(Files {
            file_descriptor_proto: found.into_iter().map(Message::encode_to_vec).collect(),
        })
    }
}

fn failure(code: Code, error_message: String) -> Answered {
    Answered::Error(Failure {
        error_code: code as i32,
        error_message,
    })
}

/// Whether a file declares a symbol: a message, an enum, a service, or a method or field of one.
fn holds(file: &FileDescriptorProto, symbol: &str) -> bool {
    let Some(rest) = symbol.strip_prefix(file.package()) else {
        return false;
    };
    let Some(rest) = rest.strip_prefix('.') else {
        return false;
    };
    let (first, inner) = rest
        .split_once('.')
        .map_or((rest, None), |(first, inner)| (first, Some(inner)));
    let in_service = file.service.iter().any(|service| {
        let has = |inner: &str| service.method.iter().any(|method| method.name() == inner);
        service.name() == first && inner.is_none_or(has)
    });
    let in_enum = file.enum_type.iter().any(|names| {
        let has = |value: &str| names.value.iter().any(|known| known.name() == value);
        names.name() == first && inner.is_none_or(has) || inner.is_none() && has(first)
    });
    let in_message = file.message_type.iter().any(|message| is_in(message, rest));
    in_service || in_enum || in_message
}

fn is_in(message: &DescriptorProto, path: &str) -> bool {
    match path.split_once('.') {
        None => message.name() == path,
        Some((first, inner)) => {
            let has_field = message.field.iter().any(|field| field.name() == inner);
            let is_nested = || {
                message
                    .nested_type
                    .iter()
                    .any(|nested| is_in(nested, inner))
            };
            message.name() == first && (has_field || is_nested())
        }
    }
}
