//! Scripts: what Redis does as one step.

use std::sync::LazyLock;

use redis::{Arg, Cmd, ToRedisArgs};

/// A script as it is written, and its digest, which servers know it by.
#[derive(Debug)]
pub(crate) struct Script {
    source: &'static str,
    digest: String,
    only_reads: bool,
}

/// A script that is made when it is first needed.
pub(crate) type Lazy = LazyLock<Script>;

/// A script with the keys and arguments that it gets. In a cluster all keys are in one place, and so are those that the
/// script makes of them.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    script: &'static Script,
    command: Cmd,
    tells_resends: bool,
    was_resent: bool,
    life: Option<u32>,
}

/// What a server is sent with each argument: how long it is, and where it ends.
const AROUND: usize = 8;

/// What [`Call::telling_resends`] adds.
pub(crate) const AGAIN: &str = "again";

// === impl Script ===

impl Script {
    /// A script that writes. It has to do no more the second time than the first.
    pub(crate) fn writing(source: &'static str) -> Self {
        Self::new(source, false)
    }

    /// A script that only reads.
    pub(crate) fn reading(source: &'static str) -> Self {
        Self::new(source, true)
    }

    fn new(source: &'static str, only_reads: bool) -> Self {
        Self {
            source,
            digest: redis::Script::new(source).get_hash().to_owned(),
            only_reads,
        }
    }

    /// A call of it with these keys, one at least; arguments follow.
    pub(crate) fn on<K: ToRedisArgs>(&'static self, keys: &[K]) -> Call {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.digest).arg(keys.len()).arg(keys);
        Call {
            script: self,
            command,
            tells_resends: false,
            was_resent: false,
            life: None,
        }
    }
}

// === impl Call ===

impl Call {
    /// Adds an argument, or several.
    #[must_use]
    pub(crate) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds an argument, or several.
    pub(crate) fn push(&mut self, argument: impl ToRedisArgs) {
        self.command.arg(argument);
    }

    /// Adds one more argument, [`AGAIN`], where a server may have heard the call before.
    #[must_use]
    pub(crate) fn telling_resends(mut self) -> Self {
        self.tells_resends = true;
        self
    }

    /// It is for the servers of this life of the link, and comes too late for any others.
    pub(crate) fn in_life(&mut self, life: u32) {
        self.life = Some(life);
    }

    pub(super) fn life(&self) -> Option<u32> {
        self.life
    }

    /// Whether it was sent again after a server may have heard it.
    pub(crate) fn was_resent(&self) -> bool {
        self.was_resent
    }

    /// For arguments that are added one by one.
    pub(crate) fn arguments(&mut self) -> &mut Cmd {
        &mut self.command
    }

    pub(super) fn only_reads(&self) -> bool {
        self.script.only_reads
    }

    pub(super) fn command(&self) -> &Cmd {
        &self.command
    }

    /// Sends the script along from now on, so that a server learns it that does not know it.
    pub(super) fn in_full(&mut self) {
        let mut command = redis::cmd("EVAL");
        command.arg(self.script.source);
        for argument in self.command.args_iter().skip(2) {
            if let Arg::Simple(bytes) = argument {
                command.arg(bytes);
            }
        }
        self.command = command;
    }

    /// It is sent again, and a server may have heard it before.
    pub(crate) fn resent(&mut self, may_have_arrived: bool) {
        if !may_have_arrived || self.was_resent {
            return;
        }
        if self.tells_resends {
            self.command.arg(AGAIN);
        }
        self.was_resent = true;
    }
}

/// How many bytes a command has on its way, roughly.
pub(crate) fn size(command: &Cmd) -> usize {
    let of = |argument: Arg<&[u8]>| match argument {
        Arg::Simple(bytes) => bytes.len() + AROUND,
        _ => 0,
    };
    command.args_iter().map(of).sum()
}
