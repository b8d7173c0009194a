//! Names of fields: keys with dots between, up to three deep.

use serde_json::{Map, Value};

/// How deep a path reaches. Source: CloudWatch Logs user guide, "Processors that you can use".
const DEPTH_MAX: usize = 3;
/// The longest path, in characters. Source: as above.
const CHARACTERS_MAX: usize = 128;

/// The place of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    parents: Vec<String>,
    key: String,
}

/// A path that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path of one to {DEPTH_MAX} keys with dots between")]
pub struct PathError(pub String);

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let mut keys: Vec<String> = text.split('.').map(str::to_owned).collect();
        let fits = keys.len() <= DEPTH_MAX
            && text.chars().count() <= CHARACTERS_MAX
            && keys.iter().all(|key| !key.is_empty());
        match keys.pop().filter(|_| fits) {
            Some(key) => Ok(Self { parents: keys, key }),
            None => Err(PathError(text.to_owned())),
        }
    }

    /// The last key.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn get<'v>(&self, root: &'v Map<String, Value>) -> Option<&'v Value> {
        let parent = self.parents.iter().try_fold(root, |object, key| object.get(key)?.as_object())?;
        parent.get(&self.key)
    }

    pub(crate) fn get_mut<'v>(&self, root: &'v mut Map<String, Value>) -> Option<&'v mut Value> {
        let mut object = root;
        for key in &self.parents {
            object = object.get_mut(key)?.as_object_mut()?;
        }
        object.get_mut(&self.key)
    }

    pub(crate) fn remove(&self, root: &mut Map<String, Value>) -> Option<Value> {
        let mut object = root;
        for key in &self.parents {
            object = object.get_mut(key)?.as_object_mut()?;
        }
        object.remove(&self.key)
    }

    /// Puts `value` there, with objects on the way to it. Does nothing where something else than an object is
    /// in the way, or where a value is and `overwrite` is not wanted.
    pub(crate) fn set(&self, root: &mut Map<String, Value>, value: Value, overwrite: bool) {
        let mut object = root;
        for key in &self.parents {
            let next = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
            let Some(next) = next.as_object_mut() else { return };
            object = next;
        }
        put(object, self.key.clone(), value, overwrite);
    }

    /// The object there, made if there is nothing; `None` where something else is or is in the way.
    pub(crate) fn object<'v>(&self, root: &'v mut Map<String, Value>) -> Option<&'v mut Map<String, Value>> {
        let mut object = root;
        for key in self.parents.iter().chain([&self.key]) {
            object = object.entry(key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
        }
        Some(object)
    }
}

/// Puts a value into an object, unless the key is taken and `overwrite` is not wanted.
pub(crate) fn put(object: &mut Map<String, Value>, key: String, value: Value, overwrite: bool) {
    if overwrite || !object.contains_key(&key) {
        object.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_to_three_keys() {
        let long = "x".repeat(129);
        for wrong in ["", ".", "a.", ".a", "a..b", "a.b.c.d", &long] {
            assert_eq!(Path::parse(wrong), Err(PathError(wrong.to_owned())));
        }
        for right in ["a", "a.b", "a.b.c", "cs(User-Agent)", "@message", "ä"] {
            assert!(Path::parse(right).is_ok(), "{right}");
        }
    }
}
