use serde_json::json;

use crate::sentinel::{CLIENT_ID, CLIENT_SECRET, SCOPE, sentinel, token_form};
use crate::support::reply;

#[tokio::test]
async fn a_token_is_granted_with_its_lifetime_as_a_number() {
    let lab = sentinel().await;
    let url = lab.receiver.token_url().unwrap();
    let answer = reply(token_form(&lab, &url, &[])).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3599)));
    let again = reply(token_form(&lab, &url, &[])).await.json();
    assert_ne!(body["access_token"], again["access_token"]);
    let sample_scope = [("scope", "https://monitor.azure.com//.default")];
    assert_eq!(reply(token_form(&lab, &url, &sample_scope)).await.status, 200);
}

#[tokio::test]
async fn each_wrong_parameter_has_its_own_error() {
    let cases = [
        ("client_secret", "wrong", 401, "invalid_client", 7000215),
        ("client_id", "wrong", 400, "unauthorized_client", 700016),
        ("scope", "https://monitor.azure.com", 400, "invalid_scope", 1002012),
        ("scope", "https://example.com/.default", 400, "invalid_resource", 500011),
        ("grant_type", "password", 400, "unsupported_grant_type", 70003),
    ];
    let lab = sentinel().await;
    let url = lab.receiver.token_url().unwrap();
    for (name, value, status, error, code) in cases {
        let answer = reply(token_form(&lab, &url, &[(name, value)])).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["error"]), (status, &json!(error)), "{name}={value}");
        assert_eq!(body["error_codes"], json!([code]));
        assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
    }
}

#[tokio::test]
async fn a_wrong_tenant_method_or_content_type_is_refused() {
    let lab = sentinel().await;
    let url = lab.receiver.token_url().unwrap();
    let elsewhere = lab.url("/other-tenant/oauth2/v2.0/token");
    let tenant = reply(token_form(&lab, &elsewhere, &[])).await;
    assert_eq!((tenant.status, &tenant.json()["error_codes"]), (400, &json!([90002])));
    assert_eq!(reply(lab.client.get(&url)).await.status, 405);
    let form = json!({
        "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": SCOPE,
    });
    let as_json = lab.client.post(&url).header("content-type", "application/json").body(form.to_string());
    let as_json = reply(as_json).await;
    assert_eq!((as_json.status, &as_json.json()["error_codes"]), (400, &json!([900144])));
}
