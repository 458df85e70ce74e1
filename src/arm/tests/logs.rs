//! The query API of Log Analytics, on a scripted server.

use super::*;

const QUERY_PATH: &str = "/v1/workspaces/w-1/query";

async fn asked(
    said: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
) -> (Azure, Result<Json, Error>) {
    let azure = Azure::start(arm(said)).await;
    let client = azure.client();
    let call = call(&client, 600);
    let answer = client
        .query_at(&azure.address, &call, "w-1", "T | take 1", "PT24H")
        .await;
    (azure, answer)
}

#[tokio::test]
async fn a_query_goes_with_its_window_and_its_rows_come_by_the_names_of_their_columns() {
    let (azure, answer) = asked(|_, before| {
        if before == 0 {
            return say(429, Json::Null).with("retry-after", "3");
        }
        say(
            200,
            json!({ "tables": [{
                "name": "PrimaryResult",
                "columns": [{ "name": "A", "type": "string" }, { "name": "B", "type": "long" }],
                "rows": [["x", 1], [null, 2]],
            }] }),
        )
    })
    .await;
    assert_eq!(
        answer.unwrap(),
        json!({ "rows": [{ "A": "x", "B": 1 }, { "A": null, "B": 2 }], "partial": null })
    );
    let seen = azure.requests();
    assert_eq!((seen.len(), seen[1].path.as_str()), (2, QUERY_PATH));
    assert_eq!(seen[1].headers["prefer"], "wait=180");
    let body: Json = serde_json::from_str(&seen[1].body).unwrap();
    assert_eq!(body, json!({ "query": "T | take 1", "timespan": "PT24H" }));
    assert!(
        azure.token_requests()[0]
            .body
            .contains("api.loganalytics.io")
    );
}

#[tokio::test]
async fn a_partial_error_that_comes_with_200_is_told_and_any_other_is_an_error() {
    let (_, answer) = asked(|_, _| {
        say(
            200,
            json!({
                "tables": [{ "name": "PrimaryResult", "columns": [], "rows": [] }],
                "error": { "code": "PartialError", "message": "There were some errors.",
                           "details": [{ "code": "E", "message": "A shard was away." }] },
            }),
        )
    })
    .await;
    assert_eq!(
        answer.unwrap()["partial"],
        "There were some errors. A shard was away."
    );
    let (_, answer) = asked(|_, _| error(403, "InsufficientAccessError")).await;
    assert!(answer.unwrap_err().is_forbidden());
    let (_, answer) = asked(|_, _| error(404, "WorkspaceNotFoundError")).await;
    assert!(answer.unwrap_err().is_not_found());
}
