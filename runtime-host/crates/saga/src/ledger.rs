//! What the list of runs says of a run, taken from its state.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use skald_core::saga::{
    Action, End, Phase, State,
    journal::{Standing, Summary},
    view,
};

/// When a run that waits for a person or a signal is to be looked at again: not by itself.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// Where the code of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// It has something to do, or may have.
    AtWork,
    /// It waits for what it has asked for.
    Waits,
}

/// What the list says; the journal has this epoch and so many bytes.
pub(crate) fn summary(state: &State, code: Code, (epoch, bytes): (u64, u64)) -> Summary {
    let started = state.started();
    Summary {
        run: started.run.clone(),
        component: started.component.clone(),
        revision: state.revision().to_owned(),
        key: started.key.clone(),
        subject: started.subject.clone(),
        standing: standing(state),
        note: view::note(state),
        started_at: time(state.started_at()),
        updated_at: time(state.updated_at()),
        due: due(state, code),
        epoch,
        records: state.records(),
        bytes,
    }
}

fn standing(state: &State) -> Standing {
    match state.phase() {
        Phase::Ended(End::Completed { .. }) => Standing::Completed,
        Phase::Ended(End::RolledBack { .. }) => Standing::RolledBack,
        Phase::Ended(End::Failed { .. }) => Standing::Failed,
        Phase::Forward | Phase::RollingBack(_) if state.parked().is_some() => Standing::Parked,
        Phase::Forward => Standing::Running,
        Phase::RollingBack(_) => Standing::RollingBack,
    }
}

/// When a run that only waits has to be looked at again; none for one that has something to do.
pub(crate) fn due(state: &State, code: Code) -> Option<SystemTime> {
    if state.end().is_some() {
        return None;
    }
    if state.parked().is_some() {
        return Some(never());
    }
    let waits = code == Code::Waits && !state.open().is_empty();
    if *state.phase() != Phase::Forward || !waits {
        return None;
    }
    let mut first = never();
    for action in state.actions() {
        match action {
            Action::Play => {}
            Action::Timer(_, due) => first = first.min(time(due)),
            Action::Dispatch(_) | Action::Settle(_) | Action::Undo(_) | Action::Record(_) => {
                return None;
            }
        }
    }
    Some(first)
}

/// A time that does not come.
pub(crate) fn never() -> SystemTime {
    UNIX_EPOCH + NEVER
}

/// Microseconds since 1970 as a time.
pub(crate) fn time(micros: u64) -> SystemTime {
    // A sleep of ages must not be more than a time can be.
    UNIX_EPOCH + Duration::from_micros(micros).min(NEVER)
}
