//! Whether a server is fit to keep data.

use std::collections::HashMap;

use crate::redis::{
    error::OpenError,
    link::{Failure, Link},
};

/// The oldest version that has all that the scripts need.
const VERSION: u32 = 7;

/// What is wrong with a server, and what can be done.
type Fault = (String, &'static str);

/// Looks at what the servers say of themselves, as far as they tell.
pub(crate) async fn check(link: &Link) -> Result<(), OpenError> {
    let all = match say(link).await {
        Ok(all) => all,
        Err(failure) => {
            tracing::warn!(
                why = failure.text,
                "Redis does not say whether it is fit to keep data"
            );
            return Ok(());
        }
    };
    for said in &all {
        let said = read(said);
        if let Some((why, fix)) = fault(&said) {
            return Err(OpenError::Unfit { why, fix });
        }
        if said.get("aof_enabled") == Some(&"0") {
            tracing::warn!(
                "Redis keeps no append-only file: what is committed is lost when it dies; set appendonly to yes, and appendfsync to always"
            );
        }
    }
    Ok(())
}

/// In a cluster, each server speaks for itself.
async fn say(link: &Link) -> Result<Vec<String>, Failure> {
    let info = redis::cmd("INFO");
    if !link.is_cluster() {
        return Ok(vec![link.ask(&info).await?]);
    }
    let all: HashMap<String, String> = link.ask(&info).await?;
    Ok(all.into_values().collect())
}

fn read(said: &str) -> HashMap<&str, &str> {
    said.lines()
        .filter_map(|line| line.split_once(':'))
        .collect()
}

fn fault(said: &HashMap<&str, &str>) -> Option<Fault> {
    let version = *said.get("redis_version")?;
    let major = version.split('.').next()?;
    if major.parse::<u32>().ok()? < VERSION {
        let why = format!("it has version {version}, and 7.0 is the oldest that will do");
        return Some((why, "run a newer one"));
    }
    let policy = *said.get("maxmemory_policy")?;
    if *said.get("maxmemory")? != "0" && policy.starts_with("allkeys") {
        let why = format!("it drops data when its memory is full (maxmemory-policy is {policy})");
        return Some((why, "set maxmemory-policy to noeviction"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{fault, read};

    #[test]
    fn a_server_that_is_too_old_or_drops_data_is_not_fit() {
        let said = |version: &str, memory: &str, policy: &str| {
            let text = format!(
                "# Server\r\nredis_version:{version}\r\nmaxmemory:{memory}\r\nmaxmemory_policy:{policy}\r\n"
            );
            fault(&read(&text)).map(|(why, _)| why)
        };
        assert_eq!(said("7.0.15", "0", "noeviction"), None);
        assert_eq!(said("8.2.1", "1000", "noeviction"), None);
        assert_eq!(said("7.0.15", "0", "allkeys-lru"), None);
        insta::assert_snapshot!(
            said("6.2.1", "0", "noeviction").unwrap(),
            @"it has version 6.2.1, and 7.0 is the oldest that will do"
        );
        insta::assert_snapshot!(
            said("7.2.0", "1000", "allkeys-lru").unwrap(),
            @"it drops data when its memory is full (maxmemory-policy is allkeys-lru)"
        );
    }
}
