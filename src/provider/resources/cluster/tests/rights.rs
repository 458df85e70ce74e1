//! A caller who may not assign the roles that the cluster needs, and pools that are too new.

use super::*;

const PERMISSIONS: &str = "providers/Microsoft.Authorization/permissions";
const ASSIGNING: &str = "Microsoft.Authorization/*/write";

fn zone() -> ArmId {
    group().resource(
        "Microsoft.Network/privateDnsZones",
        "privatelink.westeurope.azmk8s.io",
    )
}

fn theirs() -> ArmId {
    group().resource(IDENTITY, "theirs")
}

/// A network, a zone and an identity, at which the caller may do all but this.
fn world(not: &str, at: &[ArmId]) -> Seen {
    let facts = network_json("westeurope", json!({"addressPrefix": "10.10.8.0/22"}));
    let mut seen = Seen::of(facts);
    seen.insert(&zone(), json!({"properties": {}}));
    seen.insert(&theirs(), json!({"properties": {"principalId": "p"}}));
    for scope in [network(), subnet(), zone()] {
        let not = at.contains(&scope).then_some(not);
        let block = json!({"actions": ["*"], "notActions": Vec::from_iter(not)});
        seen = seen.with_list(&scope, PERMISSIONS, vec![block]);
    }
    seen
}

fn with_zone(more: Json) -> Json {
    let mut arguments = json!({"private_dns_zone_id": zone()});
    for (name, value) in more.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    config(arguments)
}

fn given() -> Json {
    with_zone(json!({"identity_id": theirs()}))
}

fn everywhere() -> [ArmId; 3] {
    [network(), subnet(), zone()]
}

#[test]
fn a_caller_who_may_not_assign_the_roles_is_told_all_scopes_and_both_ways_out() {
    let found = errors(given(), world(ASSIGNING, &everywhere()));
    let [(summary, detail)] = &found[..] else {
        panic!("one error for all of them: {found:?}")
    };
    assert_eq!(
        summary,
        "the caller may not assign the roles that the cluster needs"
    );
    let assign = "--assignee-object-id p --assignee-principal-type ServicePrincipal --scope";
    for line in [
        format!("- {}\n- {}\n", zone(), network()),
        format!(
            "--role \"Private DNS Zone Contributor\" {assign} {}",
            zone()
        ),
        format!("--role \"Network Contributor\" {assign} {}", network()),
        "Role Based Access Control Administrator".to_owned(),
        "manage_role_assignments = false".to_owned(),
    ] {
        assert!(detail.contains(&line), "{line} in {detail}");
    }
    assert!(!detail.contains("identity_id"), "{detail}");
    // An identity that the apply makes is not there for an owner to assign roles to.
    let own = errors(with_zone(json!({})), world(ASSIGNING, &everywhere()));
    assert!(
        own[0].1.contains("identity_id             = azurerm"),
        "{own:?}"
    );
}

#[test]
fn only_the_scope_where_the_right_is_missing_is_named() {
    let found = errors(given(), world(ASSIGNING, &[zone()]));
    let (reason, _) = found[0].1.split_once("Fix:").unwrap();
    assert!(reason.contains(zone().as_str()), "{found:?}");
    assert!(!reason.contains("virtualNetworks"), "{found:?}");
    assert_eq!(errors(given(), world(ASSIGNING, &[])), []);
}

#[test]
fn no_right_is_needed_where_nothing_is_to_be_assigned() {
    let none = || world(ASSIGNING, &everywhere());
    // Someone else's assignments serve.
    let list = "providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'p'";
    let serves = |role: roles::Role| {
        vec![json!({"id": "/x", "properties": {
            "principalId": "p", "scope": group(),
            "roleDefinitionId": format!("/x/roleDefinitions/{}", role.definition),
        }})]
    };
    let served = none()
        .with_list(&network(), list, serves(roles::NETWORK_CONTRIBUTOR))
        .with_list(&zone(), list, serves(roles::ZONE_CONTRIBUTOR));
    assert_eq!(errors(given(), served), []);
    // Ours are there.
    let input: Input = serde_json::from_value(given()).unwrap();
    let needs = grants::needs(&input, &Seen::of([])).unwrap();
    let mut made = none();
    for need in &needs {
        made.insert(&need.id(&theirs()), json!({}));
    }
    assert_eq!(errors(given(), made), []);
    // One of ours went: those that stay are not to be given up.
    let mut made = none();
    made.insert(&needs[0].id(&theirs()), json!({}));
    let found = errors(given(), made);
    assert!(found[0].1.contains("which counts here"), "{found:?}");
    assert!(
        !found[0].1.contains("manage_role_assignments = false"),
        "{found:?}"
    );
    // The user assigns them.
    let others = with_zone(json!({"identity_id": theirs(), "manage_role_assignments": false}));
    let found = errors(others, none());
    assert!(found.iter().all(|(summary, _)| !summary.contains("caller")));
}

#[test]
fn what_is_not_there_yet_or_cannot_be_read_is_no_refusal() {
    let at = everywhere();
    let mut seen = world(ASSIGNING, &at);
    for scope in &at {
        seen.deny_list(scope, PERMISSIONS);
    }
    assert_eq!(errors(given(), seen), []);
    let mut seen = world(ASSIGNING, &at);
    seen.deny(&theirs());
    assert_eq!(errors(given(), seen), []);
    let nothing =
        Seen::of([]).with_list(&subnet(), PERMISSIONS, vec![json!({"actions": ["*/read"]})]);
    assert_eq!(errors(config(json!({})), nothing), []);
}

#[test]
fn a_pool_is_not_newer_than_its_control_plane() {
    let planned = |control: Option<&str>, pool: &str| {
        let mut system = system_pool();
        system["orchestrator_version"] = pool.into();
        config(json!({"kubernetes_version": control, "node_pools": {"system": system}}))
    };
    let new = |control, pool| errors(planned(control, pool), world("", &[])).len();
    for (control, pool) in [("1.33", "1.34"), ("1.33.2", "1.33.3"), ("1.33.2", "2.0")] {
        assert_eq!(new(Some(control), pool), 1, "{pool} above {control}");
    }
    for (control, pool) in [("1.33", "1.33.3"), ("1.33.2", "1.33"), ("1.34", "1.33.9")] {
        assert_eq!(new(Some(control), pool), 0, "{pool} beside {control}");
    }
    assert_eq!(new(None, "1.99"), 0, "Azure chooses");
    // An upgrade channel has brought the control plane to 1.34.2.
    let there = || {
        let mut seen = world("", &[]);
        seen.insert(&id(), found(&input(json!({}))));
        seen
    };
    let running = |control, pool| {
        let mut arguments = planned(control, pool);
        arguments["id"] = id().as_str().into();
        arguments["automatic_upgrade_channel"] = "stable".into();
        refused(arguments.clone(), Some(&value(arguments)), there())
    };
    assert_eq!(running(Some("1.33"), "1.34"), []);
    assert!(
        running(Some("1.33"), "1.35")[0]
            .0
            .ends_with("1.35, and 1.34.2")
    );
    assert_eq!(running(None, "1.34.2"), []);
    let found = running(None, "1.35");
    assert_eq!(
        found[0].0,
        "pool \"system\" is newer than its control plane: 1.35, and 1.34.2"
    );
    assert!(found[0].1.contains("kubernetes_version = \"1.35\""));
}
