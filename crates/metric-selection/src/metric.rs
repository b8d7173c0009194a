//! What both languages see of a series.

/// A series by what it is called. Its unit and its samples play no part in either language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The metric's name.
    pub name: &'a str,
    /// Dimensions as (name, value), in any order, no name twice.
    pub dimensions: &'a [(&'a str, &'a str)],
}

impl<'a> Metric<'a> {
    /// The value of the dimension `name`, if it has that.
    pub fn dimension(&self, name: &str) -> Option<&'a str> {
        self.dimensions.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// Whether its dimensions have exactly these names, in any order. `names` holds none twice.
    pub fn has_exactly(&self, names: &[impl AsRef<str>]) -> bool {
        self.dimensions.len() == names.len()
            && names.iter().all(|name| self.dimension(name.as_ref()).is_some())
    }
}
