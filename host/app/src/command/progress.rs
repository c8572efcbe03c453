//! Progress for the person at the terminal: on standard error, and only where that is one.

use std::io::{IsTerminal, stderr, stdout};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Counts `things`, such as events; a spinner when nobody knows how many there are.
pub(crate) fn count(total: Option<u64>, things: &str) -> ProgressBar {
    let bar = match total {
        Some(total) => styled(
            ProgressBar::new(total),
            &format!(
                "{{bar:32}} {{percent:>3}}%  {{human_pos}}/{{human_len}} {things}  {{rate}}/s  {{eta}} left  {{msg}}"
            ),
        ),
        None => styled(ProgressBar::new_spinner(), &format!("{{spinner}} {{human_pos}} {things}  {{msg}}")),
    };
    shown(bar)
}

/// Hides a bar beside an answer that the same terminal shows.
pub(crate) fn beside(bar: ProgressBar, to_standard_output: bool) -> ProgressBar {
    if to_standard_output && stdout().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

pub(crate) fn bytes(total: u64) -> ProgressBar {
    let template = "{bar:32} {percent:>3}%  {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}";
    shown(styled(ProgressBar::new(total), template))
}

/// Says what is going on and for how long, while nobody knows how much of it there is.
pub(crate) fn working(what: String) -> ProgressBar {
    let bar = shown(styled(ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}")).with_message(what);
    spinner(&bar);
    bar
}

/// Turns while something of unknown length goes on.
pub(crate) fn spinner(bar: &ProgressBar) {
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.with_key("rate", whole_rate)),
        Err(_) => bar,
    }
}

/// Without the four decimals that `per_sec` has.
fn whole_rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    // What cannot be written is only not shown.
    write!(out, "{:.0}", state.per_sec()).ok();
}

fn shown(bar: ProgressBar) -> ProgressBar {
    if !stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
