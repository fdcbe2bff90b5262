//! What the public types are, whatever stands in them.

use std::fmt::Debug;

use dayfly_config::{
    BindError, Binding, Current, Invalid, OpenError, Origin, Pending, Position, Problem, Reader, Refusal,
    Rejection, ReloadError, Report, ReportedValue, Secret, Section, SectionValue, Snapshot, Sources,
    WatchOptions, Watched,
};

use crate::support::{Other, Settings};

fn shared<T: Send + Sync + Debug + 'static>() {}

#[test]
fn everything_can_be_sent_shared_and_shown() {
    shared::<Watched<Settings>>();
    shared::<Pending<Settings>>();
    shared::<Section<Settings, Other>>();
    shared::<Reader<Settings>>();
    shared::<Snapshot<Settings>>();
    shared::<Binding>();
    shared::<Sources>();
    shared::<WatchOptions>();
    shared::<Secret<String>>();
    shared::<(Report, ReportedValue, Origin, Position)>();
    shared::<(OpenError, ReloadError, BindError<()>, Refusal, Invalid, Problem, Rejection)>();
    // Who reads at once need not send what he reads; that he can is the swap's doing.
    shared::<Current<Settings>>();
    shared::<SectionValue<Settings, Other>>();
}

#[test]
fn nothing_is_asked_of_what_is_not_shown() {
    struct Silent;
    fn shown<T: Debug>() {}
    shown::<Watched<Silent>>();
    shown::<Section<Silent, Silent>>();
    shown::<Reader<Silent>>();
    shown::<BindError<Silent>>();
    shown::<Secret<Silent>>();
}
