//! The body of an answer: messages, then how it ended.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::{Body, Frame};
use tokio::sync::mpsc;

use crate::{
    frame::frame,
    status::{Code, Status},
};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// The body of an answer.
#[derive(Default)]
pub(crate) struct Answer {
    ready: VecDeque<Frame<Bytes>>,
    /// Where more comes from, until it ends.
    more: Option<mpsc::Receiver<Result<Bytes, Status>>>,
}

/// Where an answer of several messages is written to.
pub(crate) type Pen = mpsc::Sender<Result<Bytes, Status>>;

// === impl Answer ===

impl Answer {
    /// One message, or how the call ended without one.
    pub(crate) fn unary(result: Result<Vec<u8>, Status>) -> Response<Self> {
        let message = match result {
            Ok(message) => message,
            Err(status) => {
                let mut response = response(Self::default());
                response.headers_mut().extend(status.headers());
                return response;
            }
        };
        let frames = [Frame::data(frame(&message)), Frame::trailers(Status::ok())];
        response(Self {
            ready: frames.into(),
            more: None,
        })
    }

    /// Messages as they are written, until the pen is dropped or writes an error.
    pub(crate) fn stream() -> (Pen, Response<Self>) {
        let (pen, more) = mpsc::channel(8);
        let answer = Self {
            ready: VecDeque::new(),
            more: Some(more),
        };
        (pen, response(answer))
    }
}

fn response(answer: Answer) -> Response<Answer> {
    let mut response = Response::new(answer);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(next) = self.ready.pop_front() {
            return Poll::Ready(Some(Ok(next)));
        }
        let Some(more) = &mut self.more else {
            return Poll::Ready(None);
        };
        let next = match ready!(more.poll_recv(context)) {
            Some(Ok(message)) => Frame::data(frame(&message)),
            ended => {
                self.more = None;
                match ended {
                    Some(Err(status)) if status.code != Code::Ok => {
                        Frame::trailers(status.headers())
                    }
                    _ => Frame::trailers(Status::ok()),
                }
            }
        };
        Poll::Ready(Some(Ok(next)))
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.more.is_none()
    }
}
