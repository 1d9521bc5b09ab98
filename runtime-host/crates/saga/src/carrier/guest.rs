//! The code of the run while it is played, and what follows from its end.

use std::{future::pending, sync::Arc};

use skald_core::{
    call::{BoxFuture, CallError, Reply, chain},
    manifest::ComponentId,
    saga::{
        Action, Cause, End, Parked, Phase, Record, State,
        play::{Part, PlayError, Stage},
    },
    value::Value,
};
use skald_telemetry::random;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Duration, Instant, sleep_until},
};

use super::Carrier;
use crate::{ledger::Code, sagas::Ground, stage::Run};

/// Where the code is.
pub(super) enum Guest {
    /// It has nothing to do.
    Away,
    /// It has something to do, not before this time; then it queues for a place.
    Due(
        Instant,
        Option<BoxFuture<'static, Option<OwnedSemaphorePermit>>>,
    ),
    /// It has something to do, and may.
    Allowed(OwnedSemaphorePermit),
    /// It runs, or waits on the stage.
    Playing {
        code: BoxFuture<'static, Result<Reply, PlayError>>,
        _place: OwnedSemaphorePermit,
    },
    /// It has come to its end, and this is what it said.
    Done(Said),
}

/// What happened to the code while it was waited for.
pub(super) enum Turn {
    /// It has come to an end, or was stopped.
    Ended(Result<Reply, PlayError>),
    /// There is a place for it.
    Admitted(Option<OwnedSemaphorePermit>),
}

/// What the code said at its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// It got through.
    Well(Option<Value>),
    /// It answered with an error.
    Refused {
        error: String,
        answer: Option<Value>,
    },
}

/// The first pause after a crash; it doubles with each further one.
const CRASH_PAUSE: Duration = Duration::from_millis(200);

// === impl Guest ===

impl Guest {
    /// Code that has something to do, not before this time.
    pub(super) const fn due(from: Instant) -> Self {
        Self::Due(from, None)
    }

    /// Lets the code go on until it ends, or waits for a place for it.
    pub(super) async fn turn(&mut self, ground: &Ground) -> Turn {
        match self {
            Self::Playing { code, .. } => Turn::Ended(code.await),
            Self::Due(from, queue) => {
                sleep_until(*from).await;
                // What wakes the run meanwhile does not cost it its place in the queue.
                let permit = queue.get_or_insert_with(|| queued(ground)).await;
                *queue = None;
                Turn::Admitted(permit)
            }
            Self::Away | Self::Allowed(_) | Self::Done(_) => pending().await,
        }
    }

    pub(super) fn allow(&mut self, permit: Option<OwnedSemaphorePermit>) {
        if let (Self::Due(..), Some(permit)) = (&*self, permit) {
            *self = Self::Allowed(permit);
        }
    }

    /// The instance is let go.
    pub(super) fn leave(&mut self) {
        *self = Self::Away;
    }
}

impl Carrier {
    /// Something has ended that code which is not there may wait for.
    pub(super) fn wake_guest(&mut self) {
        if matches!(self.guest, Guest::Away) {
            self.guest = Guest::due(Instant::now());
        }
    }

    /// Code that is there goes, and is played again from its beginning.
    pub(super) fn play_again(&mut self) {
        self.guest = Guest::due(Instant::now());
    }

    /// Whether the code waits for what it has asked for.
    pub(super) fn code(&self) -> Code {
        let book = self.run.book.lock();
        match &self.guest {
            Guest::Away => Code::Waits,
            Guest::Playing { .. } if book.stopped.is_none() && book.is_quiet() => Code::Waits,
            Guest::Playing { .. } | Guest::Due(..) | Guest::Allowed(_) | Guest::Done(_) => {
                Code::AtWork
            }
        }
    }

    /// Begins to play, if the code has something to do and there is a place for it.
    pub(super) fn play(&mut self) {
        if let Guest::Due(from, _) = self.guest
            && from <= Instant::now()
            && let Ok(permit) = Arc::clone(&self.ground.places).try_acquire_owned()
        {
            self.guest = Guest::Allowed(permit);
        }
        if !matches!(self.guest, Guest::Allowed(_)) {
            return;
        }
        let Guest::Allowed(place) = std::mem::replace(&mut self.guest, Guest::Away) else {
            return;
        };
        let part = {
            let mut book = self.run.book.lock();
            book.rewind();
            let started = book.state.started();
            Part {
                component: ComponentId::from(started.component.as_str()),
                revision: book.state.revision().to_owned(),
                input: started.input.clone(),
            }
        };
        let (player, run) = (Arc::clone(&self.ground.play), Arc::clone(&self.run));
        let code = Box::pin(played(player, run, part));
        self.guest = Guest::Playing {
            code,
            _place: place,
        };
    }

    /// Whether the code cannot go on for now, so that what it has asked can be made durable and done.
    pub(super) fn is_quiet(&self) -> bool {
        match &self.guest {
            Guest::Away | Guest::Done(_) | Guest::Due(..) => true,
            Guest::Allowed(_) => false,
            Guest::Playing { .. } => self.run.book.lock().is_quiet(),
        }
    }

    /// Code that may not go on parks its run, whether or not it lets itself be stopped.
    pub(super) fn heed_stop(&mut self) {
        let stopped = {
            let mut book = self.run.book.lock();
            let goes_on = book.state.goes_forward();
            book.stopped.take().filter(|_| goes_on)
        };
        if let Some(reason) = stopped {
            self.park(reason);
        }
    }

    /// The code has come to an end, or was stopped.
    pub(super) fn guest_ended(&mut self, ended: Result<Reply, PlayError>) {
        self.guest = Guest::Away;
        let (stopped, unfinished) = {
            let mut book = self.run.book.lock();
            (book.stopped.take(), book.script.finish(&book.state))
        };
        if !self.state(State::goes_forward) {
            return;
        }
        if let Some(reason) = stopped {
            self.park(reason);
            return;
        }
        match ended {
            Ok(reply) => match unfinished {
                Some(reason) => self.park(reason),
                None => self.guest = Guest::Done(said(reply)),
            },
            Err(PlayError::Crashed(CallError::HandlerFailed(error))) => match unfinished {
                Some(reason) => self.park(reason),
                None => {
                    let answer = None;
                    self.guest = Guest::Done(Said::Refused { error, answer });
                }
            },
            Err(PlayError::Crashed(error)) => self.crashed(&error),
            Err(PlayError::NoRevision(error)) => {
                let revision = self.state(|state| state.revision().to_owned());
                self.park(Parked::NoRevision { revision, error });
            }
            // Nobody stopped it; it is played again.
            Err(PlayError::Stopped) => self.play_again(),
        }
    }

    /// A crash is no outcome: the code is replayed, since memory, time or luck may have been short.
    pub(super) fn crashed(&mut self, error: &CallError) {
        let commands = self.state(State::commands);
        let (before, at) = self.crashes;
        // Code that gets further each time is not stuck.
        let attempts = if commands > at {
            1
        } else {
            before.saturating_add(1)
        };
        self.crashes = (attempts, commands);
        let error = chain(error);
        if attempts >= self.ground.config.crashes {
            self.crashes = (0, 0);
            self.park(Parked::Crashed { attempts, error });
            return;
        }
        let pause = CRASH_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        tracing::warn!(run = %self.run.id, crashes = attempts, %error, "the code of a saga crashed; it is replayed");
        self.guest = Guest::due(Instant::now() + pause / 2 + random::up_to(pause / 2));
    }

    /// What follows from what the code said, once nothing is under way any more.
    pub(super) fn conclude(&mut self) -> Option<Record> {
        let Guest::Done(said) = &self.guest else {
            return None;
        };
        let (is_forward, has_steps, has_undos) = self.state(|state| {
            (
                *state.phase() == Phase::Forward,
                state.has_open_steps(),
                state.pending_undos().next().is_some(),
            )
        });
        if !is_forward {
            return None;
        }
        let cause = match said {
            Said::Refused { error, answer } => Cause::Refused {
                error: error.clone(),
                answer: answer.clone(),
            },
            Said::Well(_) if has_undos => Cause::Uncommitted,
            // Its answer is nobody's any more, but whether it took effect is.
            Said::Well(_) if has_steps => return None,
            Said::Well(answer) => {
                let answer = answer.clone();
                return Some(Record::Ended {
                    end: End::Completed { answer },
                });
            }
        };
        Some(Record::RollbackStarted { cause })
    }

    /// The run stops until a person has looked at it.
    pub(super) fn park(&mut self, reason: Parked) {
        tracing::warn!(run = %self.run.id, %reason, "a saga is parked");
        self.guest.leave();
        self.add(Record::Parked { reason });
    }

    /// Whether the state wants the code to run at all.
    pub(super) fn wants_code(actions: &[Action]) -> bool {
        actions.first() == Some(&Action::Play)
    }
}

fn queued(ground: &Ground) -> BoxFuture<'static, Option<OwnedSemaphorePermit>> {
    let places = Arc::clone(&ground.places);
    Box::pin(async move { places.acquire_owned().await.ok() })
}

async fn played(
    player: Arc<dyn skald_core::saga::play::Play>,
    run: Arc<Run>,
    part: Part,
) -> Result<Reply, PlayError> {
    let stage: Arc<dyn Stage> = run;
    player.play(&part, stage).await
}

fn said(reply: Reply) -> Said {
    match reply {
        Reply::Value(Some(Value::Result(Err(error)))) => Said::Refused {
            error: error
                .as_deref()
                .map_or_else(|| "err".to_owned(), ToString::to_string),
            answer: Some(Value::Result(Err(error))),
        },
        Reply::Value(answer) => Said::Well(answer),
        Reply::Handled | Reply::Http(_) => Said::Well(None),
    }
}
