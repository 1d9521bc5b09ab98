//! How a call ends in the words of gRPC, and the one place where the host's errors are put into them and back.
//!
//! Beside the code goes the host's own in the standard's `ErrorInfo`, with all that it says, so that a node that asked
//! another has the same error in its hands as if the component had been its own.

mod details;
mod errors;
#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message as _;
use prost_types::Any;

use crate::text;

pub(crate) use self::errors::{FromPeer, INVALID};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// The codes of gRPC that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
}

/// How a call ended, other than well.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Status {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) details: Vec<Any>,
}

// === impl Code ===

impl Code {
    const ALL: [Self; 14] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
    ];

    const fn number(self) -> u8 {
        self as u8
    }

    /// Codes that are not used here are as good as none.
    fn read(value: &HeaderValue) -> Self {
        let number = value.to_str().ok().and_then(|text| text.parse::<u8>().ok());
        let known = Self::ALL
            .into_iter()
            .find(|code| Some(code.number()) == number);
        known.unwrap_or(Self::Unknown)
    }
}

// === impl Status ===

impl Status {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// What the trailers of a call say that ended well.
    pub(crate) fn ok() -> HeaderMap {
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert(STATUS, HeaderValue::from_static("0"));
        trailers
    }

    /// The same as trailers, or as the head of an answer that is nothing but a status.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(STATUS, HeaderValue::from(u16::from(self.code.number())));
        // What is written here is visible ASCII, so that no branch is left out ever.
        if let Ok(message) = HeaderValue::try_from(text::escape(&self.message)) {
            headers.insert(MESSAGE, message);
        }
        if !self.details.is_empty() {
            let all = details::All {
                code: i32::from(self.code.number()),
                message: self.message.clone(),
                details: self.details.clone(),
            };
            let encoded = STANDARD_NO_PAD.encode(all.encode_to_vec());
            if let Ok(value) = HeaderValue::try_from(encoded) {
                headers.insert(DETAILS, value);
            }
        }
        headers
    }

    /// What trailers, or the head of an answer, say; none where they say nothing of it.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Result<(), Self>> {
        let code = Code::read(headers.get(STATUS)?);
        if code == Code::Ok {
            return Some(Ok(()));
        }
        let message = headers
            .get(MESSAGE)
            .map(|value| text::unescape(value.as_bytes()));
        let details = headers.get(DETAILS).and_then(|value| {
            // Some write the padding that the others leave out.
            let encoded = value.to_str().ok()?.trim_end_matches('=');
            let bytes = STANDARD_NO_PAD.decode(encoded).ok()?;
            Some(details::All::decode(bytes.as_slice()).ok()?.details)
        });
        Some(Err(Self {
            code,
            message: message.unwrap_or_default(),
            details: details.unwrap_or_default(),
        }))
    }
}
