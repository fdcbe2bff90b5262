//! The engine's small modules, as they are shipped, and what is played with them.

mod arrival;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../../crates/core/dayfly/src/engine/board.rs"]
mod board;
mod effects;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../../crates/core/dayfly/src/engine/inbox.rs"]
mod inbox;
#[path = "../../../../crates/core/dayfly/src/engine/key_rooms.rs"]
mod key_rooms;
#[path = "../../../../crates/core/dayfly/src/engine/line.rs"]
mod line;
#[path = "../../../../crates/core/dayfly/src/engine/lists.rs"]
mod lists;
#[path = "../../../../crates/core/dayfly/src/engine/lookouts.rs"]
mod lookouts;
mod places;
mod progress;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../../crates/core/dayfly/src/engine/ready.rs"]
mod ready;
#[expect(dead_code, reason = "more stands in the module than models need")]
#[path = "../../../../crates/core/dayfly/src/engine/room.rs"]
mod room;
mod sleep;
mod turns;

use crate::explore::{Model, Size};

pub(crate) const MODELS: &[Model] = &[
    Model { name: "arrival_no_item_is_left_behind", run: arrival::one_worker, size: Size::Large(5, 3) },
    Model { name: "arrival_two_producers", run: arrival::two_producers, size: Size::Large(4, 3) },
    Model { name: "arrival_two_workers", run: arrival::two_workers, size: Size::Large(4, 3) },
    Model { name: "ready_one_waker", run: sleep::one_waker, size: Size::Small },
    Model { name: "ready_two_wakers_of_two_slots", run: sleep::two_slots, size: Size::Large(5, 3) },
    Model { name: "ready_two_wakers_of_one_slot", run: sleep::one_slot, size: Size::Large(5, 3) },
    Model { name: "ready_slots_of_two_blocks", run: sleep::two_blocks, size: Size::Large(5, 3) },
    Model { name: "ready_woken_in_the_middle_of_a_turn", run: sleep::during_a_turn, size: Size::Large(5, 3) },
    Model { name: "ready_nudge_while_falling_asleep", run: sleep::nudge, size: Size::Small },
    Model { name: "ready_nudge_and_wake", run: sleep::nudge_and_wake, size: Size::Large(5, 3) },
    Model { name: "ready_two_start_one_worker", run: sleep::start_once, size: Size::Large(4, 3) },
    Model { name: "turns_one_that_was_missed", run: turns::missed_turn, size: Size::Small },
    Model { name: "turns_a_task_that_is_gone", run: turns::missed_end, size: Size::Small },
    Model { name: "board_counts_add_up", run: progress::counts, size: Size::Small },
    Model { name: "board_progress_goes_one_way", run: progress::one_way, size: Size::Small },
    Model { name: "room_a_place_that_is_given_up_goes_on", run: places::give_up, size: Size::Large(5, 3) },
    Model { name: "room_joining_while_a_place_comes_free", run: places::join, size: Size::Small },
    Model { name: "room_of_one_key", run: places::of_one_key, size: Size::Large(5, 3) },
    Model { name: "room_closing_ends_the_wait", run: places::close, size: Size::Small },
];
