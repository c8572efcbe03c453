//! Which keys an object has already.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::text;

/// Up to this many names are compared one by one, which is faster; a hostile document may have thousands.
const FEW: usize = 16;

/// A set of keys that stays fast however many there are.
#[derive(Debug, Default)]
pub struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    pub fn contains(&self, name: &str) -> bool {
        self.few.iter().any(|known| text::same(known, name)) || self.many.contains(name)
    }

    /// False when the name was there before.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>) -> bool {
        let name = name.into();
        if self.few.iter().any(|known| text::same(known, &name)) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_once_among_few_and_among_many() {
        let mut names = Names::default();
        for round in 0..2 {
            for number in 0..100 {
                assert_eq!(names.insert(format!("key{number}")), round == 0, "{number}");
            }
        }
        assert!(names.contains("key3") && names.contains("key99") && !names.contains("key100"));
    }
}
