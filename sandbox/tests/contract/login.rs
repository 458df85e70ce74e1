//! Tokens and discovery over sockets, with TLS; the command with its state file and recordings.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{RESOURCES, SUB, group};
use fkaks_sandbox::{DEFAULT_TENANT, Options, Sandbox};
use reqwest::{Certificate, Client};
use serde_json::{Value, json};

fn client(ca: Option<&Path>) -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = Client::builder().no_proxy();
    if let Some(ca) = ca {
        let certificate = Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
        builder = builder.tls_certs_only([certificate]);
    }
    builder.build().unwrap()
}

async fn token(http: &Client, base: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let reply = http
        .post(format!("{base}/{DEFAULT_TENANT}/oauth2/v2.0/token"))
        .form(form)
        .send()
        .await
        .unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

const SECRET: &[(&str, &str)] = &[
    ("grant_type", "client_credentials"),
    ("client_id", "app"),
    ("client_secret", "s3cret"),
    ("scope", "https://management.azure.com/.default"),
];

#[tokio::test]
async fn https_is_served_for_localhost_over_http_2_and_discovery_leads_to_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        tls: Some(folder.path().to_path_buf()),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options()).await.unwrap();
    let http = client(sandbox.ca_file.as_deref());
    let base = sandbox.base_url.replace("127.0.0.1", "localhost");
    let cloud: Value = http
        .get(format!("{base}/metadata/endpoints?api-version=2022-09-01"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(cloud["resourceManager"], base.as_str());
    let login = cloud["authentication"]["loginEndpoint"].as_str().unwrap();
    let clouds: Value = http
        .get(format!("{base}/metadata/endpoints?api-version=2019-05-01"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(clouds[0]["name"], "AzureCloud");
    let openid: Value = http
        .get(format!(
            "{login}/{DEFAULT_TENANT}/v2.0/.well-known/openid-configuration"
        ))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(openid["issuer"], format!("{base}/{DEFAULT_TENANT}/v2.0"));
    let instance: Value = http.get(format!("{base}/common/discovery/instance?api-version=1.1&authorization_endpoint={base}/x/oauth2/authorize")).send().await.unwrap().json().await.unwrap();
    assert!(
        instance["tenant_discovery_endpoint"]
            .as_str()
            .unwrap()
            .contains("/x/v2.0/"),
        "{instance}"
    );

    let reply = http
        .post(openid["token_endpoint"].as_str().unwrap())
        .form(SECRET)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.version(), reqwest::Version::HTTP_2);
    let token = reply.json::<Value>().await.unwrap()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(token.split('.').count(), 3);
    let list = http
        .get(format!(
            "{}/subscriptions?api-version={RESOURCES}",
            sandbox.base_url
        ))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(list.status(), 200);

    // The next start keeps the authority, so the same client still trusts it.
    sandbox.stop().await;
    let again = Sandbox::start(options()).await.unwrap();
    let reply = http
        .get(format!(
            "{}/metadata/endpoints?api-version=2022-09-01",
            again.base_url
        ))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
}

#[tokio::test]
async fn wrong_credentials_get_entras_errors() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (http, base) = (client(None), sandbox.base_url.clone());
    let code = |body: &Value| body["error_codes"][0].as_u64().unwrap();
    let (status, body) = token(
        &http,
        &base,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "invalid"),
            ("scope", "x/.default"),
        ],
    )
    .await;
    assert_eq!((status, code(&body)), (401, 7_000_215));
    let (status, body) = token(
        &http,
        &base,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("scope", "x/.default"),
        ],
    )
    .await;
    assert_eq!((status, code(&body)), (401, 7_000_218));
    let (status, body) = token(
        &http,
        &base,
        &[("grant_type", "password"), ("client_id", "app")],
    )
    .await;
    assert_eq!(
        (status, body["error"].as_str().unwrap()),
        (400, "unsupported_grant_type")
    );
}

#[tokio::test]
async fn a_federated_token_and_a_managed_identity_lead_to_a_token() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (http, base) = (client(None), sandbox.base_url.clone());
    let github: Value = http
        .get(format!(
            "{base}/_sandbox/oidc/github?audience=api://AzureADTokenExchange"
        ))
        .bearer_auth("request")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let assertion = github["value"].as_str().unwrap();
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let form = |assertion| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_assertion_type", kind),
            ("client_assertion", assertion),
            ("scope", "https://management.azure.com/.default"),
        ]
    };
    let (status, body) = token(&http, &base, &form(assertion)).await;
    assert_eq!(status, 200, "{body}");
    let (status, _) = token(&http, &base, &form("no.token")).await;
    assert_eq!(status, 401);
    let ado: Value = http
        .post(format!(
            "{base}/_sandbox/oidc/ado?api-version=7.1&serviceConnectionId=c"
        ))
        .bearer_auth("request")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(ado["oidcToken"].is_string());

    let url = format!(
        "{base}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
    );
    assert_eq!(http.get(&url).send().await.unwrap().status(), 400);
    let identity: Value = http
        .get(&url)
        .header("Metadata", "true")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let reply = http
        .get(format!("{base}/subscriptions?api-version={RESOURCES}"))
        .bearer_auth(identity["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
}

fn serve(arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fkaks-sandbox"))
        .arg("serve")
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .trim()
        .strip_prefix("listening on ")
        .expect("the address is printed")
        .to_owned();
    (child, url)
}

#[tokio::test]
async fn a_killed_sandbox_starts_again_with_all_it_accepted_and_writes_no_secret_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (state, record) = (path("state.json"), path("record"));
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--state",
        &state,
        "--record",
        &record,
        "--retry-after",
        "none",
    ];
    let (mut child, base) = serve(&arguments);
    let http = client(None);
    let (_, body) = token(&http, &base, SECRET).await;
    let access = body["access_token"].as_str().unwrap().to_owned();
    let url = |base: &str| format!("{base}{}?api-version={RESOURCES}", group());
    let made = http
        .put(url(&base))
        .bearer_auth(&access)
        .json(&json!({ "location": "westeurope" }))
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    child.kill().unwrap();
    child.wait().unwrap();

    let (mut child, base) = serve(&arguments);
    let found = http
        .get(url(&base))
        .bearer_auth(&access)
        .send()
        .await
        .unwrap();
    assert_eq!(
        found.status(),
        200,
        "the group and the token outlive the process"
    );
    let deleting = http
        .delete(url(&base))
        .bearer_auth(&access)
        .send()
        .await
        .unwrap();
    assert_eq!(deleting.status(), 202);
    assert!(deleting.headers().get("retry-after").is_none());
    child.kill().unwrap();
    child.wait().unwrap();

    let mut texts = Vec::new();
    for entry in std::fs::read_dir(&record).unwrap() {
        texts.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    assert!(texts.len() >= 4);
    for text in &texts {
        assert!(
            !text.contains("s3cret") && !text.contains(&access),
            "a secret was recorded: {text}"
        );
    }
    let put: Value = texts
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap())
        .find(|exchange| exchange["liveRequest"]["method"] == "PUT")
        .unwrap();
    assert_eq!(put["liveResponse"]["statusCode"], "201");
    assert_eq!(
        put["liveRequest"]["query"],
        json!({ "api-version": RESOURCES })
    );
    assert_eq!(
        put["liveRequest"]["body"],
        json!({ "location": "westeurope" })
    );
    assert!(
        put["liveResponse"]["body"]["id"]
            .as_str()
            .unwrap()
            .contains(SUB)
    );
}
