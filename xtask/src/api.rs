//! `cargo xtask api`: AWS's service models to Rust.
//!
//! The way through: [`wanted`] (which operations) → [`models`] (find the models) → [`model`] (parse one) →
//! [`plan`] (which types come of it, pure) → [`render`] (plan to Rust, pure) → `rustfmt` → files.
//!
//! What always holds: the output depends on operations.txt and the botocore release that it names alone; what
//! a model says and the generator does not understand is an error, never left out. AWS's prose is not copied:
//! the documentation of a member is made from facts.

mod model;
mod models;
mod names;
mod pattern;
mod plan;
mod recorded;
mod render;
mod rules;
mod wanted;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use self::wanted::Wanted;

/// Runs the command with the arguments after `api`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut check = false;
    let mut data_dir = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--models" => {
                data_dir = Some(PathBuf::from(arguments.next().context("--models needs a directory")?));
            }
            other => bail!("`cargo xtask api` does not know `{other}`"),
        }
    }

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands in the workspace")?;
    let wanted_path = root.join("crates/api/operations.txt");
    let wanted_text =
        std::fs::read_to_string(&wanted_path).with_context(|| wanted_path.display().to_string())?;
    let wanted = Wanted::parse(&wanted_text).with_context(|| wanted_path.display().to_string())?;
    let data_dir = models::find(&wanted.botocore, data_dir, &root.join("target/botocore"))?;

    let generated = root.join("crates/api/src/generated");
    let files = generate(&wanted, &data_dir, &root.join("rustfmt.toml"))?;
    if check { compare(&generated, &files) } else { write(&generated, &files) }
}

/// The generated files by name.
fn generate(wanted: &Wanted, data_dir: &Path, rustfmt: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut operations = Vec::new();
    for (service, wishes) in &wanted.services {
        let model = models::load(data_dir, service)?;
        let plan = plan::Plan::of(service, &model, wishes).with_context(|| format!("service {service}"))?;
        let text =
            render::service(&plan, &model, &wanted.botocore).with_context(|| format!("service {service}"))?;
        operations.extend(plan.operations.into_iter().map(|operation| (service.clone(), operation)));
        files.insert(format!("{service}.rs"), format(&text, rustfmt)?);
    }
    let front = render::front(wanted.services.keys(), &operations, &wanted.botocore);
    files.insert("mod.rs".to_owned(), format(&front, rustfmt)?);
    Ok(files)
}

fn format(text: &str, config: &Path) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start rustfmt (`rustup component add rustfmt`)")?;
    // Small enough for no deadlock to be possible: rustfmt reads all of its input before it writes.
    rustfmt.stdin.take().context("stdin is piped")?.write_all(text.as_bytes())?;
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt refuses the generated code:\n{text}");
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn write(dir: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    for stale in strangers(dir, files)? {
        std::fs::remove_file(&stale).with_context(|| stale.display().to_string())?;
    }
    Ok(())
}

fn compare(dir: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let differs = |(name, text): (&String, &String)| {
        let path = dir.join(name);
        let same = std::fs::read_to_string(&path).is_ok_and(|present| present == *text);
        (!same).then_some(path)
    };
    let mut wrong: Vec<PathBuf> = files.iter().filter_map(differs).collect();
    wrong.extend(strangers(dir, files)?);
    if wrong.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = wrong.iter().map(|path| path.display().to_string()).collect();
    bail!("generated files are not what `cargo xtask api` makes; run it and commit:\n{}", list.join("\n"))
}

/// Files in the generated directory that nothing generates any more.
fn strangers(dir: &Path, files: &BTreeMap<String, String>) -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(Vec::new()) };
    let mut strangers = Vec::new();
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|name| files.contains_key(name)) {
            strangers.push(entry.path());
        }
    }
    Ok(strangers)
}
