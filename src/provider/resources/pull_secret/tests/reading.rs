//! Who may read the vault: what is assigned here, what others have given, and what a plan says.

use super::*;
use crate::provider::roles::SECRETS_USER;

const PERMISSIONS: &str = "providers/Microsoft.Authorization/permissions";
const ASSIGNED: &str =
    "providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'o1'";

fn with_roles() -> Json {
    json!({ "id": vault(), "properties": { "enableRbacAuthorization": true } })
}

fn given(role: &str) -> Json {
    json!({ "id": "/x", "properties": {
        "principalId": "o1", "scope": vault(), "roleDefinitionId": format!("/x/roleDefinitions/{role}"),
    } })
}

/// The own assignment is not there, and others have made these.
fn world(input: &Input, vault_body: Json, others: Vec<Json>) -> Seen {
    let mut seen = seen(input, 0, "").with_list(&vault_secret(), ASSIGNED, others);
    seen.insert(&vault(), vault_body);
    let need = crate::provider::roles::Need {
        scope: vault_secret(),
        role: SECRETS_USER,
        why: "",
    };
    seen.leave_out(&need.id(&input.id()));
    seen
}

fn wanted(input: &Input, seen: &Seen) -> Vec<ArmId> {
    let wants = grants::grants(input, seen).unwrap();
    wants.into_iter().map(|wanted| wanted.id).collect()
}

fn told(config: &Json, seen: &Seen) -> Vec<(String, String)> {
    let plan = PullSecret::SCHEMA.value_from_json(config).unwrap();
    let found = check_alone::<PullSecret>(&plan, None, seen).unwrap();
    let told = found.iter();
    told.map(|one| (one.summary.clone(), one.detail.clone()))
        .filter(|(summary, _)| !summary.contains("namespace"))
        .collect()
}

#[test]
fn the_kubelets_get_the_role_on_the_secret_unless_others_gave_it() {
    let input = input(&config());
    let missing = wanted(&input, &world(&input, with_roles(), vec![]));
    assert_eq!(missing.len(), 1);
    assert!(missing[0].is_within(&vault_secret()), "{missing:?}");

    let wants_none =
        |role: &str| wanted(&input, &world(&input, with_roles(), vec![given(role)])).is_empty();
    assert!(wants_none(SECRETS_USER.definition));
    // Key Vault Administrator may, Owner may not: it has no data actions.
    assert!(wants_none("00482a5a-887f-4fb3-b363-3b7fe8e74483"));
    assert!(!wants_none("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"));
}

#[test]
fn no_role_is_given_where_it_does_not_count_or_is_not_ours_to_give() {
    let by_policy = with_policies(&json!([]));
    let kubelets = input(&config());
    assert!(wanted(&kubelets, &world(&kubelets, by_policy, vec![])).is_empty());

    let mut another = config();
    another["identity_client_id"] = "c2".into();
    let another = input(&another);
    assert!(wanted(&another, &world(&another, with_roles(), vec![])).is_empty());

    let mut unmanaged = config();
    unmanaged["manage_role_assignments"] = false.into();
    let unmanaged = input(&unmanaged);
    assert!(wanted(&unmanaged, &world(&unmanaged, with_roles(), vec![])).is_empty());
}

#[test]
fn a_plan_says_that_the_caller_may_not_give_the_role_and_where_a_policy_is_missing() {
    let input = input(&config());
    let may = |actions: &[&str]| vec![json!({ "actions": actions, "notActions": [] })];
    let poor = world(&input, with_roles(), vec![]).with_list(
        &vault_secret(),
        PERMISSIONS,
        may(&["Microsoft.KeyVault/*"]),
    );
    let found = told(&config(), &poor);
    assert!(found[0].0.contains("may not assign the role"), "{found:?}");
    assert!(
        found[0].1.contains("manage_role_assignments = false"),
        "{found:?}"
    );
    let rich =
        world(&input, with_roles(), vec![]).with_list(&vault_secret(), PERMISSIONS, may(&["*"]));
    assert_eq!(told(&config(), &rich), []);

    let words = |word: &str, object: &str| {
        let vault = with_policies(&json!([policy(object, word)]));
        told(&config(), &world(&input, vault, vec![]))
    };
    assert_eq!(words("get", "O1"), []);
    for (word, object) in [("list", "o1"), ("get", "o2")] {
        let found = words(word, object);
        assert!(found[0].0.contains("access policies"), "{found:?}");
        assert!(
            found[0]
                .1
                .contains("az keyvault set-policy --name kv --object-id o1"),
            "{found:?}"
        );
    }

    let mut unmanaged = config();
    unmanaged["manage_role_assignments"] = false.into();
    let found = told(&unmanaged, &world(&input, with_roles(), vec![]));
    assert!(
        found[0].0.contains("no role assignment of their own"),
        "{found:?}"
    );
    let given = vec![given(SECRETS_USER.definition)];
    assert_eq!(told(&unmanaged, &world(&input, with_roles(), given)), []);
}

#[test]
fn where_the_vault_is_not_seen_nothing_is_given_and_nothing_is_taken() {
    let input = input(&config());
    let mut seen = world(&input, with_roles(), vec![]);
    let own = wanted(&input, &seen);
    seen.deny(&vault());
    assert_eq!(wanted(&input, &seen), []);
    let found = told(&config(), &seen);
    assert!(found[0].0.contains("may not see whether"), "{found:?}");
    assert_eq!(wanted(&input, &seen.with_owned(&own[0])), own);
}

#[test]
fn what_the_role_was_for_is_gone_and_the_resource_says_so_while_it_has_the_role() {
    let input = input(&config());
    let mut seen = world(&input, with_roles(), vec![]);
    seen.leave_out(&cluster());
    let found = observed(&input, &seen);
    assert_eq!(
        found.drift,
        [format!("the cluster is not there: {}", cluster())]
    );
    assert!(wanted(&input, &seen).is_empty(), "nobody is left to read");
}
