//! The pages in a browser.
//!
//! Needs chromium. Where it is not there, that is said, and the tests count as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, says what it skips, and tells what it measured"
)]

mod history;
mod keys;
mod large;
mod live;
mod notify;
mod page;
mod protocol;
mod support;
mod views;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use support::trial;

fn main() -> ExitCode {
    let trials = vec![
        trial("a_large_log_scrolls_smoothly", large::a_large_log_scrolls_smoothly),
        trial("a_line_is_on_the_screen_at_once", live::a_line_is_on_the_screen_at_once),
        trial("a_log_that_grows_is_shown_and_stays_text", page::a_log_that_grows_is_shown_and_stays_text),
        trial("a_long_build_tells_of_its_end", notify::a_long_build_tells_of_its_end),
        trial("a_page_that_is_cut_off_goes_on", live::a_page_that_is_cut_off_goes_on),
        trial("a_search_is_part_of_the_address", large::a_search_is_part_of_the_address),
        trial("every_key_is_listed_and_does_something", keys::every_key_is_listed_and_does_something),
        trial("every_page_can_be_heard_and_walked_through", keys::every_page_can_be_heard_and_walked_through),
        trial("every_view_can_be_read", views::every_view_can_be_read),
        trial("ten_thousand_builds_are_there_at_once", history::ten_thousand_builds_are_there_at_once),
        trial("the_queue_is_changed_by_keys_alone", keys::the_queue_is_changed_by_keys_alone),
        trial("what_is_open_stays_open", keys::what_is_open_stays_open),
        Trial::test("the_pictures_are_there", views::the_pictures_are_there),
    ];
    // What is measured is not to wait for what else is.
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}
