use super::super::cooldown::{Cooldowns, Rest};
use super::*;
use crate::policy::Cooldown;

const LIMITS: Cooldown = Cooldown { initial: 1000, maximum: 60_000 };

/// The table after these steps, each at its time.
struct Table(Vec<u8>);

impl Table {
    fn at<T>(&mut self, now: u64, step: impl FnOnce(&mut Cooldowns) -> T) -> T {
        let mut table = Cooldowns::read(&self.0, now);
        let result = step(&mut table);
        self.0 = table.to_bytes();
        result
    }

    fn fails(&mut self, now: u64, wait: Option<u64>) {
        self.at(now, |table| table.failed(7, wait, LIMITS));
    }

    fn rest(&mut self, now: u64) -> Rest {
        self.at(now, |table| table.rest(7))
    }
}

#[test]
fn each_failure_doubles_the_rest_up_to_a_limit() {
    let (mut table, mut now) = (Table(Vec::new()), 1_000_000);
    assert_eq!(table.rest(now), Rest::None);
    for expected in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
        table.fails(now, None);
        assert_eq!(table.rest(now), Rest::Resting(expected));
        // Those that were on their way already say nothing new.
        table.fails(now + 1, None);
        assert_eq!(table.rest(now + 1), Rest::Resting(expected - 1));
        now += expected;
        assert_eq!(table.rest(now), Rest::Due);
    }
    assert_eq!(table.at(now, |table| table.rest(8)), Rest::None, "another place");
    assert!(table.at(now, |table| table.succeeded(7)) && !table.at(now, |table| table.succeeded(7)));
    table.fails(now, None);
    assert_eq!(table.rest(now), Rest::Resting(1000), "all is forgotten after an answer");
    assert_eq!(table.rest(now + 1000 + 10 * 60 * 1000), Rest::None, "and after ten minutes");
}

#[test]
fn a_provider_may_ask_for_more() {
    let mut table = Table(Vec::new());
    table.fails(0, Some(5));
    assert_eq!(table.rest(0), Rest::Resting(1000));
    table.fails(10, Some(90_000));
    assert_eq!(table.rest(10), Rest::Resting(90_000));
    table.fails(20, Some(u64::MAX));
    assert_eq!(table.rest(20), Rest::Resting(60 * 60 * 1000));
}

#[test]
fn one_request_makes_the_trial() {
    let mut table = Table(Vec::new());
    assert!(!table.at(0, |table| table.try_again(7)));
    table.fails(0, None);
    assert!(!table.at(999, |table| table.try_again(7)));
    assert!(table.at(1000, |table| table.try_again(7)) && !table.at(1000, |table| table.try_again(7)));
    assert_eq!(table.rest(1000), Rest::Resting(30_000), "until it has ended");
    // Nothing was heard of it.
    assert!(table.at(31_000, |table| table.try_again(7)));
    table.fails(31_500, None);
    assert_eq!(table.rest(31_500), Rest::Resting(2000));
}

#[test]
fn the_table_is_bounded_and_takes_any_bytes() {
    let mut table = Cooldowns::read(&[], 5);
    for place in 0..1000 {
        table.failed(place, Some(1000 + place), LIMITS);
    }
    assert_eq!(table.to_bytes().len(), 256 * 32);
    assert_eq!((table.rest(999), table.rest(0)), (Rest::Resting(1999), Rest::None));
    let mut bytes = table.to_bytes();
    for at in (0..bytes.len()).step_by(7) {
        bytes[at] = bytes[at].wrapping_mul(31).wrapping_add(at as u8);
    }
    for end in [0, 1, 31, 32, 33, bytes.len()] {
        let mut odd = Cooldowns::read(&bytes[..end], u64::MAX / 2);
        odd.failed(3, None, Cooldown { initial: u64::MAX, maximum: u64::MAX });
        assert!(matches!(odd.rest(3), Rest::Resting(_)));
    }
}

#[test]
fn those_that_rest_come_last() {
    let policy = policy_with(router(json!("quality")), tiers(), json!({}));
    let request = read_chat(BODY.as_bytes()).unwrap();
    let (asked, caller) = (Asked::Router(0), Caller::Anyone);
    let terms = Terms::new(&policy, asked, caller, None).unwrap();
    let decided = |failed: &[&str], now: u64| {
        let mut table = Cooldowns::read(&[], 0);
        for name in failed {
            let model = policy.models.iter().find(|model| model.name == *name).unwrap();
            let provider = &policy.providers[model.served_by[0].provider].name;
            table.failed(Origin::new(provider, name).place(), None, LIMITS);
        }
        let cooldowns = Cooldowns::read(&table.to_bytes(), now);
        let plan = plan_on(&policy, &request, &terms, (asked, caller), &cooldowns, None).unwrap();
        (names(&policy, &plan).join(" "), plan.reason)
    };
    assert_eq!(decided(&[], 0), ("dear middle cheap".into(), Reason::Best));
    assert_eq!(decided(&["dear"], 0), ("middle cheap dear".into(), Reason::Cooldown));
    assert_eq!(decided(&["dear"], 1000), ("dear middle cheap".into(), Reason::Best));
    assert_eq!(decided(&["middle"], 0), ("dear cheap middle".into(), Reason::Best));
    assert_eq!(decided(&["cheap", "middle", "dear"], 0), ("dear middle cheap".into(), Reason::Best));
}
