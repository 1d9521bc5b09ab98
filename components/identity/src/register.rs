//! Where customers and the signing key are kept.

use sdk::{ids, kv::Store};

use crate::domain::{Key, User};

/// The label of the store.
const STORE: &str = "identity";

/// Where the signing key is.
const SIGNING_KEY: &str = "signing-key";

/// The store of customers.
#[derive(Debug)]
pub struct Register(Store);

impl Register {
    /// Opens it.
    pub fn open() -> Self {
        Self(Store::open(STORE))
    }

    /// The customer with this id.
    pub fn find(&self, id: &str) -> Option<User> {
        self.0.get(&user_key(id))
    }

    /// Whether somebody is registered with this address.
    pub fn is_taken(&self, email: &str) -> bool {
        self.0.exists(&email_key(email))
    }

    /// The customer with this address.
    pub fn find_by_email(&self, email: &str) -> Option<User> {
        let id: String = self.0.get(&email_key(email))?;
        self.find(&id)
    }

    /// Adds a customer whose address is not taken.
    pub fn add(&self, user: &User) {
        self.0.set(&user_key(&user.id), user);
        self.0.set(&email_key(&user.email), &user.id);
    }

    /// Writes down what has changed about a customer; the address never does.
    pub fn change(&self, user: &User) {
        self.0.set(&user_key(&user.id), user);
    }

    /// The signing key; made when it is first asked for.
    pub fn signing_key(&self) -> Key {
        self.0.get(SIGNING_KEY).unwrap_or_else(|| {
            let key = Key::new(ids::new("key"), ids::random_bytes());
            self.0.set(SIGNING_KEY, &key);
            key
        })
    }
}

fn user_key(id: &str) -> String {
    format!("user/{id}")
}

fn email_key(email: &str) -> String {
    format!("email/{email}")
}
