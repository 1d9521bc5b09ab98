//! A rehearsal: code is replayed against a journal without doing anything, to see whether it takes the same way.

use std::{future::ready, sync::Arc};

use parking_lot::Mutex;
use skald_core::{
    call::{BoxFuture, CallError, chain},
    context::TraceContext,
    saga::{
        Command, Issue, Outcome, Parked, RunId, Script, Stamped, State,
        play::{Interrupted, Part, Play, PlayError, Stage},
    },
};

/// How a rehearsal went.
#[derive(Clone, Debug, PartialEq)]
pub enum Rehearsed {
    /// The code takes the way that the journal holds.
    Fits,
    /// It takes another one, from here on.
    Differs(Parked),
    /// It does not get as far as the journal, or cannot run at all.
    Breaks(String),
}

/// A journal as a stage: it answers what it holds, and stops the code where it ends.
struct Rehearsal {
    run: RunId,
    key: String,
    scene: Mutex<Scene>,
}

struct Scene {
    state: State,
    script: Script,
    has_reached_end: bool,
    difference: Option<Parked>,
}

/// Replays the code of `revision` against a journal. Nothing is called, and nothing recorded.
pub async fn rehearse(play: &dyn Play, revision: &str, records: Vec<Stamped>) -> Rehearsed {
    let state = match State::fold(records) {
        Ok(state) => state,
        Err(invalid) => return Rehearsed::Breaks(format!("the journal is damaged: {invalid}")),
    };
    let started = state.started().clone();
    let part = Part {
        component: started.component(),
        revision: revision.to_owned(),
        input: started.input,
    };
    let scene = Scene {
        script: Script::new(&state),
        state,
        has_reached_end: false,
        difference: None,
    };
    let rehearsal = Arc::new(Rehearsal {
        run: started.run,
        key: started.key,
        scene: Mutex::new(scene),
    });
    let stage: Arc<dyn Stage> = Arc::clone(&rehearsal) as Arc<dyn Stage>;
    let played = play.play(&part, stage).await;
    let scene = rehearsal.scene.lock();
    if let Some(difference) = &scene.difference {
        return Rehearsed::Differs(difference.clone());
    }
    let is_end = match played {
        Ok(_) | Err(PlayError::Crashed(CallError::HandlerFailed(_))) => true,
        Err(PlayError::Stopped) => scene.has_reached_end,
        Err(PlayError::NoRevision(why)) => return Rehearsed::Breaks(why),
        Err(PlayError::Crashed(error)) => return Rehearsed::Breaks(chain(&error)),
    };
    match scene.script.finish(&scene.state) {
        Some(difference) if is_end && !scene.has_reached_end => Rehearsed::Differs(difference),
        Some(_) | None => Rehearsed::Fits,
    }
}

// === impl Rehearsed ===

impl Rehearsed {
    /// Why the code cannot take over the run, if it cannot.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Fits => None,
            Self::Differs(difference) => Some(difference.to_string()),
            Self::Breaks(why) => Some(why.clone()),
        }
    }
}

// === impl Scene ===

impl Scene {
    fn end<T>(&mut self) -> Result<T, Interrupted> {
        self.has_reached_end = true;
        Err(Interrupted::Stopped)
    }
}

impl Stage for Rehearsal {
    fn issue(&self, command: Command) -> Result<u32, Interrupted> {
        let mut scene = self.scene.lock();
        let scene = &mut *scene;
        match scene.script.issue(&scene.state, &command)? {
            Issue::Replayed(ordinal) => Ok(ordinal),
            Issue::New(_) => scene.end(),
            Issue::Mismatch(difference) => {
                scene.difference = Some(difference);
                Err(Interrupted::Stopped)
            }
        }
    }

    fn outcome(&self, ordinal: u32) -> BoxFuture<'_, Result<Outcome, Interrupted>> {
        let mut scene = self.scene.lock();
        let scene = &mut *scene;
        let answer = match scene.script.outcome(&scene.state, ordinal) {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => scene.end(),
            Err(misuse) => Err(misuse.into()),
        };
        Box::pin(ready(answer))
    }

    fn join<'a>(&'a self, ordinals: &'a [u32]) -> BoxFuture<'a, Result<u32, Interrupted>> {
        let mut scene = self.scene.lock();
        let scene = &mut *scene;
        let answer = match scene.script.join(&scene.state, ordinals) {
            Ok(Some(first)) => Ok(first),
            Ok(None) => scene.end(),
            Err(misuse) => Err(misuse.into()),
        };
        Box::pin(ready(answer))
    }

    fn patched(&self, id: &str) -> Result<bool, Interrupted> {
        let mut scene = self.scene.lock();
        let scene = &mut *scene;
        match scene.script.patched(&scene.state, id) {
            Some(taken) => Ok(taken),
            None => scene.end(),
        }
    }

    fn now(&self) -> u64 {
        self.scene.lock().script.now()
    }

    fn run(&self) -> &RunId {
        &self.run
    }

    fn key(&self) -> &str {
        &self.key
    }

    /// A rehearsal is nobody's first word.
    fn is_live(&self) -> bool {
        false
    }

    fn trace(&self) -> Option<TraceContext> {
        None
    }
}
