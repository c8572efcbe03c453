//! All pointers of a plan as one tree, so that the walk follows them together.
//!
//! Wildcards are resolved when the tree is made: a named branch also holds what `*` leads to, so the walk follows
//! exactly one branch at each member.

use crate::normalise::names::Names;
use crate::profile::ProfileError;
use crate::redaction::Action;

/// A place in the event.
#[derive(Debug, Default)]
pub(super) struct Node {
    named: Names<Node>,
    any: Option<Box<Node>>,
    /// Where to remember the value.
    pub(super) slot: Option<usize>,
    pub(super) action: Option<Action>,
}

/// A pointer and why it is in the tree.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    segments: Vec<String>,
    purpose: Purpose,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Remember(usize),
    Redact(Action),
}

impl Entry {
    pub(super) fn new(pointer: &str, purpose: Purpose) -> Result<Entry, ProfileError> {
        let unreadable = || ProfileError::Pointer { pointer: pointer.to_owned() };
        let path = pointer.strip_prefix('/').ok_or_else(unreadable)?;
        let segments =
            path.split('/').map(unescape_segment).collect::<Option<Vec<_>>>().ok_or_else(unreadable)?;
        Ok(Entry { segments, purpose })
    }
}

/// Whether a text can be the way to a place.
pub(crate) fn is_pointer(text: &str) -> bool {
    Entry::new(text, Purpose::Remember(0)).is_ok()
}

/// `~1` is a slash and `~0` a tilde; any other tilde is a mistake.
fn unescape_segment(segment: &str) -> Option<String> {
    let mut parts = segment.split('~');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        text.push(match part.bytes().next()? {
            b'0' => '~',
            b'1' => '/',
            _ => return None,
        });
        text.push_str(part.get(1..)?);
    }
    Some(text)
}

impl Node {
    /// Of several actions for one place the first entry's counts.
    pub(super) fn new(entries: &[Entry]) -> Node {
        let paths: Vec<(&[String], Purpose)> =
            entries.iter().map(|entry| (entry.segments.as_slice(), entry.purpose)).collect();
        Node::grow(&paths)
    }

    fn grow(paths: &[(&[String], Purpose)]) -> Node {
        let mut node = Node::default();
        let mut names: Vec<&str> = Vec::new();
        for (segments, purpose) in paths {
            match (segments.first(), purpose) {
                (None, Purpose::Remember(slot)) => node.slot = node.slot.or(Some(*slot)),
                (None, Purpose::Redact(action)) => node.action = node.action.or(Some(*action)),
                (Some(name), _) if !names.contains(&name.as_str()) => names.push(name),
                (Some(_), _) => {}
            }
        }
        for name in names {
            let below: Vec<_> = paths
                .iter()
                .filter_map(|(segments, purpose)| {
                    let (first, rest) = segments.split_first()?;
                    (first == name || first == "*").then_some((rest, *purpose))
                })
                .collect();
            let child = Node::grow(&below);
            if name == "*" {
                node.any = Some(Box::new(child));
            } else {
                node.named.insert(name.as_bytes(), child);
            }
        }
        node
    }

    pub(super) fn member(&self, key: &[u8]) -> Option<&Node> {
        self.named.get(key).or(self.any.as_deref())
    }

    pub(super) fn element(&self, index: usize) -> Option<&Node> {
        if self.named.is_empty() {
            return self.any.as_deref();
        }
        self.member(index.to_string().as_bytes())
    }

    /// Whether a pointer leads further: then an object or array here is no surprise.
    pub(super) fn has_branches(&self) -> bool {
        self.any.is_some() || !self.named.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pointers: &[&str]) -> Node {
        let entries: Vec<_> = pointers
            .iter()
            .enumerate()
            .map(|(slot, pointer)| Entry::new(pointer, Purpose::Remember(slot)).unwrap())
            .collect();
        Node::new(&entries)
    }

    #[test]
    fn a_wildcard_holds_beside_a_name() {
        let tree = tree(&["/a/b", "/*/c", "/a/*"]);
        let a = tree.member(b"a").unwrap();
        assert_eq!(a.member(b"b").unwrap().slot, Some(0));
        assert_eq!(a.member(b"c").unwrap().slot, Some(1));
        assert_eq!(a.member(b"other").unwrap().slot, Some(2));
        assert_eq!(tree.member(b"x").unwrap().member(b"c").unwrap().slot, Some(1));
        assert!(tree.member(b"x").unwrap().member(b"b").is_none());
    }

    #[test]
    fn elements_are_found_by_index_and_by_wildcard() {
        let tree = tree(&["/a/1", "/b/*"]);
        assert_eq!(tree.member(b"a").unwrap().element(1).unwrap().slot, Some(0));
        assert!(tree.member(b"a").unwrap().element(0).is_none());
        assert_eq!(tree.member(b"b").unwrap().element(7).unwrap().slot, Some(1));
    }

    #[test]
    fn escaped_names_and_mistakes_are_told_apart() {
        assert_eq!(tree(&["/a~1b~0c"]).member(b"a/b~c").unwrap().slot, Some(0));
        for mistake in ["", "a", "/a~", "/a~2"] {
            Entry::new(mistake, Purpose::Remember(0)).unwrap_err();
        }
    }
}
