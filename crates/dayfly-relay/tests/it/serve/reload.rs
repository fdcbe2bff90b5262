//! The file is followed while the service runs, and a wrong one changes nothing.

use super::receiver::Receiver;
use super::stage::{HEAD, SECRET, Stage, endpoint, in_time};
use dayfly_relay::serve::log::Log;
use dayfly_relay::serve::service::Service;

/// The file as it was, with another part for the endpoints.
fn file(stage: &Stage, endpoints: &str) -> String {
    let address = stage.service.address();
    format!("listen = \"{address}\"\nstore = \"memory\"\nallow_private_addresses = true\n{endpoints}")
}

#[tokio::test]
async fn a_new_limit_resizes_the_running_endpoint() {
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "max_concurrency = 2")).await;
    for number in 0..40 {
        stage.api.hand_in(&number.to_string(), &number.to_string()).await;
    }
    receiver.count(2).await;
    stage.place.write(&file(&stage, &endpoint("one", &receiver.url(), "max_concurrency = 5")));
    receiver.count(5).await;
    assert_eq!(stage.api.endpoint("one").await["running"], 5);
    stage.place.write(&file(&stage, &endpoint("one", &receiver.url(), "max_concurrency = 1")));
    stage.applied(3).await;
    drop(hold);
    stage.settled().await;
    let told = stage.api.endpoint("one").await;
    assert_eq!(
        (&told["delivered"], &told["attempts"]),
        (&40.into(), &40.into()),
        "nothing was dropped for it"
    );
    assert_eq!(told["max_concurrency"], 1);
}

#[tokio::test]
async fn a_wrong_file_changes_nothing_and_is_told() {
    let receiver = Receiver::open().await;
    let stage = Stage::open(&endpoint("one", &receiver.url(), "")).await;
    let good = endpoint("one", &receiver.url(), "");
    let mut rejections = stage.service.signals().subscribe("config.rejected");
    for (bad, wanted) in [
        ("max_concurrency = 0".to_owned(), "endpoints.one.max_concurrency: a whole number from 1 to 1024"),
        ("timeout = \"soon\"".to_owned(), "endpoints.one.timeout: `soon` is no duration"),
        ("events = 7".to_owned(), "endpoints.one.events"),
        ("colour = \"red\"".to_owned(), "endpoints.one.colour"),
        ("max_concurrency = ".to_owned(), "relay.toml:"),
    ] {
        stage.place.write(&file(&stage, &endpoint("one", &receiver.url(), &bad)));
        in_time(wanted, rejections.recv()).await.unwrap();
        let (_, told) = stage.api.get("/readyz").await;
        assert!(told["configuration"]["rejected"][0].as_str().unwrap().contains(wanted), "{told}");
        assert_eq!((&told["ready"], &told["configuration"]["generation"]), (&true.into(), &1.into()));
        let why = told["configuration"]["rejected"].to_string();
        assert!(why.contains("relay.toml:") && !why.contains("whsec"), "{why}");
    }
    let metrics = stage.api.get("/metrics").await.1;
    assert!(!metrics.as_str().unwrap().contains("config_rejections_total 0"), "{metrics}");
    stage.api.hand_in("a", "k").await;
    receiver.count(1).await;
    stage.place.write(&file(&stage, &(good + "# well again\n")));
    in_time("the file is right again", stage.service.signals().cleared("config.stale")).await;
    assert!(stage.api.get("/readyz").await.1["configuration"]["rejected"].is_null());
}

#[tokio::test]
async fn endpoints_come_and_go_and_what_waits_stays() {
    let (one, two) = (Receiver::open().await, Receiver::open().await);
    let stage = Stage::open(&endpoint("one", &one.url(), "")).await;
    stage.api.hand_in("a", "k").await;
    one.count(1).await;
    stage.settled().await;
    // The first request is answered with the gate open again; a second endpoint that is stuck is taken out.
    let hold = two.hold().await;
    let both = endpoint("one", &one.url(), "") + &endpoint("two", &two.url(), "max_concurrency = 1");
    stage.place.write(&file(&stage, &both).replace("listen", "drain_deadline = \"0s\"\nlisten"));
    stage.applied(2).await;
    for id in ["b", "c"] {
        stage.api.hand_in(id, "k").await;
    }
    two.count(1).await;
    one.count(3).await;
    let alone = endpoint("one", &one.url(), "");
    stage.place.write(&file(&stage, &alone).replace("listen", "drain_deadline = \"0s\"\nlisten"));
    stage.applied(3).await;
    let (_, told) = stage.api.get("/endpoints").await;
    assert_eq!(told["gone"][0], serde_json::json!({ "name": "two", "waiting": 2, "parked": 0 }));
    stage.api.hand_in("d", "k").await;
    drop(hold);
    stage.place.write(&file(&stage, &both));
    stage.settled().await;
    // What was under way when it was taken out comes again, under the same id; what came in meanwhile was not for it.
    let mut ids = two.ids();
    ids.dedup();
    assert_eq!(ids, ["b", "c"]);
    assert_eq!(one.ids(), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn another_order_and_another_address_are_followed() {
    let (one, two) = (Receiver::open().await, Receiver::open().await);
    let stage = Stage::open(&endpoint("one", &one.url(), "")).await;
    stage.api.hand_in("a", "k").await;
    one.count(1).await;
    stage.settled().await;
    stage.place.write(&file(&stage, &endpoint("one", &two.url(), "key = \"endpoint\"")));
    stage.applied(2).await;
    stage.api.hand_in("b", "k").await;
    two.count(1).await;
}

#[tokio::test]
async fn what_is_signed_with_and_where_it_may_go_are_followed() {
    let receiver = Receiver::open().await;
    let url = format!("http://localhost:{}/", receiver.address.port());
    let one = endpoint("one", &url, "");
    let stage = Stage::open(&one).await;
    stage.api.hand_in("old", "k").await;
    stage.settled().await;
    let new = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let rotating = one.replace(&format!("[\"{SECRET}\"]"), &format!("[\"{new}\", \"{SECRET}\"]"));
    stage.place.write(&file(&stage, &rotating));
    stage.applied(2).await;
    stage.api.hand_in("both", "k").await;
    stage.settled().await;
    stage.place.write(&file(&stage, &one.replace(SECRET, new)));
    stage.applied(3).await;
    stage.api.hand_in("new", "k").await;
    stage.settled().await;
    let got = receiver.got();
    for (id, believed) in [("old", [true, false]), ("both", [true, true]), ("new", [false, true])] {
        let got = got.iter().find(|got| got.id == id).unwrap();
        let is_believed =
            |secret| standardwebhooks::Webhook::new(secret).unwrap().verify(&got.body, &got.headers).is_ok();
        assert_eq!([SECRET, new].map(is_believed), believed, "{id}");
    }
    // From now on no name may lead into the own network, also not over a connection that is open still.
    let nowhere = file(&stage, &one).replace("allow_private_addresses = true", "");
    stage.place.write(&nowhere);
    stage.applied(4).await;
    stage.api.hand_in("kept", "k").await;
    stage.settled().await;
    assert_eq!(receiver.got().len(), 3);
    let (_, listed) = stage.api.get("/events?state=failed&endpoint=one").await;
    assert!(listed["events"][0]["error"].as_str().unwrap().contains("no public address"), "{listed}");
}

/// Ten thousand in the full form: `DAYFLY_FULL=1`.
#[tokio::test]
async fn thousands_of_endpoints_are_followed_and_one_event_wakes_no_crowd() {
    let all = dayfly_testing::times(2_000, 10_000);
    let receiver = Receiver::open().await;
    let many = |last: &str| {
        let mut file = String::new();
        for number in 0..all {
            let events = if number == all - 1 { last } else { "never" };
            file += &endpoint(&format!("e{number}"), &receiver.url(), &format!("events = [\"{events}\"]"));
        }
        file
    };
    // A debug build may be busy with so many for longer than an idle connection is kept.
    let limits = "[limits]\nrequest_timeout = \"60s\"\n";
    let stage = Stage::open_as(&format!("{HEAD}store = \"memory\"\n{limits}{}", many("never"))).await;
    stage.api.hand_in("a", "k").await;
    stage.settled().await;
    assert!(receiver.got().is_empty());
    stage.place.write(&file(&stage, &(limits.to_owned() + &many("order.*"))));
    stage.applied(2).await;
    stage.api.hand_in("b", "k").await;
    receiver.count(1).await;
    stage.place.write(&file(
        &stage,
        &(limits.to_owned() + &endpoint(&format!("e{}", all - 1), &receiver.url(), "")),
    ));
    stage.applied(3).await;
    let (_, told) = stage.api.get("/endpoints").await;
    assert_eq!(told["endpoints"].as_array().unwrap().len(), 1);
    in_time("everything ends", stage.service.drain()).await;
}

#[tokio::test]
async fn a_rate_is_kept_and_followed_and_an_end_waits_for_no_turn() {
    let receiver = Receiver::open().await;
    let rate = |rate: &str| endpoint("one", &receiver.url(), &format!("max_concurrency = 4\n{rate}"));
    let stage = Stage::open(&rate("rate = { limit = 1, per = \"1h\", burst = 3 }")).await;
    for number in 0..30 {
        stage.api.hand_in(&number.to_string(), &number.to_string()).await;
    }
    receiver.count(3).await;
    let relay = stage.service.relay();
    stage.place.write(&file(&stage, &rate("rate = { limit = 1000, burst = 5 }")));
    // Those came by the new rate: of the old one there was no start left for an hour.
    assert_eq!(receiver.got().len(), 3);
    receiver.count(30).await;
    in_time("all are delivered", relay.idle()).await;
    assert_eq!(stage.api.endpoint("one").await["attempts"], 30, "a turn that is waited for is no attempt");

    stage.place.write(&file(&stage, &rate("rate = { limit = 1, per = \"1day\", burst = 1 }")));
    stage.applied(3).await;
    for number in 30..40 {
        stage.api.hand_in(&number.to_string(), &number.to_string()).await;
    }
    receiver.count(31).await;
    let start = std::time::SystemTime::now();
    let service = in_time("it ends", stage.service.drain());
    service.await;
    assert!(start.elapsed().unwrap().as_secs() < 20, "whoever waits for its turn has not begun");
    assert_eq!(receiver.got().len(), 31);
}

#[tokio::test]
async fn a_rate_that_cannot_be_is_told() {
    let receiver = Receiver::open().await;
    for (rate, wanted) in [
        ("limit = 0", "a whole number from 1 to 1000000000"),
        ("limit = 5, burst = 0", "a whole number from 1 to 1000000000"),
        ("limit = 5, per = \"0s\"", "a period from 1ms to 1day"),
        ("limit = 5, per = \"2days\"", "a period from 1ms to 1day"),
        ("per = \"1s\"", "limit"),
        ("limit = 5, colour = 1", "colour"),
    ] {
        let text = endpoint("one", &receiver.url(), &format!("rate = {{ {rate} }}"));
        let place = super::stage::Place::new(&format!("{HEAD}store = \"memory\"\n{text}"));
        let error = Service::start(&place.file(), Log::Silent).await.unwrap_err().to_string();
        assert!(error.contains("endpoints.one.rate") && error.contains(wanted), "{rate}: {error}");
    }
}
