//! The values of an application's variables, from whoever provides them.

use std::{collections::BTreeMap, fmt};

use thiserror::Error;

use super::{model::Variable, suggest, template::Template};

/// Where values come from. The first that has one wins; then comes the default of the manifest.
#[derive(Clone, Default)]
pub struct Providers {
    /// Those of the command line: `--variable name=value`.
    pub flags: BTreeMap<String, String>,
    /// The environment of the host; `SPIN_VARIABLE_NAME` is the variable `name`.
    pub environment: BTreeMap<String, String>,
}

/// The value of every variable. Secret ones are not shown by `Debug`.
#[derive(Clone, Default)]
pub struct Resolved {
    values: BTreeMap<String, Value>,
}

#[derive(Clone)]
struct Value {
    text: String,
    secret: bool,
}

/// Everything that is wrong with the values of the variables.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct VariableProblems(pub Vec<VariableProblem>);

/// What is wrong with the value of a variable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VariableProblem {
    /// It needs a value and nobody gave one.
    #[error(
        "`{name}` has no value{}; pass `--variable {name}=…` or set {}",
        aside(description),
        environment_name(name)
    )]
    Missing {
        /// The variable.
        name: String,
        /// What it is for.
        description: String,
    },
    /// The command line names one that the manifest does not have.
    #[error("`--variable {name}=…` is not in the manifest{fix}")]
    Undeclared {
        /// What the command line says.
        name: String,
        /// What was probably meant; may be empty.
        fix: String,
    },
}

/// What the environment calls variables; the rest of the name follows in capitals.
pub const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// Finds the value of every declared variable, or says all that is wrong.
pub fn resolve(
    declared: &BTreeMap<String, Variable>,
    providers: &Providers,
) -> Result<Resolved, VariableProblems> {
    let mut problems = undeclared(declared, providers);
    let mut values = BTreeMap::new();
    for (name, variable) in declared {
        let given = providers
            .flags
            .get(name)
            .or_else(|| providers.environment.get(&environment_name(name)));
        match given.or(variable.default.as_ref()) {
            Some(text) => {
                values.insert(
                    name.clone(),
                    Value {
                        text: text.clone(),
                        secret: variable.secret,
                    },
                );
            }
            None => {
                let description = variable.description.clone();
                problems.push(VariableProblem::Missing {
                    name: name.clone(),
                    description,
                });
            }
        }
    }
    if problems.is_empty() {
        Ok(Resolved { values })
    } else {
        Err(VariableProblems(problems))
    }
}

fn undeclared(
    declared: &BTreeMap<String, Variable>,
    providers: &Providers,
) -> Vec<VariableProblem> {
    let unknown = providers
        .flags
        .keys()
        .filter(|name| !declared.contains_key(*name));
    let problem = |name: &String| VariableProblem::Undeclared {
        name: name.clone(),
        fix: suggest::instead_of(name, declared.keys().map(String::as_str)),
    };
    unknown.map(problem).collect()
}

// === impl Providers ===

impl fmt::Debug for Providers {
    /// Shows names only: here nobody knows yet which values are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers")
            .field("flags", &self.flags.keys())
            .finish_non_exhaustive()
    }
}

// === impl Resolved ===

impl Resolved {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str())
    }

    /// Whether the value of a variable must not be shown.
    pub fn is_secret(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value.secret)
    }

    /// A template with the values put in. A manifest that was read mentions no variable that has none.
    pub fn render(&self, template: &Template) -> String {
        template.render(|name| self.get(name))
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.values.iter()).finish()
    }
}

// === impl Value ===

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            f.write_str("<secret>")
        } else {
            fmt::Debug::fmt(&self.text, f)
        }
    }
}

// === impl VariableProblems ===

impl fmt::Display for VariableProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 {
            "problem"
        } else {
            "problems"
        };
        write!(f, "the variables have {} {noun}:", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

fn environment_name(name: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", name.to_ascii_uppercase())
}

fn aside(description: &str) -> String {
    if description.is_empty() {
        String::new()
    } else {
        format!(" ({description})")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Providers, Resolved, Template, Variable, VariableProblems, resolve};

    fn variable(default: Option<&str>, secret: bool) -> Variable {
        Variable {
            description: "where money goes".to_owned(),
            default: default.map(str::to_owned),
            secret,
        }
    }

    fn resolved(
        flags: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Resolved, VariableProblems> {
        let declared = BTreeMap::from([
            ("greeting".to_owned(), variable(Some("hello"), false)),
            ("psp_url".to_owned(), variable(None, false)),
            ("psp_key".to_owned(), variable(None, true)),
        ]);
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        resolve(
            &declared,
            &Providers {
                flags: map(flags),
                environment: map(environment),
            },
        )
    }

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_the_default() {
        let given = [("psp_key", "k"), ("psp_url", "flag")];
        let environment = [
            ("SPIN_VARIABLE_PSP_URL", "env"),
            ("SPIN_VARIABLE_GREETING", "hi"),
            ("GREETING", "no"),
        ];
        let values = resolved(&given, &environment).unwrap();
        let template = Template::parse("{{ greeting }} {{psp_url}} {{ psp_key }}").unwrap();
        assert_eq!(values.render(&template), "hi flag k");
        assert_eq!(
            resolved(&given, &[]).unwrap().get("greeting"),
            Some("hello")
        );
    }

    #[test]
    fn every_missing_and_every_unknown_variable_is_named_at_once() {
        insta::assert_snapshot!(resolved(&[("psp_ulr", "x")], &[]).unwrap_err(), @r"
        the variables have 3 problems:
          `--variable psp_ulr=…` is not in the manifest; did you mean `psp_url`?
          `psp_key` has no value (where money goes); pass `--variable psp_key=…` or set SPIN_VARIABLE_PSP_KEY
          `psp_url` has no value (where money goes); pass `--variable psp_url=…` or set SPIN_VARIABLE_PSP_URL
        ");
    }

    #[test]
    fn secrets_are_not_shown() {
        let values = resolved(&[("psp_key", "hunter2"), ("psp_url", "u")], &[]).unwrap();
        insta::assert_snapshot!(format!("{values:?}"), @r#"{"greeting": "hello", "psp_key": <secret>, "psp_url": "u"}"#);
        assert!(values.is_secret("psp_key") && !values.is_secret("psp_url"));
        let providers = Providers {
            flags: BTreeMap::from([("psp_key".into(), "hunter2".into())]),
            ..Providers::default()
        };
        assert!(!format!("{providers:?}").contains("hunter2"));
    }
}
