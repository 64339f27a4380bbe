use crate::decide::Charge;
use crate::request::Shape;
use crate::response::limited::{Counter, Limit, Told, first_number, limited};

const CHARGE: Charge = Charge { tokens: 700, microdollars: 5000 };

fn wait(limit: Limit, told: Told, counter: Counter) -> Option<u64> {
    limited(limit, told, CHARGE, counter).wait
}

#[test]
fn an_envoy_has_room_when_enough_has_come_back() {
    let local = |limit, most, left| wait(limit, [Some(most), Some(left), Some(0)], Counter::Local);
    // 60 per minute are one per second.
    assert_eq!(local(Limit::Requests, 60, 0), Some(1));
    assert_eq!(local(Limit::Requests, 3, 0), Some(20));
    assert_eq!(local(Limit::Tokens, 1000, 690), Some(1));
    assert_eq!(local(Limit::Tokens, 1000, 400), Some(18));
    assert_eq!(local(Limit::Tokens, 700, 0), Some(60));
    assert_eq!(local(Limit::Tokens, 699, 699), None);
    assert_eq!(local(Limit::Money, 10_000, 0), Some(43_200));
    assert_eq!(local(Limit::Money, 4999, 4999), None);
    // Another request may have taken the rest in the meantime.
    assert_eq!(local(Limit::Tokens, 1000, 1000), Some(1));
}

#[test]
fn a_fleet_has_room_when_its_time_is_over() {
    let fleet = |limit, most, reset| wait(limit, [Some(most), Some(0), reset], Counter::Fleet);
    assert_eq!(fleet(Limit::Requests, 60, Some(17)), Some(17));
    assert_eq!(fleet(Limit::Requests, 60, Some(0)), Some(1));
    assert_eq!(fleet(Limit::Requests, 60, None), None);
    assert_eq!(fleet(Limit::Tokens, 699, Some(17)), None);
    // What the answer will cost is not known yet.
    assert_eq!(fleet(Limit::Money, 4999, Some(17)), Some(17));
}

#[test]
fn errors_say_which_limit_it_was() {
    let error = |limit, most| limited(limit, [Some(most), Some(0), None], CHARGE, Counter::Local).error;
    for (limit, most, kind, code, message) in [
        (
            Limit::Requests,
            3,
            "requests",
            "rate_limit_exceeded",
            "The limit of 3 requests per minute is reached. Try again in 20 s.",
        ),
        (
            Limit::Tokens,
            1000,
            "tokens",
            "rate_limit_exceeded",
            "The limit of 1000 tokens per minute is reached: this request is charged with 700. Try again in 42 s.",
        ),
        (
            Limit::Tokens,
            600,
            "tokens",
            "rate_limit_exceeded",
            "This request is charged with 700 tokens; the limit is 600 per minute.",
        ),
        (
            Limit::Money,
            20_070_000,
            "insufficient_quota",
            "insufficient_quota",
            "The budget of 20.07 USD per day is used up. Try again in 22 s.",
        ),
        (
            Limit::Money,
            4000,
            "insufficient_quota",
            "insufficient_quota",
            "This request costs more than the budget of 0.00 USD per day.",
        ),
    ] {
        let error = error(limit, most);
        assert_eq!((error.status, error.kind, error.code, &*error.message), (429, Some(kind), code, message));
    }
    let azure = error(Limit::Requests, 3).body(Shape::Azure);
    assert!(azure.contains(r#""code":"RateLimitReached""#), "{azure}");
    let unknown = limited(Limit::Tokens, Told::default(), CHARGE, Counter::Local);
    assert_eq!((unknown.wait, unknown.error.code), (None, "rate_limit_exceeded"));
}

#[test]
fn the_first_of_several_numbers_counts() {
    let read =
        ["60", "60, 60;w=60", "0", "", "x", "-1", "4294967295, 4294967295;w=86400;name=\"day\""].map(first_number);
    assert_eq!(read, [Some(60), Some(60), Some(0), None, None, None, Some(4_294_967_295)]);
}
