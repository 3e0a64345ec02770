//! The result folder: written beside its place under another name, synced, then renamed into it, so
//! that whoever looks finds a whole result and never half of one. An earlier result is moved aside for
//! that instant; if the new one cannot take its place, it is moved back.
//!
//! Only what this program wrote is ever replaced: a folder with anything else in it is refused.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::Failure;
use crate::report::printable_path;

/// The file by which a folder is known as a result.
pub(super) const RESULT_FILE: &str = "result.json";

/// All that a result folder holds; `write` takes no other name.
const ENTRIES: [&str; 17] = [
    RESULT_FILE,
    "run-info.json",
    "series.csv",
    "series.parquet",
    "tiers.csv",
    "tiers.parquet",
    "pools.csv",
    "autoscalers.csv",
    "partitions.csv",
    "money.csv",
    "chunks.csv",
    "suppliers.csv",
    "facts.csv",
    "intervals.csv",
    "replications.csv",
    "summary.md",
    "figures",
];

/// A result folder in the making; dropped without `publish` it leaves nothing behind.
pub(super) struct Folder {
    target: PathBuf,
    parent: PathBuf,
    draft: tempfile::TempDir,
}

impl Folder {
    /// Starts a result folder that will be at `target`. What is there already must be an earlier
    /// result or an empty folder.
    ///
    /// # Errors
    /// `Usage` if something else is there, `File` if nothing can be written beside it.
    pub(super) fn start(target: &Path) -> Result<Self, Failure> {
        refuse_foreign(target)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let cannot = |cause| Failure::file("create a folder in", &parent, cause);
        fs::create_dir_all(&parent).map_err(cannot)?;
        let draft = tempfile::Builder::new()
            .prefix(".meltpoint-")
            .tempdir_in(&parent)
            .map_err(cannot)?;
        Ok(Self {
            target: target.to_owned(),
            parent: parent.clone(),
            draft,
        })
    }

    /// Writes one file of the result.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let entry = name.split('/').next().unwrap_or(name);
        assert!(ENTRIES.contains(&entry), "{entry} is missing in ENTRIES");
        let path = self.draft.path().join(name);
        let write = || -> io::Result<()> {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|cause| Failure::file("write", &path, cause))
    }

    /// Puts the finished folder in its place.
    pub(super) fn publish(self) -> Result<(), Failure> {
        let cannot = |cause| Failure::file("put the result at", &self.target, cause);
        make_readable(self.draft.path()).map_err(cannot)?;
        // Somebody may have put something there while the run went on.
        refuse_foreign(&self.target)?;
        let old = match self.target.exists() {
            true => {
                let aside = tempfile::Builder::new()
                    .prefix(".meltpoint-old-")
                    .tempdir_in(&self.parent)
                    .map_err(cannot)?;
                fs::rename(&self.target, aside.path().join("result")).map_err(cannot)?;
                Some(aside)
            }
            false => None,
        };
        if let Err(cause) = fs::rename(self.draft.path(), &self.target) {
            if let Some(aside) = &old {
                fs::rename(aside.path().join("result"), &self.target).map_err(cannot)?;
            }
            return Err(cannot(cause));
        }
        // It has another name now: there is nothing left to clear away.
        let _moved = self.draft.keep();
        // The rename itself lasts only once the folder above is on disk; not every system can.
        drop(File::open(&self.parent).and_then(|folder| folder.sync_all()));
        drop(old);
        Ok(())
    }
}

/// A temporary folder is private; a result is as open as any folder of the user's.
#[cfg(unix)]
fn make_readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Refuses to replace what is neither an earlier result nor an empty folder.
fn refuse_foreign(target: &Path) -> Result<(), Failure> {
    // A link that leads nowhere does not "exist", but it would be replaced.
    if fs::symlink_metadata(target).is_err() {
        return Ok(());
    }
    let path = printable_path(target);
    let problem = match fs::read_dir(target) {
        Err(_) => Some(format!("`{path}` exists and is not a folder")),
        Ok(entries) => {
            let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
            let names: Vec<OsString> = names
                .collect::<Result<_, _>>()
                .map_err(|cause| Failure::file("look into", target, cause))?;
            let foreign = names
                .iter()
                .find(|name| !ENTRIES.iter().any(|entry| name == entry));
            let is_result = names.iter().any(|name| name == RESULT_FILE);
            match foreign {
                Some(name) if is_result => Some(format!(
                    "`{path}` holds `{}`, which is no part of a result",
                    printable_path(Path::new(name))
                )),
                _ if is_result || names.is_empty() => None,
                _ => Some(format!("`{path}` exists and is not a result folder")),
            }
        }
    };
    match problem {
        Some(message) => Err(Failure::usage(message, "name another folder with --out")),
        None => Ok(()),
    }
}

/// Writes one file beside its place and renames it; refuses to replace one if `fresh`.
pub(super) fn write_file(path: &Path, bytes: &[u8], fresh: bool) -> Result<(), Failure> {
    let cannot = |cause| Failure::file("write", path, cause);
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(parent).map_err(cannot)?;
    draft
        .write_all(bytes)
        .and_then(|()| draft.as_file().sync_all())
        .map_err(cannot)?;
    let done = if fresh {
        draft.persist_noclobber(path)
    } else {
        draft.persist(path)
    };
    done.map_err(|problem| cannot(problem.error))?;
    Ok(())
}
