//! Passwords: argon2id, and the same work whether or not there is a password to compare with.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString},
};

/// What guessing costs. Stored with each hash, so it may be raised later.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// OWASP's minimum for argon2id; more memory would not leave room for the rest of an instance.
    pub const OWASP: Self = Self {
        memory: 19_456,
        passes: 2,
    };
}

/// Hashes passwords at a given cost.
#[derive(Debug)]
pub struct Hasher {
    cost: Cost,
}

impl Hasher {
    /// A hasher of this cost.
    pub fn new(cost: Cost) -> Self {
        Self { cost }
    }

    /// The PHC string of a password; `None` only if the cost or the salt makes no sense.
    pub fn hash(&self, password: &str, salt: [u8; 16]) -> Option<String> {
        let salt = SaltString::encode_b64(&salt).ok()?;
        let hash = self
            .argon2()?
            .hash_password(password.as_bytes(), &salt)
            .ok()?;
        Some(hash.to_string())
    }

    /// Whether it is the password behind `stored`. With nothing stored it hashes all the same, and answers no: how long
    /// it takes does not tell who is a customer.
    pub fn verify(&self, password: &str, stored: Option<&str>) -> bool {
        match stored.and_then(|phc| PasswordHash::new(phc).ok()) {
            Some(hash) => Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok(),
            None => {
                let work = self.hash(password, [0; 16]);
                // Nothing may conclude that the work is not needed.
                std::hint::black_box(work);
                false
            }
        }
    }

    fn argon2(&self) -> Option<Argon2<'static>> {
        let params = Params::new(self.cost.memory, self.cost.passes, 1, None).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough for tests.
    const CHEAP: Cost = Cost {
        memory: 8,
        passes: 1,
    };

    #[test]
    fn only_the_password_itself_fits_its_hash() {
        let hasher = Hasher::new(CHEAP);
        let stored = hasher.hash("correct horse", [1; 16]).unwrap();
        assert!(hasher.verify("correct horse", Some(&stored)));
        assert!(!hasher.verify("correct house", Some(&stored)));
        assert!(!hasher.verify("", Some(&stored)));
        assert!(!hasher.verify("correct horse", None));
        assert!(!hasher.verify("correct horse", Some("not a hash")));
    }

    #[test]
    fn hashes_say_how_they_were_made_and_differ_by_salt() {
        let hasher = Hasher::new(CHEAP);
        let stored = hasher.hash("correct horse", [1; 16]).unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{stored}"
        );
        assert_ne!(hasher.hash("correct horse", [2; 16]), Some(stored));
    }

    #[test]
    fn a_hash_of_another_cost_still_fits() {
        let stored = Hasher::new(CHEAP).hash("correct horse", [1; 16]).unwrap();
        let dearer = Hasher::new(Cost {
            memory: 16,
            passes: 2,
        });
        assert!(dearer.verify("correct horse", Some(&stored)));
    }
}
