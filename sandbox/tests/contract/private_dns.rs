//! Private DNS over sockets: zones and record sets, their conditions and refusals.

use crate::support::{Arm, RESOURCES, Reply, SUB, group, id};
use reqwest::Method;
use serde_json::{Value, json};

const DNS: &str = "2024-06-01";
const NAME: &str = "privatelink.azurecr.io";

fn zone() -> String {
    id(&format!("Microsoft.Network/privateDnsZones/{NAME}"))
}

async fn with_zone() -> Arm {
    let arm = Arm::with_group().await;
    arm.create(&zone(), DNS, json!({ "location": "global" }))
        .await;
    arm
}

/// PUT with a condition.
async fn put_if(arm: &Arm, id: &str, header: (&str, &str), body: &Value) -> Reply {
    let url = format!("{}{id}?api-version={DNS}", arm.sandbox.base_url);
    let response = arm
        .http
        .request(Method::PUT, url)
        .bearer_auth(&arm.token)
        .header(header.0, header.1)
        .json(body)
        .send()
        .await
        .unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Reply {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    }
}

#[tokio::test]
async fn a_zone_is_made_as_a_location_operation_and_has_a_start_of_authority() {
    let arm = Arm::with_group().await;
    let reply = arm
        .put(
            &zone(),
            DNS,
            json!({ "location": "Global", "tags": { "a": "1" } }),
        )
        .await
        .expect(202);
    assert!(reply.header("azure-asyncoperation").is_empty());
    assert_eq!(reply.header("retry-after"), "1");
    let end = arm.finish(&reply).await.expect(200);
    assert_eq!(end.body["name"], NAME, "the last poll is the zone");
    let made = arm.get(&zone(), DNS).await.expect(200);
    assert!(!made.header("etag").is_empty());
    assert_eq!(made.body["location"], "global");
    assert_eq!(made.body["tags"], json!({ "a": "1" }));
    let mut properties = made.body["properties"].clone();
    assert!(properties["internalId"].is_string());
    properties.as_object_mut().unwrap().remove("internalId");
    assert_eq!(
        properties,
        json!({
            "maxNumberOfRecordSets": 25000, "numberOfRecordSets": 1,
            "maxNumberOfVirtualNetworkLinks": 1000, "numberOfVirtualNetworkLinks": 0,
            "maxNumberOfVirtualNetworkLinksWithRegistration": 100, "numberOfVirtualNetworkLinksWithRegistration": 0,
            "provisioningState": "Succeeded",
        })
    );
    let authority = format!("{}/SOA/@", zone());
    let soa = arm.get(&authority, "2018-09-01").await.expect(200).body;
    assert_eq!(soa["properties"]["fqdn"], format!("{NAME}."));
    assert_eq!(soa["properties"]["ttl"], 3600);
    assert_eq!(
        soa["properties"]["soaRecord"]["host"],
        "azureprivatedns.net"
    );
    arm.delete(&authority, DNS).await.refused(400, "BadRequest");
    let changed = json!({ "properties": { "ttl": 60, "soaRecord": { "host": "me.example", "email": "me.example", "minimumTTL": 30 } } });
    let soa = arm.put(&authority, DNS, changed).await.expect(200).body;
    assert_eq!(
        soa["properties"]["soaRecord"]["host"],
        "azureprivatedns.net"
    );
    assert_eq!(soa["properties"]["soaRecord"]["minimumTtl"], 30);
    assert_eq!(soa["properties"]["soaRecord"]["retryTime"], 300);

    let patched = arm
        .patch(&zone(), DNS, json!({ "tags": { "b": "2" } }))
        .await
        .expect(202);
    arm.finish(&patched).await.expect(200);
    assert_eq!(
        arm.get(&zone(), DNS).await.body["tags"],
        json!({ "b": "2" })
    );
    let all = arm
        .get(
            &format!("/subscriptions/{SUB}/providers/Microsoft.Network/privateDnsZones"),
            DNS,
        )
        .await
        .expect(200);
    assert_eq!(all.body["value"].as_array().unwrap().len(), 1);
    arm.remove(&zone(), DNS).await;
    arm.get(&zone(), DNS).await.refused(404, "ResourceNotFound");
    assert_eq!(arm.stored(), [group()], "the start of authority went too");
}

#[tokio::test]
async fn zones_are_global_and_have_at_least_two_labels_of_their_own() {
    let arm = Arm::with_group().await;
    let at = |name: &str| id(&format!("Microsoft.Network/privateDnsZones/{name}"));
    arm.put(&at("a.io"), DNS, json!({ "location": "westeurope" }))
        .await
        .refused(400, "LocationNotAvailableForResourceType");
    arm.put(&at("a.io"), DNS, json!({}))
        .await
        .refused(400, "LocationRequired");
    for name in ["single", "-a.io", "a..io", "azure.com", "Windows.net"] {
        arm.put(&at(name), DNS, json!({ "location": "global" }))
            .await
            .refused(400, "BadRequest");
    }
    arm.put(&at("a.io"), "2025-05-01", json!({ "location": "global" }))
        .await
        .refused(400, "NoRegisteredProviderFound");
    arm.put(
        &format!("{}/A/x", at("a.io")),
        DNS,
        json!({ "properties": { "ttl": 1 } }),
    )
    .await
    .refused(404, "ParentResourceNotFound");
}

#[tokio::test]
async fn a_failed_condition_on_a_zone_fails_its_operation_and_changes_nothing() {
    let arm = with_zone().await;
    let body = json!({ "location": "global", "tags": { "mine": "1" } });
    let reply = put_if(&arm, &zone(), ("if-none-match", "*"), &body)
        .await
        .expect(202);
    arm.finish(&reply).await.refused(412, "PreconditionFailed");
    let kept = arm.get(&zone(), DNS).await.expect(200);
    assert_eq!(kept.state(), "Succeeded");
    assert!(kept.body["tags"].is_null(), "{}", kept.body);
    let etag = kept.header("etag").to_owned();
    let reply = put_if(&arm, &zone(), ("if-match", &etag), &body)
        .await
        .expect(202);
    arm.finish(&reply).await.expect(200);
    assert_eq!(
        arm.get(&zone(), DNS).await.body["tags"],
        json!({ "mine": "1" })
    );
}

#[tokio::test]
async fn record_sets_are_written_at_once_checked_by_etag_and_listed() {
    let arm = with_zone().await;
    let shop = format!("{}/A/Shop", zone());
    // The Azure CLI makes the set without records and adds them later.
    let made = arm
        .put(&shop, "2018-09-01", json!({ "properties": { "ttl": 300 } }))
        .await
        .expect(201);
    assert_eq!(made.body["name"], "shop");
    assert_eq!(made.body["id"], format!("{}/A/shop", zone()));
    assert_eq!(made.body["type"], "Microsoft.Network/privateDnsZones/A");
    assert_eq!(
        made.body["properties"],
        json!({ "ttl": 300, "aRecords": [], "fqdn": format!("shop.{NAME}."), "isAutoRegistered": false })
    );
    let etag = made.header("etag").to_owned();
    let addresses = |last: u8| json!({ "properties": { "ttl": 10, "metadata": { "a": "1" }, "aRecords": [{ "ipv4Address": format!("10.0.0.{last}") }] } });
    put_if(&arm, &shop, ("if-none-match", "*"), &addresses(4))
        .await
        .refused(412, "PreconditionFailed");
    put_if(&arm, &shop, ("if-match", "\"other\""), &addresses(4))
        .await
        .refused(412, "PreconditionFailed");
    let changed = put_if(&arm, &shop, ("if-match", &etag), &addresses(4))
        .await
        .expect(200);
    assert_ne!(changed.header("etag"), etag);
    put_if(&arm, &shop, ("if-match", &etag), &addresses(5))
        .await
        .refused(412, "PreconditionFailed");
    // What was read can be sent back.
    arm.put(&shop, DNS, changed.body).await.expect(200);
    let patched = arm
        .patch(
            &shop,
            DNS,
            json!({ "properties": { "metadata": { "b": "2" } } }),
        )
        .await
        .expect(200);
    assert_eq!(patched.body["properties"]["metadata"], json!({ "b": "2" }));
    assert_eq!(
        patched.body["properties"]["aRecords"],
        json!([{ "ipv4Address": "10.0.0.4" }])
    );

    let bodies = [
        (
            "AAAA",
            json!({ "aaaaRecords": [{ "ipv6Address": "fd00::1" }] }),
        ),
        (
            "CNAME",
            json!({ "cnameRecord": { "cname": "example.com" } }),
        ),
        (
            "MX",
            json!({ "mxRecords": [{ "preference": 0, "exchange": "mail.example.com" }] }),
        ),
        (
            "PTR",
            json!({ "ptrRecords": [{ "ptrdname": "localhost" }] }),
        ),
        (
            "SRV",
            json!({ "srvRecords": [{ "priority": 0, "weight": 10, "port": 80, "target": "example.com" }] }),
        ),
        (
            "TXT",
            json!({ "txtRecords": [{ "value": ["one", "two"] }] }),
        ),
    ];
    for (kind, mut properties) in bodies {
        properties["ttl"] = json!(3600);
        let id = format!("{}/{kind}/{}", zone(), kind.to_lowercase());
        let body = arm
            .put(&id, DNS, json!({ "properties": properties }))
            .await
            .expect(201)
            .body;
        for (name, value) in properties.as_object().unwrap() {
            assert_eq!(&body["properties"][name], value, "{kind}");
        }
    }
    for list in ["ALL", "recordsets"] {
        let all = arm
            .get(&format!("{}/{list}", zone()), DNS)
            .await
            .expect(200);
        assert_eq!(all.body["value"].as_array().unwrap().len(), 8, "{list}");
    }
    let all = arm
        .get(&format!("{}/ALL?$recordsetnamesuffix=hop", zone()), DNS)
        .await
        .expect(200);
    assert_eq!(all.body["value"][0]["name"], "shop");
    let first = arm
        .get(&format!("{}/ALL?$top=5", zone()), DNS)
        .await
        .expect(200);
    let next = first.body["nextLink"].as_str().unwrap();
    let rest = arm.send(Method::GET, next, None).await.expect(200);
    assert_eq!(rest.body["value"].as_array().unwrap().len(), 3);
    let a = arm.get(&format!("{}/A", zone()), DNS).await.expect(200);
    assert_eq!(a.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(
        arm.get(&zone(), DNS).await.body["properties"]["numberOfRecordSets"],
        8
    );
    arm.delete(&shop, DNS).await.expect(200);
    arm.delete(&shop, DNS).await.expect(204);
    // Record sets are no resources of the group.
    let resources = arm
        .get(&format!("{}/resources", group()), RESOURCES)
        .await
        .expect(200);
    assert_eq!(resources.body["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn record_sets_that_make_no_sense_are_refused() {
    let arm = with_zone().await;
    let put = async |rest: &str, properties: Value| {
        arm.put(
            &format!("{}/{rest}", zone()),
            DNS,
            json!({ "properties": properties }),
        )
        .await
    };
    put("A/x", json!({ "aRecords": [] }))
        .await
        .refused(400, "BadRequest");
    put("A/x", json!({ "ttl": 0 }))
        .await
        .refused(400, "BadRequest");
    put(
        "A/x",
        json!({ "ttl": 1, "aRecords": [{ "ipv4Address": "ten" }] }),
    )
    .await
    .refused(400, "BadRequest");
    put("A/x", json!({ "ttl": 1, "aaaaRecords": [] }))
        .await
        .refused(400, "InvalidRequestContent");
    put("A/x y", json!({ "ttl": 1 }))
        .await
        .refused(400, "BadRequest");
    put("A/x", json!({ "ttl": 1, "metadata": { "n": 1 } }))
        .await
        .refused(400, "BadRequest");
    put("SOA/x", json!({ "ttl": 1 }))
        .await
        .refused(400, "BadRequest");
    put(
        "CNAME/@",
        json!({ "ttl": 1, "cnameRecord": { "cname": "a.io" } }),
    )
    .await
    .refused(400, "BadRequest");
    put("A/*.dev", json!({ "ttl": 1 })).await.expect(201);
    put("A/x", json!({ "ttl": 1 })).await.expect(201);
    put(
        "CNAME/X",
        json!({ "ttl": 1, "cnameRecord": { "cname": "a.io" } }),
    )
    .await
    .refused(400, "BadRequest");
    arm.get(&format!("{}/NS/x", zone()), DNS)
        .await
        .refused(404, "InvalidResourceType");
}
