//! `POST /api/v1/users`, `POST /api/v1/sessions` and the public keys under `/.well-known/jwks.json`.

use sdk::{
    clock,
    events::{self, CloudEvent},
    ids,
    rest::{self, Problem, Request, Response},
    variables,
};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{self, Applicant, Claims, Hasher, Key, Lifetime, User},
    register::Register,
};

/// Somebody has become a customer.
const USER_REGISTERED: &str = "shop.identity.user-registered.v1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: String,
    name: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: String,
    password: String,
}

#[derive(Serialize)]
struct Session {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

#[derive(Serialize)]
struct UserRegistered<'a> {
    user: &'a str,
    email: &'a str,
    name: &'a str,
}

/// Answers a request; passwords are hashed by `hasher`.
pub fn answer(request: &Request, hasher: &Hasher) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("POST", ["api", "v1", "users"]) => register(request, hasher),
        ("POST", ["api", "v1", "sessions"]) => log_in(request, hasher),
        ("GET", [".well-known", "jwks.json"]) => public_keys(request),
        (_, ["api", "v1", "users" | "sessions"]) => Err(Problem::method_not_allowed(&["POST"])),
        (_, [".well-known", "jwks.json"]) => Err(Problem::method_not_allowed(&["GET"])),
        _ => Err(Problem::not_found("there is nothing here")),
    }
}

fn register(request: &Request, hasher: &Hasher) -> Result<Response, Problem> {
    let registration: Registration = rest::parse_body(&request.body)?;
    let password = registration.password;
    let applicant =
        Applicant::new(&registration.email, &registration.name, &password).map_err(|mistakes| {
            let problem = Problem::unprocessable("the registration breaks a rule");
            mistakes.into_iter().fold(problem, |problem, mistake| {
                problem.with_error(mistake.pointer(), mistake.to_string())
            })
        })?;
    let register = Register::open();
    if register.is_taken(&applicant.email) {
        let detail = "somebody is registered with this address";
        return Err(Problem::new(409, "email-taken", "Email is taken", detail));
    }
    let Some(password) = hasher.hash(&password, ids::random_bytes()) else {
        sdk::unavailable("a password cannot be hashed")
    };
    let user = User {
        id: ids::new("usr"),
        email: applicant.email,
        name: applicant.name,
        password,
    };
    register.add(&user);
    announce(&user);
    Ok(rest::json(201, &serde_json::json!({ "id": user.id })))
}

fn announce(user: &User) {
    let data = UserRegistered {
        user: &user.id,
        email: &user.email,
        name: &user.name,
    };
    events::publish(&CloudEvent::new(
        USER_REGISTERED,
        "/shop/identity",
        &user.id,
        data,
    ));
}

fn log_in(request: &Request, hasher: &Hasher) -> Result<Response, Problem> {
    let credentials: Credentials = rest::parse_body(&request.body)?;
    let register = Register::open();
    let user = domain::email(&credentials.email).and_then(|email| register.find_by_email(&email));
    // Verified also when there is no such user, so that both refusals take as long.
    let stored = user.as_ref().map(|user| user.password.as_str());
    if !hasher.verify(&credentials.password, stored) {
        return Err(refused());
    }
    let user = user.ok_or_else(refused)?;
    let lifetime = Lifetime {
        from: clock::millis(clock::now()) / 1_000,
        length: variables::get_number("token_lifetime"),
    };
    let claims = Claims::new(&user, lifetime, ids::new("tok"));
    let Some(access_token) = register.signing_key().sign(&claims) else {
        sdk::unavailable("the signing key is broken")
    };
    let session = Session {
        access_token,
        token_type: "Bearer",
        expires_in: lifetime.length,
    };
    Ok(rest::json(201, &session).with_header("cache-control", "no-store"))
}

fn refused() -> Problem {
    Problem::new(
        401,
        "wrong-credentials",
        "Wrong credentials",
        "email and password do not belong together",
    )
    .with_header("www-authenticate", "Bearer")
}

fn public_keys(request: &Request) -> Result<Response, Problem> {
    let key: Key = Register::open().signing_key();
    let Some(keys) = key.public() else {
        sdk::unavailable("the signing key is broken")
    };
    Ok(rest::json_or_not_modified(request, &keys))
}

#[cfg(test)]
mod tests;
