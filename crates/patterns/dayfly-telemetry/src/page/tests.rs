//! What stands on a page.

use metrics::{Unit, counter, describe_counter, describe_histogram, gauge, histogram, with_local_recorder};
use proptest::prelude::*;

use super::*;

fn page_of(told: impl FnOnce()) -> String {
    let page = PrometheusPage::new();
    with_local_recorder(&page.writer(), told);
    page.text()
}

#[test]
fn every_kind_is_written_as_prometheus_reads_it() {
    let page = page_of(|| {
        describe_counter!("shop.orders", Unit::Count, "orders\nthat came");
        describe_histogram!("shop.wait", Unit::Seconds, "how long");
        counter!("shop.orders", "outcome" => "paid", "from" => "web").increment(2);
        counter!("shop.orders", "from" => "web", "outcome" => "paid").increment(1);
        counter!("shop.orders").increment(7);
        let level = gauge!("shop.carts");
        level.set(4.0);
        level.increment(1.5);
        level.decrement(3.0);
        for value in [0.000_05, 0.3, 61.0, f64::NAN, f64::INFINITY] {
            histogram!("shop.wait", "le" => "x").record(value);
        }
    });
    let (above, waits) = page.split_once("# HELP shop_wait_seconds").unwrap();
    assert_eq!(
        above,
        "# TYPE shop_carts gauge\nshop_carts 2.5\n\
         # HELP shop_orders_total orders\\nthat came\n# TYPE shop_orders_total counter\nshop_orders_total 7\n\
         shop_orders_total{from=\"web\",outcome=\"paid\"} 3\n",
    );
    assert!(waits.starts_with(" how long\n# TYPE shop_wait_seconds histogram\n"), "{waits}");
    for line in [
        "shop_wait_seconds_bucket{le_=\"x\",le=\"0.0001\"} 1",
        "shop_wait_seconds_bucket{le_=\"x\",le=\"0.25\"} 1",
        "shop_wait_seconds_bucket{le_=\"x\",le=\"0.5\"} 2",
        "shop_wait_seconds_bucket{le_=\"x\",le=\"60\"} 2",
        "shop_wait_seconds_bucket{le_=\"x\",le=\"+Inf\"} 3",
        "shop_wait_seconds_sum{le_=\"x\"} 61.30005",
        "shop_wait_seconds_count{le_=\"x\"} 3",
    ] {
        assert!(waits.lines().any(|other| other == line), "{line}: {waits}");
    }
}

#[test]
fn what_prometheus_does_not_take_is_written_in_a_way_that_it_does() {
    let page = page_of(|| {
        counter!("9 lives/ü", "a-b" => "say \"hi\"\\\n", "" => "none").increment(1);
        counter!("late_total").increment(1);
        gauge!("level").set(f64::NEG_INFINITY);
    });
    assert_eq!(
        page,
        "# TYPE _9_lives___total counter\n_9_lives___total{_=\"none\",a_b=\"say \\\"hi\\\"\\\\\\n\"} 1\n\
         # TYPE late_total counter\nlate_total 1\n# TYPE level gauge\nlevel -Inf\n",
    );
}

#[test]
fn names_that_are_written_alike_are_one_family_of_one_kind() {
    let page = page_of(|| {
        counter!("a.b").increment(1);
        counter!("a_b").increment(2);
        gauge!("a.b.total").set(9.0);
        gauge!("a.b.total", "of" => "another kind").set(9.0);
    });
    assert_eq!(page, "# TYPE a_b_total counter\na_b_total 3\n");
}

#[test]
fn a_hostile_stream_of_series_does_not_grow_the_page_for_ever() {
    let page = page_of(|| {
        for number in 0..10_000 {
            counter!("hostile", "number" => number.to_string()).increment(1);
        }
        counter!("hostile", "number" => "0").increment(1);
    });
    assert_eq!(page.lines().count(), 1 + 4_096);
    assert!(page.contains("hostile_total{number=\"0\"} 2\n"), "a known one goes on");
}

#[test]
fn the_recorder_after_it_is_told_the_same() {
    let (page, next) = (PrometheusPage::new(), dayfly_testing::Figures::new());
    let writer = Writer::new(Arc::clone(&page.families), Some(Box::new(next.clone())));
    with_local_recorder(&writer, || {
        for _ in 0..2 {
            counter!("count", "a" => "b").increment(2);
            gauge!("level").increment(1.5);
            histogram!("values").record_many(1.0, 3);
        }
        counter!("absolute").absolute(5);
    });
    let figures = [("absolute{}", 5.0), ("count{a=b}", 4.0), ("level{}", 3.0), ("values{}", 6.0)];
    assert_eq!(next.all(), figures.map(|(name, value)| (name.to_owned(), value)));
    for line in ["absolute_total 5", "count_total{a=\"b\"} 4", "level 3", "values_count 6", "values_sum 6"] {
        assert!(page.text().lines().any(|other| other == line), "{line}: {}", page.text());
    }
}

proptest! {
    /// Every line is a comment, or a name with labels and a number: whatever names, labels and values there are.
    #[test]
    fn whatever_is_told_the_page_can_be_read(
        told in proptest::collection::vec(("\\PC{0,8}", "\\PC{0,6}", ".{0,8}", any::<f64>()), 0..20),
    ) {
        let page = page_of(|| {
            for (name, label, value, number) in told {
                counter!(name.clone(), label.clone() => value.clone()).increment(1);
                gauge!(format!("g{name}"), label.clone() => value.clone()).set(number);
                histogram!(format!("h{name}"), label => value).record(number);
            }
        });
        for line in page.lines() {
            if line.starts_with("# ") {
                continue;
            }
            let (series, number) = line.rsplit_once(' ').unwrap();
            let is_number = number.parse::<f64>().is_ok();
            prop_assert!(is_number, "{}", line);
            let name = series.split('{').next().unwrap();
            let mut letters = name.chars();
            prop_assert!(letters.next().is_some_and(|first| first.is_ascii_alphabetic() || "_:".contains(first)), "{}", line);
            prop_assert!(letters.all(|letter| letter.is_ascii_alphanumeric() || "_:".contains(letter)), "{}", line);
            prop_assert!(!series.contains('{') || series.ends_with('}'), "{}", line);
        }
    }
}
