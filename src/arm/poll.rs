//! The rules of asking after an operation: how often, and which states are its end. Pure.

use std::time::Duration;

/// The wait before asking again, by the age of the operation, Azure's suggestion, and the share of
/// the read budget that is left.
pub(super) fn interval(age: Duration, hint: Option<Duration>, budget_left: f64) -> Duration {
    const FLOOR: Duration = Duration::from_millis(200);
    let most = if age < Duration::from_secs(120) {
        5
    } else {
        10
    };
    // A service that suggests nothing or zero seconds is still not asked more than once a second.
    let most = hint.map_or(Duration::from_secs(most), |hint| {
        hint.clamp(Duration::from_secs(1), Duration::from_secs(10))
    });
    let wait = (age / 4).max(FLOOR).min(most);
    if budget_left < 0.1 {
        wait.max(Duration::from_secs(10))
    } else if budget_left < 0.5 {
        wait.max(Duration::from_secs(5))
    } else {
        wait
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Running,
    Succeeded,
    Failed,
}

/// Only three states are ends; every other name, whatever a service calls it, is on the way.
pub(super) fn end_of(state: &str) -> End {
    match state.to_ascii_lowercase().as_str() {
        "succeeded" => End::Succeeded,
        "failed" | "canceled" | "cancelled" => End::Failed,
        _ => End::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(age: u64, hint: Option<u64>, left: f64) -> f64 {
        interval(
            Duration::from_secs(age),
            hint.map(Duration::from_secs),
            left,
        )
        .as_secs_f64()
    }

    #[test]
    fn young_operations_are_asked_often_and_old_ones_seldom() {
        assert_eq!(
            (
                at(0, None, 1.0),
                at(4, None, 1.0),
                at(60, None, 1.0),
                at(600, None, 1.0)
            ),
            (0.2, 1.0, 5.0, 10.0)
        );
    }

    #[test]
    fn what_azure_suggests_shortens_the_wait_and_never_stretches_it_beyond_ten_seconds() {
        assert_eq!(
            (
                at(0, Some(15), 1.0),
                at(60, Some(15), 1.0),
                at(60, Some(1), 1.0),
                at(60, Some(0), 1.0)
            ),
            (0.2, 10.0, 1.0, 1.0)
        );
    }

    #[test]
    fn a_scarce_read_budget_slows_the_questions_down() {
        assert_eq!((at(0, None, 0.4), at(0, Some(1), 0.05)), (5.0, 10.0));
    }

    #[test]
    fn only_three_states_are_ends() {
        assert_eq!(
            (end_of("succeeded"), end_of("Canceled"), end_of("FAILED")),
            (End::Succeeded, End::Failed, End::Failed)
        );
        assert_eq!(
            (end_of("Creating"), end_of("")),
            (End::Running, End::Running)
        );
    }
}
