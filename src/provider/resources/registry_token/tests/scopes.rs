//! Scopes, as users write them.

use super::*;

#[test]
fn malformed_scopes_are_refused_all_at_once() {
    let config = RegistryToken::SCHEMA
        .value_from_json(&input_json(&json!({
            "scope": { "Team/Web": ["content/read"], "team/*": ["pull"], "base": [], "*": ["metadata/read"] },
            "rotate_after": "1h",
        })))
        .unwrap();
    let mut told = Diagnostics::new();
    RegistryToken::validate(&config, &mut told);
    let all: Vec<String> = told
        .iter()
        .map(|one| format!("{}: {}", one.path, one.summary))
        .collect();
    for part in [
        "this is no repository",
        "pull is no permission",
        "nothing may be done with base",
        "while the one before still lives",
    ] {
        assert!(
            all.iter().any(|line| line.contains(part)),
            "{part}: {all:#?}"
        );
    }
    assert_eq!(all.len(), 4, "{all:#?}");
}

fn input_json(change: &Json) -> Json {
    let mut all = arguments();
    for (name, value) in change.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

#[test]
fn scopes_and_actions_are_the_same_in_two_forms() {
    let scope = input(&json!({ "scope": { "team/*": ["content/read", "content/write"], "*": ["metadata/read"] } })).scope.unwrap();
    let actions = scope::actions(&scope);
    assert_eq!(
        actions,
        [
            "repositories/*/metadata/read",
            "repositories/team/*/content/read",
            "repositories/team/*/content/write"
        ]
    );
    assert_eq!(scope::of_actions(&json!(actions)), scope);
}
