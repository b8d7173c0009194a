//! `addKeys`, `copyValue`, `moveKeys`, `renameKeys` and `deleteKeys`.

use groundwatch_api::logs;
use serde_json::Value;

use crate::event::{Event, EventError};
use crate::path::{Path, PathError, put};
use crate::pipeline::{Cause, Process};

pub(crate) struct AddKeys {
    entries: Vec<(Path, String, bool)>,
}

impl AddKeys {
    pub(crate) fn new(config: &logs::AddKeys) -> Result<Self, Cause> {
        let entry = |entry: &logs::AddKeyEntry| {
            let path = Path::parse(entry.key.as_deref().unwrap_or_default())?;
            Ok((path, entry.value.clone().unwrap_or_default(), entry.overwrite_if_exists.unwrap_or(false)))
        };
        let entries = config.entries.iter().flatten().map(entry).collect::<Result<_, PathError>>()?;
        Ok(Self { entries })
    }
}

impl Process for AddKeys {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for (path, value, overwrite) in &self.entries {
            path.set(&mut event.fields, Value::String(value.clone()), *overwrite);
        }
        Ok(())
    }
}

pub(crate) struct CopyValue {
    entries: Vec<(Copied, Path, bool)>,
}

/// What is copied: a field, or what is known of the event besides its text.
enum Copied {
    Field(Path),
    Group,
    Stream,
    Account,
    Region,
}

impl Copied {
    fn parse(source: &str) -> Result<Self, PathError> {
        match source {
            "@logGroupName" => Ok(Self::Group),
            // AWS's guide has both names for it.
            "@logGroupStream" | "@logStreamName" => Ok(Self::Stream),
            "@accountId" => Ok(Self::Account),
            "@regionName" => Ok(Self::Region),
            path => Path::parse(path).map(Self::Field),
        }
    }

    fn value(&self, event: &Event<'_>) -> Option<Value> {
        let text = |text: &str| Some(Value::String(text.to_owned()));
        match self {
            Self::Field(path) => path.get(&event.fields).cloned(),
            Self::Group => text(event.origin.group),
            Self::Stream => text(event.origin.stream),
            Self::Account => text(event.origin.account),
            Self::Region => text(event.origin.region),
        }
    }
}

impl CopyValue {
    pub(crate) fn new(config: &logs::CopyValue) -> Result<Self, Cause> {
        let entry = |entry: &logs::CopyValueEntry| {
            let source = Copied::parse(entry.source.as_deref().unwrap_or_default())?;
            let target = Path::parse(entry.target.as_deref().unwrap_or_default())?;
            Ok((source, target, entry.overwrite_if_exists.unwrap_or(false)))
        };
        let entries = config.entries.iter().flatten().map(entry).collect::<Result<_, PathError>>()?;
        Ok(Self { entries })
    }
}

impl Process for CopyValue {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for (source, target, overwrite) in &self.entries {
            if let Some(value) = source.value(event) {
                target.set(&mut event.fields, value, *overwrite);
            }
        }
        Ok(())
    }
}

pub(crate) struct MoveKeys {
    entries: Vec<(Path, Path, bool)>,
}

impl MoveKeys {
    pub(crate) fn new(config: &logs::MoveKeys) -> Result<Self, Cause> {
        let entry = |entry: &logs::MoveKeyEntry| {
            let source = Path::parse(entry.source.as_deref().unwrap_or_default())?;
            let target = Path::parse(entry.target.as_deref().unwrap_or_default())?;
            Ok((source, target, entry.overwrite_if_exists.unwrap_or(false)))
        };
        let entries = config.entries.iter().flatten().map(entry).collect::<Result<_, PathError>>()?;
        Ok(Self { entries })
    }
}

impl Process for MoveKeys {
    /// Into a target that is an object the key moves with its name, as in the example of AWS's guide;
    /// otherwise its value moves to the target. What cannot move stays.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for (source, target, overwrite) in &self.entries {
            let Some(value) = source.remove(&mut event.fields) else { continue };
            match target.get_mut(&mut event.fields) {
                Some(Value::Object(object)) if *overwrite || !object.contains_key(source.key()) => {
                    put(object, source.key().to_owned(), value, true);
                }
                Some(taken) if *overwrite && !taken.is_object() => *taken = value,
                Some(_) => source.set(&mut event.fields, value, true),
                None => target.set(&mut event.fields, value, true),
            }
        }
        Ok(())
    }
}

pub(crate) struct RenameKeys {
    entries: Vec<(Path, Path, bool)>,
}

impl RenameKeys {
    pub(crate) fn new(config: &logs::RenameKeys) -> Result<Self, Cause> {
        let entry = |entry: &logs::RenameKeyEntry| {
            let key = Path::parse(entry.key.as_deref().unwrap_or_default())?;
            let to = Path::parse(entry.rename_to.as_deref().unwrap_or_default())?;
            Ok((key, to, entry.overwrite_if_exists.unwrap_or(false)))
        };
        let entries = config.entries.iter().flatten().map(entry).collect::<Result<_, PathError>>()?;
        Ok(Self { entries })
    }
}

impl Process for RenameKeys {
    /// A key that cannot get its name keeps the old one.
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for (key, to, overwrite) in &self.entries {
            if key != to
                && (*overwrite || to.get(&event.fields).is_none())
                && let Some(value) = key.remove(&mut event.fields)
            {
                to.set(&mut event.fields, value, true);
            }
        }
        Ok(())
    }
}

pub(crate) struct DeleteKeys {
    keys: Vec<Path>,
}

impl DeleteKeys {
    pub(crate) fn new(config: &logs::DeleteKeys) -> Result<Self, Cause> {
        Ok(Self { keys: paths(config.with_keys.as_deref())? })
    }
}

impl Process for DeleteKeys {
    fn apply(&self, event: &mut Event<'_>) -> Result<(), EventError> {
        for key in &self.keys {
            key.remove(&mut event.fields);
        }
        Ok(())
    }
}

/// The paths in a `withKeys`.
pub(super) fn paths(keys: Option<&[String]>) -> Result<Vec<Path>, PathError> {
    keys.unwrap_or_default().iter().map(|key| Path::parse(key)).collect()
}
