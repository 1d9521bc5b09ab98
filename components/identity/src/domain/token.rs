//! Access tokens: JWTs signed with Ed25519 (RFC 9068, RFC 8037), and the key set that others check them by.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::User;

/// Who signs, as the gateway expects it.
const ISSUER: &str = "skald-shop";

/// For whom, likewise.
const AUDIENCE: &str = "skald-shop";

/// The key that signs tokens.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    id: String,
    /// The private half, base64url.
    seed: String,
}

/// When a token was made and how long it is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Seconds since 1970.
    pub from: u64,
    /// Seconds.
    pub length: u64,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    sub: String,
    email: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: String,
}

impl Key {
    /// The key made of these secret bytes.
    pub fn new(id: String, seed: [u8; 32]) -> Self {
        Self {
            id,
            seed: URL_SAFE_NO_PAD.encode(seed),
        }
    }

    /// The signed token; `None` if the key is not one.
    pub fn sign(&self, claims: &Claims) -> Option<String> {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.id });
        let mut token = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).ok()?, &mut token);
        let signature = self.secret()?.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut token);
        Some(token)
    }

    /// The key set with the public half; `None` if the key is not one.
    pub fn public(&self) -> Option<Value> {
        let public = self.secret()?.verifying_key();
        Some(json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(public.as_bytes()),
        }] }))
    }

    fn secret(&self) -> Option<SigningKey> {
        let seed = URL_SAFE_NO_PAD.decode(&self.seed).ok()?;
        Some(SigningKey::from_bytes(&seed.try_into().ok()?))
    }
}

/// The private half is never shown.
impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Claims {
    /// That the bearer is this user, for so long.
    pub fn new(user: &User, lifetime: Lifetime, id: String) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.id.clone(),
            email: user.email.clone(),
            iat: lifetime.from,
            nbf: lifetime.from,
            exp: lifetime.from.saturating_add(lifetime.length),
            jti: id,
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

    use super::*;

    fn decode(part: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(part).unwrap()
    }

    #[test]
    fn a_token_says_who_and_for_how_long_and_the_key_set_proves_it() {
        let key = Key::new("key_1".to_owned(), [7; 32]);
        let user = User {
            id: "usr_1".to_owned(),
            email: "egil@borg.is".to_owned(),
            name: "Egil".to_owned(),
            password: "secret".to_owned(),
            revision: 0,
        };
        let lifetime = Lifetime {
            from: 1_000,
            length: 3_600,
        };
        let token = key
            .sign(&Claims::new(&user, lifetime, "tok_1".to_owned()))
            .unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        insta::assert_snapshot!(String::from_utf8(decode(header)).unwrap(), @r#"{"alg":"EdDSA","kid":"key_1","typ":"at+jwt"}"#);
        insta::assert_snapshot!(String::from_utf8(decode(claims)).unwrap(), @r#"{"iss":"skald-shop","aud":"skald-shop","sub":"usr_1","email":"egil@borg.is","iat":1000,"nbf":1000,"exp":4600,"jti":"tok_1"}"#);

        let jwk = key.public().unwrap()["keys"][0].clone();
        assert_eq!(jwk["kid"], "key_1");
        let public = decode(jwk["x"].as_str().unwrap()).try_into().unwrap();
        let public = VerifyingKey::from_bytes(&public).unwrap();
        let signature = Signature::from_slice(&decode(signature)).unwrap();
        public.verify(signed.as_bytes(), &signature).unwrap();
        public.verify(b"something else", &signature).unwrap_err();
    }

    #[test]
    fn the_private_half_is_not_shown() {
        let key = Key::new("key_1".to_owned(), [7; 32]);
        insta::assert_snapshot!(format!("{key:?}"), @r#"Key { id: "key_1", .. }"#);
        assert!(!key.public().unwrap().to_string().contains(&key.seed));
    }

    #[test]
    fn a_broken_key_signs_nothing() {
        let key = Key {
            id: "key_1".to_owned(),
            seed: "!".to_owned(),
        };
        assert!(key.public().is_none());
    }
}
