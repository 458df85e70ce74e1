//! The query API of Log Analytics: one query over one workspace, within a span of time. The same for
//! every caller who may read the workspace; it changes nothing.
//! (Microsoft Learn, "Azure Monitor Log Analytics API".)

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde_json::{Map, json};

use super::answer;
use super::http::{Patience, Wire, bearer, busy, headers};
use super::{Call, Client, Error, Json};

/// A little longer than the service is allowed to think.
const PATIENCE: Patience = Patience {
    tries: 4,
    attempt: Duration::from_secs(200),
};

/// How long the service may think (three minutes is its own default), as it wants to be told.
const PREFER: &str = "wait=180";

impl Client {
    /// Runs a query over a workspace, given by its customer id, and a span of time in ISO 8601, such
    /// as `PT24H`. The answer is `{"rows": [{column: value}], "partial": text or null}`; `partial` is
    /// why there may be more rows than these.
    ///
    /// # Errors
    /// The service's: 400 for a query that it does not understand, 403 for a workspace that the caller
    /// may not read, 404 for one that it does not know.
    pub async fn query_logs(
        &self,
        call: &Call,
        workspace: &str,
        query: &str,
        timespan: &str,
    ) -> Result<Json, Error> {
        let cloud = self.discover(call).await?;
        self.query_at(&cloud.log_analytics, call, workspace, query, timespan)
            .await
    }

    /// The same at an address.
    pub(super) async fn query_at(
        &self,
        base: &str,
        call: &Call,
        workspace: &str,
        query: &str,
        timespan: &str,
    ) -> Result<Json, Error> {
        let about = format!("{base}/v1/workspaces/{workspace}/query");
        let wrong = |problem: String| Error::Protocol {
            method: "POST".to_owned(),
            about: about.clone(),
            message: problem,
        };
        let url = Url::parse(&about).map_err(|error| wrong(error.to_string()))?;
        let inner = &self.0;
        let cloud = self.discover(call).await?;
        let scope = cloud.log_analytics_scope();
        let mut renewed = false;
        loop {
            let token = inner
                .tokens
                .token_for(call, &inner.http, cloud, &scope)
                .await?;
            let wire = Wire {
                method: Method::POST,
                url: url.clone(),
                headers: headers([
                    ("authorization", bearer(&token)?),
                    ("accept", HeaderValue::from_static("application/json")),
                    ("content-type", HeaderValue::from_static("application/json")),
                    ("prefer", HeaderValue::from_static(PREFER)),
                ]),
                body: Some(
                    json!({ "query": query, "timespan": timespan })
                        .to_string()
                        .into_bytes(),
                ),
            };
            let answer = inner.http.send_within(call, wire, busy, PATIENCE).await?;
            tracing::debug!(about, status = answer.status, "Log Analytics answered");
            if answer.status == 401 && !renewed {
                renewed = true;
                inner.tokens.drop_token(&token);
                continue;
            }
            if answer.status != 200 {
                return Err(answer::error("POST", &about, &answer).into());
            }
            let body = answer::json("POST", &about, &answer)?;
            let rows = rows(&body).ok_or_else(|| wrong("the answer has no table".to_owned()))?;
            return Ok(json!({ "rows": rows, "partial": partial(&body) }));
        }
    }
}

/// The rows of the primary table, each by the names of its columns.
fn rows(body: &Json) -> Option<Vec<Json>> {
    let tables = body["tables"].as_array()?;
    let primary = tables.iter().find(|table| table["name"] == "PrimaryResult");
    let table = primary.or_else(|| tables.first())?;
    let columns: Vec<&str> = table["columns"]
        .as_array()?
        .iter()
        .map(|column| column["name"].as_str().unwrap_or_default())
        .collect();
    let row = |row: &Json| -> Option<Json> {
        let cells = row.as_array()?.iter().cloned();
        let named: Map<String, Json> = columns
            .iter()
            .map(|name| (*name).to_owned())
            .zip(cells)
            .collect();
        Some(Json::Object(named))
    };
    table["rows"].as_array()?.iter().map(row).collect()
}

/// What went wrong although the answer is 200.
fn partial(body: &Json) -> Option<String> {
    let error = answer::error_in(body)?;
    let details = error
        .details
        .iter()
        .map(|detail| detail.message.trim())
        .filter(|message| !message.is_empty());
    let words: Vec<&str> = std::iter::once(error.message.as_str())
        .chain(details)
        .collect();
    Some(words.join(" "))
}
