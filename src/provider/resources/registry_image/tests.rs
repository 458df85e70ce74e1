//! What is decided of facts: what is imported how, what is drift, what is deleted, and what is known
//! where nothing can be seen.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use serde_json::json;
use tfplugin_rs::framework::Diagnostics;

use super::*;
use crate::arm::Json;
use crate::provider::parts::{Deed, Evidence, Question, Request, check_alone};

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const HOST: &str = "fkacr.azurecr.io";

fn registry(name: &str) -> ArmId {
    ArmId::group("00000000-0000-0000-0000-000000000001", "rg").resource(REGISTRY, name)
}

fn body(name: &str) -> Json {
    json!({
        "id": registry(name), "name": name,
        "properties": { "loginServer": format!("{name}.azurecr.io") },
    })
}

fn config(image: &str, tags: &[&str]) -> Json {
    json!({
        "registry_id": registry("fkacr"), "source": { "image": image }, "target_tags": tags,
        "force": false, "delete_on_destroy": false,
    })
}

fn input(config: &Json) -> Input {
    serde_json::from_value(config.clone()).unwrap()
}

/// The registry, and what it holds, asked for exactly these.
fn reachable(digests: Json) -> Seen {
    let references = digests.as_object().unwrap().keys().cloned().collect();
    answered(references, json!({ "unseen": null, "digests": digests }))
}

/// The registry, which lets nobody in who asks for these.
fn closed(references: &[&str]) -> Seen {
    let references = references.iter().map(|text| (*text).to_owned()).collect();
    answered(
        references,
        json!({ "unseen": format!("{HOST} answered 403: DENIED"), "digests": {} }),
    )
}

fn answered(references: BTreeSet<String>, answer: Json) -> Seen {
    let login_server = HOST.to_owned();
    let question = Question::Images {
        login_server,
        references,
    };
    Seen::of([(registry("fkacr"), Some(body("fkacr")))]).with_answer(question, answer)
}

fn sent(deed: Option<Deed>) -> Json {
    match deed.map(|deed| deed.request) {
        None => Json::Null,
        Some(Request::Post(action, body)) => {
            assert_eq!(action, "importImage");
            body
        }
        Some(Request::DeleteImage(host, reference)) => json!(format!("{host} {reference}")),
        Some(Request::Patch(_) | Request::Put(_) | Request::Run(..) | Request::Refuse(_)) => {
            panic!("no object is written")
        }
    }
}

fn observed(input: &Input, seen: &Seen) -> Observed<RegistryImage> {
    observe::observe(&input.registry_id, Some(input), seen).unwrap()
}

const NGINX: &str = "docker.io/library/nginx:1.27";

#[test]
fn what_is_missing_is_imported_in_one_request_and_what_is_there_counts_as_present() {
    let input = input(&config(NGINX, &["nginx:1.27", "nginx:1", "nginx:stable"]));
    let seen = reachable(json!({ "nginx:1.27": null, "nginx:1": null, "nginx:stable": A }));
    assert_eq!(
        sent(images::remaining(&input, &seen).unwrap()),
        json!({
            "source": { "registryUri": "docker.io", "sourceImage": "library/nginx:1.27" },
            "targetTags": ["nginx:1", "nginx:1.27"], "mode": "NoForce",
        })
    );
    let seen = reachable(json!({ "nginx:1.27": A, "nginx:1": A, "nginx:stable": A }));
    assert_eq!(sent(images::remaining(&input, &seen).unwrap()), Json::Null);
}

#[test]
fn where_nothing_can_be_seen_each_target_has_a_request_of_its_own() {
    let mut written = config(NGINX, &["nginx:1.27", "nginx:1"]);
    written["untagged_target_repositories"] = json!(["nginx"]);
    let input = input(&written);
    let asked = ["nginx:1.27", "nginx:1"];
    let next = |seen: &Seen| sent(images::remaining(&input, seen).unwrap());
    assert_eq!(
        next(&closed(&asked))["untaggedTargetRepositories"],
        json!(["nginx"])
    );
    let seen = closed(&asked).with_note("imported", json!(["nginx"]));
    assert_eq!(next(&seen)["targetTags"], json!(["nginx:1"]));
    let seen = seen.with_note("present", json!(["nginx:1"]));
    assert_eq!(next(&seen)["targetTags"], json!(["nginx:1.27"]));
    let seen = seen.with_note("imported", json!(["nginx:1.27"]));
    assert_eq!(next(&seen), Json::Null);

    let found = observed(&input, &seen);
    assert!(found.drift.is_empty(), "{:?}", found.drift);
    assert!(!found.output.verified);
    assert!(
        found
            .output
            .verified_reason
            .contains("answered 403: DENIED")
    );
    let imported = |target: &str| found.output.images[target].imported;
    assert!(imported("nginx") && imported("nginx:1.27") && !imported("nginx:1"));
}

#[test]
fn what_is_known_is_kept_while_it_cannot_be_seen_and_what_was_never_imported_is_drift() {
    let mut state = config(NGINX, &["nginx:1.27", "nginx:1"]);
    state["images"] = json!({ "nginx:1.27": { "digest": A, "imported": true } });
    let input = input(&state);
    let found = observed(&input, &closed(&["nginx:1.27", "nginx:1"]));
    assert_eq!(found.drift, ["nginx:1 has not been imported yet"]);
    assert_eq!(found.output.images.len(), 1);
    assert_eq!(found.output.images["nginx:1.27"].digest.as_deref(), Some(A));
}

#[test]
fn a_tag_that_moved_or_went_is_drift_and_imported_again() {
    let mut state = config(NGINX, &["nginx:1.27", "nginx:1"]);
    state["images"] = json!({
        "nginx:1.27": { "digest": A, "imported": true },
        "nginx:1": { "digest": A, "imported": false },
    });
    let input = input(&state);
    let seen = reachable(json!({ "nginx:1.27": B, "nginx:1": null }));
    let found = observed(&input, &seen);
    assert_eq!(
        found.drift,
        [
            format!("nginx:1 is not in {HOST}"),
            format!("nginx:1.27 in {HOST} has moved: it leads to {B}, and should lead to {A}"),
        ]
    );
    assert_eq!(found.output.images["nginx:1.27"].digest.as_deref(), Some(A));
    assert_eq!(
        images::there(&input, &seen).unwrap(),
        Evidence::Waiting(format!("nginx:1 is not in {HOST}"))
    );

    let seen = seen.with_prior(state);
    let first = sent(images::remaining(&input, &seen).unwrap());
    assert_eq!(
        (&first["targetTags"], &first["mode"]),
        (&json!(["nginx:1"]), &json!("NoForce"))
    );
    let seen = seen.with_note("imported", json!(["nginx:1"]));
    let second = sent(images::remaining(&input, &seen).unwrap());
    assert_eq!(
        (&second["targetTags"], &second["mode"]),
        (&json!(["nginx:1.27"]), &json!("Force"))
    );
    let seen = seen.with_note("imported", json!(["nginx:1.27"]));
    let found = observed(&input, &seen);
    assert_eq!(found.output.images["nginx:1.27"].digest.as_deref(), Some(B));
}

#[test]
fn another_source_replaces_what_is_known_and_force_replaces_everything() {
    let mut state = config(NGINX, &["nginx:1"]);
    state["images"] = json!({ "nginx:1": { "digest": A, "imported": true } });
    let other = input(&config(
        &format!("docker.io/library/nginx@{B}"),
        &["nginx:1"],
    ));
    let seen = reachable(json!({ "nginx:1": A })).with_prior(state.clone());
    assert_eq!(
        sent(images::remaining(&other, &seen).unwrap()),
        json!({
            "source": { "registryUri": "docker.io", "sourceImage": format!("library/nginx@{B}") },
            "targetTags": ["nginx:1"], "mode": "Force",
        })
    );
    let same = input(&config(NGINX, &["nginx:1"]));
    assert_eq!(sent(images::remaining(&same, &seen).unwrap()), Json::Null);
    let mut forced = config(NGINX, &["nginx:1"]);
    forced["force"] = json!(true);
    let forced = input(&forced);
    assert_eq!(
        sent(images::remaining(&forced, &seen).unwrap())["mode"],
        "Force"
    );
    // An import of the resource leaves the source open, which is no other one.
    state["source"] = Json::Null;
    state["images"] = json!({});
    let imported = reachable(json!({ "nginx:1": A })).with_prior(state);
    assert_eq!(
        sent(images::remaining(&same, &imported).unwrap()),
        Json::Null
    );
}

#[test]
fn a_source_by_id_and_one_with_a_password_are_sent_as_azure_wants_them_and_shown_to_nobody() {
    let mut by_id = config("team/app:1", &["app:1"]);
    by_id["source"]["registry_id"] = json!(registry("hub"));
    let seen = || reachable(json!({ "app:1": null }));
    assert_eq!(
        sent(images::remaining(&input(&by_id), &seen()).unwrap())["source"],
        json!({ "resourceId": registry("hub"), "sourceImage": "team/app:1" })
    );
    let mut private = config("ghcr.io/team/app:1", &["app:1"]);
    private["source"]["username"] = json!("robot");
    private["source"]["password_wo"] = json!("hunter2");
    let private = input(&private);
    assert_eq!(
        sent(images::remaining(&private, &seen()).unwrap())["source"],
        json!({
            "registryUri": "ghcr.io", "sourceImage": "team/app:1",
            "credentials": { "username": "robot", "password": "hunter2" },
        })
    );
    let shown = format!("{private:?} {}", serde_json::to_string(&private).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn only_what_this_resource_imported_and_nobody_moved_is_deleted_and_only_where_it_should_be() {
    let mut state = config(NGINX, &["a:1", "b:1", "c:1"]);
    state["images"] = json!({
        "a:1": { "digest": A, "imported": true },
        "b:1": { "digest": A, "imported": false },
        "c:1": { "digest": A, "imported": true },
    });
    let quiet = input(&state);
    assert_eq!(
        sent(images::left(&quiet, &Seen::default()).unwrap()),
        Json::Null
    );
    state["delete_on_destroy"] = json!(true);
    let input = input(&state);
    let (a, c) = (format!("a@{A}"), format!("c@{A}"));
    let holds = |tag: Json| {
        let mut digests = json!({ "a:1": tag, "c:1": B });
        digests[&a] = json!(A);
        digests[&c] = json!(null);
        reachable(digests)
    };
    let next = |seen: &Seen| sent(images::left(&input, seen).unwrap());
    assert_eq!(next(&holds(json!(A))), json!(format!("{HOST} a:1")));
    let seen = holds(json!(null)).with_note("deleted", json!(["a:1"]));
    assert_eq!(next(&seen), json!(format!("{HOST} {a}")));
    // A manifest with tags of others stays, and is not tried again.
    let seen = seen.with_note("deleted", json!([a]));
    assert_eq!(next(&seen), Json::Null);
    // What cannot be seen is tried, so that its failure says why.
    let seen = closed(&["a:1", "c:1", &a, &c]);
    assert_eq!(next(&seen), json!(format!("{HOST} a:1")));
}

#[test]
fn a_tag_that_is_wanted_no_more_is_forgotten_or_deleted() {
    let mut state = config(NGINX, &["a:1", "b:1"]);
    state["images"] = json!({ "a:1": { "digest": A, "imported": true }, "b:1": { "digest": A, "imported": true } });
    let mut wanted = config(NGINX, &["a:1"]);
    let seen = reachable(json!({ "a:1": A })).with_prior(state.clone());
    assert_eq!(
        sent(images::remaining(&input(&wanted), &seen).unwrap()),
        Json::Null
    );
    wanted["delete_on_destroy"] = json!(true);
    let mut digests = json!({ "a:1": A, "b:1": A });
    digests[format!("b@{A}")] = json!(A);
    let seen = reachable(digests).with_prior(state);
    assert_eq!(
        sent(images::remaining(&input(&wanted), &seen).unwrap()),
        json!(format!("{HOST} b:1"))
    );
}

#[test]
fn an_image_without_a_tag_is_seen_by_the_digest_of_its_source_or_not_at_all() {
    let mut written = config(&format!("docker.io/library/nginx@{A}"), &[]);
    written["target_tags"] = Json::Null;
    written["untagged_target_repositories"] = json!(["nginx"]);
    let mut there = json!({});
    there[format!("nginx@{A}")] = json!(A);
    let found = observed(&input(&written), &reachable(there));
    assert!(found.output.verified && found.drift.is_empty());
    assert_eq!(found.output.images["nginx"].digest.as_deref(), Some(A));
    written["source"]["image"] = json!(NGINX);
    written["images"] = json!({ "nginx": { "digest": null, "imported": true } });
    let found = observed(&input(&written), &reachable(json!({})));
    assert!(!found.output.verified && found.drift.is_empty());
    assert!(found.output.verified_reason.contains("by its digest"));
}

fn told(config: &Json, seen: &Seen) -> String {
    let planned = RegistryImage::SCHEMA.value_from_json(config).unwrap();
    let told = check_alone::<RegistryImage>(&planned, None, seen).unwrap();
    text(&told)
}

fn text(told: &Diagnostics) -> String {
    let lines = told
        .iter()
        .map(|one| format!("{}: {}\n{}", one.path, one.summary, one.detail));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_source_registry_that_refuses_or_is_not_there_is_found_at_plan() {
    let mut written = config("team/app:1", &["app:1"]);
    written["source"]["registry_id"] = json!(registry("hub"));
    let with = |properties: Json| {
        let mut hub = body("hub");
        hub["properties"] = properties;
        Seen::of([(registry("hub"), Some(hub))])
    };
    let open = with(json!({ "publicNetworkAccess": "Enabled" }));
    assert_eq!(told(&written, &open), "");
    let private =
        json!({ "publicNetworkAccess": "Disabled", "networkRuleBypassOptions": "AzureServices" });
    assert_eq!(told(&written, &with(private)), "");
    let closed = json!({
        "networkRuleSet": { "defaultAction": "Deny" }, "networkRuleBypassOptions": "None",
        "policies": { "exportPolicy": { "status": "disabled" } },
    });
    let said = told(&written, &with(closed));
    assert!(
        said.contains("source.registry_id: the source registry lets no import in"),
        "{said}"
    );
    assert!(
        said.contains("its firewall denies") && said.contains("AzureServices"),
        "{said}"
    );
    assert!(said.contains("export policy is disabled"), "{said}");
    let nowhere = Seen::of([(registry("hub"), None)]);
    assert!(told(&written, &nowhere).contains("the source registry does not exist"));

    let by_host = config("nobodyhas.azurecr.io/app:1", &["app:1"]);
    let subscription = ArmId::subscription("00000000-0000-0000-0000-000000000001");
    let question = Question::action(
        &subscription,
        "providers/Microsoft.ContainerRegistry/checkNameAvailability",
        &json!({ "name": "nobodyhas", "type": REGISTRY }),
    );
    let seen = |free: bool| {
        Seen::default()
            .with_list(&subscription, &format!("providers/{REGISTRY}"), Vec::new())
            .with_answer(question.clone(), json!({ "nameAvailable": free }))
    };
    assert_eq!(told(&by_host, &seen(false)), "");
    let said = told(&by_host, &seen(true));
    assert!(
        said.contains("source.image: the source registry does not exist"),
        "{said}"
    );
}

#[test]
fn a_tag_that_leads_elsewhere_than_the_digest_of_the_source_is_found_at_plan() {
    let written = config(
        &format!("docker.io/library/nginx@{A}"),
        &["nginx:1", "nginx:2"],
    );
    let said = told(&written, &reachable(json!({ "nginx:1": B, "nginx:2": A })));
    assert!(
        said.contains("nginx:1 is there already, and another image"),
        "{said}"
    );
    assert!(
        said.contains(A) && said.contains(B) && said.contains("force = true"),
        "{said}"
    );
    assert!(!said.contains("nginx:2"), "{said}");
    assert_eq!(told(&written, &closed(&["nginx:1", "nginx:2"])), "");
}

#[test]
fn references_that_do_not_fit_together_are_found_at_validate() {
    let validated = |config: Json| {
        let mut diagnostics = Diagnostics::new();
        let value = RegistryImage::SCHEMA.value_from_json(&config).unwrap();
        check::validate(&value, &mut diagnostics);
        text(&diagnostics)
    };
    assert_eq!(validated(config(NGINX, &["nginx:1"])), "");
    for (image, why) in [
        ("nginx:1", "docker.io/library/nginx:1"),
        ("docker.io/nginx:1", "docker.io/library/nginx:1"),
        (
            "registry-1.docker.io/library/nginx:1",
            "docker.io/library/nginx:1",
        ),
        (
            "fkacr.azurecr.io/app:1",
            "app:1 would be imported onto itself",
        ),
    ] {
        let said = validated(config(image, &["app:1"]));
        assert!(said.contains(why), "{image}: {said}");
    }
    let mut both = config("hub.azurecr.io/app:1", &["app:1"]);
    both["source"]["registry_id"] = json!(registry("hub"));
    both["source"]["username"] = json!("robot");
    let said = validated(both);
    for why in [
        "names its registry twice",
        "logs nobody in",
        "do not go together",
    ] {
        assert!(said.contains(why), "{why}: {said}");
    }
    let mut nowhere = config(NGINX, &[]);
    nowhere["target_tags"] = Json::Null;
    assert!(validated(nowhere).contains("given no place"));
}
