//! Requests: what is sent, to whom, and what is refused before anything is sent.

use super::*;

#[tokio::test]
async fn a_request_carries_token_version_and_ids() {
    let azure = Azure::start(arm(|_, _| say(200, object(&endpoint(), "Succeeded")))).await;
    let settings = Settings {
        correlation_request_id: Some("c-1".into()),
        partner_id: Some("p-1".into()),
        ..azure.settings()
    };
    let client = Client::new(settings).unwrap();
    let found = client.get(&call(&client, 60), &endpoint()).await.unwrap();
    assert_eq!(found["name"], "pe");
    let [seen] = &azure.requests()[..] else {
        panic!("{:?}", azure.asked())
    };
    assert_eq!(seen.path, format!("{}?api-version=2025-05-01", endpoint()));
    assert_eq!(seen.headers["authorization"], "Bearer token-1");
    assert_eq!(seen.headers["x-ms-correlation-request-id"], "c-1");
    assert!(
        seen.headers["user-agent"]
            .to_str()
            .unwrap()
            .contains("fkaks/")
            && seen.headers["user-agent"]
                .to_str()
                .unwrap()
                .ends_with("pid-p-1")
    );
    assert!(
        uuid::Uuid::parse_str(seen.headers["x-ms-client-request-id"].to_str().unwrap()).is_ok()
    );
    assert_eq!(client.cloud().resource_manager, azure.address);
}

#[tokio::test]
async fn not_found_is_an_error_at_once_and_asks_once() {
    let azure = Azure::start(arm(|_, _| error(404, "ResourceNotFound"))).await;
    let client = azure.client();
    let found = client
        .get(&call(&client, 60), &endpoint())
        .await
        .unwrap_err();
    assert!(found.is_not_found());
    assert_eq!(
        (found.code(), found.request_id(), found.about()),
        (
            Some("ResourceNotFound"),
            Some("r-1"),
            Some(endpoint().as_str())
        )
    );
    assert_eq!(azure.asked(), ["GET pe"]);
}

#[tokio::test]
async fn pages_are_followed_on_the_configured_host_alone() {
    let azure = Azure::start(arm(|seen, _| {
        let own = format!("http://{}", seen.headers["host"].to_str().unwrap());
        match seen.path.as_str() {
            path if path.contains("skip=1") => {
                say(200, json!({"value": [{"n": 2}], "nextLink": ""}))
            }
            path if path.contains("/evil/") => say(
                200,
                json!({"value": [], "nextLink": "https://evil.example/x"}),
            ),
            path if path.contains("/circle/") => say(
                200,
                json!({"value": [], "nextLink": format!("{own}{path}")}),
            ),
            path => say(
                200,
                json!({"value": [{"n": 1}], "nextLink": format!("{own}{path}&%24skip=1")}),
            ),
        }
    }))
    .await;
    let client = azure.client();
    let call = call(&client, 60);
    let items = client.list(&call, &zone(), "A").await.unwrap();
    assert_eq!(items, [json!({"n": 1}), json!({"n": 2})]);
    assert!(
        azure.requests()[1]
            .path
            .ends_with("/A?api-version=2024-06-01&%24skip=1"),
        "{}",
        azure.requests()[1].path
    );
    for (name, problem) in [("evil", "lies outside"), ("circle", "circle")] {
        let group = ArmId::group(SUB, name);
        let error = client
            .list(&call, &group, "resources")
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(problem), "{error}");
    }
    assert!(
        azure.requests()[2]
            .path
            .ends_with("/resources?api-version=2025-04-01")
    );
}

#[tokio::test]
async fn a_missing_registration_is_made_once_if_allowed_and_otherwise_explained() {
    let script = |seen: &Seen, before: usize| match seen.path.as_str() {
        path if path.contains("/register?") => {
            say(200, json!({"registrationState": "Registering"}))
        }
        path if path.contains("/providers/Microsoft.Network?") => say(
            200,
            json!({"registrationState": if before == 0 { "Registering" } else { "Registered" }}),
        ),
        _ if before < 1 => say(
            409,
            json!({"error": {"code": "MissingSubscriptionRegistration", "message": "Not registered.",
            "details": [{"code": "MissingSubscriptionRegistration", "target": "Microsoft.Network", "message": "x"}]}}),
        ),
        _ => say(200, object(&endpoint(), "Succeeded")),
    };
    let azure = Azure::start(arm(script)).await;
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
    let text = refused.to_string();
    assert!(
        text.contains(&format!(
            "az provider register --namespace Microsoft.Network --subscription {SUB} --wait"
        )),
        "{text}"
    );
    assert!(refused.has_code("MissingSubscriptionRegistration"));

    let azure = Azure::start(arm(script)).await;
    let client = Client::new(Settings {
        resource_provider_registrations: Some("core".into()),
        ..azure.settings()
    })
    .unwrap();
    let call = call(&client, 600);
    let other = ArmId::group(SUB, "g").resource("Microsoft.Network/privateEndpoints", "other");
    let body = json!({});
    let id = endpoint();
    let (a, b) = tokio::join!(
        client.put(&call, &id, &body, Write::default()),
        client.put(&call, &other, &body, Write::default())
    );
    a.unwrap().wait(&call).await.unwrap();
    let _ = b.unwrap();
    let registrations = azure
        .asked()
        .iter()
        .filter(|asked| *asked == "POST register")
        .count();
    assert_eq!(registrations, 1, "{:?}", azure.asked());
}

#[tokio::test]
async fn a_custom_cloud_describes_itself_before_the_first_request() {
    let azure = Azure::start(arm(|seen, _| {
        let own = format!("http://{}", seen.headers["host"].to_str().unwrap());
        if seen.path.starts_with("/metadata/endpoints") {
            say(200, json!({"name": "Contoso", "resourceManager": own, "suffixes": {"acrLoginServer": "cr.contoso.example"},
                "authentication": {"loginEndpoint": own, "audiences": ["https://arm.contoso.example"]}}))
        } else {
            say(200, json!({}))
        }
    }))
    .await;
    let settings = Settings {
        metadata_host: Some(azure.address.clone()),
        resource_manager_endpoint: None,
        authority_host: None,
        ..azure.settings()
    };
    let client = Client::new(settings).unwrap();
    assert_eq!(client.cloud().registry_suffix, "azurecr.io");
    let call = call(&client, 60);
    client.get(&call, &endpoint()).await.unwrap();
    client.get(&call, &endpoint()).await.unwrap();
    assert_eq!(
        client.cloud().registry_zone(),
        "privatelink.cr.contoso.example"
    );
    assert_eq!(azure.asked(), ["GET endpoints", "GET pe", "GET pe"]);
    assert!(
        azure.token_requests()[0]
            .body
            .contains("scope=https%3A%2F%2Farm.contoso.example%2F.default")
    );
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_refused_before_any_request() {
    let azure = Azure::start(arm(|_, _| say(200, json!({})))).await;
    let refuse = |change: fn(&mut Settings), words: &str| {
        let mut settings = azure.settings();
        change(&mut settings);
        let error = Client::new(settings).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refuse(
        |s| s.resource_manager_endpoint = Some("http://arm.example".into()),
        "https",
    );
    refuse(
        |s| s.authority_host = Some("http://login.example".into()),
        "https",
    );
    refuse(|s| s.environment = Some("germany".into()), "germany");
    refuse(
        |s| s.auxiliary_tenant_ids = vec!["a".into(), "b".into(), "c".into(), "d".into()],
        "three",
    );
    refuse(
        |s| s.metadata_host = Some("https://arm.example".into()),
        "set one of them",
    );
    refuse(
        |s| s.resource_provider_registrations = Some("some".into()),
        "some",
    );
    refuse(
        |s| s.client_secret_file_path = Some("/nowhere".into()),
        "/nowhere",
    );
    assert!(azure.requests().is_empty());
    let client = azure.client();
    let id = ArmId::group(SUB, "g").resource("Contoso.Things/widgets", "w");
    let error = client
        .get(&call(&client, 9), &id)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("api_versions"), "{error}");
}
