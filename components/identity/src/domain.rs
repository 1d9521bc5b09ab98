//! The rules of identity, on values: what may be registered, how passwords are kept, what a token says.

mod password;
mod registration;
mod token;

use serde::{Deserialize, Serialize};

pub use password::{Cost, Hasher};
pub use registration::{Applicant, Mistake, email, name};
pub use token::{Claims, Key, Lifetime};

/// A customer as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// `usr_…`.
    pub id: String,
    /// In lower case.
    pub email: String,
    /// As they write it.
    pub name: String,
    /// PHC string of the password's hash.
    pub password: String,
    /// How many names they have had before.
    #[serde(default)]
    pub revision: u64,
}
