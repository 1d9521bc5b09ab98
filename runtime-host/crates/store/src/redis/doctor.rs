//! Whether a Redis is fit to keep what must not be lost, and what its settings can lose.
//!
//! What the servers say of themselves is judged by rules without a connection; the rest is tried on keys of its own,
//! which are gone afterwards. Nothing is changed.

mod judge;
mod memory;
mod probe;
mod servers;

use std::fmt;

use serde::Serialize;

use self::servers::{Facts, Servers};
use crate::redis::{
    config::Config,
    error::OpenError,
    link::{Failure, Link},
};

/// Looks at servers.
#[derive(Debug)]
pub struct Doctor;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where the servers are, without a password.
    pub address: String,
    /// One for each thing that was looked at, and for each server where servers differ.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name.
    pub check: &'static str,
    /// Which server, where others differ.
    pub server: Option<String>,
    /// How good that is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What is at stake; nothing where all is well.
    pub stake: Option<Stake>,
    /// What can happen, in a sentence; empty where all is well.
    pub risk: String,
    /// What makes it well: a command for `redis-cli`, or a sentence; empty where all is well.
    pub fix: String,
}

/// In one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.found)?;
        for more in [&self.risk, &self.fix] {
            if !more.is_empty() {
                write!(f, "; {more}")?;
            }
        }
        Ok(())
    }
}

/// How good something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Well,
    /// It works, at a risk.
    Weak,
    /// It does not work.
    Unusable,
}

/// What is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stake {
    /// What was committed and answered.
    Data,
    /// That it answers, and how soon.
    Service,
}

// === impl Doctor ===

impl Doctor {
    /// Looks at the servers of an application.
    pub async fn examine(config: &Config) -> Report {
        let mut findings = Vec::new();
        if let Err(failure) = look(config, &mut findings).await {
            findings.push(unreachable(config, &failure));
        }
        Report {
            address: config.address.to_string(),
            findings,
        }
    }
}

async fn look(config: &Config, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let servers = Servers::find(config).await?;
    findings.extend(servers.layout());
    let rules: [fn(&Facts) -> Finding; 8] = [
        judge::version,
        judge::role,
        judge::replicas,
        judge::append_only,
        judge::flush,
        judge::files,
        memory::room,
        memory::eviction,
    ];
    for rule in rules {
        findings.extend(merged(servers.facts().iter().map(rule).collect()));
    }
    // On a server that takes no writes a trial only waits.
    if findings.iter().all(|one| one.verdict != Verdict::Unusable) {
        let link = Link::open(config).await?;
        findings.extend(probe::probe(&link, config).await);
    }
    Ok(())
}

/// Refuses servers that cannot keep data at all, by what they say of themselves, as far as they say it.
pub(super) async fn admit(link: &Link) -> Result<(), OpenError> {
    let all = match servers::said(link).await {
        Ok(all) => all,
        Err(failure) => {
            let why = failure.text;
            tracing::warn!(why, "Redis does not say whether it is fit to keep data");
            return Ok(());
        }
    };
    let rules: [fn(&Facts) -> Finding; 2] = [judge::version, memory::eviction];
    let mut found = all.iter().flat_map(|facts| rules.map(|rule| rule(facts)));
    match found.find(|finding| finding.verdict == Verdict::Unusable) {
        Some(finding) => Err(OpenError::Unfit(finding.to_string())),
        None => Ok(()),
    }
}

fn unreachable(config: &Config, failure: &Failure) -> Finding {
    Finding::new("connection", failure.text.clone()).unusable(
        format!("Nothing can be kept at {}.", config.address),
        "start the server, or correct the address, the user or the password",
    )
}

/// One finding where all servers are alike; else those that are worst, each with its server.
fn merged(mut findings: Vec<Finding>) -> Vec<Finding> {
    let count = findings.len();
    let is_alike = findings
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.found == b.found && a.verdict == b.verdict));
    if is_alike {
        findings.truncate(1);
        for one in &mut findings {
            one.server = None;
            if count > 1 {
                one.found = format!("{} ({count} servers)", one.found);
            }
        }
        return findings;
    }
    let worst = findings.iter().map(|one| one.verdict).max();
    if worst == Some(Verdict::Well) {
        findings.truncate(1);
        for one in &mut findings {
            one.server = None;
            one.found = format!("{}, others alike ({count} servers)", one.found);
        }
    } else {
        findings.retain(|one| Some(one.verdict) == worst);
    }
    findings
}

// === impl Report ===

impl Report {
    /// The worst that was found.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|one| one.verdict);
        verdicts.max().unwrap_or(Verdict::Unusable)
    }

    /// Whether what was committed and answered is kept whatever dies, as far as settings can do that: it can be used, and
    /// no finding that is weak has data at stake.
    pub fn is_durable(&self) -> bool {
        self.verdict() != Verdict::Unusable && self.at_stake(Stake::Data).next().is_none()
    }

    /// Whether it works at all.
    pub fn is_usable(&self) -> bool {
        self.verdict() != Verdict::Unusable
    }

    /// The findings that put something at stake.
    pub fn at_stake(&self, stake: Stake) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |one| one.stake == Some(stake))
    }
}

// === impl Finding ===

impl Finding {
    /// Something that is as it should be.
    fn new(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            server: None,
            verdict: Verdict::Well,
            found: found.into(),
            stake: None,
            risk: String::new(),
            fix: String::new(),
        }
    }

    /// The same of one server.
    fn of(mut self, facts: &Facts) -> Self {
        self.server = Some(facts.server.clone());
        self
    }

    /// The same, and it puts something at stake.
    fn weak(mut self, stake: Stake, risk: impl Into<String>, fix: impl Into<String>) -> Self {
        self.verdict = Verdict::Weak;
        self.stake = Some(stake);
        self.risk = risk.into();
        self.fix = fix.into();
        self
    }

    /// The same, and it does not work so.
    fn unusable(mut self, risk: impl Into<String>, fix: impl Into<String>) -> Self {
        self.verdict = Verdict::Unusable;
        self.stake = Some(Stake::Service);
        self.risk = risk.into();
        self.fix = fix.into();
        self
    }
}

// === impl Verdict ===

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "well",
            Self::Weak => "weak",
            Self::Unusable => "unusable",
        })
    }
}

#[cfg(test)]
mod tests;
