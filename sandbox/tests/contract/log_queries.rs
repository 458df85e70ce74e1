//! The query API of Log Analytics over real sockets: one query, over what diagnostic settings sent.

use crate::support::{Arm, Reply, id};
use reqwest::Method;
use serde_json::{Value, json};

const LOGS: &str = "2025-07-01";
const INSIGHTS: &str = "2021-05-01-preview";
const REGISTRY: &str = "2025-11-01";
const LOGIN: &str = "ContainerRegistryLoginEvents";
const REPOSITORY: &str = "ContainerRegistryRepositoryEvents";

fn workspace() -> String {
    id("Microsoft.OperationalInsights/workspaces/logs")
}

fn registry() -> String {
    id("Microsoft.ContainerRegistry/registries/fkaksshop")
}

fn setting(name: &str) -> String {
    format!(
        "{}/providers/Microsoft.Insights/diagnosticSettings/{name}",
        registry()
    )
}

fn callers(of: &str) -> String {
    format!(
        r#"union isfuzzy=true
    (datatable (TimeGenerated: datetime, _ResourceId: string, CallerIpAddress: string, ArtifactType: string, OperationName: string, Identity: string) []),
    ContainerRegistryRepositoryEvents,
    ContainerRegistryLoginEvents
| where _ResourceId =~ "{}"
| summarize Events = count(), LastSeen = max(TimeGenerated) by CallerIpAddress, ArtifactType, OperationName, Identity
| order by CallerIpAddress asc, ArtifactType asc, OperationName asc, Identity asc"#,
        of.to_lowercase()
    )
}

struct Logs {
    arm: Arm,
    customer: String,
    token: String,
}

impl Logs {
    /// A registry whose login events go to a workspace.
    async fn start() -> Self {
        let arm = Arm::with_group().await;
        let body = json!({ "location": "westeurope" });
        let made = arm.create(&workspace(), LOGS, body).await;
        let body = json!({ "location": "westeurope", "sku": { "name": "Premium" } });
        arm.create(&registry(), REGISTRY, body).await;
        let logs = Self {
            customer: made["properties"]["customerId"]
                .as_str()
                .unwrap()
                .to_owned(),
            token: token(&arm, "https://api.loganalytics.io"),
            arm,
        };
        logs.send_category("audit", LOGIN).await;
        logs
    }

    async fn send_category(&self, name: &str, category: &str) {
        let body = json!({ "properties": {
            "workspaceId": workspace(), "logs": [{ "category": category, "enabled": true }],
        } });
        self.arm
            .put(&setting(name), INSIGHTS, body)
            .await
            .expect(200);
    }

    fn happens(&self, category: &str, events: Value) -> u64 {
        let body = json!({ "category": category, "events": events });
        let answer = self
            .arm
            .control("POST", &format!("/_sandbox/logs{}", registry()), body);
        answer["sent"].as_u64().unwrap()
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Reply {
        let url = format!("{}{path}", self.arm.sandbox.base_url);
        let mut request = self
            .arm
            .http
            .request(Method::POST, url)
            .header("host", "api.loganalytics.azure.com")
            .json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.json().await.unwrap(),
        }
    }

    async fn ask(&self, body: Value) -> Reply {
        let path = format!("/v1/workspaces/{}/query", self.customer);
        self.post(&path, Some(&self.token), body).await
    }

    async fn rows(&self, body: Value) -> Value {
        let answer = self.ask(body).await.expect(200).body;
        answer["tables"][0]["rows"].clone()
    }
}

fn token(arm: &Arm, audience: &str) -> String {
    let answer = arm.control(
        "GET",
        &format!("/_sandbox/token?audience={audience}"),
        json!({}),
    );
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_published_query_says_who_called() {
    let logs = Logs::start().await;
    let login = |ip: &str, time: &str| json!({ "CallerIpAddress": ip, "OperationName": "Login", "Identity": "kubelet", "TimeGenerated": time });
    let events = json!([
        login("203.0.113.7", "2026-01-01T10:00:00Z"),
        login("203.0.113.7", "2026-01-01T12:00:00Z"),
        login("198.51.100.1", "2026-01-01T11:00:00Z"),
    ]);
    assert_eq!(logs.happens(LOGIN, events), 3);
    let answer = logs
        .ask(json!({ "query": callers(&registry()) }))
        .await
        .expect(200)
        .body;
    let table = &answer["tables"][0];
    assert_eq!(table["name"], "PrimaryResult");
    let names: Vec<_> = table["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "CallerIpAddress",
            "ArtifactType",
            "OperationName",
            "Identity",
            "Events",
            "LastSeen"
        ]
    );
    assert_eq!(
        table["rows"],
        json!([
            [
                "198.51.100.1",
                "",
                "Login",
                "kubelet",
                1,
                "2026-01-01T11:00:00Z"
            ],
            [
                "203.0.113.7",
                "",
                "Login",
                "kubelet",
                2,
                "2026-01-01T12:00:00Z"
            ],
        ])
    );
    let spanned = json!({ "query": callers(&registry()), "timespan": "2026-01-01T10:30:00Z/PT1H" });
    assert_eq!(logs.rows(spanned).await.as_array().unwrap().len(), 1);
    assert_eq!(
        logs.rows(json!({ "query": callers(&registry()), "timespan": "PT1H" }))
            .await,
        json!([])
    );
    assert_eq!(
        logs.rows(json!({ "query": callers(&id("x/y/z")) })).await,
        json!([])
    );
    let by_resource = format!("/v1{}/query", registry());
    let answer = logs
        .post(
            &by_resource,
            Some(&logs.token),
            json!({ "query": callers(&registry()) }),
        )
        .await;
    assert_eq!(
        answer.expect(200).body["tables"][0]["rows"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let log = logs.arm.control("GET", "/_sandbox/requests", json!({}));
    assert!(
        log["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["kind"] == "logs")
    );
}

#[tokio::test]
async fn only_what_a_setting_sent_when_it_happened_is_there() {
    let logs = Logs::start().await;
    let pull = json!([{ "CallerIpAddress": "203.0.113.7", "ArtifactType": "Image", "OperationName": "Pull", "Identity": "kubelet" }]);
    assert_eq!(logs.happens(REPOSITORY, pull.clone()), 0);
    logs.send_category("more", REPOSITORY).await;
    assert_eq!(logs.happens(REPOSITORY, pull.clone()), 1);
    logs.arm
        .delete(&setting("more"), INSIGHTS)
        .await
        .expect(200);
    assert_eq!(logs.happens(REPOSITORY, pull), 0);
    let rows = logs.rows(json!({ "query": callers(&registry()) })).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(rows[0][4], 1);
}

#[tokio::test]
async fn any_other_query_is_answered_as_one_that_cannot_be_read() {
    let logs = Logs::start().await;
    let refused = async |body: Value| {
        let reply = logs.ask(body).await.refused(400, "BadArgumentError");
        reply.body["error"]["innererror"].clone()
    };
    let inner = refused(json!({ "query": "Heartbeat | take" })).await;
    assert_eq!(inner["code"], "SemanticError");
    let inner = refused(json!({ "query": callers(&registry()) + " | take 5" })).await;
    assert_eq!(
        (&inner["code"], &inner["innererror"]["code"]),
        (&json!("SyntaxError"), &json!("SYN0002"))
    );
    assert_eq!(inner["innererror"]["token"], "|");
    refused(json!({})).await;
    let span = json!({ "query": callers(&registry()), "timespan": "lately" });
    assert_eq!(refused(span).await["code"], "InvalidTimespanError");
}

#[tokio::test]
async fn tokens_workspaces_and_rights_are_checked() {
    let logs = Logs::start().await;
    let body = json!({ "query": callers(&registry()) });
    let path = format!("/v1/workspaces/{}/query", logs.customer);
    logs.post(&path, None, body.clone())
        .await
        .refused(401, "AuthenticationFailed");
    logs.post(&path, Some("abc"), body.clone())
        .await
        .refused(403, "InvalidAuthenticationToken");
    let arm_token = token(&logs.arm, "https://management.azure.com/");
    logs.post(&path, Some(&arm_token), body.clone())
        .await
        .refused(403, "InvalidAuthenticationTokenAudience");
    let other = "/v1/workspaces/00000000-0000-0000-0000-000000000000/query";
    logs.post(other, Some(&logs.token), body.clone())
        .await
        .refused(404, "WorkspaceNotFoundError");
    logs.post("/v2/query", Some(&logs.token), body.clone())
        .await
        .refused(404, "PathNotFoundError");
    let none = format!(
        "/v1{}/query",
        id("Microsoft.ContainerRegistry/registries/fkaksnone")
    );
    logs.post(&none, Some(&logs.token), body.clone())
        .await
        .refused(404, "ResourceNotFoundError");
    let closed = json!({ "properties": { "publicNetworkAccessForQuery": "Disabled" } });
    logs.arm.patch(&workspace(), LOGS, closed).await.expect(200);
    logs.ask(body.clone())
        .await
        .refused(403, "InsufficientAccessError");
    let open = json!({ "properties": { "publicNetworkAccessForQuery": "Enabled" } });
    logs.arm.patch(&workspace(), LOGS, open).await.expect(200);
    let taken = json!({ "callerNotActions": ["Microsoft.OperationalInsights/workspaces/query/*"] });
    logs.arm.control("PATCH", "/_sandbox/settings", taken);
    logs.ask(body.clone())
        .await
        .refused(403, "InsufficientAccessError");
    // Elsewhere than at the host of the API there is no such page.
    let url = format!("{path}?api-version=x");
    logs.arm
        .send(Method::POST, &url, Some(&body))
        .await
        .expect(404);
}
