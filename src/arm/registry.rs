//! The data plane of a registry: which images it holds, and the deletion of tags and manifests.
//!
//! A token of Entra is exchanged for a refresh token of the registry, and that for an access token
//! for each repository. (Azure/acr, "AAD-OAuth"; OCI distribution specification.) Only hosts below
//! the cloud's registry suffix are ever asked, so that no token goes anywhere else.
//!
//! A registry that lets nobody in from here is usual: what cannot be seen is a fact with its reason,
//! and no error.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};

use super::answer;
use super::credentials::claims;
use super::http::{Answer, Patience, Wire, bearer, busy, headers};
use super::{Call, Client, Error, Secret};

/// Who looks from the wrong network waits for the connection, so there is no third attempt.
const PATIENCE: Patience = Patience {
    tries: 2,
    attempt: std::time::Duration::from_secs(30),
};

/// Every kind of manifest that a registry may hold.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.artifact.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws, */*";

/// More tags than are looked through one by one.
const MANY: usize = 200;

/// What was seen of some images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// Why nothing could be seen, where nothing could.
    pub unseen: Option<String>,
    /// The digest of each manifest that was looked for, by `repository:tag` or `repository@digest`;
    /// none where it is not there.
    pub digests: BTreeMap<String, Option<String>>,
}

impl Client {
    /// Looks for images of a registry: `repository:tag` or `repository@digest`. A registry that
    /// cannot be reached from here, or lets the caller not read, has not been seen.
    ///
    /// # Errors
    /// When the call ends before, or the host is no registry of the cloud.
    pub async fn images(
        &self,
        call: &Call,
        login_server: &str,
        references: &BTreeSet<String>,
    ) -> Result<Images, Error> {
        Plane::of(self, call, login_server)
            .await?
            .images(references)
            .await
    }

    /// Deletes a tag, `repository:tag`, or a manifest, `repository@digest`, unless it has tags, which
    /// would go with it. What is gone already counts as deleted.
    ///
    /// # Errors
    /// The registry's, or that it cannot be reached.
    pub async fn delete_image(
        &self,
        call: &Call,
        login_server: &str,
        reference: &str,
    ) -> Result<(), Error> {
        Plane::of(self, call, login_server)
            .await?
            .delete(reference)
            .await
    }
}

/// Why a registry was not seen, in a sentence about it.
fn reason(host: &str, error: &Error) -> String {
    match error {
        Error::Azure(azure) => {
            let code = azure.code.as_deref().unwrap_or_default();
            let said = match (code.is_empty(), azure.message.is_empty()) {
                (true, true) => String::new(),
                (true, false) => format!(": {}", azure.message),
                (false, true) => format!(": {code}"),
                (false, false) => format!(": {code}: {}", azure.message),
            };
            format!("{host} answered {}{said}", azure.status)
        }
        Error::Transport { message, .. } => format!("{host} cannot be reached: {message}"),
        Error::Protocol { message, .. } => format!("{host}: {message}"),
        other => format!("{host}: {other}"),
    }
}

/// Repository, and tag or digest.
fn split(reference: &str) -> (&str, &str) {
    reference
        .split_once('@')
        .or_else(|| reference.rsplit_once(':'))
        .unwrap_or((reference, "latest"))
}

/// One registry's data plane, within one call.
pub(super) struct Plane<'a> {
    client: &'a Client,
    call: &'a Call,
    /// `https://` and the host.
    base: String,
    host: &'a str,
}

/// How the registry lets the caller in.
enum Way {
    /// Without a token.
    Open,
    /// With access tokens that this refresh token gives.
    Refresh(Secret),
}

impl<'a> Plane<'a> {
    /// That of a registry of the cloud.
    async fn of(client: &'a Client, call: &'a Call, host: &'a str) -> Result<Self, Error> {
        let cloud = client.discover(call).await?;
        if !cloud.is_registry(host) {
            return Err(Error::Settings(format!(
                "{host} is no registry of this cloud, whose registries end in .{}: no token is sent there",
                cloud.registry_suffix
            )));
        }
        Ok(Self::at(client, call, host, format!("https://{host}")))
    }

    /// That of a registry at an address.
    pub(super) fn at(client: &'a Client, call: &'a Call, host: &'a str, base: String) -> Self {
        Self {
            client,
            call,
            base,
            host,
        }
    }

    /// What was seen of these images.
    pub(super) async fn images(&self, references: &BTreeSet<String>) -> Result<Images, Error> {
        match self.digests(references).await {
            Ok(digests) => Ok(Images {
                unseen: None,
                digests,
            }),
            Err(error @ (Error::Stopped { .. } | Error::Timeout { .. })) => Err(error),
            Err(error) => Ok(Images {
                unseen: Some(reason(self.host, &error)),
                digests: BTreeMap::new(),
            }),
        }
    }

    async fn digests(
        &self,
        references: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Option<String>>, Error> {
        let way = self.way().await?;
        let mut repositories: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for reference in references {
            repositories
                .entry(split(reference).0)
                .or_default()
                .push(reference);
        }
        let looks = repositories.into_iter().map(|(repository, references)| {
            let way = &way;
            async move {
                let token = self.access(way, repository, "pull").await?;
                let heads = references
                    .into_iter()
                    .map(|reference| self.digest(reference, token.as_ref()));
                try_join_all(heads).await
            }
        });
        let found: Vec<Vec<_>> = try_join_all(looks).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// A reference, and its digest where it is there.
    async fn digest(
        &self,
        reference: &str,
        token: Option<&Secret>,
    ) -> Result<(String, Option<String>), Error> {
        let (repository, name) = split(reference);
        let path = format!("/v2/{repository}/manifests/{name}");
        let mut wire = self.wire(Method::HEAD, &path, token)?;
        wire.headers.insert(
            HeaderName::from_static("accept"),
            HeaderValue::from_static(MANIFESTS),
        );
        let answer = self.send(wire).await?;
        match answer.status {
            200 => match answer.header("docker-content-digest") {
                Some(digest) => Ok((reference.to_owned(), Some(digest.to_owned()))),
                None => Err(self.wrong("HEAD", &path, "the answer has no Docker-Content-Digest")),
            },
            404 => Ok((reference.to_owned(), None)),
            _ => Err(answer::error("HEAD", &self.about(&path), &answer).into()),
        }
    }

    /// Deletes a tag, or a manifest unless it has tags.
    pub(super) async fn delete(&self, reference: &str) -> Result<(), Error> {
        let way = self.way().await?;
        let (repository, name) = split(reference);
        let actions = "pull,metadata_read,delete";
        let token = self.access(&way, repository, actions).await?;
        // The specification deletes a tag only where the registry likes; Azure's own address does.
        let path = if reference.contains('@') {
            if self.has_tags(repository, name, token.as_ref()).await? {
                return Ok(());
            }
            format!("/v2/{repository}/manifests/{name}")
        } else {
            format!("/acr/v1/{repository}/_tags/{name}")
        };
        let answer = self
            .send(self.wire(Method::DELETE, &path, token.as_ref())?)
            .await?;
        match answer.status {
            200..=299 | 404 => Ok(()),
            _ => Err(answer::error("DELETE", &self.about(&path), &answer).into()),
        }
    }

    /// Whether a manifest has tags, which would go with it.
    async fn has_tags(
        &self,
        repository: &str,
        digest: &str,
        token: Option<&Secret>,
    ) -> Result<bool, Error> {
        let path = format!("/v2/{repository}/tags/list?n={MANY}");
        let answer = self.send(self.wire(Method::GET, &path, token)?).await?;
        match answer.status {
            200 => {}
            404 => return Ok(false),
            _ => return Err(answer::error("GET", &self.about(&path), &answer).into()),
        }
        let body = answer::json("GET", &self.about(&path), &answer)?;
        let tags = body["tags"].as_array().map_or(&[][..], Vec::as_slice);
        if tags.len() >= MANY {
            // There are more pages: what is not known to have no tags is left alone.
            return Ok(true);
        }
        let references = tags
            .iter()
            .filter_map(|tag| Some(format!("{repository}:{}", tag.as_str()?)));
        let references: Vec<String> = references.collect();
        let digests = references.iter().map(|tag| self.digest(tag, token));
        let digests = try_join_all(digests).await?;
        Ok(digests.iter().any(|(_, at)| at.as_deref() == Some(digest)))
    }

    /// Asks the registry how it lets anybody in, and gets in.
    async fn way(&self) -> Result<Way, Error> {
        let answer = self.send(self.wire(Method::GET, "/v2/", None)?).await?;
        match answer.status {
            200 => return Ok(Way::Open),
            401 => {}
            _ => return Err(answer::error("GET", &self.about("/v2/"), &answer).into()),
        }
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        if !challenge.to_ascii_lowercase().starts_with("bearer ") {
            return Err(self.wrong("GET", "/v2/", "it asks for no bearer token"));
        }
        let mut refused = None;
        for scope in self.client.cloud().registry_scopes() {
            match self.exchange(&scope).await {
                Ok(token) => return Ok(Way::Refresh(token)),
                Err(error @ (Error::Stopped { .. } | Error::Timeout { .. })) => return Err(error),
                // A tenant may not know the registries' own audience, and a registry may refuse the
                // other one: what the first attempt met is the reason.
                Err(error) if error.is_credentials() || error.is_unauthorized() => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| self.wrong("POST", "/oauth2/exchange", "nothing was asked")))
    }

    /// Exchanges a token of Entra for a refresh token of the registry.
    async fn exchange(&self, scope: &str) -> Result<Secret, Error> {
        let inner = &self.client.0;
        let cloud = self.client.discover(self.call).await?;
        let token = inner
            .tokens
            .token_for(self.call, &inner.http, cloud, scope)
            .await?;
        let tenant = claims(&token).and_then(|caller| caller.tenant_id);
        let mut fields = vec![
            ("grant_type", "access_token"),
            ("service", self.host),
            ("access_token", token.expose()),
        ];
        if let Some(tenant) = &tenant {
            fields.push(("tenant", tenant));
        }
        self.post("/oauth2/exchange", &fields, "refresh_token")
            .await
    }

    /// An access token for one repository, where one is needed.
    async fn access(
        &self,
        way: &Way,
        repository: &str,
        action: &str,
    ) -> Result<Option<Secret>, Error> {
        let Way::Refresh(refresh) = way else {
            return Ok(None);
        };
        let scope = format!("repository:{repository}:{action}");
        let fields = [
            ("grant_type", "refresh_token"),
            ("service", self.host),
            ("scope", &scope),
            ("refresh_token", refresh.expose()),
        ];
        self.post("/oauth2/token", &fields, "access_token")
            .await
            .map(Some)
    }

    /// Posts a form, and takes a secret out of the answer.
    async fn post(
        &self,
        path: &'static str,
        fields: &[(&str, &str)],
        wanted: &str,
    ) -> Result<Secret, Error> {
        let mut wire = self.wire(Method::POST, path, None)?;
        wire.headers.insert(
            HeaderName::from_static("content-type"),
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let form = Url::parse_with_params("form:", fields)
            .map_err(|error| self.wrong("POST", path, &error.to_string()))?;
        wire.body = Some(form.query().unwrap_or_default().as_bytes().to_vec());
        let answer = self.send(wire).await?;
        if answer.status != 200 {
            return Err(answer::error("POST", &self.about(path), &answer).into());
        }
        let body = answer::json("POST", &self.about(path), &answer)?;
        match body[wanted].as_str() {
            Some(secret) if !secret.is_empty() => Ok(Secret::new(secret)),
            _ => Err(self.wrong("POST", path, &format!("the answer has no {wanted}"))),
        }
    }

    fn wire(&self, method: Method, path: &str, token: Option<&Secret>) -> Result<Wire, Error> {
        let url = Url::parse(&format!("{}{path}", self.base))
            .map_err(|error| self.wrong(method.as_str(), path, &error.to_string()))?;
        let mut headers = headers([("accept", HeaderValue::from_static("application/json"))]);
        if let Some(token) = token {
            headers.insert(HeaderName::from_static("authorization"), bearer(token)?);
        }
        Ok(Wire {
            method,
            url,
            headers,
            body: None,
        })
    }

    async fn send(&self, wire: Wire) -> Result<Answer, Error> {
        let (method, about) = (wire.method.clone(), wire.url.to_string());
        let http = &self.client.0.http;
        let sent = http.send_within(self.call, wire, busy, PATIENCE).await;
        match &sent {
            Ok(answer) => {
                tracing::debug!(%method, about, status = answer.status, "the registry answered");
            }
            Err(error) => tracing::debug!(%method, about, %error, "the registry did not answer"),
        }
        sent
    }

    fn about(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn wrong(&self, method: &str, path: &str, problem: &str) -> Error {
        Error::Protocol {
            method: method.to_owned(),
            about: self.about(path),
            message: problem.to_owned(),
        }
    }
}
