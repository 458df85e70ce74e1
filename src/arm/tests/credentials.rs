//! Service principals: secrets, files, federated tokens; and the environment of the process.

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

/// The output of tests that run again, with these variables in the environment.
pub(super) fn run_with(variables: &[(&str, &str)], tests: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .arg("--exact")
        .args(tests.iter().map(|name| format!("arm::tests::{name}")))
        .env_remove("IDENTITY_ENDPOINT")
        .env_remove("IDENTITY_HEADER")
        .envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text)
}

#[test]
fn variables_that_only_azure_s_libraries_know_change_nothing() {
    let tests = [
        "credentials::a_client_secret_is_sent_to_the_tenant_s_token_address",
        "credentials::a_token_file_is_read_again_at_each_use",
        "credentials::federated_tokens_come_from_settings_aks_github_and_azure_pipelines",
        "machine::a_managed_identity_is_asked_at_its_endpoint_and_waited_for_while_it_starts",
    ];
    let elsewhere = "http://127.0.0.1:9/";
    let variables = [
        ("AZURE_AUTHORITY_HOST", elsewhere),
        ("IDENTITY_ENDPOINT", elsewhere),
        ("IDENTITY_HEADER", elsewhere),
        ("MSI_ENDPOINT", elsewhere),
        ("HTTPS_PROXY", elsewhere),
        ("HTTP_PROXY", elsewhere),
        ("AZURE_CLIENT_ID", "somebody"),
        ("AZURE_CLIENT_SECRET", "somebody"),
        ("AZURE_FEDERATED_TOKEN_FILE", "somebody"),
        ("AZURE_TENANT_ID", "somebody"),
        ("SYSTEM_ACCESSTOKEN", "somebody"),
        ("SYSTEM_OIDCREQUESTURI", "somebody"),
    ];
    let (success, text) = run_with(&variables, &tests);
    assert!(success && text.contains("4 passed; 0 failed"), "{text}");
}
