//! What must hold for every resource and data source of the provider's lists, with the provider in
//! process and a sandbox for each case. A new one needs a fixture, and nothing else. Every test runs over
//! all resources; those that interrupt or refuse every request do so in one or two ways each, in
//! turn, and in every way with `FKAKS_GENERIC_ALL=1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    clippy::needless_pass_by_value
)]

mod cases;
mod drift;
mod fixtures;
mod interruptions;
mod lab;
mod life;
mod reads;
mod requests;
mod retries;
mod scenes;
mod shapes;
mod strangers;
mod told;
mod whole;
mod writable;

use cases::{BUSY, IDLE, run};
use fixtures::{DATA_SOURCES, FIXTURES};
use interruptions::Trouble;
use serde_json::json;
use terraform_provider_fkaks::provider::{data_sources, resources};

#[test]
fn every_resource_has_a_fixture() {
    let missing: Vec<&str> = resources()
        .iter()
        .map(|listed| listed.name)
        .filter(|name| FIXTURES.iter().all(|fixture| fixture.resource != *name))
        .collect();
    assert!(
        missing.is_empty(),
        "these resources have no fixture in tests/generic/fixtures: {missing:?}"
    );
}

#[test]
fn every_data_source_has_a_fixture() {
    let missing: Vec<&str> = data_sources()
        .iter()
        .map(|listed| listed.name)
        .filter(|name| DATA_SOURCES.iter().all(|fixture| fixture.resource != *name))
        .collect();
    assert!(
        missing.is_empty(),
        "these data sources have no fixture in tests/generic/fixtures/data_sources.rs: {missing:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_source_reads_only_and_says_the_same_whenever_it_is_asked() {
    run(reads::steady(), BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_is_an_error_that_names_it_and_never_half_an_answer() {
    run(reads::failures().await, BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_apply_changes_nothing_and_a_destroy_leaves_nothing() {
    run(whole::cases(whole::lives), BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_does_not_find_what_was_just_made_does_no_harm() {
    run(whole::cases(whole::lives_with_late_reads), BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_in_pages_and_operations_without_a_suggested_interval_are_no_matter() {
    run(whole::cases(whole::lives_without_suggestions), BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_import_nothing_is_planned_but_ownership() {
    run(whole::cases(whole::imports), BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_an_optional_argument_lands() {
    run(whole::removals(), BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_another_way_leads_to_what_a_creation_leads_to() {
    run(whole::transitions(), BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_or_changed_outside_is_drift_with_a_reason_and_one_apply_repairs_it() {
    run(drift::cases().await, BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_someone_else_made_is_never_adopted() {
    run(strangers::cases().await, BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_at_any_request_leaves_true_state() {
    run(interruptions::cases(&Trouble::QUICK, 2).await, BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_at_any_request_leaves_true_state() {
    run(interruptions::cases(&Trouble::STOPS, 1).await, BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_at_any_request_leaves_true_state() {
    run(interruptions::cases(&Trouble::SLOW, 1).await, IDLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_not_now_or_none_at_any_request_converges_in_the_same_apply() {
    run(retries::cases(&retries::answers(), 2, false).await, BUSY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_at_any_write_converges_in_the_same_apply() {
    let effect = [("the answer is lost", json!("lostAnswer"))];
    run(retries::cases(&effect, 1, true).await, BUSY).await;
}
