//! The pull secret in a private cluster: drift and repair, a rotation that is followed, a value that is
//! write-only, what cannot be seen, and the mistakes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_is_in_the_vault_is_in_the_cluster_and_in_no_command",
        run: written,
    },
    Step {
        name: "the_nodes_may_read_the_vault_as_long_as_there_is_a_secret_of_it",
        run: role,
    },
    Step {
        name: "a_secret_that_someone_changed_deleted_or_made_anew_comes_back",
        run: drift,
    },
    Step {
        name: "a_rotation_of_the_token_is_followed_in_the_same_apply_or_by_the_next_plan",
        run: rotation,
    },
    Step {
        name: "a_write_only_value_is_written_and_is_in_no_state",
        run: write_only,
    },
    Step {
        name: "where_no_command_runs_the_state_is_kept_and_says_so",
        run: closed,
    },
    Step {
        name: "an_import_takes_it_over_and_writes_nothing_that_is_there",
        run: import,
    },
    Step {
        name: "a_secret_of_someone_else_is_refused_at_plan",
        run: foreign,
    },
    Step {
        name: "what_fails_in_the_cluster_is_said_with_its_reason",
        run: failed,
    },
    Step {
        name: "mistakes_are_found_at_plan_on_their_arguments",
        run: mistakes,
    },
];

const SECRET: &str = "fkaks_pull_secret.team";
const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images";
const HELD: &str = "Secret/apps/team-pull";

fn cluster() -> String {
    format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-team")
}

/// What the cluster holds, by kind, namespace and name.
fn held(session: &Session) -> Value {
    let inside = format!("/kubernetes{}", cluster());
    session.sandbox.control(Method::GET, &inside, None)["objects"].clone()
}

/// Someone else's kubectl.
fn hold(session: &Session, objects: &Value) {
    let (inside, edit) = (
        format!("/kubernetes{}", cluster()),
        json!({ "objects": objects }),
    );
    session.sandbox.control(Method::PATCH, &inside, Some(&edit));
}

fn edit_cluster(session: &Session, properties: &Value) {
    let (path, edit) = (
        format!("/resources{}", cluster()),
        json!({ "properties": properties }),
    );
    session.sandbox.control(Method::PATCH, &path, Some(&edit));
}

/// The login that the secret in the cluster has.
fn login(session: &Session, key: &str) -> Value {
    let held = held(session);
    let data = held[key]["data"][".dockerconfigjson"].as_str();
    let data = data.unwrap_or_else(|| panic!("there is no {key}: {held}"));
    let config: Value = serde_json::from_slice(&STANDARD.decode(data).unwrap()).unwrap();
    config["auths"]["fkacrprivate.azurecr.io"].clone()
}

fn written(session: &mut Session) {
    session.apply();
    let login = login(session, HELD);
    assert_eq!(login["username"], "team-pull", "{login}");
    let password = login["password"].as_str().unwrap();
    let secret = &held(session)[HELD];
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    assert_eq!(
        secret["metadata"]["annotations"]["fkaks.io/source"],
        session.state(SECRET)["source"]
    );
    assert_eq!(secret["metadata"]["uid"], session.state(SECRET)["uid"]);
    let commands = commands(session);
    assert!(
        commands.iter().any(|text| text.contains("curl")),
        "{commands:?}"
    );
    for text in &commands {
        assert!(
            !text.contains(password),
            "a password is in a command: {text}"
        );
    }
    session.plan().must_be_empty("a secret that was written");
    session.destroy();
}

const BESIDE: &str = r#"
resource "fkaks_pull_secret" "beside" {
  cluster_id           = fkaks_cluster.aks.id
  namespace            = "default"
  name                 = "team-pull"
  key_vault_secret_id  = fkaks_registry_token.team.secrets["dockerconfigjson"].id
  key_vault_secret_uri = fkaks_registry_token.team.secrets["dockerconfigjson"].versioned_uri
}
"#;

/// The assignments on the secret in the vault.
fn assignments(session: &Session) -> Vec<String> {
    let scope =
        format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv-images/secrets/team-pull-docker");
    let at = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/");
    let ids = session.sandbox.resources().into_iter();
    ids.filter(|id| id.to_lowercase().starts_with(&at.to_lowercase()))
        .collect()
}

fn role(session: &mut Session) {
    // Two secrets of one in the vault share the role that the first of them makes.
    session.write("beside.tf", BESIDE);
    session.apply();
    assert_eq!(assignments(session).len(), 1, "{:?}", assignments(session));
    session.plan().must_be_empty("two secrets with one role");
    session
        .sandbox
        .delete(&assignments(session)[0], "2022-04-01");
    session.run(&["plan"]).must_say(&["role assignment"]);
    session.apply();
    assert_eq!(assignments(session).len(), 1, "{:?}", assignments(session));
    session.plan().must_be_empty("a role that came back");
    session.remove("beside.tf");
    session.apply();
    session.apply();
    assert_eq!(assignments(session).len(), 1, "{:?}", assignments(session));
    session.plan().must_be_empty("one secret with the role");

    // The cluster goes, and what it had in the vault does not stay behind.
    session.sandbox.delete(&cluster(), "2026-04-01");
    session.plan().must(action::UPDATE, SECRET);
    session.apply();
    assert!(held(session)[HELD].is_object(), "{}", held(session));
    assert_eq!(assignments(session).len(), 1, "{:?}", assignments(session));
    session.sandbox.delete(&cluster(), "2026-04-01");
    session.destroy();
    assert!(
        assignments(session).is_empty(),
        "{:?}",
        assignments(session)
    );
}

/// The texts of the commands that ran.
fn commands(session: &Session) -> Vec<String> {
    let requests = session.sandbox.requests();
    let texts = requests
        .iter()
        .filter_map(|request| request["body"]["command"].as_str());
    texts.map(ToOwned::to_owned).collect()
}

fn drift(session: &mut Session) {
    session.apply();
    let before = held(session)[HELD].clone();
    let other = STANDARD.encode(r#"{"auths":{}}"#);
    hold(
        session,
        &json!({ HELD: { "data": { ".dockerconfigjson": other } } }),
    );
    session.plan().must(action::UPDATE, SECRET);
    session
        .run(&["plan"])
        .must_say(&["the secret's data is not what was written"]);
    // What a refresh has seen is drift still.
    session
        .run(&["apply", "-refresh-only", "-auto-approve"])
        .must_succeed();
    session.plan().must(action::UPDATE, SECRET);
    session.apply();
    assert_eq!(held(session)[HELD]["data"], before["data"]);
    session.plan().must_be_empty("data that came back");

    hold(session, &json!({ HELD: null }));
    session.plan().must(action::UPDATE, SECRET);
    session
        .run(&["plan"])
        .must_say(&["the secret team-pull is not in the namespace apps"]);
    session.apply();
    assert_eq!(held(session)[HELD]["data"], before["data"]);
    session.plan().must_be_empty("a secret that came back");

    // One of another type has to go first, and a label tells whose it is.
    hold(
        session,
        &json!({ HELD: { "type": "Opaque", "metadata": { "labels": null } } }),
    );
    session.run(&["plan"]).must_say(&[
        "the secret's label app.kubernetes.io/managed-by is not fkaks",
        "the secret is of the type Opaque",
    ]);
    session.apply();
    assert_eq!(held(session)[HELD]["type"], before["type"]);
    session.plan().must_be_empty("the type that came back");

    // The namespace goes with all that is in it.
    hold(session, &json!({ HELD: null, "Namespace//apps": null }));
    session.apply();
    assert_eq!(held(session)[HELD]["data"], before["data"]);
}

fn rotation(session: &mut Session) {
    session.apply();
    let first = login(session, HELD)["password"].clone();
    session.set("release", "2");
    session.apply();
    let second = login(session, HELD)["password"].clone();
    assert_ne!(
        first, second,
        "the apply that rotates writes the secret, too"
    );
    session.plan().must_be_empty("a rotation");

    session.set("pinned", "false");
    session.apply();
    session.plan().must_be_empty("the newest version");
    session.set("release", "3");
    session.apply();
    assert_eq!(login(session, HELD)["password"], second);
    session.plan().must(action::UPDATE, SECRET);
    session
        .run(&["plan"])
        .must_say(&["the secret was written from", "and should be from"]);
    session.apply();
    assert_ne!(login(session, HELD)["password"], second);
    session.plan().must_be_empty("a rotation that was found");
}

const VALUE: &str = r#"
variable "password" {
  type    = string
  default = "acceptance-hunter2"
}

variable "version_of_value" {
  type    = number
  default = 1
}

resource "fkaks_pull_secret" "value" {
  cluster_id = fkaks_cluster.aks.id
  namespace  = "default"
  name       = "by-value"

  docker_config_json_wo = jsonencode({
    auths = { "fkacrprivate.azurecr.io" = { username = "by-value", password = var.password } }
  })
  docker_config_json_wo_version = var.version_of_value
}
"#;

fn write_only(session: &mut Session) {
    const BY_VALUE: &str = "fkaks_pull_secret.value";
    const HELD: &str = "Secret/default/by-value";
    session.write("value.tf", VALUE);
    // Older commands do not keep write-only values out of their plans, so that they are refused.
    if session.cli.version < (1, 11, 0) {
        session
            .run(&["plan"])
            .must_fail_saying(&["docker_config_json_wo"]);
        session.remove("value.tf");
        return;
    }
    session.apply();
    assert_eq!(login(session, HELD)["password"], "acceptance-hunter2");
    let state = session.state(BY_VALUE);
    assert_eq!(state["source"], "version 1");
    assert!(!state.to_string().contains("hunter2"), "{state}");
    let seen = commands(session).join("\n");
    assert!(
        !seen.contains("hunter2") && seen.contains("secret.json"),
        "{seen}"
    );
    session.plan().must_be_empty("a value that was written");

    session.set("password", "acceptance-hunter3");
    session
        .plan()
        .must_be_empty("another value under the same version");
    session.set("version_of_value", "2");
    session.apply();
    assert_eq!(login(session, HELD)["password"], "acceptance-hunter3");
    hold(session, &json!({ HELD: null }));
    session.plan().must(action::UPDATE, BY_VALUE);
    session.apply();
    assert_eq!(login(session, HELD)["password"], "acceptance-hunter3");
    session.remove("value.tf");
    session.apply();
    assert!(held(session)[HELD].is_null());
}

fn closed(session: &mut Session) {
    session.apply();
    let state = session.state(SECRET);
    let secret = held(session)[HELD].clone();
    let fault = json!({
        "match": { "method": "POST", "path": "*/runCommand" }, "count": null,
        "effect": { "answer": { "status": 403, "code": "AuthorizationFailed", "message": "no" } },
    });
    session.sandbox.fault(&fault);
    session.plan().must_be_empty("what cannot be seen");
    session.run(&["plan"]).must_say(&[
        "the pull secret team-pull could not be looked at, and the state is kept",
        "Azure did not run a command in the cluster",
        "runCommand/action",
    ]);
    session.apply();
    assert_eq!(session.state(SECRET), state);
    session
        .run(&["destroy", "-auto-approve", "-target", SECRET])
        .must_fail_saying(&["pull secret team-pull cannot be deleted", "state rm"]);
    assert_eq!(session.state(SECRET)["uid"], state["uid"]);
    session.sandbox.control(Method::DELETE, "/faults", None);

    edit_cluster(
        session,
        &json!({ "apiServerAccessProfile": { "disableRunCommand": true } }),
    );
    session.set("run_command_enabled", "false");
    session
        .plan()
        .must_be_empty("a cluster that runs no commands");
    session.run(&["plan"]).must_say(&[
        "run command is disabled for the cluster",
        "run_command_enabled = true",
    ]);
    session.set("release", "2");
    session
        .run(&["plan"])
        .must_fail_saying(&["run command is disabled for the cluster"]);
    session.set("release", "1");
    session.set("run_command_enabled", "true");
    edit_cluster(
        session,
        &json!({ "apiServerAccessProfile": { "disableRunCommand": false } }),
    );
    session.plan().must_be_empty("what can be seen again");
    assert_eq!(held(session)[HELD], secret);
}

fn import(session: &mut Session) {
    session.apply();
    let state = session.state(SECRET);
    session.forget(SECRET);
    session
        .run(&[
            "import",
            SECRET,
            &format!("{}/namespaces/apps/secrets/nobody", cluster()),
        ])
        .must_fail_saying(&["non-existent"]);
    session
        .run(&["import", SECRET, &cluster()])
        .must_fail_saying(&["fkaks_pull_secret is not imported by an id of"]);
    session.import(SECRET, state["id"].as_str().unwrap());
    let secret = held(session)[HELD].clone();
    session.apply();
    assert_eq!(held(session)[HELD], secret, "nothing had to be written");
    assert_eq!(session.state(SECRET)["checksum"], state["checksum"]);
    session.plan().must_be_empty("an import");
}

fn foreign(session: &mut Session) {
    session.apply();
    let theirs = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": { "name": "theirs", "namespace": "apps", "uid": "6f1d2ab7-0000-4000-8000-000000000001" },
        "data": { ".dockerconfigjson": STANDARD.encode(r#"{"auths":{}}"#) },
    });
    hold(session, &json!({ "Secret/apps/theirs": theirs }));
    session.set("name", "theirs");
    session.run(&["plan"]).must_fail_saying(&[
        "the secret theirs in apps: it exists already, and is someone else's",
        "import {",
    ]);
    session.set("name", "team-pull");
    session.plan().must_be_empty("the name from before");
    assert_eq!(held(session)["Secret/apps/theirs"], theirs);
}

fn failed(session: &mut Session) {
    session.set("create_namespace", "false");
    session
        .run(&["apply", "-auto-approve", "-target=fkaks_cluster.aks"])
        .must_succeed();
    session
        .run(&["plan"])
        .must_say(&["the cluster has no namespace apps yet"]);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "the cluster has no namespace apps",
        "create_namespace = true",
    ]);
    session.set("create_namespace", "true");
    // Nobody lets the nodes read the secret.
    session.set("manage_role_assignments", "false");
    session
        .run(&["plan"])
        .must_say(&["no role assignment of their own lets the nodes read the secret"]);
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "the command in the cluster failed",
        "curl: (22) The requested URL returned error: 403",
        "Key Vault Secrets User",
    ]);
    assert!(held(session)[HELD].is_null());
    session.set("manage_role_assignments", "true");
    session.apply();
    session.plan().must_be_empty("what failed before");
}

fn mistakes(session: &mut Session) {
    session.write(
        "mistakes.tf",
        r#"
resource "fkaks_pull_secret" "both" {
  cluster_id                    = local.vault
  namespace                     = "Apps"
  name                          = "-pull"
  key_vault_secret_id           = local.vault
  key_vault_secret_uri          = "https://example.com/secrets/a/b"
  identity_client_id            = "nodes"
  docker_config_json_wo_version = 1
}

resource "fkaks_pull_secret" "neither" {
  cluster_id         = "${local.group}/providers/Microsoft.ContainerService/managedClusters/aks"
  namespace          = "apps"
  name               = "pull"
  identity_client_id = "22222222-2222-2222-2222-222222222222"
}

resource "fkaks_pull_secret" "another" {
  cluster_id           = "${local.group}/providers/Microsoft.ContainerService/managedClusters/aks"
  namespace            = "apps"
  name                 = "pull"
  key_vault_secret_id  = "${local.vault}/secrets/one"
  key_vault_secret_uri = "https://kv-images.vault.azure.net/secrets/two/0123456789abcdef0123456789abcdef"
}
"#,
    );
    session.run(&["plan"]).must_fail_saying(&[
        "an id of Microsoft.ContainerService/managedClusters is needed here",
        "\"Apps\" is no namespace",
        "\"-pull\" is no name of a secret",
        "an id of Microsoft.KeyVault/vaults/secrets is needed here",
        "\"nodes\" is no client id",
        "a write-only value and its version go together",
        "the secret would have nothing in it",
        "identity_client_id is about a key vault secret, and there is none",
        "this is no version of the key vault secret",
    ]);
    session.remove("mistakes.tf");
    session.apply();
}
