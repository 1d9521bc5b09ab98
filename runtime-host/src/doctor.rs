//! `skald doctor`: whether what the host depends on is fit for it.

use std::fs;

use skald_store::redis::{self, Report, Verdict};

use crate::{
    cli::{Doctor, DoctorCommand, Examine},
    failure::Failure,
    lifecycle,
    present::{self, findings, ink::Ink},
};

/// Does what is asked.
pub(crate) fn run(doctor: &Doctor) -> Result<(), Failure> {
    match &doctor.command {
        DoctorCommand::Redis(asked) => examine(asked),
    }
}

fn examine(asked: &Examine) -> Result<(), Failure> {
    let mut config = redis::Config::new(asked.redis_prefix.clone(), asked.redis.clone());
    if let Some(file) = &asked.redis_ca {
        config.roots = Some(fs::read(file).map_err(|error| Failure::File(file.clone(), error))?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(lifecycle::Failure::from)?;
    let report = runtime.block_on(redis::Doctor::examine(&config));
    if asked.json {
        present::say(&json(&report)?);
    } else {
        let ink = Ink::detect(asked.no_color.as_deref());
        present::say(&findings::report(&report, ink));
    }
    judge(&report)
}

fn json(report: &Report) -> Result<String, Failure> {
    serde_json::to_string_pretty(report).map_err(|error| Failure::Input(error.to_string()))
}

/// The last words, and with them the exit code.
fn judge(report: &Report) -> Result<(), Failure> {
    match report.verdict() {
        Verdict::Well => Ok(()),
        Verdict::Weak if report.is_durable() => Err(Failure::Findings(
            "this Redis loses nothing that was answered, but something else is weak".to_owned(),
        )),
        Verdict::Weak => Err(Failure::Findings(
            "this Redis can lose what was answered; `skald up` starts on it only with --accept-redis-durability"
                .to_owned(),
        )),
        Verdict::Unusable => Err(Failure::Unusable(
            "this Redis cannot be used as it is".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use skald_store::redis::{Finding, Report, Stake, Verdict};

    use super::judge;
    use crate::failure::Failure;

    fn judged(verdict: Verdict, stake: Option<Stake>) -> Result<(), Failure> {
        judge(&Report {
            address: "redis://127.0.0.1".to_owned(),
            findings: vec![Finding {
                check: "some",
                server: None,
                verdict,
                found: String::new(),
                stake,
                risk: String::new(),
                fix: String::new(),
            }],
        })
    }

    #[test]
    fn the_exit_code_is_the_worst_that_was_found() {
        let code = |verdict, stake| judged(verdict, stake).map_err(|failure| failure.exit_code());
        assert_eq!(code(Verdict::Well, None), Ok(()));
        let weak = Err(ExitCode::from(1));
        assert_eq!(code(Verdict::Weak, Some(Stake::Data)), weak);
        assert_eq!(code(Verdict::Weak, Some(Stake::Service)), weak);
        let unusable = Err(ExitCode::from(2));
        assert_eq!(code(Verdict::Unusable, Some(Stake::Service)), unusable);
    }

    #[test]
    fn only_what_can_lose_data_has_to_be_accepted() {
        let said = |stake| judged(Verdict::Weak, Some(stake)).unwrap_err().to_string();
        assert!(said(Stake::Data).contains("--accept-redis-durability"));
        assert!(!said(Stake::Service).contains("--accept-redis-durability"));
    }
}
