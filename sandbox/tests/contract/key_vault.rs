//! Key vaults and their secrets through Resource Manager, over real sockets.

use crate::support::{Arm, SUB, group, id};
use reqwest::Method;
use serde_json::{Value, json};

const VAULT: &str = "2023-07-01";
const SECRET: &str = "hunter2-hunter2";

fn vault(name: &str) -> String {
    id(&format!("Microsoft.KeyVault/vaults/{name}"))
}

fn secret(name: &str) -> String {
    format!("{}/secrets/{name}", vault("fkaks-vault"))
}

fn body(properties: Value) -> Value {
    let mut all = json!({
        "tenantId": fkaks_sandbox::DEFAULT_TENANT,
        "sku": { "family": "A", "name": "standard" },
        "enableRbacAuthorization": true,
    });
    for (name, value) in properties.as_object().unwrap() {
        all[name] = value.clone();
    }
    json!({ "location": "westeurope", "properties": all })
}

async fn with_vault() -> Arm {
    let arm = Arm::with_group().await;
    arm.put(&vault("fkaks-vault"), VAULT, body(json!({})))
        .await
        .expect(201);
    arm
}

fn value(text: &str) -> Value {
    json!({ "properties": { "value": text } })
}

fn in_force(arm: &Arm, name: &str) -> (u16, Value) {
    let path = format!("/_sandbox/secrets{}", secret(name));
    arm.sandbox.control("GET", &path, None)
}

#[tokio::test]
async fn a_vault_answers_at_once_and_registers_its_name_for_a_while() {
    let arm = Arm::with_group().await;
    let url = vault("fkaks-vault");
    let made = arm
        .put(
            &url,
            VAULT,
            body(json!({ "publicNetworkAccess": "disabled" })),
        )
        .await
        .expect(201);
    assert_eq!(made.state(), "RegisteringDns");
    assert_eq!(made.header("azure-asyncoperation"), "");
    let mut state = String::new();
    for _ in 0..10 {
        state = arm.get(&url, VAULT).await.expect(200).state().to_owned();
    }
    assert_eq!(state, "Succeeded");
    let found = arm.get(&url, VAULT).await.expect(200).body;
    let properties = &found["properties"];
    assert_eq!(
        properties["vaultUri"],
        "https://fkaks-vault.vault.azure.net/"
    );
    assert_eq!(properties["publicNetworkAccess"], "Disabled");
    assert_eq!(properties["softDeleteRetentionInDays"], 90);
    assert_eq!(properties["enableSoftDelete"], true);
    let acls = json!({ "networkAcls": { "bypass": "None", "defaultAction": "Deny", "ipRules": [{ "value": "203.0.113.7" }] } });
    let changed = arm.put(&url, VAULT, body(acls)).await.expect(200);
    assert_eq!(
        changed.body["properties"]["networkAcls"]["ipRules"],
        json!([{ "value": "203.0.113.7/32" }])
    );
    let patch = json!({ "tags": { "a": "b" }, "properties": { "enablePurgeProtection": true } });
    let patched = arm.patch(&url, VAULT, patch).await.expect(200).body;
    assert_eq!(
        (
            &patched["tags"]["a"],
            &patched["properties"]["enablePurgeProtection"]
        ),
        (&json!("b"), &json!(true))
    );
}

#[tokio::test]
async fn what_a_vault_cannot_be_is_refused() {
    let arm = Arm::with_group().await;
    let put =
        async |name: &str, properties: Value| arm.put(&vault(name), VAULT, body(properties)).await;
    for name in [
        "ab",
        "1vault",
        "vault-",
        "va--ult",
        "a-name-that-is-longer-than-it-may-be",
    ] {
        put(name, json!({})).await.refused(400, "VaultNameNotValid");
    }
    for wrong in [
        json!({ "tenantId": "mine" }),
        json!({ "sku": { "family": "A", "name": "best" } }),
        json!({ "enablePurgeProtection": false }),
        json!({ "enableSoftDelete": false }),
        json!({ "softDeleteRetentionInDays": 6 }),
        json!({ "enableRbacAuthorization": false }),
        json!({ "accessPolicies": [{ "tenantId": fkaks_sandbox::DEFAULT_TENANT, "objectId": "me", "permissions": {} }] }),
        json!({ "networkAcls": { "bypass": "None", "defaultAction": "Deny", "ipRules": [{ "value": "here" }] } }),
    ] {
        let reply = put("fkaks-vault", wrong.clone()).await;
        assert_eq!((reply.status, reply.code()), (400, "BadRequest"), "{wrong}");
    }
    put("fkaks-vault", json!({})).await.expect(201);
    put("fkaks-vault", json!({ "softDeleteRetentionInDays": 7 }))
        .await
        .refused(400, "BadRequest");
    let other = format!("{}2", group());
    arm.put(
        &other,
        crate::support::RESOURCES,
        json!({ "location": "westeurope" }),
    )
    .await
    .expect(201);
    let taken = format!("{other}/providers/Microsoft.KeyVault/vaults/FKAKS-VAULT");
    arm.put(&taken, VAULT, body(json!({})))
        .await
        .refused(409, "VaultAlreadyExists");
    let check = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/checkNameAvailability");
    let ask = async |name: &str| {
        let body = json!({ "name": name, "type": "Microsoft.KeyVault/vaults" });
        let reply = arm.post(&check, VAULT, body).await.expect(200).body;
        reply["reason"].as_str().unwrap_or("free").to_owned()
    };
    assert_eq!(ask("fkaks-vault").await, "AlreadyExists");
    assert_eq!(ask("-").await, "AccountNameInvalid");
    assert_eq!(ask("fkaks-other").await, "free");
}

#[tokio::test]
async fn a_subnet_is_allowed_only_with_the_service_endpoint() {
    let arm = Arm::with_group().await;
    let network = id("Microsoft.Network/virtualNetworks/nodes");
    let endpoint = json!([{ "service": "Microsoft.KeyVault" }]);
    let subnets = json!([
        { "name": "with", "properties": { "addressPrefix": "10.0.0.0/24", "serviceEndpoints": endpoint } },
        { "name": "without", "properties": { "addressPrefix": "10.0.1.0/24" } },
    ]);
    let network_body = json!({ "location": "westeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": subnets,
    } });
    let made = arm
        .put(&network, "2025-05-01", network_body)
        .await
        .expect(201);
    arm.finish(&made).await.expect(200);
    let allow = async |mut rule: Value, subnet: &str| {
        rule["id"] = json!(format!("{network}/subnets/{subnet}"));
        let acls = json!({ "networkAcls": {
            "bypass": "None", "defaultAction": "Deny", "virtualNetworkRules": [rule],
        } });
        arm.put(&vault("fkaks-vault"), VAULT, body(acls)).await
    };
    let refused = allow(json!({}), "without")
        .await
        .refused(400, "VirtualNetworkNotValid");
    let told = refused.body["error"]["message"].to_string();
    assert!(
        told.contains("SubnetsHaveNoServiceEndpointsConfigured"),
        "{told}"
    );
    allow(json!({}), "none").await.refused(400, "BadRequest");
    allow(json!({}), "with").await.expect(201);
    allow(
        json!({ "ignoreMissingVnetServiceEndpoint": true }),
        "without",
    )
    .await
    .expect(200);
}

#[tokio::test]
async fn new_versions_of_the_api_prefer_roles() {
    let arm = Arm::with_group().await;
    let mut body = body(json!({}));
    body["properties"]
        .as_object_mut()
        .unwrap()
        .remove("enableRbacAuthorization");
    arm.put(&vault("fkaks-vault"), VAULT, body.clone())
        .await
        .refused(400, "BadRequest");
    let made = arm
        .put(&vault("fkaks-vault"), "2026-02-01", body)
        .await
        .expect(201)
        .body;
    assert_eq!(made["properties"]["enableRbacAuthorization"], true);
}

#[tokio::test]
async fn a_secret_is_written_and_its_value_never_told() {
    let arm = with_vault().await;
    let url = secret("pull");
    let mut body = value(SECRET);
    body["properties"]["contentType"] = json!("text/plain");
    body["tags"] = json!({ "for": "pods" });
    let made = arm.put(&url, VAULT, body).await.expect(201).body;
    assert!(!made.to_string().contains(SECRET));
    assert_eq!(made["location"], "westeurope");
    assert_eq!(made["properties"]["attributes"]["enabled"], true);
    let uri = "https://fkaks-vault.vault.azure.net/secrets/pull";
    assert_eq!(made["properties"]["secretUri"], uri);
    let first = made["properties"]["secretUriWithVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(first.rsplit('/').next().unwrap().len(), 32);
    assert_eq!(arm.get(&url, VAULT).await.expect(200).body, made);
    assert_eq!(in_force(&arm, "pull"), (200, json!({ "value": SECRET })));

    let again = arm.put(&url, VAULT, value(SECRET)).await.expect(200).body;
    assert_ne!(again["properties"]["secretUriWithVersion"], json!(first));
    assert!(again["properties"].get("contentType").is_none());
    let patch = json!({ "properties": { "attributes": { "enabled": false } } });
    let patched = arm.patch(&url, VAULT, patch).await.expect(200).body;
    assert_eq!(
        patched["properties"]["secretUriWithVersion"],
        again["properties"]["secretUriWithVersion"]
    );
    assert_eq!(in_force(&arm, "pull").0, 400);
    let patch = json!({ "properties": { "value": "another", "attributes": { "enabled": true, "exp": 4_000_000_000_u64 } } });
    arm.patch(&url, VAULT, patch).await.expect(200);
    assert_eq!(in_force(&arm, "pull"), (200, json!({ "value": "another" })));
    arm.delete(&url, VAULT)
        .await
        .refused(405, "HttpMethodNotSupported");

    let list = arm
        .get(&format!("{}/secrets", vault("fkaks-vault")), VAULT)
        .await
        .expect(200)
        .body;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    for path in [
        "/_sandbox/requests",
        "/_sandbox/resources?full",
        &format!("/_sandbox/resources{url}"),
    ] {
        let told = arm.control("GET", path, json!({})).to_string();
        assert!(
            !told.contains(SECRET) && !told.contains("another"),
            "{path}: {told}"
        );
    }
}

#[tokio::test]
async fn what_a_secret_cannot_be_is_refused_without_repeating_its_value() {
    let arm = with_vault().await;
    arm.put(&secret("pull"), VAULT, json!({ "properties": {} }))
        .await
        .refused(400, "BadRequest");
    let long = "x".repeat(25_601);
    let reply = arm
        .put(&secret("pull"), VAULT, value(&long))
        .await
        .refused(400, "BadRequest");
    assert!(!reply.body.to_string().contains(&long));
    arm.put(&secret("a_b"), VAULT, value(SECRET))
        .await
        .refused(400, "BadRequest");
    let number = json!({ "properties": { "value": 12_345_678 } });
    let reply = arm
        .put(&secret("pull"), VAULT, number)
        .await
        .refused(400, "BadRequest");
    assert!(!reply.body.to_string().contains("12345678"));
    let mut wrong = value(SECRET);
    wrong["properties"]["attributes"] = json!({ "exp": "tomorrow" });
    arm.put(&secret("pull"), VAULT, wrong)
        .await
        .refused(400, "BadRequest");
    let orphan = format!("{}/secrets/pull", vault("fkaks-none"));
    arm.put(&orphan, VAULT, value(SECRET))
        .await
        .refused(404, "ParentResourceNotFound");
    arm.patch(&secret("pull"), VAULT, value(SECRET))
        .await
        .refused(404, "ResourceNotFound");
}

#[tokio::test]
async fn a_deleted_vault_keeps_its_name_and_secrets_until_it_is_recovered_or_purged() {
    let arm = with_vault().await;
    let url = vault("fkaks-vault");
    arm.put(&secret("pull"), VAULT, value(SECRET))
        .await
        .expect(201);
    arm.delete(&url, VAULT).await.expect(200);
    arm.delete(&url, VAULT).await.expect(204);
    assert_eq!(in_force(&arm, "pull").0, 400);
    arm.put(&url, VAULT, body(json!({})))
        .await
        .refused(409, "ConflictError");
    let provider = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault");
    let gone = format!("{provider}/locations/westeurope/deletedVaults/fkaks-vault");
    let list = arm
        .get(&format!("{provider}/deletedVaults"), VAULT)
        .await
        .expect(200)
        .body;
    assert_eq!(
        list["value"][0],
        arm.get(&gone, VAULT).await.expect(200).body
    );
    assert_eq!(list["value"][0]["properties"]["vaultId"], json!(url));

    let mut other =
        body(json!({ "createMode": "recover", "sku": { "family": "A", "name": "premium" } }));
    other["tags"] = json!({ "a": "b" });
    let back = arm.put(&url, VAULT, other).await.expect(201).body;
    assert!(back["properties"].get("createMode").is_none());
    assert_eq!(back["properties"]["sku"]["name"], "standard");
    assert!(back["tags"].get("a").is_none(), "it is as it was");
    assert_eq!(in_force(&arm, "pull"), (200, json!({ "value": SECRET })));
    let none = vault("fkaks-none");
    arm.put(&none, VAULT, body(json!({ "createMode": "recover" })))
        .await
        .refused(404, "DeletedVaultNotFound");

    arm.delete(&url, VAULT).await.expect(200);
    let purged = arm
        .send(
            Method::POST,
            &format!("{gone}/purge?api-version={VAULT}"),
            None,
        )
        .await
        .expect(202);
    arm.finish(&purged).await.expect(200);
    arm.get(&gone, VAULT)
        .await
        .refused(404, "DeletedVaultNotFound");
    let protected = body(json!({ "enablePurgeProtection": true }));
    arm.put(&url, VAULT, protected).await.expect(201);
    arm.get(&secret("pull"), VAULT)
        .await
        .refused(404, "ResourceNotFound");
    arm.delete(&url, VAULT).await.expect(200);
    arm.post(&format!("{gone}/purge"), VAULT, json!({}))
        .await
        .refused(405, "MethodNotAllowed");
}

#[tokio::test]
async fn access_policies_are_added_replaced_and_removed() {
    let arm = Arm::with_group().await;
    let url = vault("fkaks-vault");
    let open = json!({ "enableRbacAuthorization": false, "accessPolicies": [] });
    arm.put(&url, VAULT, body(open)).await.expect(201);
    let policy = |words: &[&str]| {
        json!({ "properties": { "accessPolicies": [{
        "tenantId": fkaks_sandbox::DEFAULT_TENANT,
        "objectId": "11111111-1111-1111-1111-111111111111",
        "permissions": { "secrets": words },
    }] } })
    };
    let change = async |how: &str, words: &[&str]| {
        arm.put(&format!("{url}/accessPolicies/{how}"), VAULT, policy(words))
            .await
            .expect(200);
        arm.get(&url, VAULT).await.body["properties"]["accessPolicies"].clone()
    };
    change("add", &["get"]).await;
    assert_eq!(
        change("add", &["list"]).await[0]["permissions"]["secrets"],
        json!(["get", "list"])
    );
    assert_eq!(
        change("replace", &["set"]).await[0]["permissions"]["secrets"],
        json!(["set"])
    );
    assert_eq!(change("remove", &["set"]).await, json!([]));
    arm.get(&format!("{url}/accessPolicies/add"), VAULT)
        .await
        .expect(404);
}
