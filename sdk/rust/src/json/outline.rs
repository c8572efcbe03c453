//! The members of a document's root, found in one pass.

use std::collections::BTreeMap;

use super::scan::{self, Member};

/// Up to this many members are compared one by one, which is faster; a hostile document may have thousands.
const FEW: usize = 16;

/// Each member of the root once, in the document's order. Of a repeated key the last value counts.
#[derive(Debug, Default)]
pub struct Outline<'a> {
    members: Vec<Member<'a>>,
    /// Where the members beyond the first few are.
    places: BTreeMap<String, usize>,
}

impl<'a> Outline<'a> {
    pub fn new(document: &'a str) -> Outline<'a> {
        let mut outline = Outline { members: Vec::with_capacity(FEW), places: BTreeMap::new() };
        for member in scan::members(document) {
            let key = member.key();
            if let Some(known) = outline.place(&key).and_then(|place| outline.members.get_mut(place)) {
                known.value = member.value;
                continue;
            }
            if outline.members.len() >= FEW {
                outline.places.insert(key.into_owned(), outline.members.len());
            }
            outline.members.push(member);
        }
        outline
    }

    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    pub fn contains(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.members.get(self.place(key)?).map(|member| member.value)
    }

    /// The value at a JSON Pointer such as `/identity/email`. Keys with `~` or `/` cannot be reached.
    pub fn pointer(&self, pointer: &str) -> Option<&'a str> {
        let path = pointer.strip_prefix('/')?;
        let Some(slash) = path.find('/') else { return self.get(path) };
        let (key, rest) = path.split_at_checked(slash)?;
        let [found] = scan::find(self.get(key)?, [rest]);
        found
    }

    fn place(&self, key: &str) -> Option<usize> {
        let among_few = self.members.iter().take(FEW).position(|member| member.is(key));
        among_few.or_else(|| if self.places.is_empty() { None } else { self.places.get(key).copied() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_unique_and_the_last_value_counts() {
        let outline = Outline::new(r#"{"a":1,"b":{"c":{"d":2}},"\u0061":3}"#);
        assert_eq!(outline.members().len(), 2);
        assert_eq!((outline.get("a"), outline.pointer("/a")), (Some("3"), Some("3")));
        assert_eq!(
            (outline.pointer("/b/c/d"), outline.pointer("/b/x"), outline.pointer("")),
            (Some("2"), None, None)
        );
    }

    #[test]
    fn thousands_of_members_are_found_as_quickly_as_a_few() {
        let members: Vec<String> = (0..20_000).map(|number| format!("\"key{number}\":{number}")).collect();
        let document = format!("{{{},{}}}", members.join(","), members.join(","));
        let outline = Outline::new(&document);
        assert_eq!(outline.members().len(), 20_000);
        assert_eq!((outline.get("key3"), outline.get("key19999")), (Some("3"), Some("19999")));
        assert!(!outline.contains("key20000"));
    }
}
