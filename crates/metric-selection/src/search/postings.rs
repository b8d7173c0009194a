//! A set of numbers that is most often of one: a dimension's value with its few series, a rare token with its
//! text.

use roaring::{MultiOps, RoaringBitmap};

/// 16 bytes, and no more for one number.
#[derive(Clone, Debug, Default)]
pub(super) enum Postings {
    #[default]
    None,
    One(u32),
    Many(Box<RoaringBitmap>),
}

impl Postings {
    pub(super) fn insert(&mut self, number: u32) {
        match self {
            Self::None => *self = Self::One(number),
            Self::One(known) if *known == number => {}
            Self::One(known) => *self = Self::Many(Box::new(RoaringBitmap::from_iter([*known, number]))),
            Self::Many(many) => {
                many.insert(number);
            }
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many(many) => many.len(),
        }
    }

    pub(super) fn to_bitmap(&self) -> RoaringBitmap {
        match self {
            Self::None => RoaringBitmap::new(),
            Self::One(number) => RoaringBitmap::from_iter([*number]),
            Self::Many(many) => (**many).clone(),
        }
    }

    pub(super) fn restrict(&self, numbers: &mut RoaringBitmap) {
        match self {
            Self::Many(many) => *numbers &= &**many,
            few => *numbers &= few.to_bitmap(),
        }
    }

    /// What is in any of `sets`.
    pub(super) fn union<'a>(sets: impl Iterator<Item = &'a Self>) -> RoaringBitmap {
        let mut ones = Vec::new();
        let many = sets.filter_map(|set| match set {
            Self::None => None,
            Self::One(number) => {
                ones.push(*number);
                None
            }
            Self::Many(many) => Some(&**many),
        });
        let mut union = many.union();
        union.extend(ones);
        union
    }
}
