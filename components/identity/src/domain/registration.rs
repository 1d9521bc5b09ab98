//! What may be registered.

use thiserror::Error;

/// Long enough that guessing is slow, and NIST's minimum.
const MIN_PASSWORD: usize = 8;

/// Room for a sentence; more would only cost time.
const MAX_PASSWORD: usize = 128;

/// Room for any name people have.
const MAX_NAME: usize = 100;

/// What SMTP can carry (RFC 5321, with the erratum).
const MAX_EMAIL: usize = 254;

/// The same, for the part before the `@`.
const MAX_LOCAL: usize = 64;

/// Somebody who may become a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applicant {
    /// In lower case.
    pub email: String,
    /// Without spaces around it.
    pub name: String,
}

/// What is wrong with a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Mistake {
    /// Nobody could be reached there.
    #[error("has to be an address like name@example.com")]
    Email,
    /// No name, too long a one, or one with control characters.
    #[error("has to be 1 to {MAX_NAME} characters")]
    Name,
    /// Too short or too long.
    #[error("has to be {MIN_PASSWORD} to {MAX_PASSWORD} characters")]
    Password,
}

impl Mistake {
    /// Where in the request it is, as a JSON Pointer.
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Email => "/email",
            Self::Name => "/name",
            Self::Password => "/password",
        }
    }
}

impl Applicant {
    /// Checks a registration; all mistakes at once.
    pub fn new(address: &str, name: &str, password: &str) -> Result<Self, Vec<Mistake>> {
        let address = email(address);
        let name = self::name(name);
        let mut mistakes = Vec::new();
        if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&password.chars().count()) {
            mistakes.push(Mistake::Password);
        }
        match (address, name) {
            (Some(email), Some(name)) if mistakes.is_empty() => Ok(Self { email, name }),
            (email, name) => {
                mistakes.extend(name.is_none().then_some(Mistake::Name));
                mistakes.extend(email.is_none().then_some(Mistake::Email));
                mistakes.reverse();
                Err(mistakes)
            }
        }
    }
}

/// An email address in the form it is known by: trimmed, in lower case; `None` if nobody could be reached there.
/// It does not try to be RFC 5322: whether an address works only a letter to it can tell.
pub fn email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';' | '<' | '>' | '/')
    };
    let reachable = email.len() <= MAX_EMAIL
        && (1..=MAX_LOCAL).contains(&local.len())
        && !local.contains(odd)
        && domain.contains('.')
        && domain.split('.').all(is_label);
    reachable.then_some(email)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c == '-' || c.is_alphanumeric())
}

/// A name without spaces around it; `None` if there is none, too much of it, or control characters in it.
pub fn name(text: &str) -> Option<String> {
    let name = text.trim();
    let good = (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    good.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_kept_in_lower_case() {
        assert_eq!(
            email(" Egil.Skalla+grim@Borg.IS "),
            Some("egil.skalla+grim@borg.is".to_owned())
        );
        assert_eq!(
            email("a@xn--hfn-1na.is"),
            Some("a@xn--hfn-1na.is".to_owned())
        );
    }

    #[test]
    fn addresses_nobody_could_be_reached_at_are_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for refused in [
            "",
            "egil",
            "@borg.is",
            "egil@",
            "egil@borg",
            "egil@.is",
            "egil@borg..is",
            "e gil@borg.is",
            "egil@@borg.is",
            "egil@-borg.is",
            "egil@borg.is\u{7}",
            "<egil@borg.is>",
            "a/b@borg.is",
            &long,
        ] {
            assert_eq!(email(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        assert_eq!(
            Applicant::new("egil", " ", "short"),
            Err(vec![Mistake::Email, Mistake::Name, Mistake::Password])
        );
        let long = "ð".repeat(129);
        assert_eq!(
            Applicant::new("e@borg.is", "Egil", &long),
            Err(vec![Mistake::Password])
        );
        assert!(Applicant::new("e@borg.is", "Egil\n", "ðððððððð").is_ok());
        assert_eq!(
            Applicant::new("e@borg.is", "Eg\nil", "12345678"),
            Err(vec![Mistake::Name])
        );
    }

    proptest! {
        #[test]
        fn a_form_an_address_is_known_by_is_its_own_form(text in "[A-Za-z.+ -]{0,8}@[A-Za-z.-]{0,12}") {
            if let Some(known) = email(&text) {
                prop_assert_eq!(email(&known), Some(known.clone()));
                prop_assert!(!known.contains(char::is_uppercase) && !known.contains(' '));
            }
        }
    }
}
