//! What is done to a running cluster, over sockets: run commands, start and stop, node images, maintenance.

use std::io::Write as _;

use crate::support::{Arm, id};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

const AKS: &str = "2026-05-01";

fn cluster() -> String {
    id("Microsoft.ContainerService/managedClusters/aks")
}

fn inside() -> String {
    format!("/_sandbox/kubernetes{}", cluster())
}

async fn made() -> Arm {
    let arm = Arm::with_group().await;
    let body = json!({
        "location": "westeurope",
        "identity": { "type": "SystemAssigned" },
        "properties": { "dnsPrefix": "fk", "agentPoolProfiles": [{ "name": "system", "mode": "System" }] },
    });
    arm.create(&cluster(), AKS, body).await;
    arm
}

/// A zip with these files, in base64.
fn context(files: &[(&str, &str)]) -> String {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    STANDARD.encode(archive.finish().unwrap().into_inner())
}

/// Runs a command and returns its exit code and logs.
async fn run(arm: &Arm, command: &str, context: &str) -> (i64, String) {
    let body = json!({ "command": command, "context": context });
    let reply = arm
        .post(&format!("{}/runCommand", cluster()), AKS, body)
        .await
        .expect(202);
    let url = reply.header("location").to_owned();
    assert!(url.contains("/commandResults/"), "{url}");
    for polls in 0..20 {
        let poll = arm.send(Method::GET, &url, None).await;
        if poll.status == 202 {
            assert_eq!(poll.header("location"), url);
            assert_eq!(poll.state(), "Running");
            continue;
        }
        assert!(
            polls >= 2,
            "the command was seen running {polls} times only"
        );
        let result = poll.expect(200).body;
        assert_eq!(result["properties"]["provisioningState"], "Succeeded");
        assert!(result["properties"]["finishedAt"].is_string());
        let logs = result["properties"]["logs"].as_str().unwrap().to_owned();
        return (result["properties"]["exitCode"].as_i64().unwrap(), logs);
    }
    panic!("the command does not end");
}

#[tokio::test]
async fn a_secret_is_applied_from_the_context_read_and_deleted() {
    let arm = made().await;
    let secret = |password: &str| {
        let config =
            json!({ "auths": { "r.azurecr.io": { "username": "t", "password": password } } });
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: pull\n  namespace: apps\n  annotations:\n    fk/checksum: abc\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {}\n",
            STANDARD.encode(config.to_string())
        )
    };
    let files = |password: &str| context(&[("secret.yaml", &secret(password))]);
    let (code, logs) = run(&arm, "kubectl apply -f secret.yaml", &files("one")).await;
    assert_eq!(
        (code, logs.as_str()),
        (
            1,
            "Error from server (NotFound): namespaces \"apps\" not found\n"
        )
    );
    let first = "kubectl create namespace apps --dry-run=client -o yaml | kubectl apply -f - && kubectl apply -f secret.yaml";
    let (code, logs) = run(&arm, first, &files("one")).await;
    assert_eq!(
        (code, logs.as_str()),
        (0, "namespace/apps created\nsecret/pull created\n")
    );
    let (_, logs) = run(&arm, "kubectl apply -f secret.yaml", &files("one")).await;
    assert_eq!(logs, "secret/pull unchanged\n");
    let (_, logs) = run(&arm, "kubectl apply -f secret.yaml", &files("two")).await;
    assert_eq!(logs, "secret/pull configured\n");
    let (code, logs) = run(&arm, "kubectl get secret pull -n apps -o json", "").await;
    assert_eq!(code, 0);
    let shown: Value = serde_json::from_str(&logs).unwrap();
    assert_eq!(shown["type"], "kubernetes.io/dockerconfigjson");
    assert!(shown["metadata"]["uid"].is_string());
    let path = "kubectl get secret pull --namespace=apps -o jsonpath='{.metadata.annotations.fk/checksum} {.data.\\.dockerconfigjson}'";
    let (_, logs) = run(&arm, path, "").await;
    let (checksum, data) = logs.split_once(' ').unwrap();
    assert_eq!(checksum, "abc");
    assert!(
        String::from_utf8(STANDARD.decode(data).unwrap())
            .unwrap()
            .contains("two")
    );
    // Someone else's kubectl, through the remote control.
    let held = arm.control("GET", &inside(), json!({}));
    assert!(held["objects"]["Secret/apps/pull"].is_object(), "{held}");
    arm.control(
        "PATCH",
        &inside(),
        json!({ "objects": { "Secret/apps/pull": null } }),
    );
    let (code, logs) = run(&arm, "kubectl get secret pull -n apps", "").await;
    assert_eq!(
        (code, logs.as_str()),
        (
            1,
            "Error from server (NotFound): secrets \"pull\" not found\n"
        )
    );
    let (code, logs) = run(
        &arm,
        "kubectl delete secret pull -n apps --ignore-not-found",
        "",
    )
    .await;
    assert_eq!((code, logs.as_str()), (0, ""));
    // What lives in the cluster outlives an update of the cluster, and shows nowhere in its body.
    let body = arm.get(&cluster(), AKS).await.body;
    assert!(body.get("kubernetes").is_none());
    let reply = arm.put(&cluster(), AKS, body).await.expect(200);
    arm.finish(&reply).await;
    let (code, _) = run(&arm, "kubectl get ns apps", "").await;
    assert_eq!(code, 0);
}

#[tokio::test]
async fn the_shell_knows_pipes_here_documents_and_failures() {
    let arm = made().await;
    let here = "kubectl apply -f - <<'EOF'\napiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  k: v w\nEOF\nkubectl get secret a -o jsonpath='{.data.k}' | base64 -d";
    let (code, logs) = run(&arm, here, "").await;
    assert_eq!((code, logs.as_str()), (0, "secret/a created\nv w"));
    let registry = "kubectl create secret docker-registry b --docker-server=r.azurecr.io --docker-username=t --docker-password='p w' -n default";
    let (code, logs) = run(&arm, registry, "").await;
    assert_eq!((code, logs.as_str()), (0, "secret/b created\n"));
    let (code, logs) = run(&arm, registry, "").await;
    assert_eq!(
        (code, logs.as_str()),
        (
            1,
            "Error from server (AlreadyExists): secrets \"b\" already exists\n"
        )
    );
    let (code, _) = run(&arm, "false && echo no; echo yes", "").await;
    assert_eq!(code, 0);
    let (code, logs) = run(&arm, "helm list", "").await;
    assert_eq!((code, logs.as_str()), (127, "sh: helm: not found\n"));
    let (code, logs) = run(&arm, "kubectl apply -f missing.yaml", "").await;
    assert_eq!(
        (code, logs.as_str()),
        (1, "error: the path \"missing.yaml\" does not exist\n")
    );
    let patch = r#"kubectl patch serviceaccount default -p '{"imagePullSecrets":[{"name":"b"}]}'"#;
    let (code, _) = run(&arm, patch, "").await;
    assert_eq!(code, 0);
    let (_, logs) = run(&arm, "kubectl get sa default -o json", "").await;
    assert!(logs.contains("imagePullSecrets"), "{logs}");
    let broken = context(&[(
        "s.json",
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"type":"kubernetes.io/dockerconfigjson","data":{}}"#,
    )]);
    let (code, logs) = run(&arm, "kubectl apply -f s.json", &broken).await;
    assert!(code == 1 && logs.contains("Required value"), "{logs}");
}

#[tokio::test]
async fn a_pod_reads_a_vault_as_the_identity_of_its_node() {
    let arm = made().await;
    let vault = id("Microsoft.KeyVault/vaults/kv-pods");
    let secret = format!("{vault}/secrets/login");
    const VAULTS: &str = "2024-11-01";
    let body = json!({
        "location": "westeurope",
        "properties": {
            "tenantId": fkaks_sandbox::DEFAULT_TENANT, "enableRbacAuthorization": true,
            "sku": { "family": "A", "name": "standard" },
        },
    });
    arm.create(&vault, VAULTS, body).await;
    let body = json!({ "properties": { "value": "hunter2" } });
    arm.create(&secret, VAULTS, body).await;
    let stored = arm.get(&secret, VAULTS).await.body;
    let uri = stored["properties"]["secretUriWithVersion"]
        .as_str()
        .unwrap();
    let cluster_now = arm.get(&cluster(), AKS).await.body;
    let kubelet = &cluster_now["properties"]["identityProfile"]["kubeletidentity"];
    let client = kubelet["clientId"].as_str().unwrap();
    let token = |resource: &str| {
        format!(
            "curl -sSf -H Metadata:true 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}&client_id={client}'"
        )
    };
    let header = r#"jq -r '"Authorization: Bearer " + .access_token'"#;
    let read = |resource: &str| {
        format!(
            "{} | {header} | curl -sSf -H @- '{uri}?api-version=7.4' | jq -j .value",
            token(resource)
        )
    };
    let vaults = "https%3A%2F%2Fvault.azure.net";
    let forbidden = (
        0,
        "curl: (22) The requested URL returned error: 403\n".to_owned(),
    );
    assert_eq!(run(&arm, &read(vaults), "").await, forbidden);
    let guid = "5b1f0c52-0b5e-4f1c-9a53-5f3f0a2c7d02";
    let assignment = format!("{secret}/providers/Microsoft.Authorization/roleAssignments/{guid}");
    let role = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6",
        fkaks_sandbox::DEFAULT_SUBSCRIPTION
    );
    let body = json!({ "properties": { "roleDefinitionId": role, "principalId": kubelet["objectId"], "principalType": "ServicePrincipal" } });
    arm.put(&assignment, "2022-04-01", body).await.expect(201);
    assert_eq!(
        run(&arm, &read(vaults), "").await,
        (0, "hunter2".to_owned())
    );
    let wrong = "https%3A%2F%2Fmanagement.azure.com";
    let (_, logs) = run(&arm, &read(wrong), "").await;
    assert_eq!(logs, "curl: (22) The requested URL returned error: 401\n");
    // A closed vault lets in who comes through an approved endpoint.
    let mut closed = arm.get(&vault, VAULTS).await.body;
    closed["properties"]["networkAcls"] =
        json!({ "defaultAction": "Deny", "bypass": "AzureServices" });
    arm.create(&vault, VAULTS, closed.clone()).await;
    assert_eq!(run(&arm, &read(vaults), "").await, forbidden);
    closed["properties"]["publicNetworkAccess"] = json!("Disabled");
    arm.create(&vault, VAULTS, closed).await;
    assert_eq!(run(&arm, &read(vaults), "").await, forbidden);
    let network = id("Microsoft.Network/virtualNetworks/vnet-pods");
    let body = json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/24"] }, "subnets": [{ "name": "pe", "properties": { "addressPrefix": "10.0.0.0/27" } }] } });
    arm.create(&network, "2025-05-01", body).await;
    let endpoint = id("Microsoft.Network/privateEndpoints/pe-pods");
    let body = json!({ "location": "westeurope", "properties": {
        "subnet": { "id": format!("{network}/subnets/pe") },
        "privateLinkServiceConnections": [{ "name": "v", "properties": { "privateLinkServiceId": vault, "groupIds": ["vault"] } }],
    } });
    arm.create(&endpoint, "2025-05-01", body).await;
    assert_eq!(
        run(&arm, &read(vaults), "").await,
        (0, "hunter2".to_owned())
    );
    let shown = arm.get(&vault, VAULTS).await.body;
    let connections = &shown["properties"]["privateEndpointConnections"];
    assert_eq!(connections.as_array().unwrap().len(), 1, "{shown}");
    // Of the value a secret is made that another program marks, and a checksum of it can be compared.
    let write = format!(
        "{} | kubectl create secret generic login -n default --from-file=value=/dev/stdin --dry-run=client -o json | kubectl label --local -f - -o json by=pod | kubectl apply --server-side -f -",
        read(vaults)
    );
    let (code, logs) = run(&arm, &write, "").await;
    assert_eq!(
        (code, logs.as_str()),
        (0, "secret/login serverside-applied\n")
    );
    let print = "kubectl get secret login -o jsonpath='by={.metadata.labels.by}{\"\\n\"}' && kubectl get secret login -o jsonpath='{.data.value}' | base64 -d | sha256sum";
    let (_, logs) = run(&arm, print, "").await;
    let sum = "f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7";
    assert_eq!(logs, format!("by=pod\n{sum}  -\n"));
    // An identity that no node has, a host that nobody knows, a program without its header.
    let other = token(vaults).replace(client, "00000000-0000-0000-0000-00000000000f");
    let (code, logs) = run(&arm, &other, "").await;
    assert_eq!(
        (code, logs.as_str()),
        (22, "curl: (22) The requested URL returned error: 400\n")
    );
    let (code, _) = run(&arm, "curl -sS https://nowhere.example/", "").await;
    assert_eq!(code, 6);
    let bare = token(vaults).replace(" -H Metadata:true", "");
    assert_eq!(run(&arm, &bare, "").await.0, 22);
}

#[tokio::test]
async fn a_cluster_with_entra_runs_a_command_for_who_has_a_token_of_it() {
    let arm = Arm::with_group().await;
    let body = json!({
        "location": "westeurope",
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "dnsPrefix": "fk", "aadProfile": { "managed": true, "enableAzureRBAC": true },
            "agentPoolProfiles": [{ "name": "system", "mode": "System" }],
        },
    });
    arm.create(&cluster(), AKS, body).await;
    let url = format!("{}/runCommand", cluster());
    for token in [json!(null), json!("x")] {
        arm.post(
            &url,
            AKS,
            json!({ "command": "true", "clusterToken": token }),
        )
        .await
        .refused(400, "InvalidParameter");
    }
}

#[tokio::test]
async fn a_test_lays_down_answers_and_a_cluster_may_refuse_commands() {
    let arm = made().await;
    arm.control("PATCH", &inside(), json!({ "answers": [{ "match": "^kubectl get nodes", "exitCode": 3, "logs": "no nodes", "count": 1 }] }));
    assert_eq!(
        run(&arm, "kubectl get nodes", "").await,
        (3, "no nodes".to_owned())
    );
    let (code, _) = run(&arm, "kubectl get nodes", "").await;
    assert_eq!(code, 0);
    let command = format!("{}/runCommand", cluster());
    arm.post(&command, AKS, json!({ "command": "" }))
        .await
        .refused(400, "InvalidParameter");
    arm.post(&command, AKS, json!({ "command": "true", "context": "x" }))
        .await
        .refused(400, "InvalidParameter");
    let mut body = arm.get(&cluster(), AKS).await.body;
    body["properties"]["apiServerAccessProfile"] = json!({ "disableRunCommand": true });
    let reply = arm.put(&cluster(), AKS, body).await.expect(200);
    arm.finish(&reply).await;
    arm.post(&command, AKS, json!({ "command": "true" }))
        .await
        .refused(400, "OperationNotAllowed");
}

#[tokio::test]
async fn a_cluster_is_stopped_and_started() {
    let arm = made().await;
    let stop = format!("{}/stop", cluster());
    let reply = arm.post(&stop, AKS, json!({})).await.expect(202);
    assert!(!reply.header("location").is_empty());
    assert_eq!(arm.get(&cluster(), AKS).await.state(), "Stopping");
    arm.post(&format!("{}/start", cluster()), AKS, json!({}))
        .await
        .refused(409, "OperationNotAllowed");
    arm.finish(&reply).await;
    let body = arm.get(&cluster(), AKS).await.body;
    assert_eq!(body["properties"]["powerState"]["code"], "Stopped");
    assert_eq!(body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        body["properties"]["agentPoolProfiles"][0]["powerState"]["code"],
        "Stopped"
    );
    arm.post(&stop, AKS, json!({})).await.expect(204);
    arm.put(&cluster(), AKS, body)
        .await
        .refused(400, "OperationNotAllowed");
    let reply = arm
        .post(&format!("{}/start", cluster()), AKS, json!({}))
        .await
        .expect(202);
    arm.finish(&reply).await;
    let body = arm.get(&cluster(), AKS).await.body;
    assert_eq!(body["properties"]["powerState"]["code"], "Running");
}

#[tokio::test]
async fn a_node_image_is_upgraded_once() {
    let arm = made().await;
    let pool = format!("{}/agentPools/system", cluster());
    let upgrade = format!("{pool}/upgradeNodeImageVersion");
    arm.post(&upgrade, AKS, json!({})).await.expect(200);
    let old = "AKSUbuntu-2204gen2containerd-202501.01.0";
    arm.control(
        "PATCH",
        &format!("/_sandbox/resources{pool}"),
        json!({ "properties": { "nodeImageVersion": old } }),
    );
    let reply = arm.post(&upgrade, AKS, json!({})).await.expect(202);
    assert_eq!(reply.state(), "UpgradingNodeImageVersion");
    arm.finish(&reply).await;
    let after = arm.get(&pool, AKS).await.body;
    assert_eq!(after["properties"]["provisioningState"], "Succeeded");
    assert_ne!(after["properties"]["nodeImageVersion"], old);
}

#[tokio::test]
async fn maintenance_windows_are_checked_and_written_at_once() {
    let arm = made().await;
    let configuration = |name: &str| format!("{}/maintenanceConfigurations/{name}", cluster());
    let window = |schedule: Value, hours: u32| json!({ "properties": { "maintenanceWindow": { "schedule": schedule, "durationHours": hours, "startTime": "08:30", "utcOffset": "+05:30" } } });
    let weekly = json!({ "weekly": { "intervalWeeks": 1, "dayOfWeek": "Monday" } });
    let auto = configuration("aksManagedAutoUpgradeSchedule");
    let made = arm
        .put(&auto, AKS, window(weekly.clone(), 8))
        .await
        .expect(201);
    assert!(made.body["properties"]["maintenanceWindow"]["startDate"].is_string());
    arm.put(&auto, AKS, window(weekly.clone(), 6))
        .await
        .expect(200);
    arm.put(&auto, AKS, window(weekly.clone(), 2))
        .await
        .refused(400, "InvalidParameter");
    arm.put(&auto, AKS, window(json!({}), 8))
        .await
        .refused(400, "InvalidParameter");
    arm.put(&configuration("mine"), AKS, window(weekly, 8))
        .await
        .refused(400, "InvalidParameter");
    let hours =
        json!({ "properties": { "timeInWeek": [{ "day": "Monday", "hourSlots": [1, 2] }] } });
    arm.put(&configuration("default"), AKS, hours)
        .await
        .expect(201);
    let list = arm
        .get(&format!("{}/maintenanceConfigurations", cluster()), AKS)
        .await
        .expect(200);
    assert_eq!(list.body["value"].as_array().unwrap().len(), 2);
    arm.delete(&auto, AKS).await.expect(200);
    arm.delete(&auto, AKS).await.expect(204);
}
