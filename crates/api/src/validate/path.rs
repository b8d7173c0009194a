//! Where in an input a value stands.

use std::fmt;

/// A place in an input, as a chain from the value up to the input itself.
#[derive(Clone, Copy, Debug)]
pub enum Path<'a> {
    /// The input itself.
    Root,
    /// A member of a structure, by its name in the model.
    Member(&'a Path<'a>, &'static str),
    /// An element of a list, counted from 0.
    Element(&'a Path<'a>, usize),
    /// A value of a map, by its key.
    Entry(&'a Path<'a>, &'a str),
}

impl Path<'_> {
    /// The place of a member.
    #[inline]
    pub fn member(&self, name: &'static str) -> Path<'_> {
        Path::Member(self, name)
    }

    /// The place of an element.
    #[inline]
    pub fn element(&self, index: usize) -> Path<'_> {
        Path::Element(self, index)
    }

    /// The place of a map's value.
    #[inline]
    pub fn entry<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path::Entry(self, key)
    }
}

/// `metricData.1.member.metricName`: members start in lower case, lists count from 1.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                if !matches!(parent, Path::Root) {
                    write!(f, "{parent}.")?;
                }
                let mut rest = name.chars();
                let first = rest.next().map(|first| first.to_ascii_lowercase());
                write!(f, "{}{}", first.into_iter().collect::<String>(), rest.as_str())
            }
            Self::Element(parent, index) => write!(f, "{parent}.{}.member", index + 1),
            Self::Entry(parent, key) => {
                let shown: String = key.chars().take(64).collect();
                write!(f, "{parent}.{shown}.member")
            }
        }
    }
}
