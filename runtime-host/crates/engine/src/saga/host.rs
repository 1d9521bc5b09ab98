//! `skald:saga`: what the code of a saga asks beside its steps.

use skald_core::saga::{Command, Outcome, label_key};
use wasmtime::component::Resource;

use super::{Scope, playing::unfit};
use crate::{
    bindings::saga::{
        flow::{self, Run, WaitError},
        steps, undo,
    },
    state::State,
};

impl flow::Host for State {
    async fn info(&mut self) -> wasmtime::Result<Run> {
        let playing = self.playing()?;
        let stage = playing.stage();
        Ok(Run {
            id: stage.run().to_string(),
            key: stage.key().to_owned(),
            durable: true,
        })
    }

    async fn key(&mut self, label: String) -> wasmtime::Result<String> {
        Ok(label_key(self.playing()?.stage().run(), &label))
    }

    async fn sleep(&mut self, milliseconds: u64) -> wasmtime::Result<()> {
        match self
            .playing()?
            .perform(Command::Sleep { milliseconds })
            .await?
        {
            Outcome::Fired => Ok(()),
            other => Err(unfit(&other)),
        }
    }

    async fn wait(
        &mut self,
        signal: String,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, WaitError>> {
        match self
            .playing()?
            .perform(Command::Wait { signal, timeout_ms })
            .await?
        {
            Outcome::Signal(payload) => Ok(Ok(payload)),
            Outcome::TimedOut => Ok(Err(WaitError::TimedOut)),
            other => Err(unfit(&other)),
        }
    }

    async fn status(&mut self, text: String) -> wasmtime::Result<()> {
        self.playing()?.issue(Command::Status { text }).map(drop)
    }

    async fn patched(&mut self, id: String) -> wasmtime::Result<bool> {
        let playing = self.playing()?;
        playing.through(playing.stage().patched(&id))
    }
}

impl steps::Host for State {
    async fn timer(&mut self, milliseconds: u64) -> wasmtime::Result<u32> {
        self.playing()?.issue(Command::Sleep { milliseconds })
    }

    async fn join(&mut self, tickets: Vec<u32>) -> wasmtime::Result<u32> {
        let playing = self.playing()?;
        let first = playing.stage().join(&tickets).await;
        playing.through(first)
    }
}

impl undo::Host for State {}

impl undo::HostScope for State {
    async fn new(&mut self, name: String) -> wasmtime::Result<Resource<Scope>> {
        let ordinal = self.playing()?.issue(Command::Open { name })?;
        Ok(Resource::new_own(ordinal))
    }

    async fn commit(&mut self, scope: Resource<Scope>) -> wasmtime::Result<()> {
        let scope = scope.rep();
        self.playing()?.issue(Command::Commit { scope }).map(drop)
    }

    async fn rollback(
        &mut self,
        scope: Resource<Scope>,
        reason: String,
    ) -> wasmtime::Result<Result<(), u32>> {
        let scope = scope.rep();
        match self
            .playing()?
            .perform(Command::Rollback { scope, reason })
            .await?
        {
            Outcome::RolledBack { skipped: 0 } => Ok(Ok(())),
            Outcome::RolledBack { skipped } => Ok(Err(skipped)),
            other => Err(unfit(&other)),
        }
    }

    async fn drop(&mut self, _: Resource<Scope>) -> wasmtime::Result<()> {
        Ok(())
    }
}
