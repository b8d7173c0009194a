//! `cargo xtask tidy`: house rules that no compiler knows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Which crates of the workspace a crate may be built on, besides `core`: dependencies point down only, and
/// no service knows another. A new crate says its place here.
const MAY_USE: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("api", &[]),
    ("storage", &[]),
    ("outbound", &[]),
    ("own-metrics", &[]),
    ("anomaly", &[]),
    ("metric-math", &[]),
    ("metric-selection", &[]),
    ("wire", &["api"]),
    ("iam", &["api"]),
    ("metrics", &["api", "storage", "metric-math", "metric-selection", "anomaly"]),
    ("metric-streams", &["api", "outbound", "storage"]),
    ("alarms", &["api", "storage", "outbound", "metric-math", "metric-selection"]),
    ("data-protection", &[]),
    ("log-patterns", &[]),
    ("log-transformers", &["api"]),
    ("log-files", &[]),
    (
        "logs",
        &[
            "log-files",
            "api",
            "outbound",
            "own-metrics",
            "storage",
            "log-patterns",
            "log-transformers",
            "data-protection",
        ],
    ),
    ("notify", &["api", "storage", "outbound", "own-metrics"]),
    ("sqs", &["api", "storage", "own-metrics"]),
    ("dashboards", &["api", "storage"]),
    ("tagging", &["api"]),
    ("contributor-insights", &["api", "storage"]),
    ("otlp", &[]),
    ("syslog", &[]),
    ("bench", &[]),
];

/// Checks every rule; an error names the offender.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).context("cannot read ARCHITECTURE.md")?;
    for (name, manifest) in manifests(root)? {
        check_dependencies(&name, &manifest)?;
        ensure!(is_on(&map, &name), "ARCHITECTURE.md does not name crate `{name}`: draw it where it belongs");
    }
    Ok(())
}

/// Whether `name` is a word of the text.
fn is_on(map: &str, name: &str) -> bool {
    map.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == name)
}

/// The manifest of every library crate, by its short name. `server` may use everything, and nothing uses it.
fn manifests(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut directories: Vec<PathBuf> =
        fs::read_dir(root.join("crates"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    directories.push(root.join("bench"));
    let mut manifests = BTreeMap::new();
    for directory in directories {
        let path = directory.join("Cargo.toml");
        let name = directory.file_name().context("a named directory")?.to_string_lossy().into_owned();
        if name != "server" {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            manifests.insert(name, text);
        }
    }
    Ok(manifests)
}

fn check_dependencies(name: &str, manifest: &str) -> Result<()> {
    let (_, allowed) = MAY_USE
        .iter()
        .find(|(listed, _)| *listed == name)
        .with_context(|| format!("crate `{name}` has no place in xtask/src/tidy.rs: say what it may use"))?;
    for used in dependencies(manifest) {
        ensure!(
            used == "core" || allowed.contains(&used),
            "crate `{name}` uses `{used}`: dependencies point down only, see ARCHITECTURE.md"
        );
    }
    Ok(())
}

/// The workspace's crates in `[dependencies]`, by their short names. Those of tests may point anywhere.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.strip_prefix("groundwatch-")?.split(['.', ' ', '=']).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_not_use_another() {
        let manifest = "[package]\n\n[dependencies]\ngroundwatch-core.workspace = true\ngroundwatch-logs.workspace = true\n";
        assert!(check_dependencies("logs", "[dependencies]\ngroundwatch-storage.workspace = true\n").is_ok());
        assert!(check_dependencies("alarms", manifest).is_err());
        assert!(check_dependencies("nobody-knows-it", "").is_err());
    }

    #[test]
    fn a_crate_is_named_by_a_whole_word() {
        assert!(is_on("metric-math   metric-selection", "metric-math"));
        assert!(!is_on("metric-math   metric-selection", "metric"));
    }

    #[test]
    fn tests_may_use_anything() {
        let manifest =
            "[dependencies]\nserde.workspace = true\n[dev-dependencies]\ngroundwatch-wire.workspace = true\n";
        assert_eq!(dependencies(manifest).count(), 0);
    }

    #[test]
    fn the_workspace_is_tidy() {
        run().expect("tidy");
    }
}
