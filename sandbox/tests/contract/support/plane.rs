//! A client of a registry's data plane, through the sandbox as its proxy.

use reqwest::{Certificate, Client, Method, Proxy};
use serde_json::Value;

use super::Arm;

pub const SERVER: &str = "fkacr.azurecr.io";
pub const HOST: &str = "https://fkacr.azurecr.io";

/// A client that stands somewhere.
pub struct Plane {
    pub http: Client,
}

impl Plane {
    /// One that comes from there: an address, the id of a subnet, or a trusted service.
    pub fn from(arm: &Arm, place: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let place = place.replace('/', "%2F");
        let proxy = arm.sandbox.base_url.replace("://", &format!("://{place}@"));
        let proxy = proxy.replace("https://", "http://");
        let authority = Certificate::from_pem(arm.sandbox.ca_pem.as_bytes()).unwrap();
        let http = Client::builder()
            .tls_certs_only([authority])
            .proxy(Proxy::https(proxy).unwrap())
            .build()
            .unwrap();
        Self { http }
    }

    /// An access token for a token of Entra.
    pub async fn entra(&self, token: &str, scope: &str) -> (u16, String) {
        let exchange = [
            ("grant_type", "access_token"),
            ("service", SERVER),
            ("access_token", token),
        ];
        let sent = self.http.post(format!("{HOST}/oauth2/exchange"));
        let answer = sent.form(&exchange).send().await.unwrap();
        if answer.status() != 200 {
            return (answer.status().as_u16(), String::new());
        }
        let body: Value = answer.json().await.unwrap();
        let access = [
            ("grant_type", "refresh_token"),
            ("service", SERVER),
            ("scope", scope),
            ("refresh_token", body["refresh_token"].as_str().unwrap()),
        ];
        let sent = self.http.post(format!("{HOST}/oauth2/token"));
        token_of(sent.form(&access)).await
    }

    /// An access token for a name and a password.
    pub async fn basic(&self, name: &str, password: &str, scope: &str) -> (u16, String) {
        let query = [("service", SERVER), ("scope", scope)];
        let sent = self.http.get(format!("{HOST}/oauth2/token")).query(&query);
        token_of(sent.basic_auth(name, Some(password))).await
    }

    /// An access token for nobody in particular.
    pub async fn anonymous(&self, scope: &str) -> (u16, String) {
        let query = [("service", SERVER), ("scope", scope)];
        token_of(self.http.get(format!("{HOST}/oauth2/token")).query(&query)).await
    }

    /// Status, digest and body of a request with an access token.
    pub async fn ask(&self, method: Method, path: &str, token: &str) -> (u16, String, Value) {
        let sent = self.http.request(method, format!("{HOST}{path}"));
        let answer = sent.bearer_auth(token).send().await.unwrap();
        let digest = answer.headers().get("docker-content-digest").cloned();
        let digest = digest.map(|value| value.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        (
            status,
            digest.unwrap_or_default(),
            answer.json().await.unwrap_or_default(),
        )
    }

    /// What `/v2/` answers to who has no token: 401 for who is let in, 403 for who is not, 0 for who
    /// finds nothing.
    pub async fn knock(&self) -> (u16, String) {
        match self.http.get(format!("{HOST}/v2/")).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap()),
            Err(_) => (0, String::new()),
        }
    }
}

async fn token_of(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    let token = body["access_token"].as_str().unwrap_or_default();
    (status, token.to_owned())
}
