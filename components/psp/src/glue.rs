//! Serves HTTP, and disturbs replies as the books demand.

use sdk::rest;
use spin_sdk::{http::Request, http_service, wasip3::clocks::monotonic_clock};

use crate::{domain::Delivery, routes};

/// Longer than the two seconds that the shop waits for a reply.
const SLOW_NANOS: u64 = 3_000_000_000;

#[http_service]
async fn serve(request: Request) -> rest::Outgoing {
    let mut delivery = Delivery::Prompt;
    let outgoing = rest::serve(request, |request| {
        let (response, how) = routes::answer(request)?;
        delivery = how;
        Ok(response)
    })
    .await;
    match delivery {
        Delivery::Prompt => {}
        // What is written stays written: this store is not part of any unit of work.
        Delivery::Lost => sdk::unavailable("the reply is lost, as the token asks"),
        Delivery::Slow => monotonic_clock::wait_for(SLOW_NANOS).await,
    }
    outgoing
}
