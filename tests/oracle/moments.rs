//! When the host is killed: not only whenever, but where a crash hurts.

use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use tokio::time::{sleep, timeout};

use crate::PATIENCE;
use crate::host::Host;
use crate::trigger::{Cue, Trigger};

/// The kinds. Each has to have happened in a long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    Anytime,
    AfterAcknowledgement,
    AfterArrival,
    /// Before it was ready.
    WhileStarting,
    /// Barely after it was ready: the last kill is a start ago.
    SoonAgain,
    /// After SIGTERM.
    WhileDraining,
}

impl Moment {
    pub(crate) const ALL: [Moment; 6] = [
        Moment::Anytime,
        Moment::AfterAcknowledgement,
        Moment::AfterArrival,
        Moment::WhileStarting,
        Moment::SoonAgain,
        Moment::WhileDraining,
    ];

    /// Each kind once in the first six, so that none is missing by chance; then at random.
    pub(crate) fn of_kill(kill: u32, rng: &mut Rng) -> Moment {
        if let Some(moment) = Moment::ALL.get(kill as usize) {
            return *moment;
        }
        match rng.u32(0..100) {
            0..30 => Moment::Anytime,
            30..55 => Moment::AfterAcknowledgement,
            55..72 => Moment::AfterArrival,
            72..80 => Moment::WhileStarting,
            80..88 => Moment::SoonAgain,
            _ => Moment::WhileDraining,
        }
    }

    /// Lets a host that is ready live until its moment has come.
    pub(crate) async fn wait(self, host: &Host, trigger: &Trigger, rng: &mut Rng) {
        match self {
            Moment::Anytime => pause(rng, 1_500).await,
            Moment::AfterAcknowledgement => wait_for(Cue::Acknowledgement, host, trigger, rng).await,
            Moment::AfterArrival => wait_for(Cue::Arrival, host, trigger, rng).await,
            Moment::SoonAgain | Moment::WhileStarting => pause(rng, 30).await,
            Moment::WhileDraining => {
                pause(rng, 1_000).await;
                host.signal(Signal::TERM);
                pause(rng, 150).await;
            }
        }
    }
}

/// How long a start is let go on before it is killed, from how long the last one took.
pub(crate) async fn while_starting(last_start: Duration, rng: &mut Rng) {
    sleep(last_start.mul_f64(rng.f64())).await;
}

async fn wait_for(cue: Cue, host: &Host, trigger: &Trigger, rng: &mut Rng) {
    pause(rng, 800).await;
    let mut fired = trigger.arm(cue, host.pid());
    // Every SIEM may be silent, and every producer wait for them: then the kill comes without its cue.
    timeout(PATIENCE / 20, fired.changed()).await.ok();
    trigger.disarm();
}

async fn pause(rng: &mut Rng, most_ms: u64) {
    sleep(Duration::from_millis(rng.u64(0..most_ms))).await;
}
