//! A `redis-server` process.

use std::{
    fs, io,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

/// The program.
const PROGRAM: &str = "redis-server";

/// How much of a log is shown of a server that ended by itself.
const SHOWN: usize = 2_000;

/// Waits until nobody is left who could say anything, and then ends the process whose number it is told.
const WATCH: &str = "read _; kill -9 $0";

/// A running server. Dropping it kills it; and it ends also when a test is killed that could not drop anything.
#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    /// Its standard input closes with this process.
    watch: Child,
}

impl Process {
    /// Starts one with these arguments. All it says goes to `log`.
    pub(crate) fn start(arguments: &[String], log: &Path) -> io::Result<Self> {
        let log = fs::File::options().create(true).append(true).open(log)?;
        let child = Command::new(PROGRAM)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn();
        let mut server = child.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(
                io::ErrorKind::NotFound,
                "this test needs redis-server 7.0 or newer, and there is none in PATH; install it: \
                 apt-get install redis-server",
            ),
            _ => error,
        })?;
        match watch(server.id()) {
            Ok(watch) => Ok(Self { server, watch }),
            Err(error) => {
                server.kill()?;
                server.wait()?;
                Err(error)
            }
        }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.server.try_wait()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        // First the watch: afterwards the number may be another's.
        self.watch.kill()?;
        self.watch.wait()?;
        self.server.kill()?;
        self.server.wait().map(drop)
    }

    /// Whether it is stopped; where the system does not tell, it is taken to be so.
    pub(crate) fn is_frozen(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.id()));
        status.is_ok_and(|status| status.contains(") T ")) || !Path::new("/proc").exists()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) -> io::Result<()> {
        let (signal, pid) = (format!("-{name}"), self.id().to_string());
        let status = Command::new("kill").args([&signal, &pid]).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("kill {signal} {pid}: {status}")))
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.kill();
    }
}

fn watch(server: u32) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", WATCH, &server.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// The end of a log.
pub(crate) fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let from = text.ceil_char_boundary(text.len().saturating_sub(SHOWN));
    text.get(from..).unwrap_or_default().to_owned()
}
