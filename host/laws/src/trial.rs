//! A formatter on trial: its calls, what they cost, and when it is enough.

use std::time::Duration;

use siemaphore_model::Event;
use siemaphore_model::formatter::{Records, RequestProfile, Response, Verdict};
use siemaphore_sandbox::{
    Configuration, ConfigureError, Fault, FaultKind, Figures, FormatError, Formatter, HostError, Limit,
};

use crate::law::Law;
use crate::report::{Broken, Report};

/// An author mends these and looks again; more of the same would hide them.
const MOST_BROKEN: usize = 8;

/// All calls together may take so many times the CPU time that one may take.
const CPU_LIMITS: u32 = 10;

pub(crate) struct Trial<'a> {
    pub(crate) formatter: &'a Formatter,
    configuration: &'a Configuration,
    report: Report,
    cpu: Duration,
}

/// Why a check ends early.
pub(crate) enum Stop {
    /// What was found says it.
    Enough,
    Host(HostError),
}

/// What a call of `format` gave.
pub(crate) enum Answer {
    Records(Records),
    /// The formatter refuses the batch, in its words.
    Refused(String),
    Fault(Fault),
}

impl<'a> Trial<'a> {
    pub(crate) fn new(formatter: &'a Formatter, configuration: &'a Configuration) -> Trial<'a> {
        Trial { formatter, configuration, report: Report::default(), cpu: Duration::ZERO }
    }

    pub(crate) fn into_report(self) -> Report {
        self.report
    }

    pub(crate) fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// The law has been asked of everything there is.
    pub(crate) fn finish(&mut self, law: Law) {
        self.report.finished.push(law);
    }

    pub(crate) fn broken(
        &mut self,
        law: Law,
        event: Option<&'static str>,
        detail: impl Into<String>,
    ) -> Result<(), Stop> {
        self.report.broken.push(Broken { law, event, detail: detail.into() });
        if self.report.broken.len() < MOST_BROKEN { Ok(()) } else { Err(Stop::Enough) }
    }

    /// The guest broke: whose law that is, and whether it makes sense to go on.
    pub(crate) fn fault(
        &mut self,
        event: Option<&'static str>,
        circumstance: &str,
        fault: &Fault,
    ) -> Result<(), Stop> {
        let law = match &fault.kind {
            FaultKind::Limit(_) => Law::Bounded,
            FaultKind::Trap(_) | FaultKind::Exit => Law::Total,
            FaultKind::Contract(_) => Law::HonestRecords,
        };
        self.broken(law, event, format!("{circumstance}{fault}"))?;
        self.patience(fault)
    }

    /// Whatever takes all its time once takes it again.
    pub(crate) fn patience(&self, fault: &Fault) -> Result<(), Stop> {
        match fault.kind {
            FaultKind::Limit(Limit::Cpu { .. } | Limit::Wall { .. }) => Err(Stop::Enough),
            _ => Ok(()),
        }
    }

    /// The request that the formatter asks for with the settings of this trial. Without it nothing can be formatted.
    pub(crate) fn configure(&mut self) -> Result<RequestProfile, Stop> {
        let configuration = self.configuration;
        match self.configured(configuration)? {
            Ok(profile) => {
                self.finish(Law::Settings);
                Ok(profile)
            }
            Err(detail) => {
                self.broken(Law::Settings, None, detail)?;
                Err(Stop::Enough)
            }
        }
    }

    /// What is wrong with the settings, or the profile.
    pub(crate) fn configured(
        &mut self,
        configuration: &Configuration,
    ) -> Result<Result<RequestProfile, String>, Stop> {
        self.report.calls += 1;
        match self.formatter.configure(configuration) {
            Ok(profile) => Ok(Ok(profile)),
            Err(ConfigureError::Refused(problems)) => {
                let refused = ConfigureError::Refused(problems).to_string();
                Ok(Err(format!("{refused}; the settings are {}", configuration.settings)))
            }
            Err(ConfigureError::Fault(fault)) => {
                self.spend(&fault.figures)?;
                Ok(Err(fault.to_string()))
            }
            Err(ConfigureError::Host(error)) => Err(Stop::Host(error)),
        }
    }

    pub(crate) fn settings(&self) -> &'a Configuration {
        self.configuration
    }

    /// In an instance of its own.
    pub(crate) fn format(&mut self, events: &[Event<'_>]) -> Result<Answer, Stop> {
        self.report.calls += 1;
        match self.formatter.format(self.configuration, events) {
            Ok(formatted) => {
                self.spend(&formatted.figures)?;
                Ok(Answer::Records(formatted.records))
            }
            Err(FormatError::Refused(reason)) => Ok(Answer::Refused(reason)),
            Err(FormatError::Fault(fault)) => {
                self.spend(&fault.figures)?;
                Ok(Answer::Fault(fault))
            }
            Err(FormatError::Host(error)) => Err(Stop::Host(error)),
        }
    }

    /// In an instance of its own. The error is the formatter's.
    pub(crate) fn interpret(&mut self, response: &Response) -> Result<Result<Verdict, FormatError>, Stop> {
        self.report.calls += 1;
        match self.formatter.interpret(self.configuration, response) {
            Err(FormatError::Host(error)) => Err(Stop::Host(error)),
            Err(FormatError::Fault(fault)) => {
                self.spend(&fault.figures)?;
                Ok(Err(FormatError::Fault(fault)))
            }
            answer => Ok(answer),
        }
    }

    fn spend(&mut self, figures: &Figures) -> Result<(), Stop> {
        let worst = &mut self.report.worst;
        worst.cpu = worst.cpu.max(figures.cpu);
        worst.wall = worst.wall.max(figures.wall);
        worst.peak_memory_bytes = worst.peak_memory_bytes.max(figures.peak_memory_bytes);
        worst.input_bytes = worst.input_bytes.max(figures.input_bytes);
        worst.output_bytes = worst.output_bytes.max(figures.output_bytes);
        worst.log_bytes = worst.log_bytes.max(figures.log_bytes);
        self.cpu += figures.cpu;
        let most = self.formatter.limits().cpu * CPU_LIMITS;
        if self.cpu <= most {
            return Ok(());
        }
        let calls = self.report.calls;
        let detail = format!("the first {calls} calls took more than {most:?} of CPU time together");
        self.broken(Law::Bounded, None, detail)?;
        Err(Stop::Enough)
    }
}
