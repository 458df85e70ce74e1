//! The cache of tokens, and what is said when there is none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

#[tokio::test]
async fn when_no_method_works_each_is_named_with_its_reason_and_no_secret() {
    let azure = Azure::start(|seen, _| match seen.path.as_str() {
        TOKEN_PATH => say(401, json!({"error": "invalid_client", "trace_id": "t-1",
            "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: t-1 Correlation ID: c\r\nTimestamp: x"})),
        _ => say(200, json!({})),
    })
    .await;
    let client = Client::new(azure.settings()).unwrap();
    let error = client
        .get(&call(&client, 600), &endpoint())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("client certificate: neither") && text.contains("client secret: invalid_client: AADSTS7000215: Invalid client secret provided. (trace id t-1)"), "{text}");
    assert!(!text.contains("hunter2") && !format!("{error:?} {client:?}").contains("hunter2"));

    let client = Client::new(Settings {
        use_oidc: Some(true),
        ..bare(&azure)
    })
    .unwrap();
    let text = client
        .get(&call(&client, 600), &endpoint())
        .await
        .unwrap_err()
        .to_string();
    for words in [
        "client secret (ARM_CLIENT_SECRET) is not set",
        "oidc_token_file_path",
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
        "oidc_request_url",
        "ARM_USE_MSI",
        "ARM_USE_CLI",
    ] {
        let words = words.replacen("client secret", "client_secret", 1);
        assert!(text.contains(&words), "{words} is missing in {text}");
    }
    assert!(azure.requests().is_empty());
}

#[tokio::test]
async fn many_requests_share_one_token_request_and_one_refusal() {
    let azure = Azure::start(arm(|_, _| say(200, json!({})))).await;
    let client = azure.client();
    let call = call(&client, 6000);
    let id = endpoint();
    futures::future::try_join_all((0..20).map(|_| client.get(&call, &id)))
        .await
        .unwrap();
    assert_eq!(azure.token_requests().len(), 1);

    let azure = Azure::start(|_, _| error(400, "x")).await;
    let client = Client::new(Settings {
        clock: Some(Clock::real()),
        ..azure.settings()
    })
    .unwrap();
    let call = super::call(&client, 60);
    let all = futures::future::join_all((0..20).map(|_| client.get(&call, &id))).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(azure.token_requests().len(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_and_the_old_one_serves_while_that_fails() {
    let azure = Azure::start(|seen, before| match (seen.path.as_str(), before) {
        (TOKEN_PATH, 0) => token("old", 100),
        (TOKEN_PATH, 1) => error(400, "broken"),
        (TOKEN_PATH, _) => token("new", 100),
        _ => say(200, json!({})),
    })
    .await;
    let client = Client::new(Settings {
        clock: Some(Clock::fast(100)),
        ..azure.settings()
    })
    .unwrap();
    let call = call(&client, 1_000_000);
    for _ in 0..3 {
        client.get(&call, &endpoint()).await.unwrap();
        client.clock().sleep(Duration::from_secs(60)).await;
        client.get(&call, &endpoint()).await.unwrap();
    }
    let used: Vec<_> = azure
        .requests()
        .iter()
        .map(|seen| seen.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        used[..2],
        ["Bearer old", "Bearer old"],
        "the old token did not serve: {used:?}"
    );
    assert!(used.contains(&"Bearer new".to_owned()), "{used:?}");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let azure = Azure::start(|seen, before| match seen.path.as_str() {
        TOKEN_PATH => token(if before == 0 { "revoked" } else { "good" }, 3600),
        path if path.contains("never") => error(401, "InvalidAuthenticationToken"),
        _ if seen.headers["authorization"] == "Bearer revoked" => {
            error(401, "ExpiredAuthenticationToken")
        }
        _ => say(200, json!({})),
    })
    .await;
    let client = azure.client();
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    assert_eq!(azure.asked(), ["GET pe", "GET pe"]);
    let refused = client
        .get(&call(&client, 600), &ArmId::group(SUB, "never"))
        .await
        .unwrap_err();
    assert!(refused.is_unauthorized(), "{refused}");
    assert_eq!(azure.asked().len(), 4);
}

#[tokio::test]
async fn auxiliary_tenants_send_their_tokens_along_and_the_token_says_who_the_caller_is() {
    let claims =
        URL_SAFE_NO_PAD.encode(json!({"oid": "o-1", "tid": TENANT, "appid": "app-1"}).to_string());
    let azure = Azure::start(move |seen, _| match seen.path.as_str() {
        TOKEN_PATH => token(&format!("h.{claims}.s"), 3600),
        "/tenant-b/oauth2/v2.0/token" => token("token-b", 3600),
        _ => say(200, json!({})),
    })
    .await;
    let client = Client::new(Settings {
        auxiliary_tenant_ids: vec!["tenant-b".into()],
        ..azure.settings()
    })
    .unwrap();
    assert_eq!(client.caller(), None);
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    assert_eq!(
        azure.requests()[0].headers["x-ms-authorization-auxiliary"],
        "Bearer token-b"
    );
    let caller = client.caller().unwrap();
    assert_eq!(
        (caller.object_id.as_deref(), caller.tenant_id.as_deref()),
        (Some("o-1"), Some(TENANT))
    );
}

#[tokio::test]
async fn an_answer_of_entra_that_is_no_token_is_told_as_it_came() {
    for (said, words) in [
        (
            say(200, json!({"token_type": "Bearer"})),
            "answered 200 without a token",
        ),
        (
            Say::Answer(200, vec![], "<html>".into()),
            "answered 200 without a token",
        ),
        (
            Say::Answer(403, vec![], "<html>".into()),
            "answered 403 without a token",
        ),
        (
            say(401, json!({"error": "invalid_client"})),
            "answered 401 invalid_client",
        ),
        // As Entra writes it: with escapes, error codes and times.
        (
            say(
                400,
                json!({"error": "unauthorized_client", "error_codes": [700016], "correlation_id": "c-1",
                "error_description": "AADSTS700016: Application 'app-1' was not found.\r\nTrace ID: t\r\nTimestamp: x"}),
            ),
            "client secret: unauthorized_client: AADSTS700016: Application 'app-1' was not found. (correlation id c-1)",
        ),
    ] {
        let Say::Answer(status, _, body) = said else {
            panic!()
        };
        let azure = Azure::start(move |_, _| Say::Answer(status, vec![], body.clone())).await;
        let client = azure.client();
        let error = client
            .get(&call(&client, 600), &endpoint())
            .await
            .unwrap_err();
        assert!(
            error.is_credentials() && error.to_string().contains(words),
            "{words}: {error}"
        );
        assert_eq!(azure.token_requests().len(), 1, "{words}");
    }
    let azure = Azure::start(|_, _| say(200, json!({}))).await;
    let client = Client::new(Settings {
        tenant_id: Some("no/tenant".into()),
        ..azure.settings()
    })
    .unwrap();
    let error = client
        .get(&call(&client, 600), &endpoint())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("invalid tenant ID no/tenant"), "{error}");
}

#[tokio::test]
async fn an_entra_that_is_busy_is_asked_again_by_the_clock_of_the_operation() {
    let azure = Azure::start(|seen, before| match (seen.path.as_str(), before) {
        (TOKEN_PATH, 0) => say(429, Json::Null).with("retry-after", "60"),
        (TOKEN_PATH, 1) => Say::Nothing,
        (TOKEN_PATH, 2) => say(503, Json::Null),
        (TOKEN_PATH, _) => token("token-1", 3600),
        _ => say(200, json!({})),
    })
    .await;
    let (client, began) = (azure.client(), std::time::Instant::now());
    client.get(&call(&client, 600), &endpoint()).await.unwrap();
    assert_eq!(azure.token_requests().len(), 4);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "a minute was waited for"
    );

    let azure = Azure::start(|_, _| error(503, "x")).await;
    let client = azure.client();
    let error = client
        .get(&call(&client, 6000), &endpoint())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("answered 503"), "{error}");
    assert_eq!(azure.token_requests().len(), 4);
}

#[tokio::test]
async fn whoever_owes_a_token_is_waited_for_until_the_timeout_or_a_stop_and_no_longer() {
    let late = || Say::Late(Duration::from_secs(60), Box::new(token("late", 3600)));
    let azure = Azure::start(move |_, _| late()).await;
    let mut all = vec![
        azure.settings(),
        Settings {
            use_msi: Some(true),
            metadata_service: Some(azure.address.clone()),
            ..bare(&azure)
        },
        Settings {
            use_msi: Some(true),
            msi_endpoint: Some(azure.address.clone()),
            ..bare(&azure)
        },
    ];
    #[cfg(unix)]
    let (_directory, search_path) = machine::az("/bin/sleep 60");
    #[cfg(unix)]
    all.push(machine::cli(&azure, search_path));
    for settings in all {
        let client = Client::new(settings).unwrap();
        let began = std::time::Instant::now();
        let error = client
            .get(&call(&client, 10), &endpoint())
            .await
            .unwrap_err();
        assert!(
            error.is_timeout() && error.to_string().contains("an access token"),
            "{error}"
        );

        let stop = CancellationToken::new();
        let call = Call::new(client.clock(), Duration::from_secs(6000), stop.clone());
        let id = endpoint();
        let (asked, ()) = tokio::join!(client.get(&call, &id), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stop.cancel();
        });
        assert!(asked.unwrap_err().is_stopped());
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it was waited for"
        );
    }
}
