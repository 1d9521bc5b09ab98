//! The messages of the standard in which a status says more, from `google/rpc/status.proto` and `error_details.proto`.

use std::collections::BTreeMap;

use prost::{Message, Name};
use prost_types::{Any, Duration};

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
pub(super) struct All {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
    #[prost(string, tag = "2")]
    pub(super) domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(super) metadata: BTreeMap<String, String>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<Duration>,
}

/// `google.rpc.BadRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) field_violations: Vec<FieldViolation>,
}

/// `google.rpc.BadRequest.FieldViolation`
#[derive(Clone, PartialEq, Message)]
pub(super) struct FieldViolation {
    #[prost(string, tag = "1")]
    pub(super) field: String,
    #[prost(string, tag = "2")]
    pub(super) description: String,
}

/// One detail of a status.
pub(super) fn any<M: Message + Name>(message: &M) -> Any {
    Any {
        type_url: format!("type.googleapis.com/{}", M::full_name()),
        value: message.encode_to_vec(),
    }
}

/// The detail of that kind, if there is one.
pub(super) fn find<M: Message + Name + Default>(details: &[Any]) -> Option<M> {
    let is_kind = |any: &&Any| any.type_url.rsplit('/').next() == Some(&M::full_name());
    M::decode(details.iter().find(is_kind)?.value.as_slice()).ok()
}

impl Name for ErrorInfo {
    const PACKAGE: &'static str = "google.rpc";
    const NAME: &'static str = "ErrorInfo";
}

impl Name for RetryInfo {
    const PACKAGE: &'static str = "google.rpc";
    const NAME: &'static str = "RetryInfo";
}

impl Name for BadRequest {
    const PACKAGE: &'static str = "google.rpc";
    const NAME: &'static str = "BadRequest";
}
