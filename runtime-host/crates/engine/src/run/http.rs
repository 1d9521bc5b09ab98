//! HTTP requests.

use bytes::Bytes;
use http::{Request, Response, Uri, header::HOST, uri::Scheme};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use skald_core::call::{CallError, Reply};
use wasmtime_wasi_http::{FieldMap, p3};

use super::{Runner, settled};
use crate::{error::Stop, idle::Live, outbound::full};

impl Runner {
    pub(super) async fn handle_http(
        &self,
        live: &mut Live,
        request: &Request<Bytes>,
    ) -> wasmtime::Result<Result<Reply, CallError>> {
        let Some(service) = &live.service else {
            return Err(wasmtime::format_err!("the export was not there"));
        };
        let limit = self.answer_limit;
        let answered = live.store.run_concurrent(async |accessor| {
            // Whether the guest read its request to the end is of no interest to anyone.
            let guest_request = accessor.with(|mut access| incoming(access.get(), request));
            let response = service.handle(accessor, guest_request).await?;
            let response = match response {
                Ok(response) => response,
                Err(code) => {
                    return Err(wasmtime::format_err!(
                        "the handler answered with an error: {code:?}"
                    ));
                }
            };
            let response = accessor.with(|access| response.into_http(access, async { Ok(()) }))?;
            let response = collect(response, limit).await?;
            settled(accessor).await;
            Ok(response)
        });
        answered.await?.map(|response| Ok(Reply::Http(response)))
    }
}

/// The request as the guest sees it.
fn incoming(state: &mut crate::state::State, request: &Request<Bytes>) -> p3::Request {
    use wasmtime_wasi_http::WasiHttpView as _;
    let headers = FieldMap::new_immutable(state.http().hooks, request.headers().clone());
    let authority = request.uri().authority().cloned().or_else(|| {
        let host: &str = request.headers().get(HOST)?.to_str().ok()?;
        host.parse().ok()
    });
    let (request, _) = p3::Request::new(
        request.method().clone(),
        Some(request.uri().scheme().cloned().unwrap_or(Scheme::HTTP)),
        authority,
        Uri::path_and_query(request.uri()).cloned(),
        headers,
        None,
        full(request.body().clone()),
    );
    request
}

/// Reads the answer to its end: it goes out only once the call's unit of work has committed.
async fn collect<B>(response: Response<B>, limit: usize) -> wasmtime::Result<Response<Bytes>>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = response.into_parts();
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => {
            let limit = CallError::OverLimit(format!("an answer may have {} MiB", limit >> 20));
            Err(wasmtime::Error::new(Stop(limit)))
        }
        Err(error) => Err(wasmtime::format_err!("the answer broke off: {error}")),
    }
}
