//! Events of a stream that are read and not stored yet.

use std::ops::Range;

use siemaphore_intake::Cut;

use super::parser::Data;
use crate::remote::shown;

/// What one event of the stream may hold: several of ours, in an array.
pub(super) const DATA_BYTES: usize = 1024 * 1024;
/// Of the array in one event of the stream.
const MOST_ITEMS: usize = 10_000;

/// So much that the store's commits are few, so little that memory is not felt.
const PORTION_BYTES: usize = 1024 * 1024;
const PORTION_EVENTS: usize = 2000;

#[derive(Debug, Default)]
pub(super) struct Portion {
    pub(super) text: Vec<u8>,
    pub(super) places: Vec<Range<usize>>,
    pub(super) begins: Begins,
    /// The last id of the stream up to here.
    pub(super) id: Option<String>,
    /// Events of the stream with nothing to store, since the position was kept last.
    pub(super) passed: usize,
}

/// Which event of the stream each event of ours came in.
#[derive(Debug, Default)]
pub(super) struct Begins(Vec<(usize, Option<String>)>);

impl Portion {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= PORTION_BYTES || self.places.len().max(self.passed) >= PORTION_EVENTS
    }

    /// An event of which only the id counts.
    pub(super) fn pass(&mut self, id: Option<String>) {
        self.id = id;
        self.passed += 1;
    }

    /// The error says what could not be taken of it.
    pub(super) fn add(&mut self, data: Data, id: Option<String>) -> Result<(), String> {
        self.id.clone_from(&id);
        // Taken back below, when there is something to store.
        self.passed += 1;
        let data = match data {
            Data::None => return Ok(()),
            Data::TooLarge => return Err(format!("it has more than {DATA_BYTES} bytes of data")),
            Data::Whole(data) => data,
        };
        if data.trim_ascii().is_empty() {
            return Ok(());
        }
        let Cut { places, broken } = Cut::of(&data);
        if places.len() > MOST_ITEMS {
            return Err(format!("it is an array of more than {MOST_ITEMS} events"));
        }
        if places.is_empty() {
            return broken.map_or(Ok(()), Err);
        }
        self.passed -= 1;
        self.begins.0.push((self.places.len(), id));
        let start = self.text.len();
        self.text.extend_from_slice(&data);
        self.places.extend(places.into_iter().map(|place| start + place.start..start + place.end));
        broken.map_or(Ok(()), Err)
    }

    /// Of the event that was added last.
    pub(super) fn last_place(&self) -> String {
        place_of(self.id.as_deref())
    }
}

impl Begins {
    pub(super) fn place(&self, index: usize) -> String {
        let behind = self.0.partition_point(|(begin, _)| *begin <= index);
        let found = behind.checked_sub(1).and_then(|at| self.0.get(at));
        place_of(found.and_then(|(_, id)| id.as_deref()))
    }
}

fn place_of(id: Option<&str>) -> String {
    match id {
        Some(id) if !id.is_empty() => format!("the event with the id {}", shown(id.as_bytes())),
        _ => "an event without an id".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(portion: &mut Portion, data: &str, id: &str) -> Result<(), String> {
        portion.add(Data::Whole(data.as_bytes().to_vec()), Some(id.to_owned()))
    }

    fn texts(portion: &Portion) -> Vec<&str> {
        let text = |place: &Range<usize>| std::str::from_utf8(&portion.text[place.clone()]).unwrap();
        portion.places.iter().map(text).collect()
    }

    #[test]
    fn an_event_holds_one_object_or_an_array_of_them_and_each_is_told_by_its_id() {
        let mut portion = Portion::default();
        add(&mut portion, "{\"a\":\n1}", "1").unwrap();
        add(&mut portion, " ", "2").unwrap();
        add(&mut portion, "[{\"b\":2}, {\"c\":3}]", "3").unwrap();
        portion.add(Data::None, Some("4".to_owned())).unwrap();
        assert_eq!(texts(&portion), ["{\"a\":\n1}", "{\"b\":2}", "{\"c\":3}"]);
        let places = [0, 1, 2].map(|index| portion.begins.place(index));
        assert_eq!(places, [1, 3, 3].map(|id| format!("the event with the id {id}")));
        assert_eq!(portion.id.as_deref(), Some("4"));
    }

    #[test]
    fn what_has_nothing_to_store_is_not_kept_and_fills_a_portion_in_the_end() {
        let mut portion = Portion::default();
        let blanks = format!("[{}]", " ".repeat(10_000));
        for number in 1..=PORTION_EVENTS {
            assert!(!portion.is_full(), "{number}");
            let data = [blanks.as_str(), "", "[]"][number % 3];
            add(&mut portion, data, &format!("{number}")).unwrap();
        }
        assert!(portion.is_full() && portion.is_empty());
        assert_eq!((portion.text.len(), portion.begins.0.len()), (0, 0));
        assert_eq!(portion.id, Some(PORTION_EVENTS.to_string()));
    }

    #[test]
    fn what_cannot_be_read_of_an_event_is_told_and_the_rest_is_taken() {
        let mut portion = Portion::default();
        let told = add(&mut portion, "[{\"a\":1},{\"b\"", "1\n\u{1b}").unwrap_err();
        assert!(told.contains("the event has no end"), "{told}");
        assert_eq!(texts(&portion), ["{\"a\":1}"]);
        assert_eq!(portion.last_place(), "the event with the id 1\\n\\u{1b}");
        let many = format!("[{}1]", "1,".repeat(MOST_ITEMS));
        assert!(add(&mut portion, &many, "2").unwrap_err().contains("10000"));
        assert!(portion.add(Data::TooLarge, None).unwrap_err().contains("1048576 bytes"));
        assert_eq!((portion.places.len(), portion.last_place().as_str()), (1, "an event without an id"));
    }
}
