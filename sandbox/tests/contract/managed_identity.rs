//! User-assigned identities and their federated credentials over sockets.

use crate::support::{Arm, id};
use serde_json::{Value, json};

const V: &str = "2024-11-30";

fn identity() -> String {
    id("Microsoft.ManagedIdentity/userAssignedIdentities/kubelet")
}

fn credential(name: &str) -> String {
    format!("{}/federatedIdentityCredentials/{name}", identity())
}

fn body(subject: &str) -> Value {
    json!({ "properties": { "issuer": "https://oidc.example/1", "subject": subject, "audiences": ["api://AzureADTokenExchange"] } })
}

#[tokio::test]
async fn an_identity_keeps_its_ids_through_changes_and_gets_others_when_made_again() {
    let arm = Arm::with_group().await;
    let made = arm
        .put(
            &identity(),
            V,
            json!({ "location": "West Europe", "tags": { "a": "1" } }),
        )
        .await
        .expect(201)
        .body;
    assert!(
        made["id"].as_str().unwrap().contains("/resourcegroups/rg/"),
        "{}",
        made["id"]
    );
    assert!(
        made["id"]
            .as_str()
            .unwrap()
            .eq_ignore_ascii_case(&identity())
    );
    assert_eq!(made["location"], "westeurope");
    let properties = &made["properties"];
    assert!(properties["provisioningState"].is_null());
    for name in ["principalId", "clientId", "tenantId"] {
        assert!(properties[name].is_string(), "{name}");
    }
    assert_ne!(properties["principalId"], properties["clientId"]);

    let changed = arm
        .patch(&identity(), V, json!({ "tags": { "b": "2" } }))
        .await
        .expect(200)
        .body;
    assert_eq!(changed["properties"], *properties);
    let again = arm
        .put(
            &identity(),
            V,
            json!({ "location": "westeurope", "properties": { "isolationScope": "Regional" } }),
        )
        .await
        .expect(200)
        .body;
    assert_eq!(
        again["properties"]["principalId"],
        properties["principalId"]
    );
    assert_eq!(again["properties"]["isolationScope"], "Regional");

    arm.delete(&identity(), V).await.expect(200);
    arm.delete(&identity(), V).await.expect(204);
    let other = arm
        .put(&identity(), V, json!({ "location": "westeurope" }))
        .await
        .expect(201)
        .body;
    assert_ne!(
        other["properties"]["principalId"],
        properties["principalId"]
    );
    let odd = id("Microsoft.ManagedIdentity/userAssignedIdentities/-x");
    arm.put(&odd, V, json!({ "location": "westeurope" }))
        .await
        .refused(400, "BadRequest");
}

#[tokio::test]
async fn credentials_of_an_identity_have_a_pair_of_issuer_and_subject_each() {
    let arm = Arm::with_group().await;
    arm.put(&credential("one"), V, body("a"))
        .await
        .refused(404, "ParentResourceNotFound");
    arm.put(&identity(), V, json!({ "location": "westeurope" }))
        .await
        .expect(201);
    arm.put(&credential("one"), V, body("a")).await.expect(201);
    arm.put(&credential("one"), V, body("a")).await.expect(200);
    arm.put(&credential("two"), V, body("a"))
        .await
        .refused(409, "Conflict");
    arm.put(
        &credential("two"),
        V,
        json!({ "properties": { "issuer": "https://x" } }),
    )
    .await
    .refused(400, "InvalidRequestContent");
    for number in 2..=20 {
        arm.put(
            &credential(&format!("number-{number}")),
            V,
            body(&format!("s{number}")),
        )
        .await
        .expect(201);
    }
    arm.put(&credential("number-21"), V, body("s21"))
        .await
        .refused(400, "BadRequest");
    let list = arm
        .get(&format!("{}/federatedIdentityCredentials", identity()), V)
        .await
        .expect(200)
        .body;
    assert_eq!(list["value"].as_array().unwrap().len(), 20);
    arm.delete(&credential("one"), V).await.expect(200);
    arm.delete(&identity(), V).await.expect(200);
    assert_eq!(
        arm.stored().len(),
        1,
        "the credentials went with the identity"
    );
}
