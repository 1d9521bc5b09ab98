//! Files that are there whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// Whether a file must outlive the machine or only the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// It is on the disk when it is written.
    Machine,
    /// It is on the disk soon.
    Process,
}

/// Writes a file in place of what was there; whoever reads it meanwhile reads the one or the other.
pub(crate) fn replace(file: &Path, content: &[u8], lasting: Lasting) -> io::Result<()> {
    let part = file.with_extension("part");
    let mut open = File::create(&part)?;
    open.write_all(content)?;
    if lasting == Lasting::Machine {
        open.sync_all()?;
    }
    fs::rename(&part, file)?;
    match file.parent() {
        // The name lasts when the folder does.
        Some(folder) if lasting == Lasting::Machine => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Lasting, replace};

    #[test]
    fn a_file_takes_the_place_of_another_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("name.txt");
        for (content, lasting) in [("one", Lasting::Process), ("two", Lasting::Machine)] {
            replace(&file, content.as_bytes(), lasting).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("name.txt");
        fs::write(&file, "before").unwrap();
        // The part cannot be made where a folder has its name.
        fs::create_dir(folder.path().join("name.part")).unwrap();
        assert!(replace(&file, b"after", Lasting::Machine).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    }
}
