//! What the documentation says of fields is true: each example is accepted, each default is what holds without the field.

use super::*;

/// A policy in which every object can stand.
fn base() -> Value {
    json!({
        "routers": [{"name": "model-router"}],
        "models": [
            {"name": "gpt-5-mini", "served_by": [{"provider": "openai"}]},
            {"name": "gpt-5", "served_by": [{"provider": "openai"}]},
            {"name": "gpt-4.1", "served_by": [{"provider": "openai"}]}
        ],
        "providers": [{"name": "openai", "cluster": "openai", "dialect": "openai"}],
    })
}

/// What else an object must have, so that the field can be there.
fn beside(path: &str, field: &str) -> Value {
    match (path, field) {
        ("", "providers") => json!({"models": [{"name": "gpt-5-mini", "served_by": [{"provider": "openai"}]}]}),
        ("", "models") => json!({"routers": []}),
        ("providers[]", "prompt_caching" | "betas") => json!({"dialect": "anthropic"}),
        ("providers[]", "api_version") => json!({"dialect": "azure_openai"}),
        ("routers[]", "data_zone") => json!({}),
        ("candidate", _) => json!({"policy": {}}),
        ("consumers[]", _) => json!({"name": "x", "when": {"header": "x-team", "equals": "x"}}),
        ("consumers[].when", _) => json!({"header": "x-team", "equals": "x"}),
        // Without an endpoint neither has a default.
        ("content_filter", "cluster" | "authority") => json!({"on_error": "allow", "cluster": "c", "authority": "a"}),
        ("content_filter", _) => json!({"endpoint": "http://moderation:8000", "on_error": "allow"}),
        ("models[].price.long_context", _) => json!({"above": 1, "input": 1, "output": 1}),
        _ => json!({}),
    }
}

/// The object at a section's path, made where it is not there.
fn place<'v>(document: &'v mut Value, path: &str) -> &'v mut Value {
    let mut at = document;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        at = match step.strip_suffix("[]") {
            Some(list) => {
                let list = at.as_object_mut().unwrap().entry(list).or_insert(json!([{}]));
                &mut list.as_array_mut().unwrap()[0]
            }
            None => at.as_object_mut().unwrap().entry(step).or_insert(json!({})),
        };
        if !at.is_object() {
            *at = json!({});
        }
    }
    at
}

/// The base with an object at the section's path that has `field`, if it is given.
fn having(section: &Section, field: &Field, value: Option<&str>) -> Value {
    let mut document = base();
    if (section.path, field.name) == ("routers[]", "data_zone") {
        document["providers"][0]["data_zone"] = json!("eu");
    }
    // Consumers need a name before anything else in them is looked at.
    if section.path == "consumers[].when" {
        document["consumers"] = json!([{"name": "x", "when": {}}]);
    }
    let object = place(&mut document, section.path).as_object_mut().unwrap();
    object.extend(beside(section.path, field.name).as_object().unwrap().clone());
    if let Some(text) = value {
        object.insert(field.name.to_owned(), serde_yaml_ng::from_str(text).unwrap());
    }
    document
}

#[test]
fn every_example_is_accepted() {
    for section in SECTIONS {
        for field in section.fields {
            let document = having(section, field, Some(field.example));
            if let Err(errors) = Policy::from_value(&document) {
                panic!("{}.{}: {}: {errors:?}", section.path, field.name, field.example);
            }
        }
    }
}

#[test]
fn every_default_is_what_holds_without_the_field() {
    for section in SECTIONS {
        for field in section.fields {
            let Some(default) = field.default.filter(|default| !default.starts_with('(')) else { continue };
            let with = having(section, field, Some(default));
            let mut without = having(section, field, None);
            // `base` has some.
            place(&mut without, section.path).as_object_mut().unwrap().remove(field.name);
            let [with, without] =
                [with, without].map(|document| Policy::from_value(&document).map_err(|errors| format!("{errors:?}")));
            let [with, without] = [with, without].map(|policy| format!("{policy:?}"));
            assert!(without.starts_with("Ok") && with == without, "{}.{} = {default}", section.path, field.name);
        }
    }
}

#[test]
fn what_is_required_is_missed() {
    for section in SECTIONS {
        for field in section.fields.iter().filter(|field| field.default.is_none()) {
            let mut document = having(section, field, None);
            let object = place(&mut document, section.path).as_object_mut().unwrap();
            object.remove(field.name);
            let errors = Policy::from_value(&document).map_or_else(|errors| format!("{errors:?}"), |_| String::new());
            assert!(errors.contains("missing"), "{}.{}: {errors}", section.path, field.name);
        }
    }
}

#[test]
fn every_field_says_what_it_is() {
    for section in SECTIONS {
        assert!(!section.about.trim().is_empty(), "{}", section.path);
        for field in section.fields {
            assert!(field.about.trim().ends_with('.') && !field.kind.is_empty(), "{}.{}", section.path, field.name);
        }
    }
}
