//! What people get wrong about each scheme: the line, the cause, and what to write instead.

use siemaphore_model::formatter::AuthenticationHint;

use super::*;
use crate::config::from_text;
use crate::config::problem::Document;

/// A formatter that suggests nothing, or one scheme.
fn description(hint: Option<(&str, &str)>) -> Description {
    let hint = hint.map(|(scheme, parameters)| AuthenticationHint {
        scheme: scheme.to_owned(),
        parameters: parameters.to_owned(),
    });
    Description {
        name: "test".to_owned(),
        version: "1".to_owned(),
        vendor: "test".to_owned(),
        title: "Test SIEM".to_owned(),
        summary: String::new(),
        settings_schema: "{}".to_owned(),
        settings_example: "{}".to_owned(),
        endpoint_example: String::new(),
        secret_name: "API key".to_owned(),
        authentication: hint.into_iter().collect(),
    }
}

/// What is chosen for a destination with these lines from line 5 on, its further secrets, and the problems as
/// `line: reason (fix)`.
fn chosen(
    lines: &str,
    hint: Option<(&str, &str)>,
) -> (Option<Authentication>, Vec<SecretReference>, Vec<String>) {
    let text = format!(
        "[[destination]]\nname = 'siem'\nformatter = 'test'\nendpoint = 'https://siem.example.com'\n{lines}"
    );
    let config = from_text(text.clone(), std::path::Path::new("/nonexistent"));
    let config = config.map_err(|found| found[0].to_string()).unwrap().destinations.remove(0);
    let document = Document::new(&text);
    let mut problems = Problems { document: &document, found: Vec::new() };
    let authentication = choose(&mut problems, &config, &description(hint));
    let further = match &authentication {
        Some(authentication) => further_secrets(&mut problems, &config, authentication),
        None => Vec::new(),
    };
    let told = problems.found.iter().map(|problem| {
        format!("{}: {} ({})", problem.line.unwrap_or_default(), problem.reason, problem.hint)
    });
    (authentication, further, told.collect())
}

fn scheme(parameters: &str) -> String {
    format!("secret = 'env:KEY'\nauthentication = {{ {parameters} }}")
}

#[test]
fn a_parameter_that_is_missing_is_named_for_every_scheme() {
    for (parameters, missing) in [
        ("scheme = 'header'", &["header"][..]),
        ("scheme = 'basic'", &["username"]),
        ("scheme = 'oauth2-client-credentials'", &["token_url", "client_id", "scope"]),
        ("scheme = 'body-field'", &["field"]),
        ("scheme = 'hmac'", &["header"]),
        ("scheme = 'azure-shared-key'", &["workspace_id"]),
        ("scheme = 'google-service-account'", &["scope"]),
        ("scheme = 'aws-sigv4'", &["region", "service", "access_key_id"]),
    ] {
        let (authentication, _, found) = chosen(&scheme(parameters), None);
        assert_eq!(authentication, None, "{parameters}");
        let told: Vec<String> = missing
            .iter()
            .map(|key| {
                format!(
                    "6: authentication of destination `siem` needs `{key}` (write `{key} = \"…\"` under authentication)"
                )
            })
            .collect();
        assert_eq!(found, told, "{parameters}");
    }
    let (_, _, found) = chosen("authentication = { scheme = 'azure-managed-identity' }", None);
    assert!(found.len() == 1 && found[0].starts_with("5: ") && found[0].contains("`resource`"), "{found:?}");
}

#[test]
fn a_secret_that_is_missing_is_named_as_the_siem_calls_it() {
    for parameters in ["scheme = 'bearer'", "scheme = 'url-path'", "scheme = 'standard-webhooks'"] {
        let (authentication, _, found) = chosen(&format!("authentication = {{ {parameters} }}"), None);
        assert_eq!(authentication, None);
        let told = "1: destination `siem` has no secret: Test SIEM needs its API key (write `secret = ";
        assert!(found.len() == 1 && found[0].starts_with(told), "{found:?}");
    }
}

#[test]
fn a_parameter_that_cannot_be_is_refused_with_its_line_and_what_to_write() {
    for (parameters, told) in [
        ("scheme = 'oauth'", "6: there is no authentication scheme `oauth` (write one of: header, bearer,"),
        (
            "scheme = 'aws-sigv'",
            "6: there is no authentication scheme `aws-sigv` (did you mean \"aws-sigv4\"?)",
        ),
        ("scheme = 'header', header = 'X Y'", "6: `X Y` cannot be a header (write a name such as"),
        ("scheme = 'hmac', header = ''", "6: `` cannot be a header (write a name such as"),
        (
            "scheme = 'google-service-account', scope = 's', token_url = 'token'",
            "6: `token` is not a URL: relative URL without a base (write a whole https URL)",
        ),
        (
            "scheme = 'oauth2-client-credentials', client_id = 'c', scope = 's', token_url = 'https://l/{tenant}/t'",
            "6: the tenant is missing (write `tenant = ",
        ),
        (
            "scheme = 'aws-sigv4', region = 'r', service = 's', access_key_id = 'a', session_token = 'canary'",
            "6: not a secret reference: it does not begin with",
        ),
        ("scheme = 'azure-managed-identity', resource = 'r'", "5: a managed identity has no secret (leave"),
    ] {
        let (authentication, _, found) = chosen(&scheme(parameters), None);
        assert_eq!(authentication, None, "{parameters}");
        assert!(found.len() == 1 && found[0].starts_with(told), "{found:?}");
        assert!(!found[0].contains("canary"), "{found:?}");
    }
}

#[test]
fn what_is_left_out_comes_from_the_formatter_and_what_is_written_wins() {
    let hint = Some(("header", r#"{"header":"X-Suggested","prefix":"Key "}"#));
    let of = |lines: &str| match chosen(lines, hint) {
        (Some(Authentication::Header { header, prefix, .. }), _, found) if found.is_empty() => {
            (header.to_string(), prefix)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(of("secret = 'env:KEY'"), ("x-suggested".to_owned(), "Key ".to_owned()));
    assert_eq!(of(&scheme("prefix = ''")), ("x-suggested".to_owned(), String::new()));
    let (authentication, _, found) = chosen(&scheme("scheme = 'bearer'"), hint);
    assert!(matches!(authentication, Some(Authentication::Bearer { .. })), "{found:?}");
}

#[test]
fn a_list_of_secrets_is_read_in_its_order() {
    let env = |name: &str| SecretReference::Env(name.to_owned());
    for lines in [
        "secret = ['env:A', 'env:B', 'file:/c']\nauthentication = { scheme = 'bearer' }",
        "authentication = { scheme = 'bearer', secret = ['env:A', 'env:B', 'file:/c'] }",
    ] {
        let (authentication, further, found) = chosen(lines, None);
        assert_eq!(authentication, Some(Authentication::Bearer { secret: env("A") }), "{found:?}");
        assert_eq!(further, [env("B"), SecretReference::File("/c".into())]);
        assert_eq!(found, Vec::<String>::new());
    }
    let (_, further, _) = chosen("secret = ['env:A']\nauthentication = { scheme = 'bearer' }", None);
    assert_eq!(further, []);
}

#[test]
fn a_list_of_secrets_that_could_not_work_is_refused_at_the_secret_that_is_wrong() {
    for (secrets, told) in [
        ("[]", "5: the list of secrets is empty (write one reference"),
        ("['env:A',\n'canary']", "6: not a secret reference"),
        ("['env:A',\n'env:B',\n'env:A']", "7: the secret env:A is named twice (keep one of the two)"),
        ("['env:A','env:B','env:C','env:D',\n'env:E']", "6: 5 secrets are more than the 4 that are tried"),
    ] {
        let (_, _, found) =
            chosen(&format!("secret = {secrets}\nauthentication = {{ scheme = 'bearer' }}"), None);
        assert!(found.len() == 1 && found[0].starts_with(told), "{found:?}");
        assert!(!found[0].contains("canary"), "{found:?}");
    }
    let aws = "scheme = 'aws-sigv4', region = 'r', service = 's', access_key_id = 'a'";
    let (_, _, found) = chosen(&format!("secret = ['env:A',\n'env:B']\nauthentication = {{ {aws} }}"), None);
    assert!(
        found.len() == 1 && found[0].starts_with("6: `aws-sigv4` takes one secret (keep one"),
        "{found:?}"
    );
}

#[test]
fn a_secret_of_the_wrong_type_is_named_by_its_key() {
    let text = "[[destination]]\nname = 'a'\nformatter = 'f'\nendpoint = 'https://e'\nsecret = 5\n";
    let found = from_text(text.to_owned(), std::path::Path::new("/nonexistent")).err().unwrap();
    assert_eq!(found[0].line, Some(5));
    assert_eq!(
        found[0].reason,
        "`secret` takes a secret reference in quotes or a list of them, not the number `5`"
    );
    let text = text.replace("= 5", "= ['env:A', 5]");
    let found = from_text(text, std::path::Path::new("/nonexistent")).err().unwrap();
    assert!(found[0].line == Some(5) && found[0].reason.contains("takes text in quotes"), "{found:?}");
}

#[test]
fn a_secret_that_no_scheme_sends_is_refused() {
    for (lines, hint) in [
        (scheme("scheme = 'none'"), Some(("bearer", "{}"))),
        // Neither the operator nor the formatter says how it is sent.
        ("secret = 'env:KEY'".to_owned(), None),
    ] {
        let (authentication, _, found) = chosen(&lines, hint);
        assert_eq!(authentication, None);
        let told = "5: destination `siem` has a secret and its scheme `none` sends none (take `secret` out, or write";
        assert!(found.len() == 1 && found[0].starts_with(told), "{found:?}");
    }
    let (authentication, _, found) = chosen("authentication = { scheme = 'none' }", Some(("bearer", "{}")));
    assert_eq!((authentication, found.len()), (Some(Authentication::None), 0));
}
