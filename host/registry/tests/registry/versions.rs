//! Which version formats: the one in the file, the one before, or the one that an operator chose.

use siemaphore_registry::{Outcome, PluginState, Policy, RollBackError, Track};

use crate::bench::{Bench, guest};

fn title_of(bench: &Bench) -> String {
    bench.active("acme").formatter.description().title.clone()
}

/// Two versions, of which the second is new.
fn replaced(policy: Policy) -> Bench {
    let mut bench = Bench::keeping(policy);
    bench.write("acme.wasm", &guest("first"));
    bench.wait_for_title("acme", "first");
    bench.write("acme.wasm", &guest("second"));
    bench
}

fn replaced_at_once() -> Bench {
    let mut bench = replaced(Policy::Immediate);
    bench.wait_for_title("acme", "second");
    bench
}

#[test]
fn a_new_version_that_breaks_gives_way_to_the_one_before_and_is_not_tried_again() {
    let mut bench = replaced_at_once();
    let plugin = bench.registry.get("acme").unwrap();
    let new = plugin.active().unwrap();
    let changes = plugin.changes();
    assert!(!plugin.report(&new, Outcome::GoneThrough(5)));
    assert!(plugin.report(&new, Outcome::Failed("it trapped in `format`")));
    assert_eq!(title_of(&bench), "first");
    assert!(changes.has_changed().unwrap(), "whoever uses it is woken");
    assert!(plugin.report(&new, Outcome::Refused(1)), "whoever still has its records formats anew");
    let status = bench.wait_for_error("acme", "this version was sent back: it trapped in `format`");
    assert_eq!(status.sent_back.unwrap().digest, new.digest);
    assert_eq!((status.previous, status.is_new), (None, false));
    // The version that came back is no new one: what it does is judged as ever.
    let first = plugin.active().unwrap();
    assert!(!plugin.report(&first, Outcome::Failed("it traps too")));
    // The same bytes again say nothing; other bytes do.
    bench.write("acme.wasm", &guest("second"));
    bench.registry.reload();
    assert_eq!(title_of(&bench), "first");
    bench.write("acme.wasm", &guest("third"));
    let status = bench.wait_for_title("acme", "third");
    assert_eq!((status.error, status.sent_back, status.is_new), (None, None, true));
}

#[test]
fn a_new_version_with_more_refusals_than_the_one_before_gives_way() {
    let bench = replaced_at_once();
    let plugin = bench.registry.get("acme").unwrap();
    let new = plugin.active().unwrap();
    assert!(!plugin.report(&new, Outcome::Refused(7)), "so few say nothing");
    assert!(plugin.report(&new, Outcome::Refused(1)));
    assert_eq!(title_of(&bench), "first");
}

#[test]
fn a_version_that_has_proven_itself_stays_whatever_comes() {
    let bench = replaced_at_once();
    let plugin = bench.registry.get("acme").unwrap();
    let new = plugin.active().unwrap();
    plugin.report(&new, Outcome::GoneThrough(10_000));
    assert!(!plugin.report(&new, Outcome::Failed("a poison event")));
    assert!(!plugin.report(&new, Outcome::Refused(5_000)));
    let status = bench.registry.list().remove(0);
    assert_eq!((status.is_new, status.track), (false, Track { gone_through: 10_000, refused: 5_000 }));
    // An operator may still return.
    bench.registry.roll_back("acme").unwrap();
    assert_eq!(title_of(&bench), "first");
}

#[test]
fn the_first_version_has_nothing_to_return_to() {
    let mut bench = Bench::keeping(Policy::Immediate);
    bench.write("acme.wasm", &guest("only"));
    bench.wait_for_title("acme", "only");
    let plugin = bench.registry.get("acme").unwrap();
    assert!(!plugin.report(&plugin.active().unwrap(), Outcome::Failed("it traps")));
    let error = bench.registry.roll_back("acme").unwrap_err();
    assert_eq!(error, RollBackError::NoPrevious { name: "acme".to_owned() });
    let error = bench.registry.roll_back("splunk").unwrap_err();
    assert_eq!(error, RollBackError::BuiltIn { name: "splunk".to_owned() });
    assert!(matches!(bench.registry.roll_back("nobody"), Err(RollBackError::Unknown { .. })));
}

#[test]
fn what_an_operator_sent_back_formats_again_at_an_operators_word() {
    let mut bench = replaced_at_once();
    bench.registry.roll_back("acme").unwrap();
    assert_eq!(title_of(&bench), "first");
    bench.wait_for_error("acme", "an operator sent it back");
    bench.registry.promote("acme").unwrap();
    assert_eq!(title_of(&bench), "second");
    assert_eq!(bench.wait_for_title("acme", "second").error, None);
    assert!(bench.registry.promote("acme").is_none(), "nothing waits");
}

#[test]
fn with_the_manual_policy_a_version_waits_for_an_operator() {
    let mut bench = replaced(Policy::Manual);
    let status =
        bench.wait("acme", |status| status.is_some_and(|status| status.candidate.is_some())).unwrap();
    assert_eq!((status.title.as_deref(), status.error), (Some("first"), None));
    bench.registry.promote("acme").unwrap();
    assert_eq!(title_of(&bench), "second");
    let status = bench.wait_for_title("acme", "second");
    assert_eq!((status.candidate, status.is_new), (None, true));
    // A candidate that is replaced before anybody looked is replaced by the newer one.
    bench.write("acme.wasm", &guest("third"));
    bench.wait("acme", |status| status.is_some_and(|status| status.candidate.is_some()));
    let third = bench.registry.get("acme").unwrap().candidate().unwrap();
    bench.write("acme.wasm", &guest("fourth"));
    bench.wait("acme", |status| {
        let candidate = status.and_then(|status| status.candidate.as_ref());
        candidate.is_some_and(|candidate| candidate.digest != third.digest)
    });
    // A broken file is no candidate, and takes the one before with it: it is what lies in the folder.
    bench.write("acme.wasm", b"nonsense");
    let status = bench.wait_for_error("acme", "is not WebAssembly");
    assert_eq!((status.candidate, status.title.as_deref()), (None, Some("second")));
}

#[test]
fn a_replaced_version_drains_while_a_batch_uses_it() {
    let mut bench = replaced_at_once();
    let plugin = bench.registry.get("acme").unwrap();
    let batch = plugin.previous().unwrap();
    plugin.report(&plugin.active().unwrap(), Outcome::GoneThrough(1));
    bench.write("acme.wasm", &guest("third"));
    let status = bench.wait_for_title("acme", "third");
    assert_eq!(status.draining.iter().map(|version| &version.digest).collect::<Vec<_>>(), [&batch.digest]);
    drop(batch);
    assert_eq!(bench.wait_for_title("acme", "third").draining, []);
}

#[test]
fn after_two_bad_files_in_a_row_the_way_back_is_to_what_has_worked() {
    let mut bench = replaced_at_once();
    bench.write("acme.wasm", &guest("third"));
    bench.wait_for_title("acme", "third");
    let plugin = bench.registry.get("acme").unwrap();
    assert!(plugin.report(&plugin.active().unwrap(), Outcome::Failed("it broke")));
    assert_eq!(title_of(&bench), "first", "nothing had gone through the second");
}

#[test]
fn what_was_sent_back_and_whose_file_is_gone_cannot_be_tried_again() {
    let bench = replaced_at_once();
    let plugin = bench.registry.get("acme").unwrap();
    let new = plugin.active().unwrap();
    assert!(plugin.report(&new, Outcome::Failed("it trapped")));
    std::fs::remove_file(bench.path.join("acme.wasm")).unwrap();
    assert!(bench.registry.promote("acme").is_none());
    assert_eq!(title_of(&bench), "first");
    let sent_back = bench.registry.list().remove(0).sent_back.unwrap();
    assert_eq!((sent_back.digest, sent_back.reason.as_str()), (new.digest.clone(), "it trapped"));
}

#[test]
fn what_was_sent_back_can_be_tried_again_once_its_file_is_back() {
    let mut bench = replaced_at_once();
    let plugin = bench.registry.get("acme").unwrap();
    assert!(plugin.report(&plugin.active().unwrap(), Outcome::Failed("it trapped")));
    std::fs::remove_file(bench.path.join("acme.wasm")).unwrap();
    bench.wait_for_error("acme", "the file is gone");
    bench.write("acme.wasm", &guest("second"));
    let status = bench.wait_for_error("acme", "this version was sent back");
    assert_eq!(status.state, PluginState::Active);
    bench.registry.promote("acme").unwrap();
    assert_eq!(title_of(&bench), "second");
}

#[test]
fn asking_for_what_was_sent_back_promotes_no_other_file() {
    let mut bench = replaced(Policy::Manual);
    bench.wait("acme", |status| status.is_some_and(|status| status.candidate.is_some()));
    bench.registry.promote("acme").unwrap();
    bench.registry.roll_back("acme").unwrap();
    // Nobody has seen this one yet.
    bench.registry.shutdown();
    bench.write("acme.wasm", &guest("third"));
    assert!(bench.registry.promote("acme").is_none());
    let status =
        bench.wait("acme", |status| status.is_some_and(|status| status.candidate.is_some())).unwrap();
    assert_eq!((status.title.as_deref(), status.sent_back), (Some("first"), None));
}
