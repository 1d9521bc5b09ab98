//! What somebody has decided about a return: the payload of the signal `decision`.

use serde::Deserialize;

/// No note is longer: it becomes part of what the customer is told.
const LONGEST_NOTE: usize = 200;

/// A decision, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Whether the goods are taken back.
    pub approved: bool,
    /// Why, or why not, in words for the customer.
    #[serde(default)]
    pub note: Option<String>,
}

/// Reads a decision; the error is what is wrong with it, for whoever has sent it.
pub fn parse(payload: &[u8]) -> Result<Decision, String> {
    let decision: Decision = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    match &decision.note {
        Some(note) if note.chars().count() > LONGEST_NOTE => {
            Err(format!("the note has more than {LONGEST_NOTE} characters"))
        }
        Some(_) | None => Ok(decision),
    }
}

// === impl Decision ===

impl Decision {
    /// What a customer is told whose return is refused.
    pub fn refusal(&self) -> String {
        match self.note.as_deref().map(str::trim) {
            Some(note) if !note.is_empty() => note.to_owned(),
            Some(_) | None => "The shop does not take it back.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_that_cannot_be_read_says_why() {
        let long = format!(r#"{{"approved":true,"note":"{}"}}"#, "x".repeat(201));
        let payloads = [
            "",
            "yes",
            r#"{"approved":"yes"}"#,
            "{}",
            r#"{"approved":true,"by":"me"}"#,
            &long,
        ];
        let reasons: Vec<String> = payloads
            .iter()
            .map(|payload| parse(payload.as_bytes()).unwrap_err())
            .collect();
        insta::assert_snapshot!(reasons.join("\n"), @r#"
        EOF while parsing a value at line 1 column 0
        expected value at line 1 column 1
        invalid type: string "yes", expected a boolean at line 1 column 17
        missing field `approved` at line 1 column 2
        unknown field `by`, expected `approved` or `note` at line 1 column 21
        the note has more than 200 characters
        "#);
    }

    #[test]
    fn a_refusal_is_told_in_its_note_if_it_has_one() {
        let told = |payload: &str| parse(payload.as_bytes()).unwrap().refusal();
        let lines = [
            told(r#"{"approved":false,"note":"It was worn."}"#),
            told(r#"{"approved":false,"note":" "}"#),
            told(r#"{"approved":false}"#),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        It was worn.
        The shop does not take it back.
        The shop does not take it back.
        ");
    }
}
