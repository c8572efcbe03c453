//! A small map from names to what they mean, for lookups that nearly always find nothing.

/// By length: most members of an event differ from all names in length alone, and of the rest most in the first byte.
#[derive(Debug)]
pub(super) struct Names<T> {
    by_length: Vec<Vec<(Box<[u8]>, T)>>,
}

impl<T> Default for Names<T> {
    fn default() -> Names<T> {
        Names { by_length: Vec::new() }
    }
}

impl<T> Names<T> {
    /// What a name means already stays.
    pub(super) fn insert(&mut self, name: &[u8], meaning: T) {
        if self.by_length.len() <= name.len() {
            self.by_length.resize_with(name.len() + 1, Vec::new);
        }
        if let Some(bucket) = self.by_length.get_mut(name.len())
            && !bucket.iter().any(|(known, _)| **known == *name)
        {
            bucket.push((name.into(), meaning));
        }
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&T> {
        let bucket = self.by_length.get(name.len())?;
        let first = name.first();
        bucket
            .iter()
            .find(|(known, _)| known.first() == first && **known == *name)
            .map(|(_, meaning)| meaning)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_length.is_empty()
    }
}
