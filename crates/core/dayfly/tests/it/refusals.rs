//! What is refused comes back, whatever the reason, and an item need not be printable for its error to be.

use dayfly::{
    EnqueueError, EnqueueManyError, FeedError, LaneEnqueueError, TryEnqueueError, TryLaneEnqueueError,
};

/// Neither `Debug` nor `Clone`.
struct Sealed(u32);

const BROUGHT: fn(u32) -> Sealed = Sealed;

fn hands_back<R>(refusals: impl IntoIterator<Item = fn(Sealed) -> R>, into_item: fn(R) -> Sealed) {
    for (number, refuse) in (1..).zip(refusals) {
        assert_eq!(into_item(refuse(Sealed(number))).0, number);
    }
}

#[test]
fn every_refusal_hands_its_item_back() {
    let waited = [EnqueueError::Closed, EnqueueError::Duplicate];
    let tried = [
        TryEnqueueError::Full,
        TryEnqueueError::KeyFull,
        TryEnqueueError::Closed,
        TryEnqueueError::Duplicate,
    ];
    hands_back(waited, EnqueueError::into_item);
    hands_back(tried, TryEnqueueError::into_item);
    let waited = [LaneEnqueueError::UnknownLane, LaneEnqueueError::Closed, LaneEnqueueError::Duplicate];
    let tried = [
        TryLaneEnqueueError::UnknownLane,
        TryLaneEnqueueError::Full,
        TryLaneEnqueueError::LaneFull,
        TryLaneEnqueueError::Closed,
        TryLaneEnqueueError::Duplicate,
    ];
    hands_back(waited, LaneEnqueueError::into_item);
    hands_back(tried, TryLaneEnqueueError::into_item);
}

#[test]
fn a_refusal_keeps_its_reason_when_the_item_takes_another_form() {
    assert!(matches!(EnqueueError::Closed(1).map(BROUGHT), EnqueueError::Closed(Sealed(1))));
    assert!(matches!(EnqueueError::Duplicate(2).map(BROUGHT), EnqueueError::Duplicate(Sealed(2))));
    assert!(matches!(TryEnqueueError::Full(3).map(BROUGHT), TryEnqueueError::Full(Sealed(3))));
    assert!(matches!(TryEnqueueError::KeyFull(4).map(BROUGHT), TryEnqueueError::KeyFull(Sealed(4))));
    assert!(matches!(TryEnqueueError::Closed(5).map(BROUGHT), TryEnqueueError::Closed(Sealed(5))));
    assert!(matches!(TryEnqueueError::Duplicate(6).map(BROUGHT), TryEnqueueError::Duplicate(Sealed(6))));

    let torn = FeedError::<u32, _>::Stream { error: "torn", accepted: 7 }.map(BROUGHT);
    assert!(matches!(torn, FeedError::Stream { error: "torn", accepted: 7 }));
    let nowhere = FeedError::<u32, &str>::UnknownLane.map(BROUGHT);
    assert!(matches!(nowhere, FeedError::UnknownLane));
    let closed = FeedError::<_, &str>::Closed { rest: vec![8, 9], accepted: 7 }.map(BROUGHT);
    let FeedError::Closed { rest, accepted: 7 } = closed else { panic!("{closed:?}") };
    assert_eq!(rest.iter().map(|item| item.0).collect::<Vec<_>>(), [8, 9]);
}

#[test]
fn a_refusal_names_its_reason_and_not_its_item() {
    let item = || Sealed(1);
    let texts = [
        (format!("{:?}", EnqueueError::Closed(item())), "Closed(..)"),
        (format!("{:?}", EnqueueError::Duplicate(item())), "Duplicate(..)"),
        (format!("{:?}", TryEnqueueError::Full(item())), "Full(..)"),
        (format!("{:?}", TryEnqueueError::KeyFull(item())), "KeyFull(..)"),
        (format!("{:?}", TryEnqueueError::Closed(item())), "Closed(..)"),
        (format!("{:?}", TryEnqueueError::Duplicate(item())), "Duplicate(..)"),
        (format!("{:?}", LaneEnqueueError::UnknownLane(item())), "UnknownLane(..)"),
        (format!("{:?}", LaneEnqueueError::Closed(item())), "Closed(..)"),
        (format!("{:?}", LaneEnqueueError::Duplicate(item())), "Duplicate(..)"),
        (format!("{:?}", TryLaneEnqueueError::UnknownLane(item())), "UnknownLane(..)"),
        (format!("{:?}", TryLaneEnqueueError::Full(item())), "Full(..)"),
        (format!("{:?}", TryLaneEnqueueError::LaneFull(item())), "LaneFull(..)"),
        (format!("{:?}", TryLaneEnqueueError::Closed(item())), "Closed(..)"),
        (format!("{:?}", TryLaneEnqueueError::Duplicate(item())), "Duplicate(..)"),
        (
            format!("{:?}", EnqueueManyError { accepted: 2, rest: vec![item()] }),
            "EnqueueManyError { accepted: 2, rest: 1 }",
        ),
        (
            format!("{:?}", FeedError::<_, &str>::Closed { rest: vec![item(), item()], accepted: 3 }),
            "Closed { rest: 2, accepted: 3 }",
        ),
        (
            format!("{:?}", FeedError::<Sealed, _>::Stream { error: "torn", accepted: 3 }),
            "Stream { error: \"torn\", accepted: 3 }",
        ),
        (format!("{:?}", FeedError::<Sealed, &str>::UnknownLane), "UnknownLane"),
    ];
    for (told, wanted) in texts {
        assert_eq!(told, wanted);
    }
    assert_eq!(EnqueueError::Duplicate(item()).to_string(), "an operation with this id has not ended yet");
}
