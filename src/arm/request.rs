//! A request to ARM before it meets the wire: what it is about, what may happen to it twice, and
//! which budget it counts against.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use uuid::Uuid;

use super::http::{Wire, bearer, sensitive};
use super::throttle::{Lane, LaneKind};
use super::{ArmId, Error, Json, Secret};

/// A request to ARM.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub kind: Kind,
    /// What messages call it: the id, or the path without its query.
    pub about: String,
    /// The object, if it has an id.
    pub id: Option<ArmId>,
    pub target: Target,
    pub body: Option<Json>,
    /// `If-None-Match: *`
    pub create_only: bool,
    /// Its body holds what others have written, so it is never sent again as it is.
    pub ages: bool,
}

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    Put,
    Patch,
    Delete,
    /// A POST; `repeatable` if running it twice is the same as once.
    Post {
        repeatable: bool,
    },
}

/// Where it goes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A path and query below the configured endpoint.
    Below(String),
    /// A path and query that Azure gave us, to be sent back as they are, to the configured host.
    Verbatim(String),
}

impl Request {
    /// A request on an object. `query` is what stands in the address besides the API version.
    pub(super) fn on(
        kind: Kind,
        id: &ArmId,
        api_version: &str,
        query: &[(String, String)],
    ) -> Self {
        let path = format!("{id}?api-version={api_version}{}", encoded(query));
        Self {
            kind,
            about: id.to_string(),
            id: Some(id.clone()),
            target: Target::Below(path),
            body: None,
            create_only: false,
            ages: false,
        }
    }

    /// A request for something that is no plain id. The path may have a query of its own.
    pub(super) fn path(kind: Kind, path_and_query: &str, api_version: &str) -> Self {
        let path = format!("/{}", path_and_query.trim_start_matches('/'));
        let separator = if path.contains('?') { '&' } else { '?' };
        let target = Target::Below(format!("{path}{separator}api-version={api_version}"));
        let about = path.split('?').next().unwrap_or_default().to_owned();
        Self {
            kind,
            about,
            id: None,
            target,
            body: None,
            create_only: false,
            ages: false,
        }
    }

    /// A GET of an address that Azure gave, on behalf of another request.
    pub(super) fn follow(&self, path_and_query: String) -> Self {
        Self {
            kind: Kind::Get,
            about: self.about.clone(),
            id: None,
            target: Target::Verbatim(path_and_query),
            body: None,
            create_only: false,
            ages: false,
        }
    }

    pub(super) fn with_body(mut self, body: &Json) -> Self {
        self.body = Some(body.clone());
        self
    }

    pub(super) fn method(&self) -> Method {
        match self.kind {
            Kind::Get => Method::GET,
            Kind::Put => Method::PUT,
            Kind::Patch => Method::PATCH,
            Kind::Delete => Method::DELETE,
            Kind::Post { .. } => Method::POST,
        }
    }

    /// Whether it changes something.
    pub(super) fn writes(&self) -> bool {
        self.kind != Kind::Get
    }

    /// Whether sending it twice is the same as once, so that a lost answer is no loss.
    pub(super) fn repeatable(&self) -> bool {
        self.kind != Kind::Post { repeatable: false }
    }

    /// The subscription that it is about; empty for what lies in none.
    pub(super) fn subscription_id(&self) -> &str {
        let mut segments = self.about.split('/').skip(1);
        match segments.next() {
            Some(first) if first.eq_ignore_ascii_case("subscriptions") => {
                segments.next().unwrap_or_default()
            }
            _ => "",
        }
    }

    /// The budget that it counts against.
    pub(super) fn lane(&self) -> Lane {
        // What extends a zone, such as a role assignment, is another provider's business.
        let provider = self
            .about
            .rfind("/providers/")
            .map_or("", |at| &self.about[at..]);
        let dns = || {
            provider
                .to_ascii_lowercase()
                .starts_with("/providers/microsoft.network/privatednszones")
        };
        let kind = match self.kind {
            Kind::Get if dns() => LaneKind::DnsRead,
            Kind::Get => LaneKind::Read,
            Kind::Delete => LaneKind::Delete,
            _ => LaneKind::Write,
        };
        Lane {
            subscription_id: self.subscription_id().to_ascii_lowercase(),
            kind,
        }
    }

    /// The request as it goes over the wire, to the configured endpoint and nowhere else.
    pub(super) fn wire(
        &self,
        endpoint: &str,
        token: &Secret,
        auxiliary: &[Secret],
        correlation: Option<&HeaderValue>,
    ) -> Result<Wire, Error> {
        let wrong = |message: String| Error::Protocol {
            method: self.method().to_string(),
            about: self.about.clone(),
            message,
        };
        let address = match &self.target {
            Target::Below(path) => format!("{endpoint}{path}"),
            Target::Verbatim(path) => format!("{}{path}", origin(endpoint)),
        };
        let url = Url::parse(&address)
            .map_err(|error| wrong(format!("no address can be made of it: {error}")))?;
        let mut headers = HeaderMap::new();
        let mut set = |name, value| headers.insert(HeaderName::from_static(name), value);
        set("authorization", bearer(token)?);
        if !auxiliary.is_empty() {
            let all: Vec<_> = auxiliary
                .iter()
                .map(|token| format!("Bearer {}", token.expose()))
                .collect();
            set("x-ms-authorization-auxiliary", sensitive(&all.join("; "))?);
        }
        set("accept", HeaderValue::from_static("application/json"));
        let request_id = Uuid::new_v4().to_string();
        set(
            "x-ms-client-request-id",
            HeaderValue::from_str(&request_id).map_err(|e| wrong(e.to_string()))?,
        );
        set(
            "x-ms-return-client-request-id",
            HeaderValue::from_static("true"),
        );
        if let Some(correlation) = correlation {
            set("x-ms-correlation-request-id", correlation.clone());
        }
        if self.create_only {
            set("if-none-match", HeaderValue::from_static("*"));
        }
        let body = match &self.body {
            Some(body) => {
                set(
                    "content-type",
                    HeaderValue::from_static("application/json; charset=utf-8"),
                );
                Some(body.to_string().into_bytes())
            }
            // A POST without a body still has to say that it is empty.
            None => matches!(self.kind, Kind::Post { .. }).then(Vec::new),
        };
        Ok(Wire {
            method: self.method(),
            url,
            headers,
            body,
        })
    }
}

/// The path and query of an address that Azure gave, byte for byte, if it lies on the configured
/// host or on a regional host below it. `None` for any other host, which must not see our token.
pub(super) fn own_path<'a>(endpoint: &str, address: &'a str) -> Option<&'a str> {
    if address.starts_with('/') && !address.starts_with("//") {
        return Some(address);
    }
    let (given, own) = (Url::parse(address).ok()?, Url::parse(endpoint).ok()?);
    let (given_host, own_host) = (given.host_str()?, own.host_str()?);
    let regional = given_host
        .strip_suffix(own_host)
        .is_some_and(|rest| rest.ends_with('.'));
    let same =
        given_host == own_host && given.port_or_known_default() == own.port_or_known_default();
    if !(same || regional) || given.scheme() != own.scheme() {
        return None;
    }
    let after_scheme = address.find("://")? + 3;
    address[after_scheme..]
        .find('/')
        .map(|slash| &address[after_scheme + slash..])
}

fn origin(endpoint: &str) -> &str {
    let after_scheme = endpoint.find("://").map_or(0, |at| at + 3);
    endpoint[after_scheme..]
        .find('/')
        .map_or(endpoint, |slash| &endpoint[..after_scheme + slash])
}

fn encoded(query: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in query {
        for (mark, part) in [('&', name), ('=', value)] {
            text.push(mark);
            for byte in part.bytes() {
                match byte {
                    b'A'..=b'Z'
                    | b'a'..=b'z'
                    | b'0'..=b'9'
                    | b'-'
                    | b'_'
                    | b'.'
                    | b'~'
                    | b'$'
                    | b',' => text.push(byte as char),
                    other => text.push_str(&format!("%{other:02X}")),
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_of_azure_are_kept_byte_for_byte_and_only_for_the_configured_host() {
        let endpoint = "https://management.azure.com";
        let path = "/subscriptions/s/providers/Microsoft.Network/locations/we/operations/1?api-version=2025-05-01&t=6388&c=MII%2B+x&s=a_b-c&h=~";
        for host in [
            "https://management.azure.com",
            "https://management.azure.com:443",
            "https://westeurope.management.azure.com",
        ] {
            assert_eq!(
                own_path(endpoint, &format!("{host}{path}")),
                Some(path),
                "{host}"
            );
        }
        assert_eq!(own_path(endpoint, path), Some(path));
        for foreign in [
            "https://evil.example",
            "https://management.azure.com.evil.example",
            "https://evilmanagement.azure.com",
            "http://management.azure.com",
            "//evil.example",
        ] {
            assert_eq!(
                own_path(endpoint, &format!("{foreign}{path}")),
                None,
                "{foreign}"
            );
        }
        assert_eq!(
            own_path(
                "http://127.0.0.1:8080",
                &format!("http://127.0.0.1:9{path}")
            ),
            None
        );
        let request = Request::path(Kind::Get, "/subscriptions/s", "1").follow(path.into());
        let wire = request
            .wire(
                "https://management.azure.com/prefix",
                &Secret::new("t"),
                &[],
                None,
            )
            .unwrap();
        assert_eq!(wire.url.as_str(), format!("{endpoint}{path}"));
    }

    #[test]
    fn odd_names_and_queries_are_encoded_and_tokens_do_not_show() {
        let id = ArmId::group("00000000-0000-0000-0000-000000000001", "größe")
            .resource("Microsoft.Network/privateDnsZones", "z")
            .child("A", "*");
        let request = Request::on(
            Kind::Put,
            &id,
            "2024-06-01",
            &[("syncRemoteAddressSpace".into(), "a b&c".into())],
        );
        let wire = request
            .wire(
                "https://arm",
                &Secret::new("hunter2"),
                &[Secret::new("hunter3"), Secret::new("hunter4")],
                None,
            )
            .unwrap();
        assert!(wire.url.as_str().ends_with("/resourceGroups/gr%C3%B6%C3%9Fe/providers/Microsoft.Network/privateDnsZones/z/A/*?api-version=2024-06-01&syncRemoteAddressSpace=a%20b%26c"), "{}", wire.url);
        assert_eq!(
            wire.headers["x-ms-authorization-auxiliary"],
            "Bearer hunter3; Bearer hunter4"
        );
        assert!(!format!("{wire:?} {request:?}").contains("hunter"));
        assert_eq!(request.lane().kind, LaneKind::Write);
        assert_eq!(request.follow("/x".into()).lane().kind, LaneKind::DnsRead);
    }
}
