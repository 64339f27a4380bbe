use super::*;
use crate::origin::Origin;
use crate::request::Kept;

fn policy() -> Policy {
    let served = |name: &str, providers: &[&str]| {
        let mut model = model(name, 50.0, 1.0);
        model["served_by"] = providers.iter().map(|provider| json!({"provider": provider})).collect();
        model
    };
    let models = vec![served("one", &["p", "eu"]), served("two", &["eu"]), served("small", &["chat"])];
    let consumers = json!([{"name": "c", "when": {"header": "h", "equals": "c"}, "models": ["two"]}]);
    policy_with(
        json!([]),
        models,
        json!({"consumers": consumers, "providers": [
        {"name": "p", "cluster": "p", "dialect": "openai"}, {"name": "eu", "cluster": "eu", "dialect": "openai"},
        {"name": "chat", "cluster": "chat", "dialect": "openai", "apis": ["chat_completions"]},
        {"name": "idle", "cluster": "idle", "dialect": "openai"}]}),
    )
}

fn find(policy: &Policy, id: &str, caller: Caller) -> Option<(String, Option<String>, String)> {
    let found = keeper(policy, &Kept { collection: "responses", id, rest: "" }, caller).ok()?;
    let model = found.model.map(|model| policy.models[model].name.clone());
    Some((policy.providers[found.provider].name.clone(), model, found.id))
}

fn marked(provider: &str, model: &str) -> String {
    format!("resp_{}1", Origin::new(provider, model).mark())
}

#[test]
fn a_mark_leads_to_its_provider() {
    let policy = Policy { consumers: None, ..policy() };
    let found = |provider, model| find(&policy, &marked(provider, model), Caller::Anyone);
    let to = |provider: &str, model: Option<&str>| Some((provider.into(), model.map(Into::into), "resp_1".into()));
    assert_eq!(found("p", "one"), to("p", Some("one")));
    assert_eq!(found("eu", "two"), to("eu", Some("two")));
    // A model that is not there: the provider keeps it all the same.
    assert_eq!(found("p", "two"), to("p", None));
    assert_eq!(found("p", ""), to("p", None));
    for nowhere in ["chat", "idle", "nobody"] {
        assert_eq!(found(nowhere, "one"), None, "{nowhere}");
    }
}

#[test]
fn an_id_without_a_mark_is_followed_only_where_it_can_be_from_one_provider() {
    let two = Policy { consumers: None, ..policy() };
    assert_eq!(find(&two, "resp_1", Caller::Anyone), None);
    // The consumer reaches one of them.
    let consumer = Caller::Consumer(0);
    assert_eq!(find(&policy(), "resp_1", consumer), Some(("eu".into(), None, "resp_1".into())));
    assert_eq!(find(&two, "", Caller::Anyone), Some(("p".into(), None, String::new())), "a new conversation");
}

#[test]
fn a_forged_mark_leads_nowhere_that_policy_denies() {
    let policy = policy();
    let consumer = Caller::Consumer(0);
    assert_eq!(find(&policy, &marked("p", "one"), consumer), None);
    // It may use the provider, but for the model `two` only.
    assert_eq!(find(&policy, &marked("eu", "one"), consumer), Some(("eu".into(), None, "resp_1".into())));
    let nobody = keeper(&policy, &Kept { collection: "responses", id: "resp_1", rest: "" }, Caller::Nobody);
    assert_eq!(nobody, Err(Refusal::NotAllowed("responses".into())));
}
