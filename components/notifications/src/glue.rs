//! The exports: HTTP, events, and the contract `shop:notifications/api`.

use sdk::rest::Outgoing;
use spin_sdk::http::Request;

use self::bindings::exports::shop::notifications::api;
use crate::{domain::Entry, mailbox::Mailboxes, routes};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/notifications", world: "notifications" });
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use sdk::events::HandlerError;

    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);

    #[spin_sdk::redis_subscriber]
    async fn receive(message: Vec<u8>) -> Result<(), HandlerError> {
        crate::subscriber::receive(&message)
    }
}

struct Component;

impl api::Guest for Component {
    fn mailbox(user: String, limit: u32) -> Vec<api::Entry> {
        let (entries, _) = Mailboxes::open().page(&user, None, limit.into());
        entries.into_iter().map(entry).collect()
    }
}

#[spin_sdk::http_service]
async fn serve(request: Request) -> Outgoing {
    sdk::rest::serve(request, routes::answer).await
}

fn entry(entry: Entry) -> api::Entry {
    api::Entry {
        id: entry.id,
        at: entry.at,
        kind: entry.kind,
        text: entry.text,
    }
}
