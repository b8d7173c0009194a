//! Where the service models come from: a botocore that is installed, or the pinned one from PyPI.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;

use super::model::Model;

/// The `data` directory of botocore in the wanted release: `given`, else the one that Python finds, else
/// fetched with pip into `cache`.
pub(super) fn find(release: &str, given: Option<PathBuf>, cache: &Path) -> Result<PathBuf> {
    if let Some(data) = given {
        return match release_of(&data) {
            Some(found) if found == release => Ok(data),
            Some(found) => bail!(
                "{} holds botocore {found}, but crates/api/operations.txt names {release}: change one of them",
                data.display()
            ),
            None => bail!("{} is not the `data` directory of a botocore", data.display()),
        };
    }
    if let Some(data) = installed().filter(|data| release_of(data).as_deref() == Some(release)) {
        return Ok(data);
    }
    let target = cache.join(release);
    let data = target.join("botocore/data");
    if release_of(&data).as_deref() != Some(release) {
        fetch(release, &target)?;
    }
    Ok(data)
}

/// Reads the newest model of a service, packed or not.
pub(super) fn load(data: &Path, service: &str) -> Result<Model> {
    let dir = data.join(service);
    let mut versions: Vec<PathBuf> = std::fs::read_dir(&dir)
        .with_context(|| format!("no service model in {}", dir.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    // Versions are dates: the last one by name is the newest.
    versions.sort();
    let version = versions.pop().with_context(|| format!("no service model in {}", dir.display()))?;
    let (plain, packed) = (version.join("service-2.json"), version.join("service-2.json.gz"));
    let (path, text) = if packed.exists() {
        let mut text = String::new();
        let file = std::fs::File::open(&packed).with_context(|| packed.display().to_string())?;
        GzDecoder::new(file).read_to_string(&mut text).with_context(|| packed.display().to_string())?;
        (packed, text)
    } else {
        let text = std::fs::read_to_string(&plain).with_context(|| plain.display().to_string())?;
        (plain, text)
    };
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// The release that `data` belongs to, as botocore's `__init__.py` tells it.
fn release_of(data: &Path) -> Option<String> {
    let init = std::fs::read_to_string(data.parent()?.join("__init__.py")).ok()?;
    let line = init.lines().find(|line| line.starts_with("__version__"))?;
    Some(line.split(['\'', '"']).nth(1)?.to_owned())
}

fn installed() -> Option<PathBuf> {
    let script = "import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), 'data'))";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim()))
}

fn fetch(release: &str, target: &Path) -> Result<()> {
    let requirement = format!("botocore=={release}");
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"])
        .arg(target)
        .arg(&requirement)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => bail!(
            "cannot fetch the service models; run `python3 -m pip install --no-deps --target DIR {requirement}` \
             where there is a network, and pass `--models DIR/botocore/data`"
        ),
    }
}
