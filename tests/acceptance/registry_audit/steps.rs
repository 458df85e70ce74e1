//! Where the events go: to a given workspace or an own one, beside what others send, and the mistakes.

use serde_json::{Value, json};

use crate::driver::session::action;
use crate::driver::{Session, Step};

pub const STEPS: &[Step] = &[
    Step {
        name: "what_a_policy_sends_already_counts_and_stays",
        run: accepted,
    },
    Step {
        name: "a_setting_of_someone_else_is_refused_where_it_should_not_count",
        run: refused,
    },
    Step {
        name: "a_setting_that_vanished_or_was_changed_is_drift_and_comes_back",
        run: drift,
    },
    Step {
        name: "a_workspace_of_its_own_stays_while_others_use_it",
        run: shared,
    },
    Step {
        name: "a_deleted_workspace_comes_back_and_the_plan_says_so",
        run: deleted,
    },
    Step {
        name: "the_setting_is_imported_by_its_own_id_and_by_the_registry",
        run: import,
    },
];

const AUDIT: &str = "fkaks_registry_audit.images";
const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-images";
const VERSION: &str = "2021-05-01-preview";

fn registry(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.ContainerRegistry/registries/{name}")
}

fn workspace(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.OperationalInsights/workspaces/{name}")
}

fn setting(registry_name: &str, name: &str) -> String {
    let registry = registry(registry_name);
    format!("{registry}/providers/Microsoft.Insights/diagnosticSettings/{name}")
}

fn send(session: &Session, id: &str, workspace: &str, logs: &Value) {
    let body = json!({ "properties": { "workspaceId": workspace, "logs": logs } });
    session.sandbox.put(id, VERSION, &body);
}

fn settings(session: &Session) -> Vec<String> {
    let all = session.sandbox.resources().into_iter();
    all.filter(|id| id.to_lowercase().contains("/diagnosticsettings/"))
        .collect()
}

fn accepted(session: &mut Session) {
    let theirs = setting("fkacrprivate", "set-by-policy");
    let all = json!([{ "categoryGroup": "allLogs", "enabled": true }]);
    send(session, &theirs, &workspace("log-security"), &all);
    session.apply();
    assert_eq!(settings(session), std::slice::from_ref(&theirs));
    let shown = session.state(AUDIT);
    assert_eq!(shown["collected"]["login"]["owned"], false, "{shown}");
    session.plan().must_be_empty("a setting of someone else");
    // What it relied on goes: the next apply sends the events itself.
    session.sandbox.delete(&theirs, VERSION);
    session.plan().must(action::UPDATE, AUDIT);
    session.apply();
    assert_eq!(settings(session), [setting("fkacrprivate", "fkaks-audit")]);
    session.plan().must_be_empty("a setting of its own");
    // Of two kinds of events someone sends one.
    session.destroy();
    let one = json!([{ "category": "ContainerRegistryLoginEvents", "enabled": true }]);
    send(session, &theirs, &workspace("log-security"), &one);
    session.apply();
    let shown = session.state(AUDIT);
    assert_eq!(shown["collected"]["login"]["owned"], false, "{shown}");
    assert_eq!(shown["collected"]["repository"]["owned"], true, "{shown}");
    session.plan().must_be_empty("half of it someone else's");
    session.destroy();
    assert_eq!(settings(session), std::slice::from_ref(&theirs), "it stays");
    session.sandbox.delete(&theirs, VERSION);
}

fn refused(session: &mut Session) {
    let theirs = setting("fkacrprivate", "set-by-policy");
    let one = json!([{ "category": "ContainerRegistryLoginEvents", "enabled": true }]);
    send(session, &theirs, &workspace("log-security"), &one);
    session.set("existing", "refuse");
    session.run(&["plan"]).must_fail_saying(&[
        "someone else's setting sends ContainerRegistryLoginEvents already",
        "set-by-policy",
        "existing = \"accept\"",
    ]);
    session.set("existing", "accept");
    session.sandbox.delete(&theirs, VERSION);
}

fn drift(session: &mut Session) {
    session.apply();
    let own = setting("fkacrprivate", "fkaks-audit");
    session.sandbox.delete(&own, VERSION);
    session.plan().must(action::UPDATE, AUDIT);
    session
        .run(&["plan"])
        .must_say(&["diagnostic setting was deleted outside"]);
    session.apply();
    let one = json!([{ "category": "ContainerRegistryLoginEvents", "enabled": true }]);
    send(session, &own, &workspace("log-security"), &one);
    session.plan().must(action::UPDATE, AUDIT);
    session.run(&["plan"]).must_say(&[
        "ContainerRegistryRepositoryEvents",
        "repository events of registry fkacrprivate are not sent",
    ]);
    session.apply();
    session.plan().must_be_empty("a setting that was mended");
}

fn shared(session: &mut Session) {
    session.set("own_workspace", "true");
    session.apply();
    session.plan().must_be_empty("a workspace of its own");
    let own = workspace("log-images");
    let theirs = setting("fkacrother", "theirs");
    let one = json!([{ "category": "ContainerRegistryLoginEvents", "enabled": true }]);
    send(session, &theirs, &own, &one);
    let table = format!("{own}/tables/Findings_CL");
    let schema = json!({ "properties": { "schema": { "name": "Findings_CL" } } });
    session.sandbox.put(&table, "2025-07-01", &schema);
    session
        .run(&["destroy", "-auto-approve"])
        .must_fail_saying(&[
            "something else still depends on it",
            "fkacrother",
            "Findings_CL",
            "workspace_id",
        ]);
    assert!(session.sandbox.resources().contains(&own));
    assert!(
        settings(session).contains(&setting("fkacrprivate", "fkaks-audit")),
        "nothing was deleted"
    );
    // Left to the others, it stays.
    session.set("own_workspace", "false");
    session.set("workspace_id", &own);
    session.apply();
    assert_eq!(session.state(AUDIT)["objects"]["workspace"], Value::Null);
    session.destroy();
    assert!(session.sandbox.resources().contains(&own));
    session.sandbox.delete(&theirs, VERSION);
    session.sandbox.delete(&own, "2025-07-01");
    session.set("workspace_id", "null");
}

fn deleted(session: &mut Session) {
    session.set("own_workspace", "true");
    session.apply();
    let customer = session.state(AUDIT)["workspace_customer_id"].clone();
    session.destroy();
    assert!(
        !session
            .sandbox
            .resources()
            .contains(&workspace("log-images"))
    );
    session
        .run(&["plan"])
        .must_say(&["workspace log-images was deleted and will come back"]);
    session.apply();
    assert_eq!(session.state(AUDIT)["workspace_customer_id"], customer);
    session.destroy();
    session.set("own_workspace", "false");
}

fn import(session: &mut Session) {
    let theirs = setting("fkacrprivate", "by-hand");
    let both = json!([
        { "category": "ContainerRegistryLoginEvents", "enabled": true },
        { "category": "ContainerRegistryRepositoryEvents", "enabled": true },
    ]);
    send(session, &theirs, &workspace("log-security"), &both);
    session.import(AUDIT, &theirs);
    let shown = session.state(AUDIT);
    assert_eq!(shown["name"], "by-hand", "{shown}");
    assert_eq!(shown["objects"]["setting"], json!([theirs]), "{shown}");
    session.forget(AUDIT);
    session.sandbox.delete(&theirs, VERSION);
    session.apply();
    session.forget(AUDIT);
    session.import(AUDIT, &registry("fkacrprivate"));
    session.plan().must_be_empty("an import by the registry");
    session.destroy();
    assert!(settings(session).is_empty(), "it was owned");
}
