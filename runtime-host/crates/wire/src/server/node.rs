//! Calls by other nodes that are no functions of contracts.

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use prost::Message as _;
use skald_core::call::{CallError, Request};

use super::{Desk, Line, caller::Standing, malformed, not_allowed};
use crate::{
    envelope::{CallReply, CallRequest},
    frame::Frames,
    status::{Code, Status},
};

impl Desk {
    pub(super) async fn call<B>(
        &self,
        headers: &HeaderMap,
        frames: Frames<B>,
        line: &Line<'_>,
    ) -> Result<Vec<u8>, Status>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        match line.caller.standing(&self.config, headers) {
            Standing::Node => {}
            Standing::Friend | Standing::Outsider => {
                return Err(not_allowed("only other nodes may call this"));
            }
        }
        let context = Self::context_of_node(headers)?;
        let message = CallRequest::decode(frames.only().await?);
        let message = message.map_err(|error| malformed(error.to_string()))?;
        let (target, input) = message.read().map_err(malformed)?;
        if !self.contracts.components().contains(&target) {
            return Err(Status::from(&CallError::NoSuchComponent(target)));
        }
        let request = Request {
            target,
            input,
            context,
        };
        let reply = self.calls.call_boxed(request).await;
        let reply = reply.map_err(|error| Status::from(&error))?;
        let reply = CallReply::of(&reply)
            .ok_or_else(|| Status::new(Code::Internal, "the answer is of another kind"))?;
        self.fits(reply.encode_to_vec())
    }
}
