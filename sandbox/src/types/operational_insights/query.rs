//! The query API of Log Analytics, at the host `api.loganalytics.azure.com` (alias `api.loganalytics.io`):
//! `/v1/workspaces/{customerId}/query` and `/v1{resourceId}/query`. It runs one query, the published one of
//! who called a registry, and answers any other text as Azure answers a text that it cannot read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kql::{self, Refused};
use super::tables::Row;
use super::{timespan, workspaces};
use crate::auth;
use crate::exchange::{Answer, Request};
use crate::id::ResourceId;
use crate::store::{Resource, World, timestamp};
use crate::types::authorization::permissions;
use crate::types::management::reaches;

/// The hosts of the API.
pub const HOSTS: &[&str] = &["api.loganalytics.azure.com", "api.loganalytics.io"];
/// Who its tokens are for.
const AUDIENCES: &[&str] = &[
    "https://api.loganalytics.io",
    "https://api.loganalytics.azure.com",
];
const ACTION: &str = "Microsoft.OperationalInsights/workspaces/query/read";

/// True when the request is for the query API.
#[must_use]
pub fn is_for(request: &Request) -> bool {
    let host = request.base.split_once("://").map_or("", |(_, host)| host);
    let name = host.split(':').next().unwrap_or_default();
    HOSTS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Answers a request for the query API.
#[must_use]
pub fn handle(world: &World, request: &Request) -> Answer {
    answer(world, request).unwrap_or_else(|refusal| refusal)
}

/// What is asked: the workspaces, and the scope of the resources.
struct Source<'a> {
    workspaces: Vec<&'a Resource>,
    scope: Option<String>,
}

fn answer(world: &World, request: &Request) -> Result<Answer, Answer> {
    check_token(world, request)?;
    let body = match request.method.as_str() {
        "POST" => serde_json::from_slice::<Value>(&request.body)
            .map_err(|_| bad("The request body is not valid JSON", Value::Null))?,
        "GET" => json!({ "query": request.param("query"), "timespan": request.param("timespan") }),
        _ => {
            return Err(error(
                405,
                "MethodNotAllowedError",
                "The method is not allowed",
                Value::Null,
            ));
        }
    };
    let mut source = source(world, request)?;
    for name in body["workspaces"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        source
            .workspaces
            .push(named(world, name).ok_or_else(no_workspace)?);
    }
    for workspace in &source.workspaces {
        check_access(world, workspace)?;
    }
    let span = match body["timespan"].as_str() {
        None => None,
        Some(text) => Some(timespan::parse(text, world.now).ok_or_else(|| {
            bad(
                "The request had some invalid properties",
                json!({ "code": "InvalidTimespanError", "message": format!("The timespan '{text}' is invalid") }),
            )
        })?),
    };
    let Some(query) = body["query"].as_str() else {
        return Err(bad(
            "The request had some invalid properties",
            json!({ "code": "QueryValidationError", "message": "The query is missing" }),
        ));
    };
    let registry = kql::callers_of(query).map_err(unreadable)?;
    let rows = world.log_rows.iter().filter(|row| {
        let here = source.workspaces.iter().any(|workspace| {
            workspaces::customer(workspace).is_some_and(|id| id.eq_ignore_ascii_case(&row.customer))
        });
        let of_scope = source
            .scope
            .as_ref()
            .is_some_and(|scope| reaches(world, scope, &row.resource));
        let in_time = span.is_none_or(|(begin, end)| (begin..=end).contains(&row.time));
        (here || of_scope) && in_time && row.resource == registry
    });
    Ok(Answer::json(200, json!({ "tables": [summarized(rows)] })))
}

/// Errors as the documentation of the API's errors shows them.
fn check_token(world: &World, request: &Request) -> Result<(), Answer> {
    auth::verify(world, request, &|audience| {
        AUDIENCES.contains(&audience.trim_end_matches('/'))
    })
    .map_err(|(code, message)| match code {
        "AuthenticationFailed" => error(401, code, message, Value::Null),
        _ => error(403, code, message, Value::Null),
    })
}

fn check_access(world: &World, workspace: &Resource) -> Result<(), Answer> {
    let refuse = |code: &str, message: String| {
        error(
            403,
            "InsufficientAccessError",
            "The provided credentials have insufficient access to perform the requested operation",
            json!({ "code": code, "message": message }),
        )
    };
    if workspace.text("/properties/publicNetworkAccessForQuery") == Some("Disabled") {
        return Err(refuse(
            "NetworkAccessDenied",
            format!(
                "Queries from public networks are disabled for the workspace '{}'",
                workspace.id
            ),
        ));
    }
    permissions::check(world, ACTION, workspace.id.as_str())
        .map_err(|denied| refuse("AuthorizationFailed", denied.message))
}

fn source<'a>(world: &'a World, request: &Request) -> Result<Source<'a>, Answer> {
    let path = request.path.trim_end_matches('/');
    let inner = path
        .strip_prefix("/v1/")
        .and_then(|rest| rest.strip_suffix("/query"))
        .ok_or_else(no_path)?;
    if let Some(customer) = inner.strip_prefix("workspaces/") {
        let workspace = workspaces::by_customer(world, customer).ok_or_else(no_workspace)?;
        return Ok(Source {
            workspaces: vec![workspace],
            scope: None,
        });
    }
    let id = ResourceId::parse(&format!("/{inner}")).ok_or_else(no_path)?;
    let found = world.get(id.as_str());
    if id.group().is_some() && found.is_none() {
        return Err(error(
            404,
            "ResourceNotFoundError",
            "The resource could not be found",
            json!({ "code": "ResourceNotFound", "message": format!("The resource '{id}' was not found") }),
        ));
    }
    match found.filter(|found| found.type_name == workspaces::NAME) {
        Some(workspace) => Ok(Source {
            workspaces: vec![workspace],
            scope: None,
        }),
        None => Ok(Source {
            workspaces: Vec::new(),
            scope: Some(id.key()),
        }),
    }
}

/// A workspace by its `customerId`, its id or its name.
fn named<'a>(world: &'a World, name: &str) -> Option<&'a Resource> {
    workspaces::by_customer(world, name).or_else(|| {
        world.of_type(workspaces::NAME).find(|workspace| {
            workspace.id.same(name) || workspace.id.name().eq_ignore_ascii_case(name)
        })
    })
}

/// `summarize Events = count(), LastSeen = max(TimeGenerated) by ...`, in the order of the groups.
fn summarized<'a>(rows: impl Iterator<Item = &'a Row>) -> Value {
    let mut groups: BTreeMap<[String; 4], (u64, u64)> = BTreeMap::new();
    for row in rows {
        let group = kql::GROUPS.map(|column| row.text(column).to_owned());
        let entry = groups.entry(group).or_insert((0, 0));
        *entry = (entry.0 + 1, entry.1.max(row.time));
    }
    let column = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let mut columns: Vec<Value> = kql::GROUPS
        .iter()
        .map(|name| column(name, "string"))
        .collect();
    columns.extend([column("Events", "long"), column("LastSeen", "datetime")]);
    let rows: Vec<Value> = groups
        .into_iter()
        .map(|(group, (events, last))| {
            let mut row: Vec<Value> = group.into_iter().map(Value::from).collect();
            row.extend([json!(events), json!(timestamp(last))]);
            json!(row)
        })
        .collect();
    json!({ "name": "PrimaryResult", "columns": columns, "rows": rows })
}

fn unreadable(refused: Refused) -> Answer {
    let inner = match refused {
        Refused::Syntax { token, line, pos } => json!({
            "code": "SyntaxError",
            "message": "A recognition error occurred in the query.",
            "innererror": {
                "code": "SYN0002",
                "message": format!("Query could not be parsed at '{token}' on line [{line},{pos}]"),
                "line": line,
                "pos": pos,
                "token": token,
            },
        }),
        Refused::Semantic { name } => json!({
            "code": "SemanticError",
            "message": "A semantic error occurred.",
            "innererror": {
                "code": "SEM0100",
                "message": format!("Failed to resolve table or column expression named '{name}'"),
            },
        }),
    };
    bad("The request had some invalid properties", inner)
}

fn bad(message: &str, inner: Value) -> Answer {
    error(400, "BadArgumentError", message, inner)
}

fn no_path() -> Answer {
    error(
        404,
        "PathNotFoundError",
        "The requested path does not exist",
        Value::Null,
    )
}

fn no_workspace() -> Answer {
    error(
        404,
        "WorkspaceNotFoundError",
        "The workspace could not be found",
        Value::Null,
    )
}

fn error(status: u16, code: &str, message: &str, inner: Value) -> Answer {
    let mut body = json!({ "message": message, "code": code });
    if !inner.is_null() {
        body["innererror"] = inner;
    }
    Answer::json(status, json!({ "error": body }))
}
