//! What is sent again, for how long, and what the error says in the end.

use super::*;

#[tokio::test]
async fn every_trouble_that_passes_is_waited_out() {
    for trouble in [
        || error(429, "RetryableError"),
        || error(429, "TooManyRequests").with("retry-after", "3"),
        || error(409, "AnotherOperationInProgress"),
        || error(500, "InternalServerError"),
        || error(503, "ServiceUnavailable"),
        || error(412, "PreconditionFailed"),
        || Say::Nothing,
    ] {
        let azure = Azure::start(arm(move |seen, before| {
            match (seen.method.as_str(), before) {
                (_, 0) => trouble(),
                ("DELETE", _) => say(200, Json::Null),
                _ => say(200, object(&endpoint(), "Succeeded")),
            }
        }))
        .await;
        let client = azure.client();
        let call = call(&client, 600);
        client.get(&call, &endpoint()).await.unwrap();
        let put = client
            .put(
                &call,
                &endpoint(),
                &json!({"location": "x"}),
                Write::default(),
            )
            .await
            .unwrap();
        assert_eq!(put.wait(&call).await.unwrap()["name"], "pe");
        client
            .delete(&call, &endpoint())
            .await
            .unwrap()
            .wait(&call)
            .await
            .unwrap();
        assert_eq!(
            azure.asked(),
            [
                "GET pe",
                "GET pe",
                "PUT pe",
                "PUT pe",
                "DELETE pe",
                "DELETE pe"
            ]
        );
    }
}

#[tokio::test]
async fn a_refusal_that_stays_is_not_repeated() {
    for (status, code) in [
        (403, "AuthorizationFailed"),
        (409, "NameNotAvailable"),
        (400, "InvalidParameter"),
        (409, "ScopeLocked"),
    ] {
        let azure = Azure::start(arm(move |_, _| error(status, code))).await;
        let client = azure.client();
        let refused = client
            .put(
                &call(&client, 60),
                &endpoint(),
                &json!({}),
                Write::default(),
            )
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some(code));
        assert_eq!(refused.is_forbidden(), status == 403);
        assert_eq!(azure.asked().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn retry_after_on_429_is_kept_to_by_every_read_in_the_subscription() {
    let azure = Azure::start(arm(|seen, before| {
        if before == 0 && seen.path.contains("/pe?") {
            error(429, "TooManyRequests").with("retry-after", "60")
        } else {
            say(200, json!({}))
        }
    }))
    .await;
    let client = azure.client();
    let (call, began) = (call(&client, 600), client.clock().now());
    client.get(&call, &endpoint()).await.unwrap();
    assert!(
        client.clock().since(began) >= Duration::from_secs(60),
        "came back before Retry-After had passed"
    );
    let (throttled, began) = (client.clone(), client.clock().now());
    let other = ArmId::group(SUB, "other");
    throttled.get(&call, &other).await.unwrap();
    assert!(client.clock().since(began) < Duration::from_secs(60));
}

#[tokio::test]
async fn the_deadline_ends_all_tries_and_the_last_error_of_azure_is_what_the_user_reads() {
    let azure = Azure::start(arm(|_, _| error(409, "AnotherOperationInProgress"))).await;
    let client = azure.client();
    let late = client
        .put(
            &call(&client, 30),
            &endpoint(),
            &json!({}),
            Write::default(),
        )
        .await
        .unwrap_err();
    assert!(late.is_timeout() && !late.is_conflict(), "{late}");
    assert_eq!(late.code(), Some("AnotherOperationInProgress"));
    assert!(
        late.to_string().contains("timeout of 30s")
            && late.to_string().contains("AnotherOperationInProgress!"),
        "{late}"
    );
    assert!(azure.asked().len() > 2);
}

#[tokio::test]
async fn a_stop_ends_a_retry_at_once() {
    let azure = Azure::start(arm(|_, _| error(503, "x").with("retry-after", "3000"))).await;
    let client = azure.client();
    let stop = CancellationToken::new();
    let call = Call::new(client.clock(), Duration::from_secs(36_000), stop.clone());
    let id = endpoint();
    let (stopped, ()) = tokio::join!(client.get(&call, &id), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.cancel();
    });
    assert!(stopped.unwrap_err().is_stopped());
}

#[tokio::test]
async fn a_write_that_has_left_is_heard_out_for_a_moment_after_a_stop() {
    let azure = Azure::start(arm(|seen, _| match seen.method.as_str() {
        "PUT" => Say::Late(
            Duration::from_millis(60),
            Box::new(say(200, object(&endpoint(), "Succeeded"))),
        ),
        _ => Say::Late(Duration::from_secs(5), Box::new(say(200, json!({})))),
    }))
    .await;
    let client = Client::new(Settings {
        clock: Some(Clock::real()),
        ..azure.settings()
    })
    .unwrap();
    let stop = CancellationToken::new();
    let call = Call::new(client.clock(), Duration::from_secs(60), stop.clone());
    let body = json!({});
    let id = endpoint();
    let (put, read, ()) = tokio::join!(
        client.put(&call, &id, &body, Write::default()),
        client.get(&call, &id),
        async {
            while azure.requests().len() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stop.cancel();
        }
    );
    assert_eq!(
        put.expect("the answer of a write in flight was thrown away")
            .accepted()["name"],
        "pe"
    );
    assert!(read.unwrap_err().is_stopped());
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_ours_and_not_a_conflict() {
    let wanted = json!({"location": "global", "properties": {"virtualNetwork": {"id": endpoint().as_str()}}});
    let answer = {
        let mut body = wanted.clone();
        body["id"] = json!(zone().as_str());
        body["properties"]["provisioningState"] = json!("Succeeded");
        body
    };
    for foreign in [false, true] {
        let mut answer = answer.clone();
        if foreign {
            answer["properties"]["virtualNetwork"]["id"] = json!("/another");
        }
        let azure = Azure::start(arm(move |seen, before| {
            match (seen.method.as_str(), before) {
                ("PUT", 0) => Say::Nothing,
                ("PUT", _) => error(412, "PreconditionFailed"),
                _ => say(200, answer.clone()),
            }
        }))
        .await;
        let client = azure.client();
        let call = call(&client, 600);
        let write = Write {
            if_none_match: true,
            ..Write::default()
        };
        let put = client.put(&call, &zone(), &wanted, write).await;
        assert_eq!(azure.requests()[0].headers["if-none-match"], "*");
        if foreign {
            assert!(
                put.unwrap_err().is_precondition_failed(),
                "someone else's object was taken for ours"
            );
        } else {
            assert_eq!(
                put.unwrap().wait(&call).await.unwrap()["id"],
                zone().as_str()
            );
        }
    }
}

#[tokio::test]
async fn an_action_whose_answer_was_lost_is_not_run_again_unless_it_only_reads() {
    let azure = Azure::start(arm(|_, before| {
        if before == 0 {
            Say::Nothing
        } else {
            say(200, json!({"ok": true}))
        }
    }))
    .await;
    let client = azure.client();
    let call = call(&client, 60);
    let lost = client
        .post(
            &call,
            &endpoint(),
            "regenerateCredential",
            &json!({"name": "password"}),
        )
        .await
        .unwrap_err();
    assert!(lost.is_transport(), "{lost}");
    let listed = client
        .post(&call, &endpoint(), "listCredentials", &Json::Null)
        .await
        .unwrap();
    assert_eq!(listed.wait(&call).await.unwrap()["ok"], true);
    assert_eq!(
        azure.asked(),
        [
            "POST regenerateCredential",
            "POST listCredentials",
            "POST listCredentials"
        ]
    );
}

#[tokio::test]
async fn what_we_made_just_now_may_be_missing_once_and_its_children_may_be_refused() {
    let azure = Azure::start(arm(|seen, before| match (seen.method.as_str(), before) {
        ("PUT", 0) if seen.path.contains("virtualNetworkLinks") => {
            error(404, "ParentResourceNotFound")
        }
        ("PUT", _) => say(201, json!({})),
        ("GET", 0) => error(404, "ResourceNotFound"),
        _ => say(200, object(&zone(), "Succeeded")),
    }))
    .await;
    let client = azure.client();
    let call = call(&client, 600);
    let link = zone().child("virtualNetworkLinks", "l");
    let made = client
        .put(&call, &zone(), &json!({}), Write::default())
        .await
        .unwrap();
    client
        .put(&call, &link, &json!({}), Write::default())
        .await
        .unwrap()
        .wait(&call)
        .await
        .unwrap();
    assert_eq!(made.wait(&call).await.unwrap()["name"], zone().name());
    assert_eq!(
        azure.asked(),
        [
            format!("PUT {}", zone().name()),
            "PUT l".into(),
            "PUT l".into(),
            "GET l".into(),
            "GET l".into(),
            format!("GET {}", zone().name()),
            format!("GET {}", zone().name())
        ]
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_given_up_on_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let azure = Azure::start(arm(|_, _| say(200, json!({})))).await;
    let client = Client::new(Settings {
        resource_manager_endpoint: Some(address),
        ..azure.settings()
    })
    .unwrap();
    let began = client.clock().now();
    let error = client
        .get(&call(&client, 36_000), &endpoint())
        .await
        .unwrap_err();
    assert!(error.is_transport(), "{error}");
    assert!(
        client.clock().since(began) < Duration::from_secs(300),
        "tried for too long"
    );
}
