//! Who has the last word, and how everybody is told apart.

use std::collections::HashMap;

use dayfly::SignalSink;
use dayfly_config::{Refusal, Reload, Secret, Sources, Watched};
use serde::{Deserialize, Serialize};

use crate::support::{ASKED_ONLY, Folder, Other, Settings, asked_only};

#[tokio::test]
async fn later_sources_win_and_each_value_tells_its_own() {
    let folder = Folder::with("limit = 2\ntwice = 2\nhosts = [\"a\", \"b\"]");
    folder.write("app.test.toml", "twice = 3\nother = { size = 3 }");
    folder.write("more.json", r#"{"limit": 20, "name": "more"}"#);
    let defaults = Settings {
        limit: 1,
        name: "defaults".into(),
        other: Other { size: 1, label: "l".into() },
        ..Settings::default()
    };
    // Named in another order than they count.
    let sources = Sources::new()
        .env_from("APP", [("APP_OTHER__SIZE", "4"), ("APP_HOSTS", "[\"c\"]")])
        .profile("test")
        .file(folder.app())
        .file(folder.path("more.json"))
        .defaults(&defaults);
    let watched = asked_only(sources).await;
    let value = watched.snapshot();
    assert_eq!((value.limit, value.twice, value.name.as_str()), (20, 3, "more"));
    assert_eq!(
        (value.other.size, value.other.label.as_str(), value.hosts.as_slice()),
        (4, "l", &["c".to_owned()][..])
    );
    let at = |key: &str| {
        let origin = watched.provenance(key).map(|origin| origin.to_string());
        origin.map(|origin| origin.replace(folder.temp.path().to_str().unwrap(), ""))
    };
    assert_eq!(at("limit").as_deref(), Some("/more.json:1:11"));
    assert_eq!(at("twice").as_deref(), Some("/app.test.toml:1:9"));
    assert_eq!(at("other.size").as_deref(), Some("environment variable APP_OTHER__SIZE"));
    assert_eq!(at("other.label").as_deref(), Some("defaults"));
    assert_eq!(at("hosts").as_deref(), Some("environment variable APP_HOSTS"));
    assert_eq!(at("nowhere"), None);
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Typed {
    text: String,
    number: u16,
    ratio: f64,
    on: bool,
    #[serde(default)]
    maybe: Option<i8>,
    word: Word,
    list: Vec<u8>,
    by_number: HashMap<u32, String>,
    secret: Secret<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Word {
    High,
    Low { by: u32 },
}

async fn typed(variables: &[(&str, &str)]) -> Result<Watched<Typed>, String> {
    let all = [
        ("X_TEXT", "007"),
        ("X_NUMBER", " 8080 "),
        ("X_RATIO", "1"),
        ("X_ON", "true"),
        ("X_MAYBE", "-1"),
        ("X_WORD", "high"),
        ("X_LIST", "[1, 2]"),
        ("X_BY_NUMBER__7", "seven"),
        ("X_SECRET", "12345678"),
    ];
    let sources =
        Sources::new().env_from("X", all.iter().chain(variables).copied().collect::<HashMap<_, _>>());
    Watched::open(sources, ASKED_ONLY, &SignalSink::default()).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_variable_takes_the_type_that_is_asked_for() {
    let value = typed(&[]).await.unwrap();
    assert_eq!(
        *value.load(),
        Typed {
            text: "007".into(),
            number: 8080,
            ratio: 1.0,
            on: true,
            maybe: Some(-1),
            word: Word::High,
            list: vec![1, 2],
            by_number: HashMap::from([(7, "seven".into())]),
            secret: Secret::new("12345678".into()),
        }
    );
    let low = typed(&[("X_WORD", "x"), ("X_TEXT", "")]).await.unwrap_err();
    assert_eq!(low, "environment variable X_WORD: word: unknown word `x` (known: high, low)");
    let _ = Word::Low { by: 1 };
}

#[tokio::test]
async fn a_variable_of_the_wrong_type_is_named() {
    let wrong = async |name: &str, value: &str| typed(&[(name, value)]).await.unwrap_err();
    assert_eq!(
        wrong("X_NUMBER", "70000").await,
        "environment variable X_NUMBER: number: expected u16, found string \"70000\""
    );
    assert_eq!(
        wrong("X_ON", "yes").await,
        "environment variable X_ON: on: expected a boolean, found string \"yes\""
    );
    assert_eq!(
        wrong("X_LIST", "[1, 300]").await,
        "environment variable X_LIST: list.1: expected u8, found integer `300`"
    );
    let unknown = wrong("X_NUMBR", "1").await;
    assert!(
        unknown.starts_with("environment variable X_NUMBR: numbr: unknown key, did you mean `number`?"),
        "{unknown}"
    );
}

#[tokio::test]
async fn secrets_are_read_and_never_shown() {
    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Bank {
        by_type: Secret<String>,
        number: Secret<u32>,
        pin: String,
        smtp_password: String,
        shown: String,
    }
    let folder = Folder::with(
        "by_type = \"hunter-one\"\nnumber = 424242\npin = \"hunter-two\"\nsmtp_password = \"hunter-three\"\nshown = \"s\"",
    );
    let sources = folder.sources().secrets("pin");
    let watched: Watched<Bank> = Watched::open(sources, ASKED_ONLY, &SignalSink::default()).await.unwrap();
    assert_eq!(
        (watched.load().by_type.expose().as_str(), *watched.load().number.expose()),
        ("hunter-one", 424_242)
    );
    let report = watched.report();
    let everything = [report.to_string(), report.to_json(), format!("{report:?}"), format!("{watched:?}")];
    for shown in &everything {
        assert!(!shown.contains("hunter") && !shown.contains("424242"), "{shown}");
    }
    assert!(everything[0].contains("by_type = \"***\"") && everything[0].contains("shown = \"s\""));
    // Nor in what is wrong: neither the type's own words nor those of others.
    for text in [
        "by_type = [\"hunter-one\"]\nnumber = 1\npin = \"p\"\nsmtp_password = \"w\"\nshown = \"s\"",
        "by_type = \"x\"\nnumber = \"hunter-one\"\npin = \"p\"\nsmtp_password = \"w\"\nshown = \"s\"",
        "by_type = \"x\"\nnumber = 1\npin = 424242\nsmtp_password = \"w\"\nshown = \"s\"",
        "by_type = \"x\"\nnumber = 1\npin = \"p\"\nsmtp_password = { hunter = 424242 }\nshown = \"s\"",
    ] {
        folder.write("app.toml", text);
        let error = watched.reload().await.unwrap_err().to_string();
        assert!(!error.contains("hunter") && !error.contains("424242"), "{error}");
        assert!(error.contains("expected"), "{error}");
    }
}

struct Refuses;
impl Reload<Settings> for Refuses {
    fn prepare(&self, next: &Settings) -> Result<(), Refusal> {
        Err(Refusal::new(format!("{:?} is none of mine", next.name)))
    }
    fn commit(&self, _: &Settings) {}
}

#[tokio::test]
async fn a_secret_is_kept_out_of_what_others_say() {
    let folder = Folder::with("name = \"a\"");
    let check = |settings: &Settings| match settings.name.as_str() {
        "a" => Ok(()),
        other => Err(dayfly_config::Invalid::at("name", format!("`{other}` is no name"))),
    };
    let sources = folder.sources().secrets("name");
    let watched = Watched::open_validated(sources, ASKED_ONLY, &SignalSink::default(), check).await.unwrap();
    folder.write("app.toml", "name = \"hunter2\"");
    let error = watched.reload().await.unwrap_err().to_string();
    assert!(error.ends_with("app.toml:1:8: name: `***` is no name"), "{error}");

    // Who refuses what is in force when he is bound says so to the caller, and no more than that.
    folder.write("app.toml", "name = \"a\"");
    let sources = folder.sources().secrets("name").env_from("X", [("X_NAME", "hunter\t2")]);
    let watched = asked_only(sources).await;
    let refused = watched.subscribe(Refuses).unwrap_err();
    assert_eq!(refused.to_string(), "\"***\" is none of mine");
    assert_eq!(format!("{refused:?}").matches("hunter").count(), 0);
}

#[tokio::test]
async fn a_type_that_panics_over_a_secret_does_not_tell_it() {
    #[derive(Deserialize)]
    struct Careless {
        #[expect(dead_code, reason = "it is never read to its end")]
        key: Secret<Panics>,
    }
    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
            let text = String::deserialize(input)?;
            panic!("{text:?} is no key");
        }
    }
    let folder = Folder::with("key = \"hunter \\\"2\\\"\"");
    let opened = Watched::<Careless>::open(folder.sources(), ASKED_ONLY, &SignalSink::default()).await;
    assert_eq!(opened.unwrap_err().to_string(), "reading it panicked: \"***\" is no key");
}

#[tokio::test]
async fn defaults_that_are_secret_stay_what_they_are() {
    #[derive(Deserialize, Serialize)]
    struct Hidden {
        key: Secret<String>,
    }
    let sources = Sources::new().defaults(&Hidden { key: Secret::new("hunter2".into()) });
    let watched: Watched<Hidden> = Watched::open(sources, ASKED_ONLY, &SignalSink::default()).await.unwrap();
    assert_eq!(watched.load().key.expose(), "hunter2");
    assert!(watched.report().to_string().contains("key = \"***\" (defaults)"));
}

/// What stands in a flattened part is not known to serde by its key, so only the words of the message can be looked through.
#[tokio::test]
async fn a_secret_is_kept_out_of_a_message_in_whatever_form_it_stands_there() {
    #[derive(Deserialize)]
    struct Outer {
        #[serde(flatten)]
        _inner: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        #[serde(rename = "token")]
        _token: u32,
        #[serde(rename = "token_secret", default)]
        _other: Option<u32>,
    }
    let long = format!("hunter{}", "2".repeat(200));
    for (secret, other) in [
        ("hunter2", ""),
        (&*long, ""),
        ("hunter\"quoted\"", ""),
        ("hunter\\back\\slash", ""),
        ("hunter\ttab and \u{200b} and \u{7}", ""),
        ("hunter\u{e9}\u{1f600}", ""),
        // One of them is a part of the other.
        ("hunter-2345", "hunter"),
        ("hunter", "hunter-2345"),
        ("x", "hunter-2345"),
    ] {
        let folder = Folder::new();
        let text = serde_json::json!({ "token": secret, "token_secret": other }).to_string();
        folder.write("app.json", text);
        let sources = Sources::new().file(folder.path("app.json"));
        let opened = Watched::<Outer>::open(sources, ASKED_ONLY, &SignalSink::default()).await;
        let error = opened.unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            let shown = shown.replace(folder.temp.path().to_str().unwrap(), "");
            for part in ["hunter", "2345", "quoted", "slash", "tab and"] {
                assert!(!shown.contains(part), "{secret:.20} in {shown}");
            }
        }
        assert!(error.to_string().contains("expected u32"), "{error}");
    }
}
