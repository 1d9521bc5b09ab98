//! Where a host's admin API is: the host notes it in its data directory, and the command line finds it there.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::files::{self, Lasting};

/// The file's name.
const FILE: &str = "admin";

/// Notes the address, whole or not at all.
pub(crate) fn publish(data: &Path, address: SocketAddr) -> io::Result<()> {
    let note = format!("{}\n", json!({ "address": address }));
    files::replace(&file(data), note.as_bytes(), Lasting::Process)
}

/// Takes the note away, so that nobody asks a host that has ended.
pub(crate) fn withdraw(data: &Path) {
    // A note that stays leads to nobody, which whoever follows it is told.
    let _ = fs::remove_file(file(data));
}

/// The address of the host on this data, if one has noted it.
pub(crate) fn find(data: &Path) -> Option<String> {
    let text = fs::read_to_string(file(data)).ok()?;
    let note: Value = serde_json::from_str(&text).ok()?;
    Some(note.get("address")?.as_str()?.to_owned())
}

fn file(data: &Path) -> PathBuf {
    data.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::{find, publish, withdraw};

    #[test]
    fn an_address_is_found_until_it_is_withdrawn() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(find(data.path()), None);
        publish(data.path(), "127.0.0.1:4711".parse().unwrap()).unwrap();
        publish(data.path(), "127.0.0.1:4712".parse().unwrap()).unwrap();
        assert_eq!(find(data.path()).as_deref(), Some("127.0.0.1:4712"));
        withdraw(data.path());
        assert_eq!(find(data.path()), None);
    }
}
