use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use futures_util::task::noop_waker;
use proptest::prelude::*;

use super::*;

#[test]
fn a_line_is_not_joined_after_the_close() {
    let mut room = Room::new(1, Some(Box::new(|_: &u32| 1)));
    let mut wakers = Vec::new();
    let key = room.enter(&7).unwrap();
    room.close(&mut wakers);
    let ticket = room.join(&7, &mut wakers);
    let polled = room.poll(ticket, &noop_waker(), &mut None);
    assert_eq!(polled, Poll::Ready(Err(NoRoom::Closed)));
    room.leave(key, &mut wakers);
    room.release(key);
    room.admit(&mut wakers);
    assert!(room.waiting.is_empty() && room.line.is_empty());
    assert_eq!((room.taken, room.granted), (0, 0));
    assert_eq!(room.place_of(&7), None);
}

#[test]
fn a_waker_that_is_replaced_is_the_callers_to_drop() {
    struct Flag;
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {}
    }
    let (task, mut wakers) = (Arc::new(Flag), Vec::new());
    let mut room = Room::new(1, None);
    room.enter(&()).unwrap();
    let ticket = room.join(&(), &mut wakers);
    let first = Waker::from(Arc::clone(&task));
    assert!(room.poll(ticket, &first, &mut None).is_pending());
    let mut replaced = None;
    assert!(room.poll(ticket, &noop_waker(), &mut replaced).is_pending());
    assert!(replaced.is_some_and(|waker| waker.will_wake(&first)));
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What may happen to a room of two keys. Indices choose among what is there.
#[derive(Clone, Debug)]
enum Step {
    Enter(u8),
    Join(u8),
    Collect(prop::sample::Index),
    GiveUp(prop::sample::Index),
    /// One starts, and ends or goes on.
    Leave(prop::sample::Index),
    End(prop::sample::Index),
    ComeBack(prop::sample::Index),
    Admit,
    Resize(usize),
    LookOut(Option<u8>, usize),
    LookAway(prop::sample::Index),
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => (0..2_u8).prop_map(Step::Enter),
        3 => (0..2_u8).prop_map(Step::Join),
        2 => index().prop_map(Step::Collect),
        2 => index().prop_map(Step::GiveUp),
        6 => index().prop_map(Step::Leave),
        4 => index().prop_map(Step::End),
        1 => index().prop_map(Step::ComeBack),
        3 => Just(Step::Admit),
        1 => (1..6_usize).prop_map(Step::Resize),
        5 => (prop::option::of(0..2_u8), 0..6_usize).prop_map(|(key, places)| Step::LookOut(key, places)),
        1 => index().prop_map(Step::LookAway),
        1 => Just(Step::Close),
    ]
}

/// Takes one of them out, if there is any.
fn pick<T>(from: &mut Vec<T>, index: prop::sample::Index) -> Option<T> {
    if from.is_empty() { None } else { Some(from.remove(index.index(from.len()))) }
}

const PER_KEY: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_048, ..ProptestConfig::default() })]

    /// Against plain lists: whoever looks out for room is told once there is as much, never sleeps while there is, and is
    /// not told before.
    #[test]
    fn who_looks_out_for_room_is_told_when_there_is_some_and_not_before(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut room = Room::new(4, Some(Box::new(|_: &u8| PER_KEY)));
        let (mut capacity, mut is_closed) = (4, false);
        let (mut inside, mut in_line) = (Vec::<(u8, usize)>::new(), Vec::<(Ticket, u8)>::new());
        let mut started = Vec::<(u8, usize)>::new();
        let mut lookouts: Vec<(Ticket, Option<u8>, usize, Arc<Task>)> = Vec::new();
        for step in steps {
            let mut wakers = Vec::new();
            match step {
                Step::Enter(key) => if let Ok(at) = room.enter(&key) {
                    inside.push((key, at));
                },
                Step::Join(key) => in_line.push((room.join(&key, &mut wakers), key)),
                Step::Collect(index) => if let Some((ticket, key)) = pick(&mut in_line, index) {
                    match room.poll(ticket, &noop_waker(), &mut None) {
                        Poll::Ready(Ok(at)) => inside.push((key, at)),
                        Poll::Ready(Err(_)) => prop_assert!(is_closed),
                        Poll::Pending => in_line.push((ticket, key)),
                    }
                },
                Step::GiveUp(index) => if let Some((ticket, _)) = pick(&mut in_line, index) {
                    room.give_up(ticket, &mut wakers);
                },
                Step::Leave(index) => if let Some((key, at)) = pick(&mut inside, index) {
                    room.leave(at, &mut wakers);
                    started.push((key, at));
                },
                Step::End(index) => if let Some((key, at)) = pick(&mut started, index)
                    && started.iter().all(|started| started.0 != key)
                {
                    room.release(at);
                },
                Step::ComeBack(index) => if let Some((key, at)) = pick(&mut started, index) {
                    inside.push((key, at));
                    room.come_back(at);
                },
                Step::Admit => room.admit(&mut wakers),
                Step::Resize(places) => {
                    capacity = places;
                    room.set_capacity(places, &mut wakers);
                }
                Step::LookOut(key, places) => {
                    let (ticket, task) = (room.draw(), Arc::<Task>::default());
                    let waker = Waker::from(Arc::clone(&task));
                    if room.look_out(key.as_ref(), places, ticket, &waker, &mut None).is_pending() {
                        lookouts.push((ticket, key, places, task));
                    }
                }
                Step::LookAway(index) => if let Some((ticket, key, places, task)) = pick(&mut lookouts, index) {
                    drop(room.look_away(key.as_ref(), places, ticket));
                    prop_assert_eq!(Arc::strong_count(&task), 1, "nothing of it is kept");
                },
                Step::Close => {
                    is_closed = true;
                    room.close(&mut wakers);
                }
            }
            wakers.into_iter().for_each(Waker::wake);
            prop_assert!(is_closed || room.line.is_empty() || !room.is_free(None, 1), "first come, first served");
            for waited_for in room.keys.iter().flat_map(KeyRooms::waited_for) {
                prop_assert!(!room.is_free(Some(waited_for), 1), "first come, first served");
            }
            for &(key, at) in inside.iter().chain(&started) {
                prop_assert_eq!((room.place_of(&key), room.key_of(at)), (Some(at), Some(&key)));
            }
            for (ticket, key, places, task) in std::mem::take(&mut lookouts) {
                let (taken, most) = match key {
                    None => (inside.len(), capacity),
                    Some(key) => (inside.iter().filter(|inside| inside.0 == key).count(), PER_KEY),
                };
                let is_free = room.is_free(key.as_ref(), places);
                // Those in line have a claim on what is free; without any, it is a matter of counting.
                if in_line.is_empty() && !is_closed {
                    prop_assert_eq!(is_free, most.saturating_sub(taken) >= places.min(most));
                }
                let was_told = task.0.load(Ordering::Relaxed);
                prop_assert_eq!(was_told, usize::from(is_free), "{} places of {:?}", places, key);
                if was_told == 0 {
                    lookouts.push((ticket, key, places, task));
                } else {
                    let polled = room.look_out(key.as_ref(), places, ticket, &noop_waker(), &mut None);
                    prop_assert!(polled.is_ready());
                }
            }
        }
        // Whatever happened, nothing is kept of keys that have gone.
        let mut wakers = Vec::new();
        room.close(&mut wakers);
        for (_, at) in inside {
            room.leave(at, &mut wakers);
            started.push((0, at));
        }
        for (_, at) in started {
            room.release(at);
        }
        prop_assert_eq!(room.keys.map(|keys| keys.len()), Some(0));
        prop_assert_eq!((room.taken, room.granted), (0, 0));
    }
}
