//! What is decided of facts: what is written how, what is drift, and what is known where nobody can look.
#![allow(clippy::unwrap_used)]

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tfplugin_rs::framework::Diagnostics;

use super::*;
use crate::arm::Command;
use crate::provider::parts::{Deed, Question, Refusal, Request, check_alone};

mod reading;

const URI: &str = "https://kv.vault.azure.net/secrets/team-pull/0123456789abcdef0123456789abcdef";
const NEWER: &str = "https://kv.vault.azure.net/secrets/team-pull/fedcba9876543210fedcba9876543210";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn group() -> ArmId {
    ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
}

fn cluster() -> ArmId {
    group().resource(CLUSTER, "aks")
}

fn vault_secret() -> ArmId {
    group()
        .resource("Microsoft.KeyVault/vaults", "kv")
        .child("secrets", "team-pull")
}

fn vault() -> ArmId {
    vault_secret().parent().unwrap()
}

/// A vault that does not ask for roles.
fn with_policies(policies: &Json) -> Json {
    json!({ "id": vault(), "properties": {
        "enableRbacAuthorization": false, "accessPolicies": policies,
    } })
}

fn policy(object: &str, word: &str) -> Json {
    json!({ "objectId": object, "permissions": { "secrets": [word] } })
}

fn cluster_body() -> Json {
    json!({
        "id": cluster(),
        "properties": {
            "powerState": { "code": "Running" },
            "aadProfile": { "managed": true },
            "identityProfile": { "kubeletidentity": { "clientId": "c1", "objectId": "o1" } },
        },
    })
}

fn config() -> Json {
    json!({
        "cluster_id": cluster(), "namespace": "apps", "name": "team-pull", "create_namespace": false,
        "manage_role_assignments": true, "key_vault_secret_id": vault_secret(),
    })
}

fn of_value(version: i64) -> Json {
    json!({
        "cluster_id": cluster(), "namespace": "apps", "name": "team-pull", "create_namespace": false,
        "manage_role_assignments": true, "docker_config_json_wo": r#"{"auths":{"r":{"password":"hunter2"}}}"#,
        "docker_config_json_wo_version": version,
    })
}

fn input(config: &Json) -> Input {
    serde_json::from_value(config.clone()).unwrap()
}

/// What a look prints of a secret with these marks.
fn held(uid: &str, kind: &str, owner: &str, source: &str, checksum: &str) -> String {
    format!(
        "fkaks.namespace=apps\nfkaks.uid={uid}\nfkaks.type={kind}\nfkaks.owner={owner}\nfkaks.source={source}\n{checksum}  -\n"
    )
}

fn ours(source: &str, checksum: &str) -> String {
    held("u1", script::TYPE, "fkaks", source, checksum)
}

fn state(source: &str) -> Json {
    json!({ "uid": "u1", "source": source, "checksum": "c0ffee" })
}

fn result(code: i64, logs: &str) -> Json {
    json!({ "id": "r", "properties": { "provisioningState": "Succeeded", "exitCode": code, "logs": logs } })
}

fn question(input: &Input) -> Question {
    let salt = input.id().as_str().to_lowercase();
    Question::Command(inside::command(
        input,
        &cluster_body(),
        script::look(input, &salt),
    ))
}

/// The cluster, the vault's secret, and what a look inside prints.
fn seen(input: &Input, code: i64, logs: &str) -> Seen {
    let secret = json!({ "properties": { "secretUriWithVersion": URI } });
    Seen::of([
        (cluster(), Some(cluster_body())),
        (vault_secret(), Some(secret)),
        (vault(), Some(with_policies(&json!([policy("o1", "Get")])))),
    ])
    .with_answer(question(input), result(code, logs))
}

fn ran(deed: Option<Deed>) -> (Command, String) {
    match deed.map(|deed| deed.request) {
        Some(Request::Run(command, context)) => (command, context.expose().to_owned()),
        _ => panic!("a command should run"),
    }
}

fn refused(deed: Option<Deed>) -> Refusal {
    match deed.map(|deed| deed.request) {
        Some(Request::Refuse(refusal)) => refusal,
        _ => panic!("it should be refused"),
    }
}

fn observed(input: &Input, seen: &Seen) -> Observed<PullSecret> {
    observe::observe(&input.id(), Some(input), seen).unwrap()
}

#[test]
fn a_missing_secret_is_written_from_the_vault_as_the_caller_and_the_command_has_no_value() {
    let input = input(&config());
    let seen = seen(&input, 0, &format!("fkaks.namespace=apps\n{EMPTY}  -\n"));
    let (command, context) = ran(writing::next(&input, &seen).unwrap());
    assert!(command.as_caller && context.is_empty());
    for part in [
        "resource=https%3A%2F%2Fvault.azure.net&client_id=c1'",
        URI,
        "--type=kubernetes.io/dockerconfigjson",
        "kubectl apply --server-side",
    ] {
        assert!(command.text.contains(part), "{part}: {}", command.text);
    }
    assert!(!command.text.contains('\n') && !command.text.contains("create namespace"));
    // It is there then, whatever its checksum is.
    let done = seen.with_answer(question(&input), result(0, &ours(URI, "abc")));
    let done = done.with_note("result", result(0, "secret/team-pull serverside-applied"));
    assert!(writing::next(&input, &done).unwrap().is_none());
    let known = observed(&input, &done);
    assert_eq!(known.output.checksum.as_deref(), Some("abc"));
    assert!(known.drift.is_empty() && known.found);
}

#[test]
fn a_write_only_value_goes_in_the_context_alone() {
    let input = input(&of_value(3));
    let seen = seen(&input, 0, &format!("fkaks.namespace=apps\n{EMPTY}  -\n"));
    let (command, context) = ran(writing::next(&input, &seen).unwrap());
    assert!(!command.text.contains("hunter2"));
    let bytes = std::io::Cursor::new(STANDARD.decode(context).unwrap());
    let mut archive = zip::ZipArchive::new(bytes).unwrap();
    let mut text = String::new();
    archive
        .by_name("secret.json")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let manifest: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(
        manifest["metadata"]["annotations"]["fkaks.io/source"],
        "version 3"
    );
    let data = manifest["data"][".dockerconfigjson"].as_str().unwrap();
    assert!(
        String::from_utf8(STANDARD.decode(data).unwrap())
            .unwrap()
            .contains("hunter2")
    );
    assert!(!format!("{input:?}").contains("hunter2"));
    assert!(
        !serde_json::to_string(&input)
            .unwrap()
            .contains("docker_config_json_wo\"")
    );
}

#[test]
fn what_others_did_is_drift_until_it_is_written_again() {
    let mut config = config();
    for (name, value) in state(URI).as_object().unwrap() {
        config[name] = value.clone();
    }
    let input = input(&config);
    let of = |logs: &str| observed(&input, &seen(&input, 0, logs));
    assert!(of(&ours(URI, "c0ffee")).drift.is_empty());
    for (logs, reason) in [
        (ours(URI, "other"), "checksum"),
        (ours("version 1", "c0ffee"), "should be from"),
        (held("u1", "Opaque", "fkaks", URI, "c0ffee"), "type Opaque"),
        (held("u1", script::TYPE, "", URI, "c0ffee"), "label"),
        (
            held("u2", script::TYPE, "fkaks", URI, "c0ffee"),
            "made anew",
        ),
        (
            format!("fkaks.namespace=apps\n{EMPTY}  -\n"),
            "is not in the namespace",
        ),
    ] {
        let found = of(&logs);
        assert_eq!(found.drift.len(), 1, "{reason}: {:?}", found.drift);
        assert!(found.drift[0].contains(reason), "{:?}", found.drift);
        assert_eq!(found.output.checksum.as_deref(), Some("c0ffee"));
        assert_eq!(found.output.uid.as_deref(), Some("u1"));
        let facts = seen(&input, 0, &logs).with_prior(state(URI));
        let (command, _) = ran(writing::next(&input, &facts).unwrap());
        assert_eq!(
            command.text.starts_with("kubectl delete secret"),
            reason == "type Opaque"
        );
    }
    let facts = seen(&input, 0, &ours(URI, "c0ffee")).with_prior(state(URI));
    assert!(writing::next(&input, &facts).unwrap().is_none());
}

#[test]
fn a_given_version_is_wanted_whatever_the_vault_shows() {
    let mut config = config();
    config["key_vault_secret_uri"] = json!(NEWER);
    let input = input(&config);
    let mut facts = seen(&input, 0, &ours(URI, "c0ffee")).with_prior(state(URI));
    facts.deny(&vault_secret());
    let (command, _) = ran(writing::next(&input, &facts).unwrap());
    assert!(command.text.contains(NEWER) && !command.text.contains(URI));
    // The token of the nodes goes to no other host, also where the plan did not know the address.
    config["key_vault_secret_uri"] = json!("https://kv.vault.azure.net.evil.example/a");
    let input = self::input(&config);
    let facts = seen(&input, 0, &ours(URI, "c0ffee")).with_prior(state(URI));
    let refusal = refused(writing::next(&input, &facts).unwrap());
    assert!(refusal.why.contains("no version"), "{}", refusal.why);
}

#[test]
fn nothing_of_someone_else_is_overwritten_or_deleted() {
    let input = input(&config());
    let theirs = held("u9", script::TYPE, "helm", "", "abc");
    let facts = seen(&input, 0, &theirs);
    let refusal = refused(writing::next(&input, &facts).unwrap());
    assert!(refusal.why.contains("someone else's"), "{}", refusal.why);
    let facts = seen(&input, 0, &theirs).with_prior(state(URI));
    let refusal = refused(writing::next(&input, &facts).unwrap());
    assert!(refusal.fix.contains("import {"), "{}", refusal.fix);
    assert!(writing::remove(&input, &facts).unwrap().is_none());
    // One that an imported state knows is taken over.
    let known = json!({ "uid": "u9", "source": "", "checksum": "abc" });
    let facts = seen(&input, 0, &theirs).with_prior(known);
    ran(writing::next(&input, &facts).unwrap());
}

#[test]
fn where_nobody_can_look_nothing_is_gone_and_nothing_is_deleted() {
    let mut config = config();
    for (name, value) in state(URI).as_object().unwrap() {
        config[name] = value.clone();
    }
    let input = input(&config);
    let stopped = || {
        let mut body = cluster_body();
        body["properties"]["powerState"]["code"] = json!("Stopped");
        body
    };
    let mut disabled = cluster_body();
    disabled["properties"]["apiServerAccessProfile"] = json!({ "disableRunCommand": true });
    let mut cases = Vec::new();
    for (body, why) in [(stopped(), "stopped"), (disabled, "disabled")] {
        let mut facts = seen(&input, 0, "");
        facts.insert(&cluster(), body);
        cases.push((facts, why));
    }
    let mut denied = seen(&input, 0, "");
    denied.deny_answer(question(&input));
    cases.push((denied, "did not run"));
    cases.push((
        seen(&input, 1, "Error from server (Forbidden): no\n"),
        "Forbidden",
    ));
    // The first look has seen the secret, and the second one nothing.
    cases.push((seen(&input, 0, &ours(URI, EMPTY)), "changed while"));
    for (facts, why) in cases {
        let found = observed(&input, &facts);
        assert!(found.found && found.drift.is_empty(), "{why}");
        assert_eq!(found.output.checksum.as_deref(), Some("c0ffee"), "{why}");
        assert!(found.warnings[0].1.contains(why), "{:?}", found.warnings);
        let refusal = refused(writing::remove(&input, &facts).unwrap());
        assert!(refusal.fix.contains("state rm"), "{}", refusal.fix);
        refused(writing::next(&input, &facts).unwrap());
    }
    let mut unread = seen(&input, 0, "");
    unread.deny(&cluster());
    refused(writing::remove(&input, &unread).unwrap());
    let gone = Seen::of([(cluster(), None)]);
    assert!(writing::remove(&input, &gone).unwrap().is_none());
}

#[test]
fn a_command_that_went_wrong_is_told_with_its_complaints_and_nothing_else() {
    let input = input(&config());
    let logs = "curl: (22) The requested URL returned error: 403\n{\"value\":\"hunter2\"}\nerror: no objects passed to apply\n";
    let facts = seen(&input, 0, &format!("fkaks.namespace=apps\n{EMPTY}  -\n"))
        .with_note("result", result(1, logs));
    let refusal = refused(writing::next(&input, &facts).unwrap());
    assert_eq!(refusal.evidence.len(), 2, "{:?}", refusal.evidence);
    assert!(!format!("{refusal:?}").contains("hunter2"));
    assert!(refusal.fix.contains("Key Vault Secrets User"));
    // One that went well in vain is tried again, and not for ever.
    let mut facts = seen(&input, 0, &ours(URI, "c0ffee"));
    for _ in 0..3 {
        ran(writing::remove(&input, &facts).unwrap());
        facts = facts.with_note("result", result(0, ""));
    }
    let refusal = refused(writing::remove(&input, &facts).unwrap());
    assert!(refusal.why.contains("went well"), "{}", refusal.why);
}

#[test]
fn a_namespace_is_made_where_it_is_missing_and_wanted() {
    let mut config = config();
    let missing = format!("{EMPTY}  -\n");
    let wanted = input(&config);
    let refusal = refused(writing::next(&wanted, &seen(&wanted, 0, &missing)).unwrap());
    assert!(refusal.fix.contains("create_namespace = true"));
    config["create_namespace"] = json!(true);
    let wanted = input(&config);
    let (command, _) = ran(writing::next(&wanted, &seen(&wanted, 0, &missing)).unwrap());
    assert!(
        command
            .text
            .starts_with("kubectl create namespace 'apps' --dry-run=client")
    );
}

#[test]
fn an_id_is_the_cluster_s_with_namespace_and_name() {
    let id = input(&config()).id();
    assert_eq!(
        of_id(&id),
        Some((cluster(), "apps".to_owned(), "team-pull".to_owned()))
    );
    assert_eq!(PullSecret::anchor(&id), cluster());
    assert!(PullSecret::imported(&id).is_some());
    assert!(PullSecret::imported(&cluster()).is_none());
    let wrong = cluster()
        .child("namespaces", "Apps")
        .child("secrets", "team-pull");
    assert!(PullSecret::imported(&wrong).is_none());
}

fn mistakes(config: &Json) -> Vec<String> {
    let mut diagnostics = Diagnostics::new();
    let value = PullSecret::SCHEMA.value_from_json(config).unwrap();
    check::validate(&value, &mut diagnostics);
    diagnostics
        .iter()
        .map(|one| format!("{}: {}", one.path, one.summary))
        .collect()
}

#[test]
fn mistakes_are_found_before_anything_is_asked() {
    assert_eq!(mistakes(&config()), Vec::<String>::new());
    assert_eq!(mistakes(&of_value(1)), Vec::<String>::new());
    let mut both = of_value(1);
    both["key_vault_secret_id"] = json!(vault_secret());
    assert_eq!(mistakes(&both).len(), 1);
    let mut wrong = of_value(1);
    wrong["docker_config_json_wo"] = json!("{}");
    assert!(mistakes(&wrong)[0].contains("no Docker configuration"));
    let mut uri = config();
    for wrong in [
        "https://evil.example/secrets/team-pull/1",
        "https://kv.evil.example/secrets/team-pull/1",
        "https://other.vault.azure.net/secrets/team-pull/1",
        "https://kv.vault.azure.net/secrets/other/1",
        "https://kv.vault.azure.net/secrets/team-pull",
        "http://kv.vault.azure.net/secrets/team-pull/1",
        "https://kv.vault.azure.net@evil.example/secrets/team-pull/1",
    ] {
        uri["key_vault_secret_uri"] = json!(wrong);
        assert_eq!(mistakes(&uri).len(), 1, "{wrong}");
    }
    uri["key_vault_secret_uri"] = json!(URI);
    assert_eq!(mistakes(&uri), Vec::<String>::new());
    for (name, right) in [("apps", true), ("a.b", false), ("-a", false), ("", false)] {
        assert_eq!(schema::namespace(name).is_ok(), right, "{name}");
    }
    for (name, right) in [
        ("a.b-c", true),
        ("A", false),
        ("a..b", false),
        ("a-", false),
    ] {
        assert_eq!(schema::name(name).is_ok(), right, "{name}");
    }
    assert!(schema::namespace(&"a".repeat(64)).is_err() && schema::name(&"a".repeat(254)).is_err());
}

#[test]
fn a_plan_says_that_a_name_is_taken_and_that_a_cluster_runs_no_commands() {
    let input = input(&config());
    let plan = PullSecret::SCHEMA.value_from_json(&config()).unwrap();
    let told = |seen: &Seen, prior: Option<&Value>| -> Vec<String> {
        let found = check_alone::<PullSecret>(&plan, prior, seen).unwrap();
        found
            .iter()
            .map(|one| format!("{}: {}", one.path, one.summary))
            .collect()
    };
    let theirs = seen(&input, 0, &held("u9", script::TYPE, "", "", "abc"));
    assert!(told(&theirs, None)[0].starts_with("name: "));
    assert!(told(&theirs, Some(&plan)).is_empty());
    let mut stopped = seen(&input, 0, "");
    let mut body = cluster_body();
    body["properties"]["powerState"]["code"] = json!("Stopped");
    stopped.insert(&cluster(), body);
    assert_eq!(
        told(&stopped, Some(&plan)),
        ["cluster_id: the cluster is stopped"]
    );
    // A cluster and a vault secret that the same apply makes are not there yet.
    let early = Seen::of([(cluster(), None), (vault_secret(), None)]);
    assert!(told(&early, None).is_empty());
}
