//! Progress for the person at the terminal: on standard error, and only where that is one.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts `things`, such as events; a spinner when nobody knows how many there are.
pub(crate) fn count(total: Option<u64>, things: &str) -> ProgressBar {
    let bar = match total {
        Some(total) => styled(
            ProgressBar::new(total),
            &format!(
                "{{bar:32}} {{percent:>3}}%  {{human_pos}}/{{human_len}} {things}  {{per_sec}}  {{eta}} left  {{msg}}"
            ),
        ),
        None => styled(ProgressBar::new_spinner(), &format!("{{spinner}} {{human_pos}} {things}  {{msg}}")),
    };
    shown(bar)
}

pub(crate) fn bytes(total: u64) -> ProgressBar {
    let template = "{bar:32} {percent:>3}%  {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left  {msg}";
    shown(styled(ProgressBar::new(total), template))
}

/// Turns while something of unknown length goes on.
pub(crate) fn spinner(bar: &ProgressBar) {
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn shown(bar: ProgressBar) -> ProgressBar {
    if !stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
