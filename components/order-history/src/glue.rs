//! The exports: HTTP and events. Nobody calls it, so it has no contract.

use sdk::rest::Outgoing;
use spin_sdk::http::Request;

use crate::routes;

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use sdk::events::HandlerError;

    #[spin_sdk::redis_subscriber]
    async fn receive(message: Vec<u8>) -> Result<(), HandlerError> {
        crate::subscriber::receive(&message)
    }
}

#[spin_sdk::http_service]
async fn serve(request: Request) -> Outgoing {
    sdk::rest::serve(request, routes::answer).await
}
