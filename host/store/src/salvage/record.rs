//! SQLite's record format: a header of types, then the values.

use crate::salvage::cells::varint;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

/// Our widest table has 17 columns; newer formats may add some.
const COLUMNS: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn blob(&self) -> Option<&[u8]> {
        match self {
            Value::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// What the header says of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Integer,
    Text,
    Blob,
}

/// The kinds of the columns, from the start of a record; none when it is no record.
pub(crate) fn kinds(record: &[u8]) -> Option<Vec<Kind>> {
    let (types, _) = header(record)?;
    types.into_iter().map(|code| Some(kind_and_bytes(code)?.0)).collect()
}

/// All values of a whole record.
pub(crate) fn decode(record: &[u8]) -> Option<Vec<Value>> {
    let (types, mut at) = header(record)?;
    let mut values = Vec::with_capacity(types.len());
    for code in types {
        let (kind, bytes) = kind_and_bytes(code)?;
        let body = record.get(at..at.checked_add(bytes)?)?;
        at += bytes;
        values.push(match kind {
            Kind::Null => Value::Null,
            Kind::Integer => Value::Integer(integer(code, body)),
            Kind::Text => Value::Text(String::from_utf8(body.to_vec()).ok()?),
            Kind::Blob => Value::Blob(body.to_vec()),
        });
    }
    (at == record.len()).then_some(values)
}

/// The type codes and where the values begin.
fn header(record: &[u8]) -> Option<(Vec<u64>, usize)> {
    let mut at = 0;
    let end = usize::try_from(varint(record, &mut at)?).ok()?;
    let mut types = Vec::new();
    while at < end {
        if types.len() == COLUMNS {
            return None;
        }
        types.push(varint(record, &mut at)?);
    }
    (at == end && !types.is_empty()).then_some((types, end))
}

fn kind_and_bytes(code: u64) -> Option<(Kind, usize)> {
    Some(match code {
        0 => (Kind::Null, 0),
        1..=4 => (Kind::Integer, usize::try_from(code).ok()?),
        5 => (Kind::Integer, 6),
        6 => (Kind::Integer, 8),
        8 | 9 => (Kind::Integer, 0),
        // Numbers with a point and reserved codes: no column of ours.
        7 | 10 | 11 => return None,
        even if even % 2 == 0 => (Kind::Blob, usize::try_from((even - 12) / 2).ok()?),
        odd => (Kind::Text, usize::try_from((odd - 13) / 2).ok()?),
    })
}

fn integer(code: u64, body: &[u8]) -> i64 {
    match code {
        9 => 1,
        _ => {
            let negative = body.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1 } else { 0 };
            body.iter().fold(start, |number: i64, byte| number << 8 | i64::from(*byte))
        }
    }
}
