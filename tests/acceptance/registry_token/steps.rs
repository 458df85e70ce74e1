//! A token whose password is pulled with: rotated, confined, switched off, and made anew by someone else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "a_rotation_leaves_the_old_password_alive_for_the_overlap_and_no_second_one_shortens_it",
        run: rotation,
    },
    Step {
        name: "a_password_that_is_too_old_is_rotated_once_a_reading_has_told",
        run: age,
    },
    Step {
        name: "a_token_opens_its_scope_alone_and_nothing_while_it_is_disabled",
        run: scope,
    },
    Step {
        name: "a_password_that_someone_made_anew_or_took_away_is_drift_and_repaired",
        run: drift,
    },
    Step {
        name: "a_registry_or_vault_that_is_not_there_is_named_and_nothing_is_written",
        run: nowhere,
    },
];

const TOKEN: &str = "fkaks_registry_token.team";
const SERVER: &str = "fkacrprivate.azurecr.io";
const VERSION: &str = "2025-11-01";
const GROUP: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images/providers";

fn registry() -> String {
    format!("{GROUP}/Microsoft.ContainerRegistry/registries/fkacrprivate")
}

fn token() -> String {
    format!("{}/tokens/team-pull", registry())
}

/// Applies, with images of the registry to pull: one within the token's scope, one beside it.
fn stage(session: &Session) {
    session.write(
        "image.tf",
        r#"
resource "fkaks_registry_image" "nginx" {
  registry_id = local.registry
  source      = { image = "docker.io/library/nginx:1.27" }
  target_tags = ["team/nginx:1.27", "other/nginx:1.27"]
}
"#,
    );
    session.apply();
}

fn nowhere(session: &mut Session) {
    session.set("vault", "kv-missing");
    let before = session.sandbox.writes();
    session.run(&["apply", "-auto-approve"]).must_fail_saying(&[
        "there is no such key vault",
        "vaults/kv-missing",
        "Fix: ",
    ]);
    assert_eq!(session.sandbox.writes(), before);
    session.set("vault", "kv-images");
    session.set("registry", "fkacrmissing");
    session
        .run(&["apply", "-auto-approve"])
        .must_fail_saying(&["registries/fkacrmissing does not exist", "Fix: "]);
}

/// The value of a secret in the vault.
fn secret(session: &Session, name: &str) -> String {
    let path = format!("/secrets{GROUP}/Microsoft.KeyVault/vaults/kv-images/secrets/{name}");
    let answer = session.sandbox.control(Method::GET, &path, None);
    answer["value"].as_str().unwrap().to_owned()
}

fn password(session: &Session) -> String {
    secret(session, "team-pull")
}

/// What the registry answers who pulls an image with this password.
fn pulls(session: &Session, image: &str, password: &str) -> u16 {
    session
        .sandbox
        .pull(SERVER, image, "1.27", ("team-pull", password))
}

fn opens(session: &Session, password: &str) -> bool {
    match pulls(session, "team/nginx", password) {
        200 => true,
        401 => false,
        other => panic!("the registry answers {other}"),
    }
}

fn rotation(session: &mut Session) {
    stage(session);
    let first = password(session);
    assert!(opens(session, &first), "the password in the vault pulls");
    let docker: Value = serde_json::from_str(&secret(session, "team-pull-docker")).unwrap();
    assert_eq!(docker["auths"][SERVER]["username"], "team-pull");
    assert_eq!(docker["auths"][SERVER]["password"], first.as_str());

    session.set("release", "2");
    session.plan().must(action::UPDATE, TOKEN);
    session.apply();
    let state = session.state(TOKEN);
    assert_eq!(state["active_slot"], "password2");
    assert!(state["previous_password_until"].is_string(), "{state}");
    let second = password(session);
    assert_ne!(second, first);
    assert!(opens(session, &second), "the new password pulls");
    assert!(
        opens(session, &first),
        "who still has the old one pulls, too"
    );
    session.plan().must_be_empty("a rotation");

    session.set("release", "3");
    session.run(&["plan"]).must_fail_saying(&[
        "a second rotation is possible from",
        "rotate_when_changed is changed",
        "password1, still has the one before",
        "overlap = \"0s\"",
    ]);
    assert!(opens(session, &first) && opens(session, &second));
    assert_eq!(password(session), second);

    // Nobody uses the old one any more, says the user: then it goes, and so does the one before the new.
    session.set("overlap", "0s");
    session.apply();
    let third = password(session);
    assert!(opens(session, &third));
    assert!(!opens(session, &first) && !opens(session, &second));
    session.plan().must_be_empty("a rotation without overlap");
    let state = session.run(&["show", "-json"]).must_succeed().stdout;
    let pulled = session.run(&["state", "pull"]).must_succeed().stdout;
    for value in [&first, &second, &third] {
        let kept = state.contains(value.as_str()) || pulled.contains(value.as_str());
        assert!(!kept, "no password is in the state");
    }
}

fn age(session: &mut Session) {
    stage(session);
    let first = password(session);
    session.set("overlap", "0s");
    session.set("rotate_after", "2s");
    session.apply();
    let due = |session: &Session| session.plan().actions(TOKEN) == action::UPDATE;
    session
        .sandbox
        .wait_until("the password is due", || due(session));
    assert!(opens(session, &first), "a plan rotates nothing");
    session.apply();
    let second = password(session);
    assert_ne!(second, first);
    assert!(opens(session, &second) && !opens(session, &first));
    session.set("rotate_after", "8760h");
    session.apply();
    assert_eq!(password(session), second);
    session.plan().must_be_empty("a young password");
}

fn scope(session: &mut Session) {
    stage(session);
    let value = password(session);
    assert_eq!(pulls(session, "team/nginx", &value), 200);
    assert_eq!(pulls(session, "other/nginx", &value), 401);
    session.set(
        "scope",
        r#"{ "team/*" = ["content/read"], "other/nginx" = ["content/read"] }"#,
    );
    session.apply();
    assert_eq!(pulls(session, "other/nginx", &value), 200);
    assert_eq!(password(session), value, "another scope, the same password");

    session.set("status", "disabled");
    session.apply();
    assert!(!opens(session, &value));
    session.set("status", "enabled");
    session.apply();
    assert!(opens(session, &value));
    // Someone else does it.
    let off = json!({ "properties": { "status": "disabled" } });
    let path = format!("/resources{}", token());
    session.sandbox.control(Method::PATCH, &path, Some(&off));
    session.plan().must(action::UPDATE, TOKEN);
    session.apply();
    assert!(opens(session, &value));
    session
        .plan()
        .must_be_empty("a token that is enabled again");
}

fn drift(session: &mut Session) {
    stage(session);
    let first = password(session);
    let body = json!({ "tokenId": token(), "name": "password1" });
    let path = format!("{}/generateCredentials", registry());
    session.sandbox.post(&path, VERSION, &body);
    session
        .sandbox
        .wait_until("the old password is void", || !opens(session, &first));
    session.plan().must(action::UPDATE, TOKEN);
    session.apply();
    let second = password(session);
    assert!(opens(session, &second), "what is in the vault pulls again");
    session
        .plan()
        .must_be_empty("a password that is known again");

    let none = json!({ "properties": { "credentials": { "passwords": [] } } });
    let path = format!("/resources{}", token());
    session.sandbox.control(Method::PATCH, &path, Some(&none));
    assert!(!opens(session, &second));
    session.plan().must(action::UPDATE, TOKEN);
    session.apply();
    assert!(opens(session, &password(session)));
    session
        .plan()
        .must_be_empty("a password that is there again");
}
