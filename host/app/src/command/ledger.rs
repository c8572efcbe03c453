//! `siemaphore ledger`: where every event of a destination is, and whether the sum is right.

use std::io::IsTerminal;

use comfy_table::{Cell, CellAlignment, Color, Table};
use serde_json::Value;

use crate::cli::Ledger;
use crate::command::Failure;
use crate::command::destination_name::DestinationName;
use crate::control::Client;
use crate::print;

/// What `accepted` is the sum of, in the order of the table.
const ENDS: [(&str, &str); 7] = [
    ("delivered", "delivered"),
    ("filtered", "filtered"),
    ("dead-lettered", "dead_lettered"),
    ("discarded", "discarded"),
    ("expired", "expired"),
    ("damaged", "damaged"),
    ("waiting", "waiting"),
];

pub(crate) async fn run(command: Ledger) -> Result<(), Failure> {
    let Ledger { destination, asking } = command;
    let client = Client::host_or_store(&asking.configured).await?;
    let ledgers: Vec<Value> = match destination {
        None => client.get("/v1/ledger").await?,
        Some(name) => {
            vec![client.get(&DestinationName::find_stored(&client, &name).await?.path("ledger")).await?]
        }
    };
    if asking.json {
        print::json(&ledgers)?;
    } else if ledgers.is_empty() {
        print::aside("the store knows no destination yet");
    } else {
        side_by_side(&ledgers).iter().for_each(print::show);
        ledgers.iter().for_each(explain);
    }
    let adds_up = ledgers.iter().all(|ledger| field(ledger, "adds_up") == &Value::Bool(true));
    if adds_up { Ok(()) } else { Err(Failure::Said) }
}

/// Tables with a column for each destination, as many as fit beside each other.
fn side_by_side(ledgers: &[Value]) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut rest = ledgers;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(columns_that_fit(rest));
        tables.push(table(now));
        rest = later;
    }
    tables
}

const FIRST_COLUMN: usize = 18;
/// Border and padding of a column.
const AROUND_COLUMN: usize = 3;
const WIDTH_WITHOUT_TERMINAL: usize = 120;

fn columns_that_fit(ledgers: &[Value]) -> usize {
    let width = Table::new().width().filter(|_| std::io::stdout().is_terminal());
    let mut room = width.map_or(WIDTH_WITHOUT_TERMINAL, usize::from).saturating_sub(FIRST_COLUMN);
    let mut fit = 0;
    for ledger in ledgers {
        let needed = id(ledger).chars().count().max(10) + AROUND_COLUMN;
        if needed > room {
            break;
        }
        room -= needed;
        fit += 1;
    }
    fit.max(1)
}

fn table(ledgers: &[Value]) -> Table {
    let names: Vec<String> = ledgers.iter().map(id).collect();
    let header: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
    let mut table = print::table(&header);
    table.add_row(row("accepted", ledgers, |ledger| number(ledger, "accepted")));
    for (title, key) in ENDS {
        table.add_row(row(&format!("  {title}"), ledgers, |ledger| number(ledger, key)));
    }
    table.add_row(row("adds up", ledgers, verdict));
    table.add_row(row("oldest waits", ledgers, oldest));
    table.add_row(row("maybe twice", ledgers, |ledger| number(ledger, "duplicates")));
    table
}

fn row(title: &str, ledgers: &[Value], value: impl Fn(&Value) -> Cell) -> Vec<Cell> {
    let values = ledgers.iter().map(|ledger| value(ledger).set_alignment(CellAlignment::Right));
    std::iter::once(print::cell(title)).chain(values).collect()
}

fn number(ledger: &Value, key: &str) -> Cell {
    print::cell(field(ledger, key))
}

fn verdict(ledger: &Value) -> Cell {
    match difference(ledger) {
        0 => print::cell("yes").fg(Color::Green),
        difference => print::cell(format!("no: {difference:+}")).fg(Color::Red),
    }
}

fn oldest(ledger: &Value) -> Cell {
    let stored = field(ledger, "oldest_waiting_ms").as_u64();
    print::cell(stored.map_or("-".to_owned(), |stored| print::ago(print::now_ms(), stored)))
}

/// Below the tables, in words: which destination, by how much, and what to do.
fn explain(ledger: &Value) {
    let (id, difference) = (id(ledger), difference(ledger));
    if difference > 0 {
        let events = print::count(difference.unsigned_abs(), "accepted event");
        print::line(format_args!("\n{id}: {events} neither settled nor waiting"));
    } else if difference < 0 {
        let events = print::count(difference.unsigned_abs(), "event");
        print::line(format_args!("\n{id}: {events} more accounted for than accepted"));
    }
    if difference != 0 {
        print::line("  hint: this must not happen: keep a copy with `siemaphore backup FILE`, and report it");
    }
    if field(ledger, "active") == &Value::Bool(false) {
        print::line(format_args!("\n{id} is disabled or no longer configured: nothing is sent to it"));
    }
}

fn difference(ledger: &Value) -> i64 {
    field(ledger, "difference").as_i64().unwrap_or_default()
}

fn id(ledger: &Value) -> String {
    let text = |key| field(ledger, key).as_str().unwrap_or_default();
    format!("{}/{}", text("organization"), text("name"))
}

/// What is missing reads as null.
fn field<'a>(ledger: &'a Value, key: &str) -> &'a Value {
    ledger.get(key).unwrap_or(&Value::Null)
}
