#![allow(clippy::unwrap_used)]

mod checks;

use serde_json::json;

use super::*;
use crate::provider::parts::differ;

const SUB: &str = "00000000-0000-0000-0000-000000000001";
const CI: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "99999999-2222-3333-4444-555555555555";

fn group() -> ArmId {
    ArmId::group(SUB, "rg-app")
}

fn registry() -> ArmId {
    group().resource(REGISTRY, "fkacrprivate")
}

fn cluster() -> ArmId {
    group().resource(CLUSTER, "aks")
}

fn arguments() -> Json {
    json!({
        "registry_id": registry(), "principal_ids": {"ci": CI}, "principal_type": "ServicePrincipal",
        "permissions": ["pull"], "existing": "accept"
    })
}

fn input(change: &Json) -> Input {
    let mut arguments = arguments();
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    serde_json::from_value(arguments).unwrap()
}

fn role(name: &str) -> String {
    let guid = roles::named(name).map_or(name, |role| role.guid);
    format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}")
}

fn assignment(scope: &ArmId, name: &str, role_name: &str) -> Json {
    json!({
        "id": scope.resource(ASSIGNMENT, name),
        "properties": {
            "roleDefinitionId": role(role_name), "principalId": CI, "principalType": "ServicePrincipal",
            "condition": null, "description": null
        }
    })
}

fn asked(principal: &str) -> [String; 2] {
    ["%27", "'"].map(|quote| {
        format!("providers/{ASSIGNMENT}?$filter=principalId%20eq%20{quote}{principal}{quote}")
    })
}

/// A registry in that mode, and the assignments of a principal as both lists have them.
fn world(mode: &str, principal: &str, list: &[Json]) -> Seen {
    let registry_json = json!({"properties": {"roleAssignmentMode": mode}});
    let mut objects = vec![(registry(), Some(registry_json))];
    for assignment in list {
        let id = ArmId::parse(assignment["id"].as_str().unwrap()).unwrap();
        objects.push((id, Some(assignment.clone())));
    }
    for own in roles::ROLES {
        let grant = Grant {
            key: String::new(),
            principal: principal.to_owned(),
            role: own,
            condition: None,
            standing: Standing::Missing,
        };
        objects.push((grant.own_id(&input(&json!({}))), None));
    }
    let [first, second] = asked(principal);
    Seen::of(objects)
        .with_list(&registry(), &first, list.to_vec())
        .with_list(&registry(), &second, list.to_vec())
}

fn legacy(list: &[Json]) -> Seen {
    world("LegacyRegistryPermissions", CI, list)
}

fn abac(list: &[Json]) -> Seen {
    world("AbacRepositoryPermissions", CI, list)
}

fn bodies(input: &Input, seen: &Seen) -> Vec<Json> {
    let wants = assignments(input, seen).unwrap();
    wants
        .into_iter()
        .map(|wanted| wanted.body.unwrap())
        .collect()
}

#[test]
fn the_role_follows_the_mode_of_the_registry() {
    let roles_of = |seen: &Seen, permissions: Json| -> Vec<String> {
        let input = input(&json!({"permissions": permissions}));
        let bodies = bodies(&input, seen);
        let ids = bodies
            .iter()
            .map(|body| body["properties"]["roleDefinitionId"].as_str().unwrap());
        ids.map(|id| {
            roles::with_guid(&grants::guid_of(id))
                .unwrap()
                .name
                .to_owned()
        })
        .collect()
    };
    assert_eq!(roles_of(&legacy(&[]), json!(["pull"])), ["AcrPull"]);
    assert_eq!(
        roles_of(&legacy(&[]), json!(["push", "pull", "delete"])),
        ["AcrPush", "AcrDelete"]
    );
    assert_eq!(
        roles_of(&abac(&[]), json!(["pull"])),
        ["Container Registry Repository Reader"]
    );
    assert_eq!(
        roles_of(&abac(&[]), json!(["push", "catalog"])),
        [
            "Container Registry Repository Writer",
            "Container Registry Repository Catalog Lister"
        ]
    );
}

#[test]
fn a_grant_has_the_same_name_in_every_run_and_its_principal_type_is_set() {
    let input = input(&json!({}));
    let wants = || assignments(&input, &legacy(&[])).unwrap();
    assert_eq!(wants()[0].id, wants()[0].id);
    let body = wants()[0].body.clone().unwrap();
    assert_eq!(body["properties"]["principalType"], "ServicePrincipal");
    assert_eq!(body["properties"]["principalId"], CI);
    assert_eq!(
        body["properties"]["description"],
        "fkaks_registry_access: ci"
    );
    crate::provider::parts::check_writable(&wants()[0].id, &body).unwrap();
}

#[test]
fn a_sufficient_grant_of_someone_else_counts_and_is_not_made_again() {
    let subscription = ArmId::subscription(SUB);
    for (scope, name) in [
        (registry(), "AcrPull"),
        (registry(), "AcrPush"),
        (subscription, "AcrPull"),
    ] {
        let theirs = assignment(&scope, "a", name);
        let seen = legacy(std::slice::from_ref(&theirs));
        let input = input(&json!({}));
        assert!(
            assignments(&input, &seen).unwrap().is_empty(),
            "{name} at {scope}"
        );
        assert_eq!(two_lists_agree(&input, &seen).unwrap(), Evidence::Done);
        let observed = observe::observe(&registry(), Some(&input), &seen).unwrap();
        let shown = &observed.output.grants["ci/AcrPull"];
        assert!(!shown.owned);
        assert_eq!(shown.role_assignment_id.as_deref(), theirs["id"].as_str());
    }
}

#[test]
fn a_role_that_is_not_known_here_counts_by_its_definition() {
    let custom = "33333333-2222-4333-8444-555555555555";
    let definition =
        ArmId::subscription(SUB).resource("Microsoft.Authorization/roleDefinitions", custom);
    let with = |actions: Json, not: Json| {
        let mut seen = legacy(&[assignment(&group(), "a", custom)]);
        assert_eq!(assignments(&input(&json!({})), &seen).unwrap_err(), Unread);
        let body =
            json!({"properties": {"permissions": [{"actions": actions, "notActions": not}]}});
        seen.insert(&definition, body);
        assignments(&input(&json!({})), &seen).unwrap().len()
    };
    assert_eq!(with(json!(["*/read"]), json!([])), 0, "it may read images");
    assert_eq!(
        with(
            json!(["*"]),
            json!(["Microsoft.ContainerRegistry/registries/pull/*"])
        ),
        1
    );
    assert_eq!(with(json!(["Microsoft.Network/*"]), json!([])), 1);
}

#[test]
fn what_does_not_suffice_does_not_count() {
    let input_pull = input(&json!({}));
    let mut narrowed = assignment(&registry(), "a", "AcrPull");
    narrowed["properties"]["condition"] = json!("(@Request[x:y] StringEquals 'z')");
    narrowed["properties"]["conditionVersion"] = json!("2.0");
    let found = grants::grants(
        &input_pull,
        &legacy(std::slice::from_ref(&narrowed)),
        &|_| false,
    )
    .unwrap();
    assert!(
        matches!(found[0].standing, Standing::InTheWay(_)),
        "Azure has room for one"
    );
    let wants = assignments(&input_pull, &legacy(std::slice::from_ref(&narrowed))).unwrap();
    assert_eq!(
        Some(&wants[0].id),
        grants::id_of(&narrowed).as_ref(),
        "it is refused by name"
    );
    let found = grants::grants(
        &input_pull,
        &abac(&[assignment(&registry(), "a", "AcrPull")]),
        &|_| false,
    )
    .unwrap();
    assert_eq!(
        found[0].standing,
        Standing::Missing,
        "AcrPull opens no image there"
    );
    let refuse = input(&json!({"existing": "refuse"}));
    let found = grants::grants(
        &refuse,
        &legacy(&[assignment(&group(), "a", "AcrPull")]),
        &|_| false,
    )
    .unwrap();
    assert_eq!(
        found[0].standing,
        Standing::Missing,
        "an inherited one is left out of account"
    );
}

#[test]
fn our_own_grant_is_kept_wherever_its_name_comes_from() {
    let own = assignment(
        &registry(),
        "44444444-2222-4333-8444-555555555555",
        "AcrPull",
    );
    let id = grants::id_of(&own).unwrap();
    let seen = legacy(&[assignment(&group(), "a", "AcrPush"), own]).with_owned(&id);
    let wants = assignments(&input(&json!({})), &seen).unwrap();
    assert_eq!(wants.len(), 1);
    assert_eq!(wants[0].id, id);
}

#[test]
fn a_role_that_is_named_without_a_subscription_is_no_difference() {
    let mut own = assignment(
        &registry(),
        "44444444-2222-4333-8444-555555555555",
        "AcrPull",
    );
    let guid = roles::named("AcrPull").unwrap().guid;
    own["properties"]["roleDefinitionId"] = json!(format!(
        "/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    ));
    own["properties"]["description"] = json!("fkaks_registry_access: ci");
    let id = grants::id_of(&own).unwrap();
    let seen = legacy(std::slice::from_ref(&own)).with_owned(&id);
    let wants = assignments(&input(&json!({})), &seen).unwrap();
    let body = wants[0].body.clone().unwrap();
    assert!(differ(&wants[0], &body, &own).is_empty());
}

#[test]
fn one_list_is_no_evidence() {
    let own = assignment(&registry(), "a", "AcrPull");
    let [_, second] = asked(CI);
    let seen = legacy(&[own]).with_list(&registry(), &second, Vec::new());
    let evidence = two_lists_agree(&input(&json!({})), &seen).unwrap();
    assert!(matches!(evidence, Evidence::Waiting(why) if why.contains("one of two lists")));
}

#[test]
fn a_grant_that_is_missing_says_who_lacks_what_and_which_role_does_not_help() {
    let seen = abac(&[assignment(&registry(), "a", "AcrPull")]);
    let Evidence::Waiting(why) = two_lists_agree(&input(&json!({})), &seen).unwrap() else {
        unreachable!("nothing gives it")
    };
    assert!(
        why.contains("ci") && why.contains(CI) && why.contains("Repository Reader"),
        "{why}"
    );
    assert!(why.contains("AcrPull opens no image"), "{why}");
}

#[test]
fn repositories_become_a_condition_and_come_back_from_it() {
    let input = input(&json!({"repositories": ["team/*", "nginx"]}));
    let body = bodies(&input, &abac(&[])).remove(0);
    assert_eq!(body["properties"]["conditionVersion"], "2.0");
    let text = body["properties"]["condition"].as_str().unwrap();
    assert!(text.contains("StringEqualsIgnoreCase 'nginx'"), "{text}");
    assert!(
        text.contains("StringStartsWithIgnoreCase 'team/'"),
        "{text}"
    );
    let reader = roles::named("Container Registry Repository Reader").unwrap();
    assert_eq!(roles::repositories_of(reader, text), input.repositories);
    assert_eq!(
        roles::repositories_of(reader, &text.replace("OR (", "OR  ( ")),
        input.repositories
    );
    assert_eq!(
        roles::repositories_of(reader, "(@Request[x] StringLike 'a')"),
        None
    );
}

fn cluster_json(object: &str) -> Json {
    json!({"properties": {"identityProfile": {"kubeletidentity": {
        "objectId": object, "clientId": OTHER, "resourceId": "/x"
    }}}})
}

#[test]
fn the_nodes_of_a_cluster_pull_with_their_kubelet_identity() {
    let input = input(&json!({"cluster_id": cluster(), "principal_ids": null}));
    let mut seen = legacy(&[]);
    assert_eq!(assignments(&input, &seen).unwrap_err(), Unread);
    seen.insert(&cluster(), cluster_json(CI));
    let body = bodies(&input, &seen).remove(0);
    assert_eq!(body["properties"]["principalId"], CI);
    let described = body["properties"]["description"].as_str().unwrap();
    assert_eq!(
        described,
        format!("fkaks_registry_access: kubelet of {}", cluster())
    );
    seen.insert(&cluster(), json!({"properties": {}}));
    let evidence = two_lists_agree(&input, &seen).unwrap();
    assert!(matches!(evidence, Evidence::Waiting(why) if why.contains("no kubelet identity")));
}

#[test]
fn an_import_by_the_registry_takes_what_carries_the_mark() {
    let mut ours = assignment(
        &registry(),
        "44444444-2222-4333-8444-555555555555",
        "AcrPush",
    );
    ours["properties"]["description"] = json!("fkaks_registry_access: ci");
    let theirs = assignment(
        &registry(),
        "55555555-2222-4333-8444-555555555555",
        "AcrPull",
    );
    let all = format!("providers/{ASSIGNMENT}?$filter=atScope()");
    let seen = legacy(&[ours.clone(), theirs]).with_list(&registry(), &all, vec![ours.clone()]);
    let observed = observe::observe(&registry(), None, &seen).unwrap();
    let input = &observed.input;
    assert_eq!(
        input.principal_ids,
        Some([("ci".to_owned(), CI.to_owned())].into())
    );
    assert_eq!(
        input.permissions,
        [Permission::Pull, Permission::Push].into()
    );
    let wants = assignments(input, &seen).unwrap();
    assert_eq!(wants[0].id, grants::id_of(&ours).unwrap());
}

#[test]
fn an_import_by_an_assignment_takes_that_one_alone() {
    let mut given = assignment(
        &registry(),
        "44444444-2222-4333-8444-555555555555",
        "Container Registry Repository Reader",
    );
    let reader = roles::named("Container Registry Repository Reader").unwrap();
    given["properties"]["condition"] =
        json!(roles::condition(reader, Some(&["nginx".to_owned()].into())));
    given["properties"]["description"] =
        json!(format!("fkaks_registry_access: kubelet of {}", cluster()));
    let id = grants::id_of(&given).unwrap();
    let start = RegistryAccess::imported(&id).unwrap();
    assert_eq!(start["id"], json!(registry()));
    let mut seen = abac(&[given]).with_prior(start).with_owned(&id);
    seen.insert(&cluster(), cluster_json(CI));
    let observed = observe::observe(&registry(), None, &seen).unwrap();
    assert_eq!(observed.input.cluster_id, Some(cluster()));
    assert_eq!(observed.input.principal_ids, None);
    assert_eq!(
        observed.input.repositories,
        Some(["nginx".to_owned()].into())
    );
    let elsewhere = group().resource(ASSIGNMENT, "44444444-2222-4333-8444-555555555555");
    assert!(
        RegistryAccess::imported(&elsewhere).is_none(),
        "it is not at a registry"
    );
}
