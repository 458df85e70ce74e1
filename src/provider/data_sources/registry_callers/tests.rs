//! The query byte for byte, the window, the workspace, and who counts as expected.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use serde_json::json;

use super::*;

const CUSTOMER: &str = "3d1f3a52-6f0a-4c3e-9b0e-1f1f9f0f5a11";
const KUBELET: &str = "5d2c1a7e-0b1f-4c55-9d3c-0c5f3b5a7a01";
const DEFENDER: &str = "b21cb118-5a59-4628-bab0-3c3f0e434cg6";

fn group() -> ArmId {
    ArmId::group("00000000-0000-0000-0000-000000000001", "rg")
}

fn registry() -> ArmId {
    group().resource(REGISTRY, "FkAcr")
}

fn workspace_id() -> ArmId {
    group().resource(WORKSPACE, "logs")
}

fn cluster() -> ArmId {
    group().resource(CLUSTER, "aks")
}

fn input(more: Json) -> Input {
    let mut written = json!({ "registry_id": registry(), "workspace_id": workspace_id() });
    for (name, value) in more.as_object().unwrap() {
        written[name] = value.clone();
    }
    serde_json::from_value(written).unwrap()
}

fn row(address: &str, identity: &str) -> Json {
    json!({
        "CallerIpAddress": address, "ArtifactType": "DockerImage", "OperationName": "Pull",
        "Identity": identity, "Events": 3, "LastSeen": "2026-11-20T10:00:00Z",
    })
}

fn seen(timespan: &str, answer: Json) -> Seen {
    let question = Question::Logs {
        workspace: CUSTOMER.to_owned(),
        query: query(&registry()),
        timespan: timespan.to_owned(),
    };
    let ip = group().resource("Microsoft.Network/publicIPAddresses", "out");
    Seen::of([
        (
            workspace_id(),
            Some(json!({ "properties": { "customerId": CUSTOMER } })),
        ),
        (registry(), Some(json!({ "id": registry() }))),
        (
            cluster(),
            Some(json!({ "properties": {
                "identityProfile": { "kubeletidentity": { "objectId": KUBELET, "clientId": "c" } },
                "networkProfile": {
                    "outboundType": "loadBalancer",
                    "loadBalancerProfile": { "effectiveOutboundIPs": [{ "id": ip }] },
                },
            } })),
        ),
        (
            ip,
            Some(json!({ "properties": { "ipAddress": "203.0.113.7" } })),
        ),
    ])
    .with_answer(question, answer)
}

fn told(input: &Input, seen: &Seen) -> Answer<Output> {
    RegistryCallers::answer(input, seen).unwrap()
}

#[test]
fn the_query_is_the_published_one_byte_for_byte_but_for_the_id() {
    assert_eq!(
        query(&registry()),
        "union isfuzzy=true\n    (datatable (TimeGenerated: datetime, _ResourceId: string, CallerIpAddress: \
         string, ArtifactType: string, OperationName: string, Identity: string) []),\n    \
         ContainerRegistryRepositoryEvents,\n    ContainerRegistryLoginEvents\n| where _ResourceId =~ \
         \"/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/rg/providers/\
         microsoft.containerregistry/registries/fkacr\"\n| summarize Events = count(), LastSeen = \
         max(TimeGenerated) by CallerIpAddress, ArtifactType, OperationName, Identity\n| order by CallerIpAddress \
         asc, ArtifactType asc, OperationName asc, Identity asc"
    );
}

#[test]
fn a_window_is_a_span_of_time_in_iso_8601() {
    assert_eq!(timespan("24h").as_deref(), Some("PT24H"));
    assert_eq!(timespan("90m").as_deref(), Some("PT90M"));
    assert_eq!(timespan("7d").as_deref(), Some("P7D"));
    for wrong in ["", "h", "0h", "-1h", "24", "24H", "1w", "1.5h", "é"] {
        assert_eq!(timespan(wrong), None, "{wrong}");
    }
}

#[test]
fn a_caller_is_expected_by_its_address_its_identity_or_its_service_and_nobody_else_is() {
    let expected = json!({ "window": "7d", "expected": {
        "cluster_ids": [cluster()], "ip_ranges": ["198.51.100.0/24", "10.10.8.4"],
        "trusted_services": ["defender", "some-service"],
    } });
    let rows = json!([
        row("203.0.113.7", "x"),
        row("192.0.2.1", &KUBELET.to_uppercase()),
        row("198.51.100.9", "x"),
        row("10.10.8.4", "x"),
        row("192.0.2.2", DEFENDER),
        row("192.0.2.3", "some-service"),
        row("192.0.2.4", "0e2b2b0c-0000-4000-8000-000000000001"),
    ]);
    let seen = seen("P7D", json!({ "rows": rows, "partial": null }));
    let answer = told(&input(expected), &seen);
    let reasons: Vec<&str> = answer
        .output
        .callers
        .iter()
        .map(|one| one.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "an outbound address of the cluster aks",
            "the identity kubeletidentity of the cluster aks",
            "within 198.51.100.0/24",
            "within 10.10.8.4",
            "Microsoft Defender for Containers",
            "the trusted service some-service",
            "neither its address nor its identity is expected",
        ]
    );
    assert_eq!(answer.output.unexpected, answer.output.callers[6..]);
    assert_eq!(answer.output.callers[0].count, 3);
    assert!(answer.warnings.is_empty());
}

#[test]
fn without_expectations_nobody_is_expected_and_a_partial_answer_is_a_warning() {
    let rows = json!([row("203.0.113.7", "")]);
    let seen = seen(
        "PT24H",
        json!({ "rows": rows, "partial": "A shard was away." }),
    );
    let answer = told(&input(json!({})), &seen);
    assert_eq!(answer.output.unexpected.len(), 1);
    assert_eq!(answer.output.unexpected[0].identity, None);
    assert_eq!(answer.output.window, "24h");
    assert!(answer.warnings[0].1.contains("A shard was away."));
}

#[test]
fn the_workspace_is_found_by_the_registry_s_diagnostic_settings() {
    let list = "providers/Microsoft.Insights/diagnosticSettings";
    let setting = |workspace: &ArmId, category: &str, enabled: bool| {
        json!({ "properties": {
            "workspaceId": workspace, "logs": [{ "category": category, "enabled": enabled }],
        } })
    };
    let written = input(json!({ "workspace_id": null }));
    let other = group().resource(WORKSPACE, "other");
    let with = |settings: Vec<Json>| {
        seen("PT24H", json!({ "rows": [], "partial": null })).with_list(&registry(), list, settings)
    };
    let login = "ContainerRegistryLoginEvents";
    let one = with(vec![
        setting(&workspace_id(), login, true),
        setting(&other, login, false),
        setting(&other, "AllMetrics", true),
    ]);
    assert_eq!(told(&written, &one).output.workspace_id, workspace_id());
    let why = |settings| {
        format!(
            "{:?}",
            RegistryCallers::answer(&written, &with(settings)).unwrap_err()
        )
    };
    assert!(why(Vec::new()).contains("go to no workspace"));
    let two = vec![
        setting(&workspace_id(), login, true),
        setting(&other, login, true),
    ];
    let said = why(two);
    assert!(
        said.contains("several workspaces") && said.contains("/other"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_known_of_a_cluster_is_a_warning() {
    let rows = json!({ "rows": [], "partial": null });
    let gone = group().resource(CLUSTER, "gone");
    let mut seen = seen("PT24H", rows);
    seen.insert(
        &gone,
        json!({ "properties": { "networkProfile": { "outboundType": "loadBalancer" } } }),
    );
    let answer = told(
        &input(json!({ "expected": { "cluster_ids": [gone] } })),
        &seen,
    );
    assert!(
        answer.warnings[0].1.contains("lists no outbound addresses"),
        "{:?}",
        answer.warnings
    );
}
