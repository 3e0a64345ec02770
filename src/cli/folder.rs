//! The result folder: written beside its place under another name, synced, then renamed into it, so
//! that whoever looks finds the old result or the new one and never half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::Failure;

/// The file by which a folder is known as a result.
pub(super) const RESULT_FILE: &str = "result.json";

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
        let occupied = target.exists() && !is_replaceable(target);
        if occupied {
            let message = format!("`{}` exists and is not a result folder", target.display());
            return Err(Failure::usage(message, "name another folder with --out"));
        }
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
        let draft = self.draft.keep();
        fs::rename(&draft, &self.target).map_err(cannot)?;
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

fn is_replaceable(target: &Path) -> bool {
    let is_empty = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
    is_empty || target.join(RESULT_FILE).is_file()
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
