//! How steps are tried: what the manifest says of each service, interface or function that a saga calls.

use std::{num::NonZeroU32, time::Duration};

use super::Step;

/// What sending a step twice can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// It changes nothing.
    Read,
    /// It changes something, and its target knows by the step's key when it is sent again.
    #[default]
    Write,
    /// It changes something, and its target does not know when it is sent again. Where its answer is lost, a person looks.
    WriteOnce,
}

/// How a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How often, the first time included; then the run is parked.
    pub attempts: NonZeroU32,
    /// The longest pause after the first attempt; it doubles with each further one.
    pub backoff: Duration,
    /// No pause is longer.
    pub max_backoff: Duration,
    /// How long one attempt may take; without it, what the target's own deadline says.
    pub timeout: Option<Duration>,
    /// What sending it twice can do.
    pub class: Class,
}

/// The policies of one saga.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies(Vec<(String, Policy)>);

// === impl Policy ===

impl Default for Policy {
    /// Some two minutes of trying: a restart of what is called does not park a run.
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(11),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
            timeout: None,
            class: Class::default(),
        }
    }
}

impl Policy {
    /// The longest pause after attempt number `attempt`, counted from 1.
    pub fn pause(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.backoff.saturating_mul(factor).min(self.max_backoff)
    }
}

// === impl Policies ===

impl Policies {
    /// Each name is a package (`shop:payments`), an interface of it (`shop:payments/api`) or a function of that
    /// (`shop:payments/api.capture`), all without versions.
    pub fn new(named: impl IntoIterator<Item = (String, Policy)>) -> Self {
        Self(named.into_iter().collect())
    }

    /// The policy with the longest name that fits the step.
    pub fn of(&self, step: &Step) -> Policy {
        let (interface, _) = step
            .interface
            .split_once('@')
            .unwrap_or((&step.interface, ""));
        let (package, _) = interface.split_once('/').unwrap_or((interface, ""));
        let function = format!("{interface}.{}", step.function);
        [function.as_str(), interface, package]
            .into_iter()
            .find_map(|name| self.0.iter().find(|(named, _)| named == name))
            .map(|(_, policy)| *policy)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_decides() {
        let attempts = |attempts: u32| Policy {
            attempts: NonZeroU32::new(attempts).unwrap(),
            ..Policy::default()
        };
        let policies = Policies::new([
            ("shop:payments".to_owned(), attempts(2)),
            ("shop:payments/api.capture".to_owned(), attempts(3)),
        ]);
        let of = |interface: &str, function: &str| {
            let step = Step {
                target: "payments".to_owned(),
                interface: interface.to_owned(),
                function: function.to_owned(),
                arguments: Vec::new(),
            };
            policies.of(&step).attempts.get()
        };
        assert_eq!(of("shop:payments/api@1.0.0", "capture"), 3);
        assert_eq!(of("shop:payments/api@1.0.0", "refund"), 2);
        assert_eq!(of("shop:cart/api@1.0.0", "capture"), 12);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = Policy::default();
        let pauses: Vec<_> = [1, 2, 3, 9, 10, 60]
            .map(|attempt| policy.pause(attempt).as_millis())
            .into();
        assert_eq!(pauses, [100, 200, 400, 25_600, 30_000, 30_000]);
    }
}
