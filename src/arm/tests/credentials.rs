//! Every method of authentication.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::*;

pub(super) fn file(content: impl AsRef<[u8]>) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

/// The fields of a form or of a query.
pub(super) fn fields(text: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

pub(super) async fn fine() -> Azure {
    Azure::start(arm(|seen, _| match seen.path.as_str() {
        path if path.starts_with("/github") => say(200, json!({"value": "gh-jwt"})),
        path if path.starts_with("/ado") => say(200, json!({"oidcToken": "ado-jwt"})),
        path if path.starts_with("/msi") => say(
            200,
            json!({"access_token": "msi-token", "expires_in": "3600"}),
        ),
        _ => say(200, json!({})),
    }))
    .await
}

/// Reads something and gives the form of the token request that it took.
pub(super) async fn form_of(azure: &Azure, settings: Settings) -> BTreeMap<String, String> {
    let client = Client::new(settings).unwrap();
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    fields(&azure.token_requests().last().unwrap().body)
}

#[tokio::test]
async fn a_client_secret_is_sent_to_the_tenant_s_token_address() {
    let azure = fine().await;
    let form = form_of(&azure, azure.settings()).await;
    assert_eq!(azure.token_requests()[0].path, TOKEN_PATH);
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("app-1", "hunter2")
    );
    assert_eq!(form["scope"], format!("{}/.default", azure.address));
}

#[tokio::test]
async fn ids_and_secrets_may_come_from_files_and_must_agree_with_what_is_given() {
    let azure = fine().await;
    let ((_a, id), (_b, secret)) = (file("app-9\n"), file("from-file"));
    let settings = Settings {
        client_id: None,
        client_id_file_path: Some(id.clone()),
        client_secret_file_path: Some(secret.clone()),
        ..bare(&azure)
    };
    let form = form_of(&azure, settings).await;
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("app-9", "from-file")
    );
    let error = Client::new(Settings {
        client_id_file_path: Some(id),
        ..azure.settings()
    })
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("client_id and client_id_file_path"),
        "{error}"
    );
    let error = Client::new(Settings {
        client_secret_file_path: Some(secret),
        ..azure.settings()
    })
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("client_secret_file_path") && !error.contains("hunter2"),
        "{error}"
    );
}

#[tokio::test]
async fn a_token_file_is_read_again_at_each_use() {
    let azure = Azure::start(|seen, _| {
        if seen.path == TOKEN_PATH {
            token("t", 20)
        } else {
            say(200, json!({}))
        }
    })
    .await;
    let (_file, path) = file("first\n");
    let settings = Settings {
        use_oidc: Some(true),
        oidc_token_file_path: Some(path.clone()),
        ..bare(&azure)
    };
    let client = Client::new(settings).unwrap();
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    std::fs::write(&path, "second").unwrap();
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    let sent: Vec<_> = azure
        .token_requests()
        .iter()
        .map(|seen| fields(&seen.body)["client_assertion"].clone())
        .collect();
    assert_eq!(sent, ["first", "second"]);
}

#[tokio::test]
async fn federated_tokens_come_from_settings_aks_github_and_azure_pipelines() {
    let azure = fine().await;
    let oidc = |azure: &Azure| Settings {
        use_oidc: Some(true),
        ..bare(azure)
    };
    let form = form_of(
        &azure,
        Settings {
            oidc_token: Some(Secret::new("given")),
            ..oidc(&azure)
        },
    )
    .await;
    assert_eq!(form["client_assertion"], "given");

    let (_file, path) = file("pod-jwt");
    let env: Environment = [
        ("AZURE_CLIENT_ID", "app-aks"),
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_FEDERATED_TOKEN_FILE", &path),
        ("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    let pod = Settings {
        tenant_id: None,
        client_id: None,
        ..bare(&azure)
    }
    .or_environment(&env)
    .unwrap();
    let form = form_of(&azure, pod).await;
    assert_eq!(
        (
            form["client_id"].as_str(),
            form["client_assertion"].as_str()
        ),
        ("app-aks", "pod-jwt")
    );
    let error = Client::new(
        Settings {
            client_id: Some("other".into()),
            ..bare(&azure)
        }
        .or_environment(&env)
        .unwrap(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("AZURE_CLIENT_ID"), "{error}");

    let runner = |url: &str| Settings {
        oidc_request_token: Some(Secret::new("runner")),
        oidc_request_url: Some(format!("{}{url}", azure.address)),
        ..oidc(&azure)
    };
    assert_eq!(
        form_of(&azure, runner("/github?x=1")).await["client_assertion"],
        "gh-jwt"
    );
    let pipeline = Settings {
        ado_pipeline_service_connection_id: Some("sc".into()),
        ..runner("/ado")
    };
    assert_eq!(
        form_of(&azure, pipeline).await["client_assertion"],
        "ado-jwt"
    );
    let asked: Vec<_> = azure
        .requests()
        .into_iter()
        .filter(|seen| seen.path.starts_with("/github") || seen.path.starts_with("/ado"))
        .collect();
    assert_eq!(
        (asked[0].method.as_str(), asked[0].path.as_str()),
        (
            "GET",
            "/github?x=1&audience=api%3A%2F%2FAzureADTokenExchange"
        )
    );
    assert_eq!(asked[1].method, "POST");
    assert_eq!(
        fields(asked[1].path.split_once('?').unwrap().1)["serviceConnectionId"],
        "sc"
    );
    assert!(
        asked
            .iter()
            .all(|seen| seen.headers["authorization"] == "Bearer runner")
    );
}

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

#[cfg(unix)]
#[tokio::test]
async fn the_azure_cli_is_asked_for_a_token_and_its_words_are_passed_on() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let program = |name: &str, script: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Some(path.to_str().unwrap().to_owned())
    };
    let azure = fine().await;
    let cli = |program| Settings {
        use_cli: None,
        tenant_id: None,
        subscription_id: Some(SUB.into()),
        cli_program: program,
        ..bare(&azure)
    };
    let log = directory.path().join("arguments");
    let good = program(
        "az-good",
        &format!(
            "echo \"$@\" >> {}; echo '{{\"accessToken\": \"cli-token\", \"expires_on\": 4102444800}}'",
            log.display()
        ),
    );
    let client = Client::new(cli(good)).unwrap();
    for _ in 0..2 {
        client.get(&call(&client, 6000), &endpoint()).await.unwrap();
    }
    assert_eq!(
        azure.requests()[0].headers["authorization"],
        "Bearer cli-token"
    );
    let arguments = std::fs::read_to_string(log).unwrap();
    assert_eq!(
        arguments,
        format!(
            "account get-access-token --output json --scope {}/.default --subscription {SUB}\n",
            azure.address
        )
    );

    let bad = program(
        "az-bad",
        "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
    );
    for (program, words) in [
        (bad, "az login"),
        (Some("/nowhere/az".into()), "not installed"),
    ] {
        let client = Client::new(cli(program)).unwrap();
        let error = client
            .get(&call(&client, 6000), &endpoint())
            .await
            .unwrap_err();
        assert!(
            error.is_credentials() && error.to_string().contains(words),
            "{error}"
        );
    }
}
