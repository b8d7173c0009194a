//! Writing messages into a folder: a file each.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::AsyncWriteExt as _;

use crate::{OutboundMessage, Outcome};

/// What file names need not hide. A dot is hidden too, so that no name is `..`.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The longest file name that common file systems take, less the ending of a file in the making.
const NAME_LENGTH_MAX: usize = 240;

/// Writes the message to `FOLDER/ARN/ID.ending`, both percent-encoded, whole or not at all. A repeat replaces
/// its file.
pub(crate) async fn write(folder: &Path, message: &OutboundMessage) -> Outcome {
    let Some(path) = path_of(folder, message) else {
        return Outcome::refused("its ARN or id is too long for a file's name");
    };
    match write_durably(&path, &message.body).await {
        Ok(()) => Outcome::accepted(),
        Err(error) => Outcome::unavailable(format!("cannot write {}: {error}", path.display())),
    }
}

fn path_of(folder: &Path, message: &OutboundMessage) -> Option<PathBuf> {
    let ending = match message.content_type {
        "application/json" => "json",
        "application/x-ndjson" => "ndjson",
        "application/gzip" => "gz",
        "text/plain" => "txt",
        _ => "bin",
    };
    let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let (directory, name) = (encode(&message.arn), format!("{}.{ending}", encode(&message.id)));
    let fits = directory.len() <= NAME_LENGTH_MAX && name.len() <= NAME_LENGTH_MAX;
    fits.then(|| folder.join(directory).join(name))
}

/// Writes a file whole or not at all, with the folders above it. When this returns, it is on the disk; a file
/// of that name is replaced.
///
/// # Errors
/// The error of the file system.
pub async fn write_durably(path: &Path, body: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().map(PathBuf::from).unwrap_or_default();
    let changed = with_missing_parents(&directory).await?;
    tokio::fs::create_dir_all(&directory).await?;
    let unfinished = path.with_added_extension("part");
    let mut file = tokio::fs::File::create(&unfinished).await?;
    file.write_all(body).await?;
    file.sync_all().await?;
    tokio::fs::rename(&unfinished, path).await?;
    for directory in changed {
        tokio::fs::File::open(directory).await?.sync_all().await?;
    }
    Ok(())
}

/// The directories that get a new entry when something is created in `directory`: itself, and as long as they
/// are missing the ones above, up to one that exists.
async fn with_missing_parents(directory: &Path) -> std::io::Result<Vec<&Path>> {
    let mut changed = Vec::new();
    for directory in directory.ancestors() {
        let is_relative_start = directory.as_os_str().is_empty();
        let directory = if is_relative_start { Path::new(".") } else { directory };
        changed.push(directory);
        if tokio::fs::try_exists(directory).await? {
            break;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_is_a_file_and_stays_within_the_folder() {
        let dir = tempfile::tempdir().expect("a directory");
        let message = OutboundMessage::json("arn:aws:s3:::b/..", "../1", "{}");
        assert_eq!(write(dir.path(), &message).await, Outcome::accepted());
        assert_eq!(write(dir.path(), &message).await, Outcome::accepted(), "again");
        let file = dir.path().join("arn%3Aaws%3As3%3A%3A%3Ab%2F%2E%2E/%2E%2E%2F1.json");
        assert_eq!(std::fs::read(&file).expect("written"), b"{}");
        assert_eq!(std::fs::read_dir(file.parent().expect("a directory")).expect("there").count(), 1);
    }

    #[tokio::test]
    async fn every_directory_that_gets_an_entry_is_known() {
        let dir = tempfile::tempdir().expect("a directory");
        let new = dir.path().join("a/b");
        let changed = with_missing_parents(&new).await.expect("readable");
        assert_eq!(changed, [new.as_path(), &dir.path().join("a"), dir.path()]);
        assert_eq!(with_missing_parents(dir.path()).await.expect("readable"), [dir.path()]);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_may_be_later() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let outcome = write(file.path(), &OutboundMessage::json("arn", "1", "{}")).await;
        assert!(matches!(outcome, Outcome::Unavailable { is_throttled: false, .. }), "{outcome:?}");
    }
}
