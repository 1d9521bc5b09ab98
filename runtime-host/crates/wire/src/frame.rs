//! Messages as gRPC puts them into a stream: a flag, a length of four bytes, the message.

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;

use crate::status::{Code, Status};

/// The flag and the length.
const PREFIX: usize = 5;

/// A message in its frame.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(0);
    // Longer ones are refused before.
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

/// Takes messages out of their frames.
pub(crate) struct Frames<B> {
    body: B,
    buffer: BytesMut,
    most: usize,
    trailers: Option<HeaderMap>,
}

// === impl Frames ===

impl<B: Body<Data = Bytes> + Unpin> Frames<B> {
    /// Messages of `most` bytes at most.
    pub(crate) fn new(body: B, most: usize) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            most,
            trailers: None,
        }
    }

    /// What was said after the last message of how the call ended.
    pub(crate) fn status(&self) -> Option<Result<(), Status>> {
        Status::read(self.trailers.as_ref()?)
    }

    /// The next message; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.cut()? {
                return Ok(Some(message));
            }
            match self.body.frame().await {
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(Status::new(Code::Internal, "the message is cut off")),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.buffer.extend_from_slice(&data),
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
                Some(Err(_)) => return Err(Status::new(Code::Cancelled, "the message broke off")),
            }
        }
    }

    /// The message, where there is to be exactly one.
    pub(crate) async fn only(mut self) -> Result<Bytes, Status> {
        let message = self.next().await?;
        let message = message.ok_or_else(|| Status::new(Code::Internal, "there is no message"))?;
        match self.next().await? {
            None => Ok(message),
            Some(_) => Err(Status::new(
                Code::Internal,
                "there is more than one message",
            )),
        }
    }

    fn cut(&mut self) -> Result<Option<Bytes>, Status> {
        let Some((&[flag, a, b, c, d], _)) = self.buffer.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        if flag != 0 {
            let what = "the message is compressed, which was not offered";
            return Err(Status::new(Code::Unimplemented, what));
        }
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > self.most {
            let what = format!("the message has {length} bytes; {} are the most", self.most);
            return Err(Status::new(Code::ResourceExhausted, what));
        }
        if self.buffer.len() - PREFIX < length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}
