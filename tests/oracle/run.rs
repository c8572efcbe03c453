//! A run from its first start to its verdict.

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use rustix::process::Signal;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::api::{Api, Ledger};
use crate::driver::{Counts, Driver};
use crate::faults;
use crate::history::History;
use crate::host::Host;
use crate::moments::{self, Moment};
use crate::payload::{Organization, Payloads};
use crate::report::{self, Report};
use crate::siem::Siem;
use crate::stage::Stage;
use crate::trigger::Trigger;
use crate::verdict::{Delivery, Evidence};

/// In a run of the ordinary tests.
const KILLS: u32 = 50;
const PRODUCERS: usize = 3;
/// After the last trouble everything has to be delivered within this time, and a fresh event with it.
const HEALED_WITHIN: Duration = Duration::from_secs(120);
/// How often the host is asked whether it is done.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(200);

/// What a run was asked to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) kills: u32,
    pub(crate) seed: u64,
}

impl Run {
    pub(crate) fn from_environment() -> Run {
        let number = |name: &str| {
            let text = env::var(name).ok()?;
            Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name}={text} is not a whole number")))
        };
        let kills = number("SIEMAPHORE_ORACLE_KILLS").map_or(KILLS, |kills| kills.try_into().unwrap());
        Run { kills, seed: number("SIEMAPHORE_ORACLE_SEED").unwrap_or_else(|| fastrand::u64(..)) }
    }

    pub(crate) async fn to_its_verdict(self) {
        report::begin(self);
        let mut scene = Scene::set(self).await;
        for kill in 0..self.kills {
            scene.live_and_die(kill).await;
        }
        let (healed, replayed) = scene.heal().await;
        scene.report.finish(&healed, &scene.driver.counts);
        let mut broken = healed.broken_promises();
        if broken.is_empty() {
            // What is wrong before the replay is wrong after it as well, and need not be read twice.
            broken = replayed.broken_promises();
        }
        broken.extend(scene.report.missed_chances(&healed, &scene.driver.counts));
        assert!(broken.is_empty(), "{}\nseed {}", broken.join("\n"), self.seed);
    }
}

/// Everything that goes on during a run.
struct Scene {
    stage: Stage,
    siems: Vec<Arc<Siem>>,
    driver: Arc<Driver>,
    history: Arc<History>,
    trigger: Arc<Trigger>,
    payloads: Payloads,
    intake: watch::Sender<Option<SocketAddr>>,
    rng: Rng,
    last_start: Duration,
    sessions: u32,
    report: Report,
    producers: JoinSet<()>,
    troubles: JoinSet<()>,
    /// Dropped with the scene, which ends them.
    _collectors: JoinSet<()>,
    stop: CancellationToken,
}

impl Scene {
    async fn set(run: Run) -> Scene {
        let mut rng = Rng::with_seed(run.seed);
        let (stage, siems) = Stage::set(run.seed).await;
        let (history, trigger) = (Arc::new(History::new()), Arc::new(Trigger::new()));
        let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let payloads = Payloads { began };
        let (intake, follow) = watch::channel(None);
        let driver = Arc::new(Driver {
            history: Arc::clone(&history),
            payloads,
            trigger: Arc::clone(&trigger),
            intake: follow,
            counts: Counts::default(),
            behind: how_far_behind(siems.clone(), Arc::clone(&history)),
        });
        let stop = CancellationToken::new();
        let (mut collectors, mut producers, mut troubles) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        for siem in &siems {
            collectors.spawn(Arc::clone(siem).collect(payloads, Arc::clone(&trigger)));
            let rng = rng.fork();
            if siem.destination.is_troubled {
                troubles.spawn(faults::trouble(Arc::clone(siem), rng, stop.clone()));
            }
        }
        for _ in 0..PRODUCERS {
            producers.spawn(Arc::clone(&driver).produce(rng.fork(), stop.clone()));
        }
        Scene {
            report: Report::new(run),
            last_start: Duration::from_secs(1),
            sessions: 0,
            _collectors: collectors,
            stage,
            siems,
            driver,
            history,
            trigger,
            payloads,
            intake,
            rng,
            producers,
            troubles,
            stop,
        }
    }

    /// One life of the host, up to its kill.
    async fn live_and_die(&mut self, kill: u32) {
        let moment = Moment::of_kill(kill, &mut self.rng);
        let spawned = Instant::now();
        let mut host = self.start();
        if moment == Moment::WhileStarting {
            moments::while_starting(self.last_start, &mut self.rng).await;
        } else {
            self.ready(&mut host).await;
            self.last_start = spawned.elapsed();
            moment.wait(&host, &self.trigger, &mut self.rng).await;
        }
        let killed = host.kill().await;
        self.intake.send_replace(None);
        if let Err(status) = killed {
            let has_drained = moment == Moment::WhileDraining && status.success();
            assert!(has_drained, "the host ended by itself in session {}: {status}", self.sessions);
        }
        self.nobody_has_failed();
        self.report.killed(moment, self.history.elapsed(), &self.driver.counts, &self.siems);
    }

    /// Leaves the host alone until it is done, and takes stock; then once more with all dead letters sent again.
    async fn heal(&mut self) -> (Evidence, Evidence) {
        self.stop.cancel();
        while let Some(ended) = self.troubles.join_next().await {
            ended.expect("a troublemaker ends well");
        }
        let mut host = self.start();
        self.ready(&mut host).await;
        while let Some(ended) = self.producers.join_next().await {
            ended.expect("a producer ends well");
        }
        self.until_delivered().await;
        for organization in Organization::ALL {
            self.driver.fresh(organization).await;
        }
        self.until_delivered().await;
        let healed = self.evidence().await;
        self.replay().await;
        let replayed = self.evidence().await;
        host.signal(Signal::TERM);
        let status = host.ended().await;
        assert!(status.success(), "the host ended with {status}");
        (healed, replayed)
    }

    fn start(&mut self) -> Host {
        self.sessions += 1;
        self.history.begin_session(self.sessions);
        Host::spawn(&self.stage.configuration(), &self.stage.log(), self.sessions)
    }

    async fn ready(&self, host: &mut Host) {
        let intake = host.ready().await;
        let intake = intake.unwrap_or_else(|error| panic!("session {}: {error}", self.sessions));
        self.intake.send_replace(Some(intake));
    }

    /// A producer or a collector that panicked has seen a promise broken.
    fn nobody_has_failed(&mut self) {
        for tasks in [&mut self.producers, &mut self.troubles, &mut self._collectors] {
            while let Some(ended) = tasks.try_join_next() {
                ended.expect("nobody ends before the run does");
            }
        }
    }

    /// Nothing stands in the way of any event now, so no dead letter may be left.
    async fn replay(&self) {
        let api = Api::new(self.stage.socket());
        for siem in &self.siems {
            api.replay(&siem.destination).await;
        }
        self.until("replayed", |ledger| ledger.dead_lettered == 0).await;
    }

    async fn until_delivered(&self) {
        self.until("delivered", |ledger| ledger.waiting == 0).await;
    }

    /// Waits until every ledger is so, and until all that arrived was counted.
    async fn until(&self, what: &str, is_done: impl Fn(&Ledger) -> bool) {
        let began = Instant::now();
        loop {
            let ledgers = self.ledgers().await;
            let counted = |siem: &Arc<Siem>| siem.arrivals().requests == siem.receiver.totals().requests;
            if ledgers.iter().all(&is_done) && self.siems.iter().all(counted) {
                return;
            }
            assert!(began.elapsed() < HEALED_WITHIN, "not {what} within {HEALED_WITHIN:?}: {ledgers:#?}");
            sleep(BETWEEN_QUESTIONS).await;
        }
    }

    async fn ledgers(&self) -> Vec<Ledger> {
        let api = Api::new(self.stage.socket());
        let mut ledgers = Vec::new();
        for siem in &self.siems {
            ledgers.push(api.ledger(&siem.destination).await);
        }
        ledgers
    }

    async fn evidence(&self) -> Evidence {
        let api = Api::new(self.stage.socket());
        let mut deliveries = Vec::new();
        for siem in &self.siems {
            deliveries.push(Delivery {
                destination: siem.destination,
                dead_letters: api.dead_letters(&siem.destination).await,
                ledger: api.ledger(&siem.destination).await,
                violations: siem.receiver.totals().violations,
                arrivals: siem.arrivals().clone(),
            });
        }
        Evidence {
            payloads: self.payloads,
            lives: self.report.lives.clone(),
            acme: self.history.fates(Organization::Acme),
            umbra: self.history.fates(Organization::Umbra),
            deliveries,
        }
    }
}

/// Events that the slowest destination has not received yet, refused ones included: a pace, not a figure.
fn how_far_behind(siems: Vec<Arc<Siem>>, history: Arc<History>) -> Box<dyn Fn() -> u64 + Send + Sync> {
    Box::new(move || {
        let behind = |siem: &Arc<Siem>| {
            let issued = history.issued(siem.destination.organization) as u64;
            issued.saturating_sub(siem.arrivals().distinct)
        };
        siems.iter().map(behind).max().unwrap_or_default()
    })
}
