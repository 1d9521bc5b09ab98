//! `skald.node.v1.Calls`: what nodes ask of each other beside functions of contracts.
//!
//! ```proto
//! service Calls { rpc Call(CallRequest) returns (CallReply); }
//! ```

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use prost::{Message, Oneof};
use skald_core::{
    call::{Input, Reply},
    manifest::ComponentId,
};

/// Where it is asked.
pub(crate) const PATH: &str = "/skald.node.v1.Calls/Call";

/// A call.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CallRequest {
    #[prost(string, tag = "1")]
    component: String,
    #[prost(oneof = "Asked", tags = "2, 3")]
    asked: Option<Asked>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Asked {
    #[prost(message, tag = "2")]
    Http(HttpRequest),
    #[prost(bytes = "bytes", tag = "3")]
    Message(Bytes),
}

#[derive(Clone, PartialEq, Message)]
struct HttpRequest {
    #[prost(string, tag = "1")]
    method: String,
    #[prost(string, tag = "2")]
    uri: String,
    #[prost(message, repeated, tag = "3")]
    headers: Vec<Header>,
    #[prost(bytes = "bytes", tag = "4")]
    body: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// What was answered.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CallReply {
    #[prost(oneof = "Answered", tags = "1, 2")]
    answered: Option<Answered>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Answered {
    #[prost(message, tag = "1")]
    Http(HttpResponse),
    #[prost(message, tag = "2")]
    Handled(()),
}

#[derive(Clone, PartialEq, Message)]
struct HttpResponse {
    #[prost(uint32, tag = "1")]
    status: u32,
    #[prost(message, repeated, tag = "2")]
    headers: Vec<Header>,
    #[prost(bytes = "bytes", tag = "3")]
    body: Bytes,
}

// === impl CallRequest ===

impl CallRequest {
    /// None for functions, which have methods of their own.
    pub(crate) fn of(component: &ComponentId, input: &Input) -> Option<Self> {
        let asked = match input {
            Input::Http(request) => Asked::Http(HttpRequest {
                method: request.method().to_string(),
                uri: request.uri().to_string(),
                headers: headers(request.headers()),
                body: request.body().clone(),
            }),
            Input::Message(payload) => Asked::Message(payload.clone()),
            Input::Function(_) => return None,
        };
        Some(Self {
            component: component.to_string(),
            asked: Some(asked),
        })
    }

    /// Who is asked, and what; or what is not understood.
    pub(crate) fn read(self) -> Result<(ComponentId, Input), String> {
        let component = ComponentId::from(self.component.as_str());
        let input = match self.asked {
            Some(Asked::Http(request)) => Input::Http(request.read()?),
            Some(Asked::Message(payload)) => Input::Message(payload),
            None => return Err("there is nothing in the call that is known here".to_owned()),
        };
        Ok((component, input))
    }
}

impl HttpRequest {
    fn read(self) -> Result<http::Request<Bytes>, String> {
        let mut request = http::Request::builder()
            .method(self.method.as_str())
            .uri(self.uri)
            .body(self.body)
            .map_err(|error| error.to_string())?;
        *request.headers_mut() = read_headers(self.headers)?;
        Ok(request)
    }
}

// === impl CallReply ===

impl CallReply {
    /// None for the results of functions.
    pub(crate) fn of(reply: &Reply) -> Option<Self> {
        let answered = match reply {
            Reply::Http(response) => Answered::Http(HttpResponse {
                status: u32::from(response.status().as_u16()),
                headers: headers(response.headers()),
                body: response.body().clone(),
            }),
            Reply::Handled => Answered::Handled(()),
            Reply::Value(_) => return None,
        };
        Some(Self {
            answered: Some(answered),
        })
    }

    /// The answer, or what is not understood.
    pub(crate) fn read(self) -> Result<Reply, String> {
        match self.answered {
            Some(Answered::Http(response)) => Ok(Reply::Http(response.read()?)),
            Some(Answered::Handled(())) => Ok(Reply::Handled),
            None => Err("there is nothing in the answer that is known here".to_owned()),
        }
    }
}

impl HttpResponse {
    fn read(self) -> Result<http::Response<Bytes>, String> {
        let status = u16::try_from(self.status).unwrap_or_default();
        let mut response = http::Response::builder()
            .status(status)
            .body(self.body)
            .map_err(|error| error.to_string())?;
        *response.headers_mut() = read_headers(self.headers)?;
        Ok(response)
    }
}

fn headers(headers: &http::HeaderMap) -> Vec<Header> {
    let headers = headers.iter().map(|(name, value)| Header {
        name: name.to_string(),
        value: value.as_bytes().to_vec(),
    });
    headers.collect()
}

fn read_headers(headers: Vec<Header>) -> Result<http::HeaderMap, String> {
    let mut map = http::HeaderMap::with_capacity(headers.len());
    for Header { name, value } in headers {
        let known = HeaderName::try_from(name.as_str());
        let known = known.map_err(|_| format!("{name:?} is no name of a header"))?;
        let value = HeaderValue::try_from(value);
        let value = value.map_err(|_| format!("the value of `{name}` is no header's"))?;
        map.append(known, value);
    }
    Ok(map)
}
