//! How events arrive, and what becomes of those that do not.

use std::collections::HashMap;

use axum::http::StatusCode;
use serde_json::json;

use super::receiver::Receiver;
use super::stage::{SECRET, Stage, endpoint, in_time};

#[tokio::test]
async fn another_implementation_believes_our_signatures() {
    let receiver = Receiver::open().await;
    receiver.answer(|_, number| if number == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK });
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut file = endpoint("one", &receiver.url(), "");
    file = file.replace(&format!("[\"{SECRET}\"]"), &format!("[\"{other}\", \"{SECRET}\"]"));
    let stage = Stage::open(&file).await;
    let data = r#"{"n": 12345678901234567890.5, "text": "grün"}"#;
    stage.api.post("/events", format!(r#"{{"id":"evt_1","type":"x","key":"k","data":{data}}}"#)).await;
    let got = receiver.count(2).await;
    assert_eq!(got[0].body, got[1].body, "every attempt is of the same bytes");
    for got in got {
        assert_eq!(got.headers["webhook-id"], "evt_1");
        for secret in [SECRET, other] {
            let webhook = standardwebhooks::Webhook::new(secret).unwrap();
            webhook.verify(&got.body, &got.headers).unwrap();
            webhook.verify(b"{}", &got.headers).unwrap_err();
        }
        let stranger = standardwebhooks::Webhook::new("whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB").unwrap();
        stranger.verify(&got.body, &got.headers).unwrap_err();
        assert!(String::from_utf8(got.body.to_vec()).unwrap().ends_with(&format!("\"data\":{data}}}")));
        let body = got.json();
        assert_eq!((&body["type"], &body["key"]), (&"x".into(), &"k".into()));
        assert!(humantime::parse_rfc3339(body["timestamp"].as_str().unwrap()).is_ok());
    }
}

#[tokio::test]
async fn each_key_arrives_in_order_also_when_attempts_fail() {
    let receiver = Receiver::open().await;
    // Each event fails once or twice, depending on its id.
    receiver.answer(|got, number| {
        let failures = got.id.len() % 3;
        if number < failures { StatusCode::BAD_GATEWAY } else { StatusCode::OK }
    });
    let file = endpoint("one", &receiver.url(), "").replace("cap = \"2s\"", "cap = \"1ms\"");
    let stage = Stage::open(&file).await;
    for number in 0..60 {
        stage
            .api
            .hand_in(&format!("{number}_{}", "x".repeat(number % 7)), &format!("key {}", number % 5))
            .await;
    }
    stage.settled().await;
    let mut last = HashMap::new();
    for got in receiver.got() {
        let number: usize = got.id.split('_').next().unwrap().parse().unwrap();
        let before = last.insert(number % 5, number).unwrap_or(0);
        assert!(number >= before, "{number} came after {before}");
    }
    assert_eq!(stage.api.endpoint("one").await["parked"], 0);
}

#[tokio::test]
async fn one_endpoint_that_is_down_holds_up_nobody() {
    let (well, sick) = (Receiver::open().await, Receiver::open().await);
    let hold = sick.hold().await;
    let file = endpoint("well", &well.url(), "") + &endpoint("sick", &sick.url(), "");
    let stage = Stage::open(&file).await;
    stage.api.hand_in_all((0..600).map(|number| (number.to_string(), number.to_string()))).await;
    well.count(600).await;
    in_time("the one that is well has everything", stage.service.relay().idle_for("well")).await;
    let (_, told) = stage.api.get("/endpoints").await;
    assert_eq!(told["endpoints"][1]["waiting"], 0);
    assert_eq!(
        (&told["endpoints"][0]["name"], &told["endpoints"][0]["waiting"]),
        (&"sick".into(), &600.into())
    );
    assert!(told["endpoints"][0]["queued"].as_u64().unwrap() <= 256, "{told}");
    drop(hold);
    stage.settled().await;
    sick.count(600).await;
}

#[tokio::test]
async fn while_a_circuit_is_open_its_endpoint_starts_nothing_and_the_others_go_on() {
    let (well, sick) = (Receiver::open().await, Receiver::open().await);
    sick.answer(|_, _| StatusCode::INTERNAL_SERVER_ERROR);
    let broken = endpoint("sick", &sick.url(), "max_concurrency = 1");
    let broken = broken.replace("1000, open_for = \"10ms\"", "2, open_for = \"1h\"");
    let stage = Stage::open(&(endpoint("well", &well.url(), "") + &broken)).await;
    for number in 0..50 {
        stage.api.hand_in(&number.to_string(), &number.to_string()).await;
    }
    well.count(50).await;
    stage.raised("circuit.open.sick").await;
    let (_, told) = stage.api.get("/endpoints").await;
    assert_eq!(told["endpoints"][0]["circuit"], "open");
    assert_eq!(
        (&told["endpoints"][0]["waiting"], &told["endpoints"][0]["attempts"]),
        (&50.into(), &2.into())
    );
    assert_eq!(sick.got().len(), 2);
    assert_eq!(stage.api.endpoint("well").await["circuit"], "closed");
}

#[tokio::test]
async fn one_key_that_is_stuck_holds_up_no_other_key() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "max_concurrency = 2")).await;
    receiver.answer(|got, number| {
        if got.id == "stuck" && number == 0 {
            (StatusCode::REQUEST_TIMEOUT, [("retry-after", "0")])
        } else {
            (StatusCode::OK, [("retry-after", "0")])
        }
    });
    let file = endpoint("one", &receiver.url(), "max_concurrency = 2");
    // The first event of the hot key waits for its second attempt until everything else has been delivered.
    stage.place.write(&format!(
        "listen = \"{}\"\nstore = \"memory\"\nallow_private_addresses = true\n{}",
        stage.service.address(),
        file.replace("base = \"1ms\"", "base = \"2s\"")
    ));
    stage.applied(2).await;
    stage.api.hand_in("stuck", "hot").await;
    let hot = (0..400).map(|number| (format!("hot-{number}"), "hot".to_owned()));
    stage
        .api
        .hand_in_all(hot.chain((0..50).map(|number| (format!("cold-{number}"), format!("cold {number}")))))
        .await;
    receiver.until(|got| got.iter().filter(|got| got.id.starts_with("cold")).count() == 50).await;
    stage.settled().await;
    let hot: Vec<String> = receiver.ids().into_iter().filter(|id| id.starts_with("hot")).collect();
    assert_eq!(hot, (0..400).map(|number| format!("hot-{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_until_somebody_enables_it() {
    let receiver = Receiver::open().await;
    receiver.answer(|_, _| StatusCode::GONE);
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    for id in ["a", "b", "c"] {
        stage.api.hand_in(id, "k").await;
    }
    stage.settled().await;
    assert_eq!(receiver.ids(), ["a"], "after the first answer nothing is sent");
    assert!(stage.service.signals().is_raised("endpoint.disabled.one"));
    let told = stage.api.endpoint("one").await;
    assert_eq!(
        (&told["disabled"]["reason"], &told["parked"]),
        (&"the receiver answered 410 Gone".into(), &3.into())
    );
    let (status, _) = stage.api.post("/events/replay", r#"{"endpoint":"one"}"#).await;
    assert_eq!(status, StatusCode::CONFLICT);

    receiver.answer(|_, _| StatusCode::OK);
    let (_, enabled) = stage.api.post("/endpoints/one/enable", "").await;
    assert_eq!(enabled["was_disabled"], true);
    assert!(!stage.service.signals().is_raised("endpoint.disabled.one"));
    let (_, replayed) = stage.api.post("/events/replay", r#"{"endpoint":"one"}"#).await;
    assert_eq!(replayed["replayed"], 3);
    stage.settled().await;
    assert_eq!(receiver.ids(), ["a", "a", "b", "c"]);
    assert_eq!(stage.api.endpoint("one").await["parked"], 0);
}

#[tokio::test]
async fn what_is_given_up_is_parked_listed_and_replayed_by_filter() {
    let receiver = Receiver::open().await;
    receiver.answer(|got, _| match &*got.id {
        "moved" => (StatusCode::FOUND, [("location", "/elsewhere")]),
        "wrong" => (StatusCode::BAD_REQUEST, [("x", "y")]),
        "down" => (StatusCode::INTERNAL_SERVER_ERROR, [("x", "y")]),
        _ => (StatusCode::OK, [("x", "y")]),
    });
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    for (id, kind) in [("moved", "a.x"), ("wrong", "a.y"), ("down", "b.x"), ("fine", "b.y")] {
        stage.api.post("/events", json!({ "id": id, "type": kind, "data": 1 }).to_string()).await;
    }
    stage.settled().await;
    let (_, listed) = stage.api.get("/events?state=parked&endpoint=one").await;
    let parked: Vec<(&str, u64)> = listed["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["id"].as_str().unwrap(), event["attempts"].as_u64().unwrap()))
        .collect();
    let mut sorted = parked.clone();
    sorted.sort_unstable();
    // Redirects are not followed; only what may pass is tried again.
    assert_eq!(sorted, [("down", 3), ("moved", 1), ("wrong", 1)]);
    assert!(listed["events"][0]["error"].as_str().unwrap().contains("the receiver answered"));

    let (_, page) = stage.api.get("/events?state=parked&endpoint=one&limit=2").await;
    assert_eq!(page["events"].as_array().unwrap().len(), 2);
    let (_, rest) = stage.api.get(&format!("/events?state=parked&endpoint=one&after={}", page["next"])).await;
    assert_eq!((rest["events"].as_array().unwrap().len(), rest["next"].is_null()), (1, true));
    let (_, of_a_kind) = stage.api.get("/events?state=failed&endpoint=one&type=a.*").await;
    assert_eq!(of_a_kind["events"].as_array().unwrap().len(), 2, "{of_a_kind}");

    receiver.answer(|_, _| StatusCode::OK);
    let (_, replayed) =
        stage.api.post("/events/replay", r#"{"endpoint":"one","type":"a.*","limit":1}"#).await;
    assert_eq!(replayed["replayed"], 1);
    let again = json!({ "endpoint": "one", "type": "a.*", "after": replayed["next"] }).to_string();
    assert_eq!(stage.api.post("/events/replay", again).await.1["replayed"], 1);
    let (_, replayed) = stage.api.post("/events/replay", r#"{"endpoint":"one","ids":["down","fine"]}"#).await;
    assert_eq!(replayed["replayed"], 1);
    stage.settled().await;
    let told = stage.api.endpoint("one").await;
    assert_eq!((&told["parked"], &told["delivered"]), (&0.into(), &4.into()));
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_one() {
    let receiver = Receiver::open().await;
    receiver.answer(|got, number| {
        let status =
            if got.id == "0" && number == 0 { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
        (status, [("retry-after", "1")])
    });
    let stage = Stage::open(&endpoint("one", &receiver.url(), "max_concurrency = 1")).await;
    let start = std::time::SystemTime::now();
    for number in 0..3 {
        stage.api.hand_in(&number.to_string(), &number.to_string()).await;
    }
    stage.raised("rate.limited.one").await;
    stage.settled().await;
    assert!(start.elapsed().unwrap().as_millis() >= 1_000);
    let got = receiver.got();
    assert_eq!(got.len(), 4);
    // Another attempt is the same event, signed at another time.
    let attempts: Vec<_> = got.iter().filter(|got| got.id == "0").map(|got| &got.headers).collect();
    assert_eq!(attempts[0]["webhook-id"], attempts[1]["webhook-id"]);
    let at = |place: usize| attempts[place]["webhook-timestamp"].to_str().unwrap().parse::<u64>().unwrap();
    assert!(at(1) > at(0), "{} and {}", at(0), at(1));
}

#[tokio::test]
async fn who_has_too_much_to_do_is_left_alone_and_who_is_only_broken_is_not() {
    let slow = [(429, ""), (502, ""), (504, ""), (503, "3600"), (404, "3600")];
    let quick = [(500, ""), (503, ""), (404, ""), (429, "0"), (502, "Wed, 21 Oct 2015 07:28:00 GMT")];
    for (is_slow, (status, pause)) in
        slow.map(|one| (true, one)).into_iter().chain(quick.map(|one| (false, one)))
    {
        let receiver = Receiver::open().await;
        receiver.answer(move |_, _| {
            let headers = if pause.is_empty() { [("x", "y")] } else { [("retry-after", pause)] };
            (StatusCode::from_u16(status).unwrap(), headers)
        });
        // One attempt for each, and a first wait of an hour, which is what is waited where nobody says how long.
        let file = endpoint("one", &receiver.url(), "max_concurrency = 1").replace(
            "attempts = 3, base = \"1ms\", cap = \"2s\"",
            "attempts = 1, base = \"1h\", cap = \"1h\"",
        );
        let stage = Stage::open(&file).await;
        let told = format!("{status} with `{pause}`");
        stage.api.hand_in("first", "a").await;
        stage.settled().await;
        assert_eq!(stage.service.signals().is_raised("rate.limited.one"), is_slow, "{told}");
        assert_eq!(stage.api.endpoint("one").await["slow"], is_slow, "{told}");
        stage.api.hand_in("second", "b").await;
        if !is_slow {
            stage.settled().await;
        }
        assert_eq!(receiver.got().len(), if is_slow { 1 } else { 2 }, "{told}");
    }
}

#[tokio::test]
async fn what_is_parked_for_all_is_listed_in_the_order_in_which_it_came() {
    let (one, two) = (Receiver::open().await, Receiver::open().await);
    for receiver in [&one, &two] {
        receiver.answer(|got, _| if got.id == "fine" { StatusCode::OK } else { StatusCode::BAD_REQUEST });
    }
    let file = endpoint("one", &one.url(), "") + &endpoint("two", &two.url(), "events = [\"*.both\"]");
    let stage = Stage::open(&file).await;
    let sent = [("a", "x.one"), ("b", "x.both"), ("fine", "x.both"), ("c", "y.both"), ("d", "y.one")];
    for (id, kind) in sent {
        stage.api.post("/events", json!({ "id": id, "type": kind, "data": 1 }).to_string()).await;
        stage.settled().await;
    }
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let list = async |more: &str| {
        let (status, page) = stage.api.get(&format!("/events?state=failed{more}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let of = |event: &serde_json::Value| {
            format!("{} {}", event["id"].as_str().unwrap(), event["endpoint"].as_str().unwrap())
        };
        (page["events"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(), page["next"].as_u64())
    };
    assert_eq!(list("").await, (owned(&["a one", "b one", "b two", "c one", "c two", "d one"]), None));
    assert_eq!(list("&type=y.*").await, (owned(&["c one", "c two", "d one"]), None));
    assert_eq!(list("&endpoint=two").await, (owned(&["b two", "c two"]), None));
    // Page by page nothing is told twice, and what has one number stays together.
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let (page, next) = list(&format!("&limit=1&after={after}")).await;
        assert!(matches!(page.len(), 1 | 2), "{page:?}");
        all.extend(page);
        let Some(next) = next else { break };
        assert!(next > after);
        after = next;
    }
    assert_eq!(all, ["a one", "b one", "b two", "c one", "c two", "d one"]);
}
