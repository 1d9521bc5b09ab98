//! The exports: HTTP, and the contract `shop:identity/api`.

use sdk::rest::Outgoing;
use spin_sdk::http::Request;

use self::bindings::exports::shop::identity::api;
use crate::{
    domain::{Cost, Hasher},
    register::Register,
    routes,
};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit/identity", world: "identity" });
}

#[expect(unsafe_code, reason = "the symbols that the host calls")]
mod export {
    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}

struct Component;

impl api::Guest for Component {
    fn find(id: String) -> Result<api::User, api::Error> {
        match Register::open().find(&id) {
            Some(user) => Ok(api::User {
                id: user.id,
                email: user.email,
                name: user.name,
            }),
            None => Err(api::Error::UnknownUser(id)),
        }
    }
}

#[spin_sdk::http_service]
async fn serve(request: Request) -> Outgoing {
    let hasher = Hasher::new(Cost::OWASP);
    sdk::rest::serve(request, |request| routes::answer(request, &hasher)).await
}
