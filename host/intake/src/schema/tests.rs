#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn schema(schema: Value) -> Schema {
    Schema::compile(&schema.to_string()).unwrap()
}

/// Runs as intake does: with the stack of a thread for blocking work.
fn checked(schema: Schema, event: String) -> Result<(), Unfit> {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(move || schema.check(&event)).unwrap().join().unwrap()
}

fn told(of: &Schema, event: Value) -> String {
    of.check(&event.to_string()).unwrap_err().to_string()
}

#[test]
fn the_place_and_what_is_expected_are_told_and_no_value_is() {
    let schema = schema(json!({
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "minLength": 3},
            "user": {"type": "object", "properties": {"age": {"type": "integer"}}, "additionalProperties": false},
            "action": {"enum": ["allow", "block"]},
            "names": {"propertyNames": {"pattern": "^[a-z]+$"}},
            "way": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["kind"]}]},
            "one": {"oneOf": [{"type": "integer"}, {"minimum": 3}]},
            "list": {"type": "array", "items": {"type": "number"}, "uniqueItems": true},
            "none": false,
            "not": {"not": {"const": 5}},
        },
    }));
    schema
        .check(r#"{"id":"abc","user":{"age":3},"action":"allow","way":"x","one":3.5,"list":[1,2],"not":4}"#)
        .unwrap();
    for (event, expected) in [
        (json!({}), "the event: \"id\" is a required property"),
        (json!({"id": "s3"}), "/id: the value is shorter than 3 characters"),
        (json!({"id": "abc", "user": {"age": "s3cret"}}), "/user/age: the value is not of type \"integer\""),
        (json!({"id": "abc", "user": {"a/b": 1}}), "/user: the schema does not allow the member `a/b`"),
        (json!({"id": "abc", "action": "s3cret"}), "/action: the value is not one of \"allow\" or \"block\""),
        (
            json!({"id": "abc", "names": {"s3cret": 1}}),
            "/names: the name of a member does not fit `propertyNames` of the schema",
        ),
        (
            json!({"id": "abc", "way": 7}),
            "/way: the value fits none of the alternatives that the schema has in `anyOf`",
        ),
        (
            json!({"id": "abc", "one": 3}),
            "/one: the value does not fit exactly one of the alternatives that the schema has in `oneOf`",
        ),
        (json!({"id": "abc", "list": [1, "s3cret"]}), "/list/1: the value is not of type \"number\""),
        (json!({"id": "abc", "list": [1, 1]}), "/list: the value has non-unique elements"),
        (json!({"id": "abc", "none": 1}), "/none: the schema allows no value here"),
        (json!({"id": "abc", "not": 5}), "/not: the value fits what the schema has in `not`"),
    ] {
        assert_eq!(told(&schema, event), expected);
    }
}

#[test]
fn what_is_told_is_bounded_and_one_line() {
    let schema = schema(
        json!({"additionalProperties": false, "properties": {"a": {"additionalProperties": {"type": "string"}}}}),
    );
    let names: serde_json::Map<String, Value> =
        (0..500).map(|index| (format!("{index}\n{}", "n".repeat(200)), json!(1))).collect();
    let text = told(&schema, Value::Object(names.clone()));
    assert!(text.len() < 400 && !text.contains('\n'), "{text}");
    let text = told(&schema, json!({"a": names}));
    assert!(text.len() < 400 && !text.contains('\n'), "{text}");
}

#[test]
fn the_drafts_of_the_schemas_own_choice_are_followed_and_2020_12_else() {
    let newest = schema(json!({"prefixItems": [{"type": "string"}], "dependentRequired": {"a": ["b"]}}));
    newest.check("[1]").unwrap_err();
    newest.check(r#"{"a":1}"#).unwrap_err();
    let seventh = schema(json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"name": {"type": "string"}},
        "items": [{"$ref": "#/definitions/name", "type": "number"}],
        "additionalItems": false,
    }));
    seventh.check(r#"["a"]"#).unwrap();
    seventh.check("[1]").unwrap_err();
    seventh.check(r#"["a","b"]"#).unwrap_err();
}

#[test]
fn references_lead_where_they_led_before_the_charges_were_put_in() {
    let schema = schema(json!({
        "$defs": {
            "user": {"properties": {"name": {"type": "string"}, "self": {"$ref": "#"}}},
            "a/b~c": {"type": "boolean"},
            "inner": {"$id": "https://example.com/inner", "$defs": {"deep": {"type": "null"}}, "properties": {"deep": {"$ref": "#/$defs/deep"}}},
            "anchored": {"$anchor": "here", "type": "array"},
        },
        "components": {"schemas": {"x": {"minimum": 5}, "y": {"$ref": "#/components/schemas/x"}}},
        "properties": {
            "name": {"$ref": "#/$defs/user/properties/name"},
            "user": {"$ref": "#/$defs/user"},
            "odd": {"$ref": "#/$defs/a~1b~0c"},
            "percent": {"$ref": "#/%24defs/user/properties/name"},
            "inner": {"$ref": "https://example.com/inner"},
            "anchored": {"$ref": "#here"},
            "y": {"$ref": "#/components/schemas/y"},
            "through": {"$ref": "#/properties/list/items/anyOf/1"},
            "list": {"items": {"anyOf": [{"type": "string"}, {"type": "object"}]}},
        },
    }));
    schema.check(r##"{"name":"n","user":{"name":"n","self":{"name":"m"}},"odd":true,"percent":"p","inner":{"deep":null},"anchored":[],"y":6,"through":{},"list":["a",{}]}"##).unwrap();
    for wrong in [
        json!({"name": 1}),
        json!({"user": {"name": 1}}),
        json!({"user": {"self": {"name": 1}}}),
        json!({"odd": 1}),
        json!({"percent": 1}),
        json!({"inner": {"deep": 1}}),
        json!({"anchored": 1}),
        json!({"y": 1}),
        json!({"through": 1}),
        json!({"list": [1]}),
    ] {
        told(&schema, wrong);
    }
}

#[test]
fn what_is_evaluated_elsewhere_is_still_known() {
    let schema = schema(json!({
        "anyOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": true}, "required": ["b"]}],
        "unevaluatedProperties": false,
    }));
    schema.check(r#"{"a":"x"}"#).unwrap();
    assert_eq!(told(&schema, json!({"a": "x", "c": 1})), "the event does not fit the schema of the source");
    let schema =
        self::schema(json!({"allOf": [{"properties": {"a": true}}], "unevaluatedProperties": false}));
    schema.check(r#"{"a":1}"#).unwrap();
    assert_eq!(told(&schema, json!({"c": 1})), "the event: the schema does not allow the member `c`");
}

#[test]
fn data_in_a_schema_stays_data() {
    let schema = schema(
        json!({"properties": {"a": {"const": {"not": {"type": "string"}}}, "b": {"enum": [{"properties": {"x": {}}}]}}}),
    );
    schema.check(r#"{"a":{"not":{"type":"string"}},"b":{"properties":{"x":{}}}}"#).unwrap();
    schema.check(r#"{"a":{"not":{}}}"#).unwrap_err();
}

#[test]
fn what_cannot_be_compiled_is_named() {
    for (text, expected) in [
        ("{", "the schema is not JSON: EOF while parsing"),
        ("7", "the schema does not compile: at /: 7 is not"),
        (
            r#"{"properties":{"a":{"type":"text"}}}"#,
            "the schema does not compile: at /properties/a/type: \"text\" is not what JSON Schema takes here",
        ),
        (
            r#"{"properties":{"a":{"pattern":"(?=x)"}}}"#,
            "the schema does not compile: at /properties/a/pattern: the pattern \"(?=x)\" cannot be read, or takes more than 65536 bytes compiled",
        ),
        (
            r#"{"properties":{"a":{"pattern":"1[01]{6000}[2-9]"}}}"#,
            "the schema does not compile: at /properties/a/pattern: the pattern \"1[01]{6000}[2-9]\" cannot be read, or takes more than 65536 bytes compiled",
        ),
        (
            r#"{"properties":{"a":{"patternProperties":{"1[01]{6000}[2-9]":true}}}}"#,
            "the schema does not compile: at ",
        ),
        (r##"{"$ref":"#/$defs/none"}"##, "the schema refers to `/$defs/none`, which is not in it"),
        (
            r#"{"$ref":"https://example.com/x"}"#,
            "the schema refers to `https://example.com/x`, which is not in it",
        ),
        (r#"{"$ref":"file:///etc/passwd"}"#, "the schema refers to `file:///etc/passwd`, which is not in it"),
        (r#"{"$schema":"https://example.com/own"}"#, "the schema refers to "),
    ] {
        let error = Schema::compile(text).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{text}: {error}");
        assert!(!error.hint().is_empty());
    }
    assert_eq!(Schema::compile(&" ".repeat(SCHEMA_BYTES + 1)).unwrap_err(), SchemaError::TooLarge);
    let many = json!({ "anyOf": vec![json!({}); SUBSCHEMAS + 1] }).to_string();
    assert_eq!(Schema::compile(&many).unwrap_err(), SchemaError::TooMany);
}

/// 2^60 ways through, at one place of the event.
#[test]
fn alternatives_that_multiply_end_at_the_budget() {
    let mut definitions: serde_json::Map<String, Value> = (0..60)
        .map(|level| {
            let next = json!({"$ref": format!("#/$defs/{}", level + 1)});
            (level.to_string(), json!({"anyOf": [next, next]}))
        })
        .collect();
    definitions.insert("60".to_owned(), json!(false));
    let all = schema(json!({"$defs": definitions, "$ref": "#/$defs/0"}));
    assert_eq!(checked(all, "{}".to_owned()), Err(Unfit::TooCostly));
}

/// Each level of the event asks two questions of the next: 2^60 in all.
#[test]
fn recursion_that_multiplies_ends_at_the_budget() {
    let again = json!({"properties": {"a": {"$ref": "#/$defs/level"}}});
    let level =
        json!({"anyOf": [{"allOf": [again, {"required": ["b"]}]}, {"allOf": [again, {"required": ["c"]}]}]});
    let schema = schema(json!({"$defs": {"level": level}, "$ref": "#/$defs/level"}));
    let event = format!("{}{{}}{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    checked(schema, event).unwrap_err();
}

#[test]
fn a_reference_to_itself_ends() {
    let itself = schema(json!({"allOf": [{"$ref": "#"}], "type": "object"}));
    checked(itself, "{}".to_owned()).unwrap();
    let ring = schema(
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
    );
    checked(ring, "{}".to_owned()).unwrap_or_default();
}

#[test]
fn references_in_a_row_do_not_exhaust_the_stack() {
    let definitions: serde_json::Map<String, Value> = (0..10_000)
        .map(|level| (level.to_string(), json!({"$ref": format!("#/$defs/{}", level + 1)})))
        .chain([("10000".to_owned(), json!({"type": "string"}))])
        .collect();
    let row = schema(json!({"$defs": definitions, "$ref": "#/$defs/0"}));
    checked(row, "{}".to_owned()).unwrap_err();
}

#[test]
fn patterns_are_matched_in_linear_time() {
    let schema = schema(json!({"properties": {"a": {"pattern": "^(a+)+$"}}}));
    let event = json!({"a": format!("{}!", "a".repeat(200_000))}).to_string();
    assert_eq!(checked(schema, event).unwrap_err().to_string(), "/a: the value does not match \"^(a+)+$\"");
}

#[test]
fn what_a_parsed_event_cannot_hold_does_not_pass_unchecked() {
    let schema = schema(json!(true));
    for event in [r#"{"a":"\ud800"}"#, r#"{"a":1e999}"#] {
        let unfit = schema.check(event).unwrap_err();
        assert!(matches!(unfit, Unfit::Unreadable(_)), "{event}: {unfit:?}");
    }
}

/// Schemas of every kind of keyword, with references to each other, also into the midst of them.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(vec!["object", "array", "string", "integer", "null"])
            .prop_map(|name| json!({ "type": name })),
        (0..3).prop_map(|least| json!({ "minimum": least })),
        (0..3).prop_map(|value| json!({"enum": [value, {"a": value}, "a"]})),
        prop::sample::select(vec!["a", "b"]).prop_map(|name| json!({"required": [name]})),
        prop::sample::select(vec!["^a", "b$"]).prop_map(|pattern| json!({ "pattern": pattern })),
        Just(json!({"uniqueItems": true, "minItems": 1})),
        prop::sample::select(vec![
            "#",
            "#/$defs/a",
            "#/$defs/b",
            "#/$defs/a/properties/a",
            "#/$defs/b/anyOf/1",
            "#here",
            "https://example.com/c",
        ])
        .prop_map(|to| json!({ "$ref": to })),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let one = || inner.clone();
        let several = || prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            (one(), one()).prop_map(|(a, b)| json!({"properties": {"a": a, "b": b}})),
            (one(), one()).prop_map(|(a, b)| json!({"properties": {"a": a}, "additionalProperties": b})),
            (one(), one()).prop_map(|(a, b)| json!({"patternProperties": {"^a": a}, "propertyNames": b})),
            (several(), one()).prop_map(|(a, b)| json!({"prefixItems": a, "items": b})),
            one().prop_map(|a| json!({"contains": a, "minContains": 1})),
            several().prop_map(|all| json!({ "allOf": all })),
            several().prop_map(|any| json!({ "anyOf": any })),
            several().prop_map(|one| json!({ "oneOf": one })),
            one().prop_map(|a| json!({ "not": a })),
            (one(), one(), one()).prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
            one().prop_map(|a| json!({"dependentSchemas": {"a": a}})),
            (several(), one()).prop_map(|(a, b)| json!({"anyOf": a, "unevaluatedProperties": b})),
            (several(), one()).prop_map(|(a, b)| json!({"allOf": a, "unevaluatedItems": b})),
        ]
    })
}

fn any_event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-1..4).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[ab]{1,2}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The crate itself says what a schema without charges means.
    #[test]
    fn charges_change_nothing_of_what_a_schema_means(
        root in any_schema(),
        (a, b, c) in (any_schema(), any_schema(), any_schema()),
        event in any_event(),
    ) {
        let written = json!({
            "allOf": [root],
            "$defs": {
                "a": {"properties": {"a": a, "b": {"$ref": "#/$defs/b"}}},
                "b": {"anyOf": [b, {"$anchor": "here", "items": c}]},
                "c": {"$id": "https://example.com/c", "$defs": {"d": c}, "items": {"$ref": "#/$defs/d"}},
            },
        });
        // A reference into what is `true` or `false` here, or a ring that the crate does not take.
        let Ok(plain) = build(&written) else { return Ok(()) };
        let schema = Schema::compile(&written.to_string()).unwrap();
        let expected = plain.is_valid(&event);
        match schema.check(&event.to_string()) {
            Ok(()) => prop_assert!(expected),
            Err(Unfit::Told(_) | Unfit::Untold) => prop_assert!(!expected),
            Err(unfit) => prop_assert!(false, "{}", unfit),
        }
    }
}

/// Each level is two ways to the next.
fn doubling(levels: usize, around: impl Fn(Value) -> Value) -> Value {
    let mut definitions: serde_json::Map<String, Value> = (0..levels)
        .map(|level| (level.to_string(), around(json!({"$ref": format!("#/$defs/{}", level + 1)}))))
        .collect();
    definitions.insert(levels.to_string(), json!({"properties": {"a": true}}));
    json!({"$defs": definitions, "$ref": "#/$defs/0"})
}

#[test]
fn what_is_unevaluated_is_asked_of_few_ways_only_since_the_compiler_goes_all_of_them() {
    let each = |next: Value| json!({"allOf": [next, next], "unevaluatedProperties": false});
    let items = |next: Value| json!({"if": next, "then": next, "unevaluatedItems": false});
    let mut outside = doubling(60, |next| json!({"anyOf": [next, next]}));
    outside["unevaluatedProperties"] = json!(false);
    for written in [doubling(60, each), doubling(60, items), outside] {
        let error = Schema::compile(&written.to_string()).unwrap_err();
        assert!(matches!(error, SchemaError::TooManyWays { .. }), "{error}");
    }
    let few = schema(doubling(3, each));
    assert_eq!(few.check(r#"{"a":1}"#), Ok(()));
    // Many schemas that have one way each are nothing unusual.
    let object = json!({"properties": {"a": true}, "unevaluatedProperties": false});
    let many: serde_json::Map<String, Value> = (0..2_000).map(|n| (n.to_string(), object.clone())).collect();
    schema(json!({ "properties": many })).check(r#"{"7":{"b":1}}"#).unwrap_err();
}

#[test]
fn many_patterns_for_many_names_are_paid_for_also_by_the_outermost_schema() {
    let patterns: serde_json::Map<String, Value> =
        (0..300).map(|n| (format!("^{n}[a-z]{{1,9}}$"), json!(true))).collect();
    let names: serde_json::Map<String, Value> = (0..2_000).map(|n| (n.to_string(), json!(1))).collect();
    let once = json!({"patternProperties": patterns, "properties": {"again": {"$ref": "#"}}});
    let schema = schema(once);
    assert_eq!(schema.check(r#"{"1abc":1,"again":{"2x":1}}"#), Ok(()));
    assert_eq!(schema.check(&Value::Object(names.clone()).to_string()), Err(Unfit::TooCostly));
    assert_eq!(schema.check(&json!({ "again": names }).to_string()), Err(Unfit::TooCostly));
}

#[test]
fn a_pattern_is_paid_for_by_its_size_and_the_length_of_the_text() {
    let small = || schema(json!({"properties": {"a": {"pattern": "^[01]+$"}}}));
    let large = || schema(json!({"properties": {"a": {"pattern": "[01]*1[01]{900}[2-9]"}}}));
    let event = |digits: usize| json!({"a": "1".repeat(digits)}).to_string();
    assert_eq!(checked(small(), event(250_000)), Ok(()));
    assert_eq!(checked(large(), event(250_000)), Err(Unfit::TooCostly));
    assert!(matches!(checked(large(), event(1_000)), Err(Unfit::Told(_))));
    let outermost = schema(json!({"pattern": "[01]*1[01]{900}[2-9]"}));
    assert_eq!(checked(outermost, json!("1".repeat(250_000)).to_string()), Err(Unfit::TooCostly));
    let of_a_name = schema(json!({"propertyNames": {"pattern": "[01]*1[01]{900}[2-9]"}}));
    assert_eq!(checked(of_a_name, json!({"1".repeat(250_000): 1}).to_string()), Err(Unfit::TooCostly));
}

#[test]
fn names_are_paid_for_by_their_length_for_each_pattern_of_members() {
    let patterns = |count: usize| -> serde_json::Map<String, Value> {
        (0..count).map(|n| (format!("1[01]{{400}}[2-9]{n}"), json!(true))).collect()
    };
    let event = |digits: usize| json!({"1".repeat(digits): 1}).to_string();
    let one = || schema(json!({ "patternProperties": patterns(1) }));
    assert_eq!(checked(one(), event(250)), Ok(()));
    assert_eq!(checked(one(), event(250_000)), Err(Unfit::TooCostly));
    let many = schema(json!({"properties": {"a": {"patternProperties": patterns(14)}}}));
    let inside = json!({"a": {"1".repeat(250_000): 1}}).to_string();
    assert_eq!(checked(many, inside), Err(Unfit::TooCostly));
}

#[test]
fn what_producers_usually_ask_of_texts_costs_little() {
    let patterns = [
        (
            "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
            "9f1c22ab-1234-4321-8765-0123456789ab",
        ),
        (r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$", "2026-01-02T03:04:05.678Z"),
        (r"^[^@\s]+@[^@\s]+\.[a-z]+$", "ann@acme.com"),
        (r"^[\w .-]{1,256}$", "a name of some length"),
    ];
    let properties: serde_json::Map<String, Value> =
        (0..40).map(|n| (n.to_string(), json!({"pattern": patterns[n % 4].0}))).collect();
    let event: serde_json::Map<String, Value> =
        (0..40).map(|n| (n.to_string(), json!(patterns[n % 4].1))).collect();
    assert_eq!(
        checked(schema(json!({ "properties": properties })), Value::Object(event).to_string()),
        Ok(())
    );
}
