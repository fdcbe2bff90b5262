//! Numbers and durations at the ends of what there is.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_config::{Sources, Watched};
use serde::Deserialize;

use crate::support::{ASKED_ONLY, Folder};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Numbers {
    whole: u64,
    signed: i64,
    float: f64,
    small: u8,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { whole: 7, signed: 7, float: 7.0, small: 7 }
    }
}

async fn read(name: &str, text: &str) -> Result<Numbers, String> {
    let folder = Folder::new();
    folder.write(name, text);
    let sources = Sources::new().file(folder.path(name));
    let opened = Watched::<Numbers>::open(sources, ASKED_ONLY, &SignalSink::default()).await;
    let watched =
        opened.map_err(|error| error.to_string().replace(folder.temp.path().to_str().unwrap(), ""))?;
    let read = watched.load();
    Ok(Numbers { ..*read })
}

#[tokio::test]
async fn whole_numbers_above_2_to_the_53_are_exact_in_every_source() {
    const ODD: u64 = 9_007_199_254_740_993;
    for (name, text) in [
        ("a.toml", format!("whole = {ODD}\nsigned = -{ODD}")),
        ("a.json", format!(r#"{{"whole": {ODD}, "signed": -{ODD}}}"#)),
    ] {
        let read = read(name, &text).await.unwrap();
        assert_eq!((read.whole, read.signed.unsigned_abs()), (ODD, ODD), "{name}");
    }
    let most =
        read("a.json", &format!(r#"{{"whole": {}, "signed": {}}}"#, u64::MAX, i64::MIN)).await.unwrap();
    assert_eq!((most.whole, most.signed), (u64::MAX, i64::MIN));
    let (whole, signed) = (ODD.to_string(), format!("-{ODD}"));
    let variables = [("N_WHOLE", whole.as_str()), ("N_SIGNED", &signed), ("N_FLOAT", "0.1")];
    let sources = Sources::new().env_from("N", variables);
    let watched: Watched<Numbers> = Watched::open(sources, ASKED_ONLY, &SignalSink::default()).await.unwrap();
    assert_eq!((watched.load().whole, watched.load().signed.unsigned_abs()), (ODD, ODD));
    assert_eq!(watched.load().float.to_bits(), 0.1_f64.to_bits());
}

#[tokio::test]
async fn a_number_that_does_not_fit_is_refused_and_never_bent() {
    for (name, text, wrong) in [
        (
            "a.json",
            r#"{"whole": 18446744073709551616}"#,
            "/a.json:1:11: whole: expected u64, found floating point",
        ),
        ("a.json", r#"{"whole": -1}"#, "/a.json:1:11: whole: expected u64, found integer `-1`"),
        ("a.json", r#"{"whole": 1.0}"#, "/a.json:1:11: whole: expected u64, found floating point `1.0`"),
        ("a.json", r#"{"signed": 9223372036854775808}"#, "/a.json:1:12: signed: expected i64, found integer"),
        ("a.json", r#"{"small": 256}"#, "/a.json:1:11: small: expected u8, found integer `256`"),
        ("a.json", r#"{"float": NaN}"#, "/a.json:1:11: is no JSON"),
        ("a.json", r#"{"float": 1e999}"#, "/a.json:1:15: is no JSON: number out of range"),
        ("a.toml", "whole = 1e3", "/a.toml:1:9: whole: expected u64, found floating point `1000.0`"),
        ("a.toml", "small = nan", "/a.toml:1:9: small: expected u8, found floating point `NaN`"),
        ("a.toml", "signed = 9223372036854775808", "/a.toml:1:10: signed: expected i64, found integer"),
        ("a.toml", "whole = 0xffffffffffffffffff", "/a.toml:1:9: whole: is no integer of 64 bits"),
    ] {
        let error = read(name, text).await.unwrap_err();
        assert!(error.starts_with(wrong), "{text}: {error}");
    }
    let read = read("a.toml", "float = nan\nwhole = 0xff\nsigned = -0").await.unwrap();
    assert!(read.float.is_nan() && (read.whole, read.signed) == (255, 0));
}

#[tokio::test]
async fn nan_is_equal_to_itself_and_so_no_change() {
    let folder = Folder::with("float = nan");
    let watched: Watched<Numbers> =
        Watched::open(folder.sources(), ASKED_ONLY, &SignalSink::default()).await.unwrap();
    folder.write("app.toml", "# said otherwise\nfloat = nan");
    assert_eq!(watched.reload().await, Ok(1));
    folder.write("app.toml", "float = -nan");
    assert_eq!(watched.reload().await, Ok(2), "the other one");
}

#[tokio::test]
async fn a_duration_without_end_is_an_error_with_its_place() {
    use crate::support::{Settings, asked_only};
    let folder = Folder::with("orders = { cancel_grace = \"5s\" }");
    let watched: Watched<Settings> = asked_only(folder.sources()).await;
    for wrong in ["99999999999999999999s", "1e400s", "-1s", "", "5", "5 parsecs", "18446744073709551615h"] {
        folder.write("app.toml", format!("[orders]\ncancel_grace = \"{wrong}\""));
        let error = watched.reload().await.unwrap_err().to_string();
        assert!(error.contains("app.toml:2:16: orders.cancel_grace: "), "{wrong}: {error}");
    }
    folder.write("app.toml", "[orders]\ncancel_grace = \"18446744073709551615s\"");
    assert_eq!(watched.reload().await, Ok(2));
    let wanted = dayfly::CoordinatorOptions::new().cancel_grace(Duration::from_secs(u64::MAX));
    assert_eq!(watched.load().orders, wanted);
}
