//! Tokens of the machine that this runs on: managed identities and the Azure CLI.

use super::credentials::{fields, fine, run_with};
use super::*;

#[tokio::test]
async fn a_managed_identity_is_asked_at_its_endpoint_and_waited_for_while_it_starts() {
    let azure = Azure::start(|seen, before| match (seen.path.as_str(), before) {
        (path, 0) if path.starts_with("/msi") => say(404, Json::Null),
        (path, 1) if path.starts_with("/msi") => say(410, Json::Null),
        (path, _) if path.starts_with("/msi") => say(
            200,
            json!({"access_token": "msi-token", "expires_in": "3600"}),
        ),
        _ => say(200, json!({})),
    })
    .await;
    let settings = Settings {
        use_msi: Some(true),
        msi_endpoint: Some(format!("{}/msi", azure.address)),
        ..bare(&azure)
    };
    let client = Client::new(settings).unwrap();
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    let seen = azure.requests();
    assert_eq!(
        seen.last().unwrap().headers["authorization"],
        "Bearer msi-token"
    );
    assert_eq!(seen[0].headers["metadata"], "true");
    let query = fields(seen[0].path.split_once('?').unwrap().1);
    assert_eq!(
        (
            query["resource"].as_str(),
            query["client_id"].as_str(),
            query["api-version"].as_str()
        ),
        (azure.address.as_str(), "app-1", "2018-02-01")
    );

    let app_service = Settings {
        use_msi: Some(true),
        client_id: None,
        app_service_identity: Some(AppServiceIdentity {
            endpoint: format!("{}/msi/token", azure.address),
            header: Secret::new("proof"),
        }),
        ..bare(&azure)
    };
    let client = Client::new(app_service).unwrap();
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    let seen = azure
        .requests()
        .into_iter()
        .rfind(|seen| seen.path.starts_with("/msi/token"))
        .unwrap();
    assert_eq!(seen.headers["x-identity-header"], "proof");
}

#[tokio::test]
async fn the_identity_of_a_machine_is_asked_at_its_metadata_service_as_often_as_everybody() {
    let azure = Azure::start(|seen, before| match (seen.path.as_str(), before) {
        (path, 0) if path.starts_with("/metadata") => say(404, Json::Null),
        (path, 1) if path.starts_with("/metadata") => say(410, Json::Null),
        (path, _) if path.starts_with("/metadata") => say(
            200,
            json!({"access_token": "vm-token", "expires_in": "3600", "expires_on": "4102444800",
                   "resource": "r", "token_type": "Bearer"}),
        ),
        (path, _) if path.starts_with("/broken") => say(
            400,
            json!({"error": "invalid_request", "error_description": "Identity not found"}),
        ),
        (path, _) if path.starts_with("/busy") => say(503, Json::Null),
        _ => say(200, json!({})),
    })
    .await;
    let machine = |path: &str, client_id: Option<&str>| Settings {
        use_msi: Some(true),
        client_id: client_id.map(str::to_owned),
        metadata_service: Some(format!("{}{path}", azure.address)),
        ..bare(&azure)
    };
    let (user, resource) = (Some("app-1"), Some("/subscriptions/s/id"));
    for (client_id, parameter) in [(None, None), (user, user), (resource, None)] {
        let client = Client::new(machine("/metadata", client_id)).unwrap();
        client.get(&call(&client, 600), &endpoint()).await.unwrap();
        let seen = azure.requests();
        let bearer = &seen.last().unwrap().headers["authorization"];
        assert_eq!(bearer, "Bearer vm-token");
        let asked = &seen[seen.len() - 2];
        assert_eq!(asked.headers["metadata"], "true");
        let query = fields(asked.path.split_once('?').unwrap().1);
        assert_eq!(query["resource"], azure.address);
        assert_eq!(query.get("client_id").map(String::as_str), parameter);
        let id = query.get("msi_res_id").map(String::as_str);
        assert_eq!(id, client_id.filter(|id| id.starts_with('/')));
    }

    let refusal = async |path| {
        let client = Client::new(machine(path, None)).unwrap();
        let error = client.get(&call(&client, 6000), &endpoint()).await;
        error.unwrap_err().to_string()
    };
    let text = refusal("/broken").await;
    let words = "answered 400 invalid_request Identity not found";
    assert!(text.contains(words), "{text}");
    // The crate would go on for more than a minute, by its own clock.
    let text = refusal("/busy").await;
    assert!(text.contains("answered 503"), "{text}");
    assert_eq!(count(&azure, "/busy"), 4);
}

fn count(azure: &Azure, path: &str) -> usize {
    let seen = azure.seen.lock().unwrap();
    seen.iter()
        .filter(|seen| seen.path.starts_with(path))
        .count()
}

/// A directory with a program `az` that does what the script says.
#[cfg(unix)]
pub(super) fn az(script: &str) -> (tempfile::TempDir, Option<String>) {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("az");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let searched = directory.path().to_str().unwrap().to_owned();
    (directory, Some(searched))
}

#[cfg(unix)]
pub(super) fn cli(azure: &Azure, search_path: Option<String>) -> Settings {
    Settings {
        use_cli: None,
        tenant_id: None,
        subscription_id: Some(SUB.into()),
        cli_search_path: search_path,
        ..bare(azure)
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_azure_cli_is_asked_for_a_token_and_its_words_are_passed_on() {
    let azure = fine().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let (_good, good) = az(&format!(
        "echo \"$@\" >> {}; echo '{{\"accessToken\": \"cli-token\", \"expires_on\": 4102444800, \
         \"tokenType\": \"Bearer\"}}'",
        log.path().display()
    ));
    let client = Client::new(cli(&azure, good.clone())).unwrap();
    for _ in 0..2 {
        client.get(&call(&client, 6000), &endpoint()).await.unwrap();
    }
    assert_eq!(
        azure.requests()[0].headers["authorization"],
        "Bearer cli-token"
    );
    // The CLI knows the tenant of a subscription; where a tenant is named, that one counts.
    let client = Client::new(Settings {
        tenant_id: Some(TENANT.into()),
        auxiliary_tenant_ids: vec!["tenant-b".into()],
        ..cli(&azure, good)
    })
    .unwrap();
    client.get(&call(&client, 6000), &endpoint()).await.unwrap();
    let mut arguments: Vec<_> = std::fs::read_to_string(&log)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let asked = format!(
        "account get-access-token -o json --scope {}/.default",
        azure.address
    );
    assert_eq!(arguments[0], format!("{asked} --subscription {SUB}"));
    arguments[1..].sort_unstable();
    assert_eq!(
        arguments[1..],
        [
            format!("{asked} --tenant {TENANT}"),
            format!("{asked} --tenant tenant-b")
        ]
    );

    let (_bad, bad) = az("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1");
    let (_old, old) = az("echo '{\"accessToken\": \"cli-token\", \"tokenType\": \"Bearer\"}'");
    let (_mute, mute) = az("exit 3");
    for (program, words) in [
        (
            bad,
            "Azure CLI: az account get-access-token: Please run 'az login' to setup account.",
        ),
        (old, "Azure CLI 2.54.0 or newer"),
        (mute, "failed without a word"),
        (Some("/nowhere".into()), "az not found on PATH"),
    ] {
        let client = Client::new(cli(&azure, program)).unwrap();
        let error = client
            .get(&call(&client, 6000), &endpoint())
            .await
            .unwrap_err();
        assert!(
            error.is_credentials() && error.to_string().contains(words),
            "{words}: {error}"
        );
        assert!(!error.to_string().contains("cli-token"), "{error}");
    }
}

#[test]
fn where_azure_identity_knows_no_identity_of_the_machine_the_way_out_is_named() {
    let test =
        "machine::the_identity_of_a_machine_is_asked_at_its_metadata_service_as_often_as_everybody";
    let (success, text) = run_with(&[("MSI_ENDPOINT", "http://127.0.0.1:9/")], &[test]);
    let words =
        "CloudShell managed identity isn't supported. To name the address to ask, set msi_endpoint";
    assert!(!success && text.contains(words), "{text}");
}
