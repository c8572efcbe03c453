//! `siemaphore plugin check`: what the registry asks of a formatter before it is used, for its author.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use comfy_table::Color;
use serde_json::{Value, json};
use siemaphore_laws::{Law, Report};
use siemaphore_model::formatter::Description;
use siemaphore_sandbox::{Configuration, Formatter, GuestLimits, LoadError, Outside};
use url::Url;

use crate::cli::Check;
use crate::command::Failure;
use crate::command::plugin::{format, offline};
use crate::print;

/// For a formatter without an example.
const SOME_ENDPOINT: &str = "https://siem.example.com";

/// All that was found about a file that can be loaded.
struct Checked {
    name: String,
    size_bytes: u64,
    outside: Outside,
    description: Description,
    limits: GuestLimits,
    report: Report,
    /// Why the host would not make the request.
    request: Option<String>,
}

enum Outcome {
    Checked(Box<Checked>),
    Refused(LoadError),
}

pub(crate) async fn run(command: Check) -> Result<(), Failure> {
    let as_json = command.json;
    match tokio::task::spawn_blocking(move || check(command)).await?? {
        Outcome::Refused(error) if as_json => {
            print::json(
                &json!({ "lawful": false, "error": error.to_string(), "hint": error.hint(), "laws": [] }),
            )?;
            Err(Failure::Said)
        }
        Outcome::Refused(error) => {
            let hint = error.hint();
            Err(anyhow!("{error}\n  hint: {hint}").into())
        }
        Outcome::Checked(checked) => {
            if as_json {
                print::json(&checked.as_json())?;
            } else {
                checked.show();
            }
            if checked.is_lawful() { Ok(()) } else { Err(Failure::Said) }
        }
    }
}

fn check(command: Check) -> Result<Outcome> {
    let limits = limits(&command);
    let Check { plugin, settings, .. } = command;
    let named = offline::find(&plugin)?;
    let outside = match siemaphore_sandbox::outside(&named.name, &named.component) {
        Ok(outside) => outside,
        Err(error) => return Ok(Outcome::Refused(error)),
    };
    let formatter = match named.load_within(limits)? {
        Ok(formatter) => formatter,
        Err(error) => return Ok(Outcome::Refused(error)),
    };
    let description = formatter.description().clone();
    let settings = settings.unwrap_or_else(|| description.settings_example.clone());
    let configuration = Configuration { settings, destination: "check".to_owned() };
    let report = siemaphore_laws::check(&formatter, &configuration)
        .map_err(|error| anyhow!("{error}\n  hint: {}", error.hint()))?;
    let request = request(&formatter, &configuration).err().map(|error| error.to_string());
    let (limits, size_bytes) = (formatter.limits().clone(), named.component.len() as u64);
    let checked = Checked { name: named.name, size_bytes, outside, description, limits, report, request };
    Ok(Outcome::Checked(Box::new(checked)))
}

fn limits(command: &Check) -> GuestLimits {
    let usual = GuestLimits::default();
    GuestLimits {
        memory_bytes: command.memory.map_or(usual.memory_bytes, |memory| memory.as_u64()),
        cpu: command.cpu.map_or(usual.cpu, Into::into),
        ..usual
    }
}

/// Whether the host would make the request that the formatter asks for, to the endpoint of its example.
fn request(formatter: &Formatter, configuration: &Configuration) -> Result<()> {
    // Settings that are refused are told of already.
    let Ok(asked) = formatter.configure(configuration) else { return Ok(()) };
    let endpoint = match formatter.description().endpoint_example.as_str() {
        "" => SOME_ENDPOINT,
        example => example,
    };
    let endpoint = Url::parse(endpoint)
        .with_context(|| format!("the endpoint example {endpoint:?} of `describe` is not a URL"))?;
    format::grant(&asked, &endpoint).map(|_| ())
}

impl Checked {
    fn is_lawful(&self) -> bool {
        self.report.is_lawful() && self.request.is_none()
    }

    fn show(&self) {
        let Description { name, version, .. } = &self.description;
        let Outside { contract, imports } = &self.outside;
        let size = print::size(self.size_bytes);
        print::line(format_args!(
            "{}: {name} {version}, {size}, for siemaphore:formatter@{contract}",
            self.name
        ));
        let imports = if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") };
        print::line(format_args!("imports: {imports}\n"));
        self.show_laws();
        self.show_figures();
        for broken in &self.report.broken {
            print::line(format_args!("\n{broken}\n  hint: {}", broken.hint()));
            if let Some(event) = broken.event {
                print::line(format_args!("  the event: siemaphore plugin corpus {event}"));
            }
        }
        if let Some(problem) = &self.request {
            print::line(format_args!("\nits request would not be made: {problem}"));
        }
    }

    fn show_laws(&self) {
        let mut table = print::table(&["law", "", "what it says"]);
        for law in Law::ALL {
            let state = self.state(law);
            table.add_row([print::cell(law), verdict(state), print::cell(law.meaning())]);
        }
        let state = if self.request.is_some() { BROKEN } else { HOLDS };
        let meaning = "the host can make the request that it asks for";
        table.add_row([print::cell("request"), verdict(state), print::cell(meaning)]);
        print::show(&table);
    }

    fn state(&self, law: Law) -> &'static str {
        if self.report.broken_by(law).next().is_some() {
            BROKEN
        } else if self.report.is_checked(law) {
            HOLDS
        } else {
            "not checked"
        }
    }

    fn show_figures(&self) {
        let mut table = print::table(&["of one call", "the most", "limit"]);
        let (worst, limits) = (&self.report.worst, &self.limits);
        for row in [
            ["CPU time".to_owned(), time(worst.cpu), time(limits.cpu)],
            ["time".to_owned(), time(worst.wall), time(limits.wall)],
            ["memory".to_owned(), print::size(worst.peak_memory_bytes), print::size(limits.memory_bytes)],
            ["records".to_owned(), print::size(worst.output_bytes), print::size(limits.output_bytes)],
            ["log, more is dropped".to_owned(), print::size(worst.log_bytes), print::size(limits.log_bytes)],
        ] {
            table.add_row(row.map(print::cell));
        }
        print::show(&table);
        let Report { events, rejected, too_large, calls, .. } = &self.report;
        let events = print::count(*events as u64, "event");
        let calls = print::count(*calls as u64, "call");
        print::line(format_args!(
            "{events} in {calls}; {rejected} rejected, {too_large} larger than a record may be"
        ));
    }

    fn as_json(&self) -> Value {
        let (worst, limits) = (&self.report.worst, &self.limits);
        let laws = Law::ALL.map(|law| {
            let broken = self.report.broken_by(law).map(
                |broken| json!({ "event": broken.event, "detail": broken.detail, "hint": broken.hint() }),
            );
            json!({
                "law": law.as_str(),
                "meaning": law.meaning(),
                "state": self.state(law),
                "broken": broken.collect::<Vec<Value>>(),
            })
        });
        json!({
            "plugin": self.name,
            "name": self.description.name,
            "version": self.description.version,
            "size_bytes": self.size_bytes,
            "contract": self.outside.contract,
            "imports": self.outside.imports,
            "lawful": self.is_lawful(),
            "laws": laws,
            "request_problem": self.request,
            "events": self.report.events,
            "calls": self.report.calls,
            "rejected": self.report.rejected,
            "too_large": self.report.too_large,
            "worst_call": {
                "cpu_us": microseconds(worst.cpu),
                "wall_us": microseconds(worst.wall),
                "memory_bytes": worst.peak_memory_bytes,
                "output_bytes": worst.output_bytes,
                "log_bytes": worst.log_bytes,
            },
            "limits": {
                "cpu_us": microseconds(limits.cpu),
                "wall_us": microseconds(limits.wall),
                "memory_bytes": limits.memory_bytes,
                "output_bytes": limits.output_bytes,
                "log_bytes": limits.log_bytes,
            },
        })
    }
}

const HOLDS: &str = "holds";
const BROKEN: &str = "broken";

fn verdict(state: &str) -> comfy_table::Cell {
    let cell = print::cell(state);
    match state {
        HOLDS => cell.fg(Color::Green),
        BROKEN => cell.fg(Color::Red),
        _ => cell,
    }
}

fn time(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{:.1} ms", duration.as_secs_f64() * 1e3)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
