//! Who may pull: roles by mode, grants of others, new principals in the same apply, and the mistakes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_principal_that_is_new_in_the_plan_has_its_grant_after_one_apply",
        run: new_principal,
    },
    Step {
        name: "a_grant_of_someone_else_counts_and_stays",
        run: accepted,
    },
    Step {
        name: "a_grant_of_someone_else_is_refused_where_it_should_not_count",
        run: refused,
    },
    Step {
        name: "a_grant_that_vanished_is_drift_and_comes_back",
        run: vanished,
    },
    Step {
        name: "the_role_follows_the_mode_and_repositories_become_a_condition",
        run: modes,
    },
    Step {
        name: "a_change_of_the_mode_swaps_the_roles_in_the_same_apply",
        run: mode_in_the_same_apply,
    },
    Step {
        name: "a_client_id_and_a_caller_without_the_right_are_found_at_plan",
        run: mistakes,
    },
    Step {
        name: "the_nodes_of_a_cluster_pull_and_a_new_cluster_gets_its_grant",
        run: cluster,
    },
    Step {
        name: "a_grant_is_imported_by_its_own_id",
        run: import,
    },
];

const ACCESS: &str = "fkaks_registry_access.ci";
const REGISTRY: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries/fkacrprivate";
const ROLES: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions";
const PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const PUSH: &str = "8311e382-0749-4cb8-b61a-304f252e45ec";
const FIRST: &str = "5d2c1a7e-0b1f-4c55-9d3c-0c5f3b5a7a01";
const SECOND: &str = "5d2c1a7e-0b1f-4c55-9d3c-0c5f3b5a7a02";
const VERSION: &str = "2022-04-01";

fn assign(session: &Session, name: &str, role: &str) -> String {
    let id = format!("{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let body = json!({ "properties": {
        "roleDefinitionId": format!("{ROLES}/{role}"), "principalId": FIRST, "principalType": "ServicePrincipal",
    } });
    session.sandbox.put(&id, VERSION, &body);
    // Lists by principal have it from now on, as some time after someone else made it.
    let list = format!(
        "{REGISTRY}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20%27{FIRST}%27&"
    );
    session.sandbox.get(list.trim_end_matches('&'), VERSION);
    id
}

fn assigned(session: &Session) -> Vec<String> {
    let all = session.sandbox.resources().into_iter();
    all.filter(|id| id.contains("/roleAssignments/")).collect()
}

fn grant(session: &Session, name: &str) -> Value {
    session.state(ACCESS)["grants"][name].clone()
}

fn new_principal(session: &mut Session) {
    session.apply();
    let before = assigned(session);
    assert_eq!(grant(session, "ci/AcrPull")["principal_id"], FIRST);
    session.set("principal", SECOND);
    let plan = session.plan();
    plan.must(action::UPDATE, ACCESS);
    session.apply();
    assert_eq!(grant(session, "ci/AcrPull")["principal_id"], SECOND);
    let after = assigned(session);
    assert_eq!(after.len(), 1, "the old grant went: {after:?}");
    assert_ne!(before, after);
    session.plan().must_be_empty("a new principal");
}

fn accepted(session: &mut Session) {
    let theirs = assign(session, "11111111-1111-4111-8111-111111111111", PUSH);
    session.apply();
    assert_eq!(
        assigned(session),
        std::slice::from_ref(&theirs),
        "nothing is made twice"
    );
    assert_eq!(grant(session, "ci/AcrPull")["owned"], false);
    assert_eq!(grant(session, "ci/AcrPull")["role_assignment_id"], theirs);
    session.plan().must_be_empty("a grant of someone else");
    // What it relied on goes: the next apply makes one of its own.
    session.sandbox.delete(&theirs, VERSION);
    session.plan().must(action::UPDATE, ACCESS);
    session.apply();
    assert_eq!(grant(session, "ci/AcrPull")["owned"], true);
    let theirs = assign(session, "11111111-1111-4111-8111-111111111111", PUSH);
    session.destroy();
    assert_eq!(
        assigned(session),
        std::slice::from_ref(&theirs),
        "a grant of someone else stays"
    );
    session.sandbox.delete(&theirs, VERSION);
}

fn refused(session: &mut Session) {
    let theirs = assign(session, "22222222-2222-4222-8222-222222222222", PULL);
    session.set("existing", "refuse");
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "it exists already",
        &theirs,
        "existing = \"accept\"",
    ]);
    session
        .run(&["plan"])
        .must_fail_saying(&["ci has the role AcrPull already", &theirs]);
    session.set("existing", "accept");
    session.apply();
    session.sandbox.delete(&theirs, VERSION);
    session.apply();
}

fn vanished(session: &mut Session) {
    session.apply();
    let own = assigned(session).remove(0);
    session.sandbox.delete(&own, VERSION);
    let plan = session.plan();
    plan.must(action::UPDATE, ACCESS);
    session
        .run(&["plan"])
        .must_say(&["role assignment was deleted outside"]);
    session.apply();
    assert_eq!(assigned(session), [own]);
    session.plan().must_be_empty("a grant that came back");
}

fn modes(session: &mut Session) {
    session.set("repositories", "[\"team/*\"]");
    session.run(&["plan"]).must_fail_saying(&[
        "The registry's roles cannot be narrowed to repositories",
        "AbacRepositoryPermissions",
    ]);
    session.set("repositories", "null");
    session.apply();
    let edit = json!({ "properties": { "roleAssignmentMode": "AbacRepositoryPermissions" } });
    let path = format!("/resources{REGISTRY}");
    session.sandbox.control(Method::PATCH, &path, Some(&edit));
    session.run(&["plan"]).must_say(&[
        "Container Registry Repository Reader",
        "AcrPull opens no image",
    ]);
    session.set("repositories", "[\"team/*\"]");
    session.apply();
    let shown = grant(session, "ci/Container Registry Repository Reader");
    let id = shown["role_assignment_id"].as_str().unwrap().to_owned();
    let made = session.sandbox.get(&id, VERSION);
    let condition = made["properties"]["condition"].as_str().unwrap();
    assert!(
        condition.contains("StringStartsWithIgnoreCase 'team/'"),
        "{condition}"
    );
    assert_eq!(assigned(session), [id], "AcrPull went");
    session.plan().must_be_empty("the other mode");
}

fn mode_in_the_same_apply(session: &mut Session) {
    let write = |session: &mut Session, mode: &str, given: &str| {
        let text = format!(
            r#"
resource "fkaks_registry" "own" {{
  name                 = "fkacrmode"
  resource_group_id    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images"
  location             = "westeurope"
  sku                  = "Premium"
  role_assignment_mode = "{mode}"
  deletion_protection  = false
}}

resource "fkaks_registry_access" "own" {{
  registry_id          = fkaks_registry.own.id
  principal_ids        = {{ ci = "{SECOND}" }}
  permissions          = ["pull"]
  role_assignment_mode = {given}
}}
"#
        );
        session.write("mode.tf", &text);
    };
    let own = "fkaks_registry_access.own";
    let role = |session: &Session| session.state(own)["grants"].clone();
    let reference = "fkaks_registry.own.role_assignment_mode";
    write(session, "LegacyRegistryPermissions", reference);
    session.apply();
    assert_eq!(role(session)["ci/AcrPull"]["owned"], true);
    write(session, "AbacRepositoryPermissions", reference);
    let plan = session.plan();
    plan.must(action::UPDATE, "fkaks_registry.own");
    plan.must(action::UPDATE, own);
    session.apply();
    let reader = role(session)["ci/Container Registry Repository Reader"].clone();
    assert_eq!(reader["owned"], true, "the other role in the same apply");
    assert_eq!(
        session.state(own)["objects"]["grants"],
        json!([reader["role_assignment_id"]]),
        "AcrPull went"
    );
    session.plan().must_be_empty("the mode and the roles");
    // A mode that the registry does not get is refused before anything is written.
    write(
        session,
        "AbacRepositoryPermissions",
        "\"LegacyRegistryPermissions\"",
    );
    let writes = session.sandbox.writes();
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "registry fkacrmode is in the mode AbacRepositoryPermissions",
        "fkaks_registry.example.role_assignment_mode",
    ]);
    assert_eq!(session.sandbox.writes(), writes, "nothing was written");
    session.remove("mode.tf");
    session.apply();
}

fn mistakes(session: &mut Session) {
    session.apply();
    let identity = REGISTRY.replace(
        "Microsoft.ContainerRegistry/registries/fkacrprivate",
        "Microsoft.ManagedIdentity/userAssignedIdentities/pipeline",
    );
    let found = session.sandbox.get(&identity, "2024-11-30");
    let (client, object) = (
        found["properties"]["clientId"].as_str().unwrap().to_owned(),
        found["properties"]["principalId"]
            .as_str()
            .unwrap()
            .to_owned(),
    );
    session.write(
        "wrong.tf",
        &format!(
            "resource \"fkaks_registry_access\" \"wrong\" {{\n  registry_id = local.registry\n  \
             principal_ids = {{ ci = \"{client}\" }}\n  permissions = [\"pull\"]\n}}\n"
        ),
    );
    session
        .run(&["plan"])
        .must_fail_saying(&["is a client id, and an object id belongs here", &object]);
    session.remove("wrong.tf");
    let taken = json!({ "callerNotActions": ["Microsoft.Authorization/roleAssignments/write"] });
    session
        .sandbox
        .control(Method::PATCH, "/settings", Some(&taken));
    session.write(
        "another.tf",
        &format!(
            "resource \"fkaks_registry_access\" \"another\" {{\n  registry_id = local.registry\n  \
             principal_ids = {{ ci = \"{object}\" }}\n  permissions = [\"pull\"]\n}}\n"
        ),
    );
    session.run(&["plan"]).must_fail_saying(&[
        "the caller may not assign roles at the registry",
        "Role Based Access Control Administrator",
    ]);
    let given = json!({ "callerNotActions": [] });
    session
        .sandbox
        .control(Method::PATCH, "/settings", Some(&given));
    session.apply();
    session.remove("another.tf");
    session.apply();
}

fn import(session: &mut Session) {
    let theirs = assign(session, "33333333-3333-4333-8333-333333333333", PULL);
    session.apply();
    session.forget(ACCESS);
    session.import(ACCESS, &theirs);
    assert_eq!(session.state(ACCESS)["objects"]["grants"], json!([theirs]));
    assert_eq!(session.state(ACCESS)["permissions"], json!(["pull"]));
    session.apply();
    assert_eq!(
        assigned(session),
        std::slice::from_ref(&theirs),
        "it is the same assignment"
    );
    assert_eq!(grant(session, "ci/AcrPull")["owned"], true);
    session.plan().must_be_empty("an imported grant");
    session.forget(ACCESS);
    session.import(ACCESS, REGISTRY);
    session
        .plan()
        .must_be_empty("an import by the registry, of what carries the mark");
    session.destroy();
    assert!(assigned(session).is_empty(), "it was owned");
}

fn cluster(session: &mut Session) {
    let cluster = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-aks/providers/Microsoft.ContainerService/managedClusters/aks";
    let version = "2026-04-01";
    let body = json!({
        "location": "westeurope", "identity": { "type": "SystemAssigned" },
        "properties": {
            "dnsPrefix": "fk-aks",
            "agentPoolProfiles": [{ "name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v5" }],
        },
    });
    let kubelet = |session: &Session| {
        let found = session.sandbox.get(cluster, version);
        let identity = &found["properties"]["identityProfile"]["kubeletidentity"];
        identity["objectId"].as_str().unwrap().to_owned()
    };
    session.sandbox.put(cluster, version, &body);
    session.write(
        "nodes.tf",
        &format!(
            "resource \"fkaks_registry_access\" \"nodes\" {{\n  registry_id = local.registry\n  \
             cluster_id = \"{cluster}\"\n  permissions = [\"pull\"]\n}}\n"
        ),
    );
    session.apply();
    let nodes = "fkaks_registry_access.nodes";
    let first = kubelet(session);
    assert_eq!(
        session.state(nodes)["principals"],
        json!({ "kubelet": first })
    );
    session.plan().must_be_empty("the nodes of a cluster");

    // Someone makes the cluster anew: the nodes have another identity, and no grant.
    session.sandbox.delete(cluster, version);
    session.sandbox.put(cluster, version, &body);
    let second = kubelet(session);
    assert_ne!(first, second);
    session
        .run(&["plan"])
        .must_say(&[&second, "does not have the role AcrPull"]);
    session.apply();
    let shown = session.state(nodes)["grants"]["kubelet/AcrPull"].clone();
    assert_eq!(shown["principal_id"], second);
    assert_eq!(
        session.state(nodes)["objects"]["grants"],
        json!([shown["role_assignment_id"]])
    );
    session.plan().must_be_empty("the nodes of the new cluster");
    session.remove("nodes.tf");
    session.apply();
    session.sandbox.delete(cluster, version);
}
