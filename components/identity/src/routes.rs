//! `POST /api/v1/users`, `/api/v1/users/me`, `POST /api/v1/sessions` and the public keys under `/.well-known/jwks.json`.

use sdk::{
    clock,
    events::{self, CloudEvent},
    ids,
    rest::{self, Problem, Request, Response},
    variables,
};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{self, Applicant, Claims, Hasher, Key, Lifetime, Mistake, User},
    register::Register,
};

/// Somebody has become a customer.
const USER_REGISTERED: &str = "shop.identity.user-registered.v1";

/// A customer is called something else.
const USER_RENAMED: &str = "shop.identity.user-renamed.v1";

/// Where our events come from.
const SOURCE: &str = "/shop/identity";

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

/// What customers see of themselves.
#[derive(Serialize)]
struct Profile<'a> {
    id: &'a str,
    email: &'a str,
    name: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: String,
}

#[derive(Serialize)]
struct UserRenamed<'a> {
    user: &'a str,
    name: &'a str,
    /// How many names they have had before.
    revision: u64,
}

/// Answers a request; passwords are hashed by `hasher`.
pub fn answer(request: &Request, hasher: &Hasher) -> Result<Response, Problem> {
    match (request.method(), request.segments().as_slice()) {
        ("POST", ["api", "v1", "users"]) => register(request, hasher),
        ("GET", ["api", "v1", "users", "me"]) => profile(request),
        ("PATCH", ["api", "v1", "users", "me"]) => rename(request),
        (_, ["api", "v1", "users", "me"]) => Err(Problem::method_not_allowed(&["GET", "PATCH"])),
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
        revision: 0,
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
    events::publish(&CloudEvent::new(USER_REGISTERED, SOURCE, &user.id, data));
}

fn profile(request: &Request) -> Result<Response, Problem> {
    Ok(rest::json_or_not_modified(
        request,
        &seen(&caller(request)?),
    ))
}

/// Gives the caller another name. The name they have already is nothing to tell of.
fn rename(request: &Request) -> Result<Response, Problem> {
    let mut user = caller(request)?;
    let change: Change = rest::parse_body(&request.body)?;
    let name = domain::name(&change.name).ok_or_else(|| {
        Problem::invalid_field(Mistake::Name.pointer(), Mistake::Name.to_string())
    })?;
    if user.name != name {
        user.name = name;
        user.revision += 1;
        Register::open().change(&user);
        let data = UserRenamed {
            user: &user.id,
            name: &user.name,
            revision: user.revision,
        };
        events::publish(&CloudEvent::new(USER_RENAMED, SOURCE, &user.id, data));
    }
    Ok(rest::json(200, &seen(&user)).with_header("etag", &rest::etag(&seen(&user))))
}

fn caller(request: &Request) -> Result<User, Problem> {
    let user = Register::open().find(request.principal()?);
    user.ok_or_else(|| Problem::not_found("there is no such user"))
}

fn seen(user: &User) -> Profile<'_> {
    Profile {
        id: &user.id,
        email: &user.email,
        name: &user.name,
    }
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
