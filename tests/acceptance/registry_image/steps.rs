//! Images that are imported: seen where the registry can be reached, kept where it cannot, and the mistakes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_tag_that_moved_or_went_is_drift_and_comes_back",
        run: moved,
    },
    Step {
        name: "what_cannot_be_seen_is_kept_and_says_so",
        run: unseen,
    },
    Step {
        name: "what_is_there_already_counts_as_present_and_stays",
        run: present,
    },
    Step {
        name: "a_destroy_deletes_what_it_imported_when_told_to",
        run: deleted,
    },
    Step {
        name: "mistakes_are_found_at_plan_all_at_once",
        run: mistakes,
    },
    Step {
        name: "it_is_imported_by_the_registry_s_id",
        run: import,
    },
];

const IMAGE: &str = "fkaks_registry_image.nginx";
const VERSION: &str = "2025-11-01";
const REGISTRIES: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers/Microsoft.ContainerRegistry/registries";

fn registry(name: &str) -> String {
    format!("{REGISTRIES}/{name}")
}

/// What the registry holds, by repository.
fn held(session: &Session) -> Value {
    let path = format!("/images{}", registry("fkacrimages"));
    session.sandbox.control(Method::GET, &path, None)
}

/// Someone else does something to what the registry holds.
fn hold(session: &Session, images: &Value) {
    let path = format!("/resources{}", registry("fkacrimages"));
    let edit = json!({ "images": images });
    session.sandbox.control(Method::PATCH, &path, Some(&edit));
}

fn edit(session: &Session, properties: &Value) {
    let path = format!("/resources{}", registry("fkacrimages"));
    let edit = json!({ "properties": properties });
    session.sandbox.control(Method::PATCH, &path, Some(&edit));
}

fn moved(session: &mut Session) {
    session.apply();
    let state = session.state(IMAGE);
    let digest = state["images"]["nginx:1.27"]["digest"].clone();
    assert_eq!(
        (&state["verified"], digest.is_string()),
        (&json!(true), true),
        "{state}"
    );
    session.plan().must_be_empty("an image that was imported");

    let other = format!("sha256:{}", "c".repeat(64));
    hold(
        session,
        &json!({
            "nginx": { "tags": { "1.27": other }, "manifests": [other, digest] },
            "base/nginx": { "tags": { "stable": null } },
        }),
    );
    session.plan().must(action::UPDATE, IMAGE);
    session.run(&["plan"]).must_say(&[
        "nginx:1.27 in fkacrimages.azurecr.io has moved: it leads to sha256:cccc",
        "base/nginx:stable is not in fkacrimages.azurecr.io",
    ]);
    session.apply();
    assert_eq!(held(session)["nginx"]["tags"]["1.27"], digest);
    assert_eq!(held(session)["base/nginx"]["tags"]["stable"], digest);
    session.plan().must_be_empty("tags that came back");

    // Another source goes to the same tags.
    session.set("image", "docker.io/library/nginx:1.28");
    session.apply();
    assert_ne!(held(session)["nginx"]["tags"]["1.27"], digest);
    session.plan().must_be_empty("another image");
    session.destroy();
    assert!(
        held(session)["nginx"]["tags"]["1.27"].is_string(),
        "it is forgotten, and stays"
    );
}

fn unseen(session: &mut Session) {
    edit(session, &json!({ "publicNetworkAccess": "Disabled" }));
    session.apply();
    let state = session.state(IMAGE);
    assert_eq!(state["verified"], false);
    let why = state["verified_reason"].as_str().unwrap();
    assert!(
        why.contains("client with IP") && why.contains("is not allowed access"),
        "{why}"
    );
    assert_eq!(state["images"]["nginx:1.27"]["imported"], true);
    session
        .plan()
        .must_be_empty("an image that nobody sees from here");
    // What nobody sees is no drift.
    hold(session, &json!({ "nginx": { "tags": { "1.27": null } } }));
    session
        .plan()
        .must_be_empty("a tag that nobody sees from here");
    edit(session, &json!({ "publicNetworkAccess": "Enabled" }));
    session
        .run(&["plan"])
        .must_say(&["nginx:1.27 is not in fkacrimages.azurecr.io"]);
    session.apply();
    assert_eq!(session.state(IMAGE)["verified"], true);

    session.set("delete", "true");
    session.apply();
    edit(session, &json!({ "publicNetworkAccess": "Disabled" }));
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&[
            "cannot delete the image",
            "delete_on_destroy = false",
            "is not allowed access",
        ]);
    edit(session, &json!({ "publicNetworkAccess": "Enabled" }));
    session.destroy();
}

fn present(session: &mut Session) {
    let theirs = format!("sha256:{}", "d".repeat(64));
    hold(
        session,
        &json!({ "nginx": { "tags": { "1.27": theirs }, "manifests": [theirs] } }),
    );
    session.set("delete", "true");
    session.apply();
    let state = session.state(IMAGE);
    assert_eq!(
        state["images"]["nginx:1.27"],
        json!({ "digest": theirs, "imported": false })
    );
    assert_eq!(state["images"]["base/nginx:stable"]["imported"], true);
    session.plan().must_be_empty("a tag of someone else");
    session.destroy();
    assert_eq!(
        held(session)["nginx"]["tags"],
        json!({ "1.27": theirs }),
        "it is not ours"
    );
    assert_eq!(held(session)["base/nginx"]["tags"], json!({}));

    // A digest says which image is meant, and this is another one.
    let digest = format!("docker.io/library/nginx@sha256:{}", "e".repeat(64));
    session.set("image", &digest);
    session.run(&["plan"]).must_fail_saying(&[
        "nginx:1.27 is there already, and another image",
        &theirs,
        "force = true",
    ]);
    session.set("force", "true");
    session.apply();
    assert_ne!(held(session)["nginx"]["tags"]["1.27"], theirs);
    session.plan().must_be_empty("an image by force");
}

fn deleted(session: &mut Session) {
    session.set("delete", "true");
    session.apply();
    session.set("tags", "[\"nginx:1.27\"]");
    session.apply();
    assert_eq!(
        held(session)["base/nginx"]["tags"],
        json!({}),
        "it is wanted no more"
    );
    session.plan().must_be_empty("one tag less");
    session.destroy();
    assert_eq!(
        held(session)["nginx"],
        json!({ "tags": {}, "manifests": [] })
    );
}

fn mistakes(session: &mut Session) {
    session.set("image", "fkacrhub.privatelink.azurecr.io/Team/app");
    session.set("tags", "[\"fkacrimages.azurecr.io/app:1\"]");
    session.run(&["plan"]).must_fail_saying(&[
        "is a name of private DNS",
        "repositories are in lower case: team/app",
        "it has no tag and no digest",
        "which `registry_id` does already: app:1",
    ]);
    session.set("tags", "[\"app:1\"]");
    session.set("image", "nobodyhasthis.azurecr.io/app:1");
    session.run(&["plan"]).must_fail_saying(&[
        "the source registry does not exist",
        "nobodyhasthis.azurecr.io",
    ]);
    let path = format!("/resources{}", registry("fkacrhub"));
    let closed = json!({ "properties": { "publicNetworkAccess": "Disabled", "networkRuleBypassOptions": "None" } });
    session.sandbox.control(Method::PATCH, &path, Some(&closed));
    session.set("image", "fkacrhub.azurecr.io/app:1");
    session
        .run(&["plan"])
        .must_fail_saying(&["the source registry lets no import in", "AzureServices"]);
    session.write(
        "copy.tf",
        "resource \"fkaks_registry_image\" \"copy\" {\n  registry_id = \"${local.registries}/fkacrimages\"\n  \
         source = {\n    registry_id = \"${local.registries}/fkacrimages\"\n    image = \"nowhere:1\"\n  }\n  \
         target_tags = [\"copy:1\"]\n}\n",
    );
    session.set("image", "docker.io/library/nginx:1.27");
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "registry fkacrimages cannot import the image: Image nowhere:1 was not found",
        "Fix:",
    ]);
    session.remove("copy.tf");
    session.apply();
}

fn import(session: &mut Session) {
    session.apply();
    session.forget(IMAGE);
    session.import(IMAGE, &registry("fkacrimages"));
    session.sandbox.forget_requests();
    session.apply();
    assert_eq!(session.sandbox.writes(), 0, "everything is there");
    assert_eq!(
        session.state(IMAGE)["images"]["nginx:1.27"]["imported"],
        false
    );
    session.plan().must_be_empty("an import");
    assert!(session.sandbox.get(&registry("fkacrimages"), VERSION)["id"].is_string());
}
