//! Plays the plans of the shop.

use skald_core::{call::CallError, saga::play::PlayError};

use super::{Actor, Flow};
use crate::{
    program::Breakage,
    saga::{Question, Read, Told, read},
    shop::Part,
};

// === impl Actor ===

impl Actor<'_> {
    /// The plan is plain code that waits for nobody: it is read from the beginning again with each answer that it gets.
    pub(super) async fn plan(
        &self,
        part: &Part,
        breaks: Option<(usize, Breakage, u32)>,
    ) -> Result<Flow, PlayError> {
        let mut told = Vec::new();
        loop {
            if let Some((at, how, times)) = breaks
                && at == told.len()
            {
                self.go_wrong(how, times, "plan").await?;
            }
            match read(&told, || part.perform()) {
                Read::Ended(ended) => return Ok(Flow::End(ended)),
                Read::Trapped(why) => return Err(CallError::Trapped(why).into()),
                Read::Asks(question) => told.push(self.told(question).await?),
            }
        }
    }

    async fn told(&self, question: Question) -> Result<Told, PlayError> {
        Ok(match question {
            Question::Begin(command) => Told::Begun(self.issue(command).await?),
            Question::End(ordinal) => Told::Ended(self.outcome(ordinal).await?),
            Question::Now => Told::Now(self.stage.now()),
        })
    }
}
