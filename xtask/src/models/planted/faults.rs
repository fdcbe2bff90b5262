//! The faults: where each stands, and who has to notice it.

/// One fault: what is wrong, the text that stands there and the text that stands there instead.
pub(super) struct Fault {
    pub(super) what: &'static str,
    /// The package that has to notice, and its model or scenario.
    pub(super) by: (&'static str, &'static str),
    pub(super) file: &'static str,
    pub(super) right: &'static str,
    pub(super) wrong: &'static str,
}

const LOOM: &str = "dayfly-loom";
pub(super) const SHUTTLE: &str = "dayfly-shuttle";
const CORE: &str = "crates/core/dayfly/src/engine/core.rs";
const READY: &str = "crates/core/dayfly/src/engine/ready.rs";
const ROOM: &str = "crates/core/dayfly/src/engine/room.rs";
const KEY_ROOMS: &str = "crates/core/dayfly/src/engine/key_rooms.rs";
const DESK: &str = "crates/atoms/dayfly-batching/src/engine/desk.rs";

const LIMIT_ADMISSION: &str = "crates/atoms/dayfly-limit/src/admission.rs";
const LIMIT_LANE: &str = "crates/atoms/dayfly-limit/src/lane.rs";
const LIMIT_SHARED: &str = "crates/atoms/dayfly-limit/src/shared.rs";

const BREAKER_RUN: &str = "crates/patterns/dayfly-circuit-breaker/src/run.rs";

const BREAKER_ASIDE: &str = "crates/patterns/dayfly-circuit-breaker/src/aside.rs";
const BREAKER_MACHINE: &str = "crates/patterns/dayfly-circuit-breaker/src/machine.rs";

const RATE_PACER: &str = "crates/patterns/dayfly-adaptive-rate/src/pacer.rs";
const RATE_SHARED: &str = "crates/patterns/dayfly-adaptive-rate/src/shared.rs";

/// All of them.
pub(super) const FAULTS: &[Fault] = &[
    Fault {
        what: "a worker that falls asleep does not look again",
        by: (LOOM, "ready_one_waker"),
        file: READY,
        right: "self.blocks.iter().all(|block| block.bits.load(Ordering::SeqCst) == 0)",
        wrong: "true",
    },
    Fault {
        what: "falling asleep is announced without an order",
        by: (LOOM, "ready_one_waker"),
        file: READY,
        right: "is_awake.store(false, Ordering::SeqCst)",
        wrong: "is_awake.store(false, Ordering::Release)",
    },
    Fault {
        what: "a place of a key is free, and nobody is told",
        by: (SHUTTLE, "room_that_is_told"),
        file: KEY_ROOMS,
        right: "            lookouts.tell(capacity - room.taken, capacity, wakers);\n",
        wrong: "",
    },
    Fault {
        what: "a key loses its place while it runs",
        by: (SHUTTLE, "keyed_places"),
        file: KEY_ROOMS,
        right: "        self.rooms[at].has_started = true;\n",
        wrong: "",
    },
    Fault {
        what: "a producer that gives up does not pass its place on",
        by: (LOOM, "room_a_place"),
        file: ROOM,
        right: "        self.admit(wakers);\n        // The last waker",
        wrong: "        // The last waker",
    },
    Fault {
        what: "a resting worker is not listed as one that can be told",
        by: (LOOM, "arrival_no_item"),
        file: "crates/core/dayfly/src/engine/inbox.rs",
        right: "self.idle.push(worker);",
        wrong: "let _ = worker;",
    },
    Fault {
        what: "a reader does not look at the sequence again",
        by: (LOOM, "published_one"),
        file: "crates/core/dayfly-signal/src/published.rs",
        right: "(before == after && before.is_multiple_of(2))",
        wrong: "(after == after && before.is_multiple_of(2))",
    },
    Fault {
        what: "a count is taken of the started before that of the completed",
        by: (LOOM, "board_counts"),
        file: "crates/core/dayfly/src/engine/board.rs",
        right: "        // Whatever has completed by the first look has started by the second.\n",
        wrong: "        let early = self.started();\n        if early < 9 { return (early, self.completed.load(Ordering::Acquire).count_ones() as usize); }\n",
    },
    Fault {
        what: "signals are forgotten before they are looked at",
        by: (LOOM, "recent_a_look"),
        file: "crates/core/dayfly/src/recent.rs",
        right: "        signals.drain(..surplus);\n",
        wrong: "        signals.drain(surplus..);\n",
    },
    Fault {
        what: "whoever has had a worker's turn does not wake its task",
        by: (LOOM, "turns_one"),
        file: READY,
        right: "        if missed & A_TURN != 0 {",
        wrong: "        if missed & A_TURN > A_TURN {",
    },
    Fault {
        what: "a task that misses its turn does not look again",
        by: (SHUTTLE, "calls_run"),
        file: "crates/core/dayfly/src/engine/staff.rs",
        right: "            engine.hubs[worker].miss_turn(context.waker());\n",
        wrong: "",
    },
    Fault {
        what: "a latch is looked at before the wait begins",
        by: (LOOM, "latch"),
        file: "crates/core/dayfly/src/latch.rs",
        right: "        let told = self.waiting.notified();\n        if !self.is_set() {\n            told.await;\n",
        wrong: "        if !self.is_set() {\n            self.waiting.notified().await;\n",
    },
    Fault {
        what: "a kill's mark and the slot's waker are not ordered",
        by: (LOOM, "pass_kill"),
        file: "crates/core/dayfly/src/pass.rs",
        right: "        fence(Ordering::SeqCst);\n        if let",
        wrong: "        if let",
    },
    Fault {
        what: "the word is not read before a start",
        by: (SHUTTLE, "pause_and_resume"),
        file: "crates/core/dayfly/src/engine/worker.rs",
        right: "if site.engine.word() != self.word {",
        wrong: "if false {",
    },
    Fault {
        what: "a kill is marked only when the lock is free again",
        by: (SHUTTLE, "kill"),
        file: "crates/core/dayfly/src/engine/core.rs",
        right: "            sitting.shared.doom(sitting.occupant.generation);\n",
        wrong: "",
    },
    Fault {
        what: "a producer that gives up does not pass its place on",
        by: (SHUTTLE, "dropped_enqueues"),
        file: ROOM,
        right: "        self.admit(wakers);\n        // The last waker",
        wrong: "        // The last waker",
    },
    Fault {
        what: "a bell looks first and is armed then",
        by: (SHUTTLE, "enter_a_line"),
        file: "crates/atoms/dayfly-signal-aware/src/post.rs",
        right: "            self.watch.register(&self.bell);\n        }\n        self.look(None, Instant::now());",
        wrong: "        }\n        self.look(None, Instant::now());\n        self.watch.register(&self.bell);",
    },
    Fault {
        what: "who enters a line does not look again",
        by: (SHUTTLE, "enter_a_line"),
        file: "crates/atoms/dayfly-signal-aware/src/wait.rs",
        right: "context.waker().clone()));\n                }\n            },",
        wrong: "context.waker().clone()));\n                    return Poll::Pending;\n                }\n            },",
    },
    Fault {
        what: "a worker that falls asleep does not look again",
        by: (SHUTTLE, "drain_while"),
        file: READY,
        right: "self.blocks.iter().all(|block| block.bits.load(Ordering::SeqCst) == 0)",
        wrong: "true",
    },
    Fault {
        what: "who is hastened while it runs waits all the same",
        by: (SHUTTLE, "parked_and_hastened"),
        file: "crates/core/dayfly/src/engine/core/ending.rs",
        right: "                    Next::AtOnce => Some(now),\n",
        wrong: "",
    },
    Fault {
        what: "who was given up is hastened to another attempt",
        by: (SHUTTLE, "parked_and_given_up"),
        file: "crates/core/dayfly/src/engine/seats.rs",
        right: "        if !matches!(occupant.next, Next::Failed(_)) {\n",
        wrong: "        if true {\n",
    },
    Fault {
        what: "who is given up keeps its key",
        by: (SHUTTLE, "parked_and_given_up"),
        file: CORE,
        right: "        self.schedule.gave_up(&entry.key, entry.place);\n        let details",
        wrong: "        let details",
    },
    Fault {
        what: "nobody tells workers that rest of the end",
        by: (SHUTTLE, "crew_that_stays"),
        file: "crates/core/dayfly/src/engine/visit.rs",
        right: "            self.hubs.iter().filter(|hub| hub.has_started()).for_each(|hub| hub.nudge());\n",
        wrong: "",
    },
    Fault {
        what: "a worker that is lost leaves the door open",
        by: (SHUTTLE, "crew_that_goes"),
        file: "crates/core/dayfly/src/engine/worker.rs",
        right: "        engine.shut();\n",
        wrong: "",
    },
    Fault {
        what: "who is closed takes items in",
        by: (SHUTTLE, "call_in_place_while_it_ends"),
        file: ROOM,
        right: "        if self.closed {\n            return Err(NoRoom::Closed);\n        }\n        let has_room",
        wrong: "        let has_room",
    },
    Fault {
        what: "an end that was told in its caller's thread stays urgent",
        by: (SHUTTLE, "call_in_place_while_it_ends"),
        file: "crates/core/dayfly/src/engine/in_place.rs",
        right: "        (self.has_started, self.is_urgent) = (false, false);\n",
        wrong: "",
    },
    Fault {
        what: "a body that was killed is kept",
        by: (SHUTTLE, "call_in_place_is_killed"),
        file: "crates/core/dayfly/src/engine/slot.rs",
        right: "            Ok(Poll::Pending) if self.shared.is_killed(self.generation) => {",
        wrong: "            Ok(Poll::Pending) if false => {",
    },
    Fault {
        what: "one more than the limit runs",
        by: (SHUTTLE, "call_in_place_while_the_limit"),
        file: CORE,
        right: "        self.seats.taken() < self.limit\n",
        wrong: "        self.seats.taken() <= self.limit\n",
    },
    Fault {
        what: "a limit that rises wakes nobody",
        by: (SHUTTLE, "limit_that_rises"),
        file: "crates/core/dayfly/src/engine/mod.rs",
        right: "        self.control(|core, _, _| core.set_limit(limit));\n",
        wrong: "        self.lock_core().set_limit(limit);\n",
    },
    Fault {
        what: "a loop whose last items were skipped does not know why",
        by: (SHUTTLE, "loop_that_cancels_itself"),
        file: "crates/core/dayfly/src/for_each.rs",
        right: "report.skipped + report.cancelled > 0 &&",
        wrong: "report.panicked > report.accepted &&",
    },
    Fault {
        what: "a loop that is dropped leaves its work alone",
        by: (SHUTTLE, "loop_that_is_dropped"),
        file: "crates/core/dayfly/src/for_each.rs",
        right: "        drop(self.0.cancel());\n",
        wrong: "        let _ = self.0;\n",
    },
    Fault {
        what: "a lane that opens is not looked at again",
        by: (SHUTTLE, "lanes_shut_and_opened"),
        file: "crates/core/dayfly/src/engine/gates.rs",
        right: "            refreshed |= lane.refresh(now);\n",
        wrong: "            let _ = lane.refresh(now);\n            refreshed |= false;\n",
    },
    Fault {
        what: "a key's pause outlives whoever could lift it",
        by: (SHUTTLE, "keyed_pause_of_one"),
        file: "crates/core/dayfly/src/control.rs",
        right: "        self.engine.reschedule(Schedule::lift_pauses);\n",
        wrong: "",
    },
    Fault {
        what: "who gives up what was kept for it does not pass it on",
        by: (SHUTTLE, "permits_of_who_gives_up"),
        file: LIMIT_SHARED,
        right: "        let keys = self.admission.leave(id);\n        self.admission.let_go(&keys, unused);\n        self.admission.call(now);\n",
        wrong: "        let keys = self.admission.leave(id);\n        self.admission.let_go(&keys, unused);\n        let _ = now;\n",
    },
    Fault {
        what: "a limit that falls does not take promises back",
        by: (SHUTTLE, "permits_while_the_limit_changes"),
        file: LIMIT_ADMISSION,
        right: "            self.recall();\n",
        wrong: "",
    },
    Fault {
        what: "what was done with a permit is not seen by whoever has it next",
        by: (LOOM, "lane_one_at_a_time"),
        file: LIMIT_LANE,
        right: "compare_exchange_weak(free, next, Ordering::AcqRel, Ordering::Relaxed)",
        wrong: "compare_exchange_weak(free, next, Ordering::Relaxed, Ordering::Relaxed)",
    },
    Fault {
        what: "a permit that comes back while the lane is being shut is lost",
        by: (LOOM, "lane_who_waits_is_called"),
        file: LIMIT_LANE,
        right: "        self.0.swap(SHUT, Ordering::AcqRel)\n",
        wrong: "        let left = self.0.load(Ordering::Acquire);\n        self.0.swap(SHUT, Ordering::AcqRel);\n        left\n",
    },
    Fault {
        what: "permits come back past those who wait",
        by: (SHUTTLE, "permits_while_the_limit_changes"),
        file: LIMIT_ADMISSION,
        right: "        if !self.waiters.is_empty() || self.is_closed {\n            return None;\n        }\n        // A limit",
        wrong: "        // A limit",
    },
    Fault {
        what: "nobody who sleeps is passed over",
        by: (SHUTTLE, "permits_of_who_sleeps"),
        file: LIMIT_SHARED,
        right: "            state.admission.lapse(now);\n",
        wrong: "",
    },
    Fault {
        what: "a key that has room again does not look at its line",
        by: (SHUTTLE, "locks_of_several_keys"),
        file: LIMIT_ADMISSION,
        right: "room.give_back(permits);\n            self.refresh(id);\n",
        wrong: "room.give_back(permits);\n",
    },
    Fault {
        what: "producers in line do not make a batch leave that waits for more",
        by: (SHUTTLE, "batch_line_longer"),
        file: DESK,
        right: "if self.room.is_stuck() {",
        wrong: "if false {",
    },
    Fault {
        what: "a worker that was called is counted as called for ever",
        by: (SHUTTLE, "batch_dropped"),
        file: DESK,
        right: "            None => self.called -= 1,",
        wrong: "            None => {}",
    },
    Fault {
        what: "a deadline that is earlier than the keeper knows is not told",
        by: (SHUTTLE, "batch_push_races"),
        file: DESK,
        right: "            self.keeper_comes = Some(deadline);\n            todo.tells_keeper = true;",
        wrong: "            self.keeper_comes = Some(deadline);",
    },
    Fault {
        what: "a failure of an earlier period counts",
        by: (LOOM, "row_a_late_end"),
        file: BREAKER_RUN,
        right: "        while period_of(word) == call.period() {\n",
        wrong: "        while period_of(word) >= call.period() {\n",
    },
    Fault {
        what: "a failure is counted in two steps",
        by: (LOOM, "row_two_threads"),
        file: BREAKER_RUN,
        right: "            let next = word + u64::from(word & COUNT < COUNT);\n            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {\n",
        wrong: "            let next = word + u64::from(word & COUNT < COUNT);\n            self.0.store(next, Ordering::Release);\n            match Ok::<u64, u64>(next) {\n",
    },
    Fault {
        what: "a success ends its row in two steps",
        by: (LOOM, "row_a_trip_and"),
        file: BREAKER_RUN,
        right: "            match self.0.compare_exchange_weak(word, word & !COUNT, Ordering::AcqRel, Ordering::Acquire) {\n",
        wrong: "            self.0.store(word & !COUNT, Ordering::Release);\n            match Ok::<u64, u64>(word) {\n",
    },
    Fault {
        what: "a mode is changed in two steps",
        by: (LOOM, "row_a_mode"),
        file: BREAKER_RUN,
        right: "            let next = word & !MODE | (mode as u64) << 30;\n            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {\n",
        wrong: "            let next = word & !MODE | (mode as u64) << 30;\n            self.0.store(next, Ordering::Release);\n            match Ok::<u64, u64>(next) {\n",
    },
    Fault {
        what: "a success beside the window is counted in two steps",
        by: (LOOM, "aside_each_call"),
        file: BREAKER_ASIDE,
        right: "self.word.compare_exchange_weak(word, word - 1, Ordering::AcqRel, Ordering::Acquire)",
        wrong: "Ok::<u64, u64>(self.word.swap(word - 1, Ordering::AcqRel))",
    },
    Fault {
        what: "successes go on being counted while the window is told of a call",
        by: (LOOM, "aside_each_call"),
        file: BREAKER_ASIDE,
        right: "left_of(self.word.swap(word(period, 0), Ordering::AcqRel))",
        wrong: "left_of(self.word.load(Ordering::Acquire) | u64::from(period) << 32)",
    },
    Fault {
        what: "a success of an earlier period is counted in the window",
        by: (LOOM, "aside_a_late_end"),
        file: BREAKER_ASIDE,
        right: "    (word >> 32) as u32 == call.period()\n",
        wrong: "    (word >> 32) as u32 >= call.period()\n",
    },
    Fault {
        what: "the success that makes the calls enough passes the window by",
        by: (SHUTTLE, "breaker_window_is"),
        file: BREAKER_MACHINE,
        right: "gauge.spares().min(missing - 1),",
        wrong: "gauge.spares().min(missing),",
    },
    Fault {
        what: "what was counted beside the window is lost when the options change",
        by: (SHUTTLE, "breaker_window_counts"),
        file: "crates/patterns/dayfly-circuit-breaker/src/shared.rs",
        right: "        self.take_in(&mut machine);\n        machine.follow(",
        wrong: "        machine.follow(",
    },
    Fault {
        what: "probes are not counted",
        by: (SHUTTLE, "breaker_probes"),
        file: BREAKER_MACHINE,
        right: "                *out += 1;\n",
        wrong: "                *out += u32::from(self.options.probes == 1);\n",
    },
    Fault {
        what: "a probe of an earlier period gives back a place that is not its own",
        by: (SHUTTLE, "breaker_generations"),
        file: BREAKER_MACHINE,
        right: "            && period == self.period\n",
        wrong: "            && period <= self.period\n",
    },
    Fault {
        what: "who is let in while it closes is taken for one who was let in by hand",
        by: (SHUTTLE, "breaker_asked"),
        file: "crates/patterns/dayfly-circuit-breaker/src/shared.rs",
        right: "(admission, mode_of(machine), self.age(now))",
        wrong: "(admission, call.mode(), self.age(now))",
    },
    Fault {
        what: "two tell of changes at once",
        by: (SHUTTLE, "breaker_tells"),
        file: "crates/patterns/dayfly-circuit-breaker/src/announcer.rs",
        right: "        if desk.is_telling {\n            return;\n        }\n",
        wrong: "",
    },
    Fault {
        what: "a waiter that gives up does not call the next",
        by: (SHUTTLE, "rate_of_who_gives_up"),
        file: RATE_PACER,
        right: "        self.call(seat);\n        self.forget_if_idle(seat);",
        wrong: "        self.forget_if_idle(seat);",
    },
    Fault {
        what: "the alarm is not set earlier for whoever comes later",
        by: (SHUTTLE, "rate_of_two_keys_has_one_alarm"),
        file: RATE_SHARED,
        right: "self.rings_at.is_none_or(|at| next < at).then_some(next)",
        wrong: "self.rings_at.is_none().then_some(next)",
    },
    Fault {
        what: "whoever sets the alarm does not look again",
        by: (SHUTTLE, "rate_alarm_that_two"),
        file: RATE_SHARED,
        right: "        while !state.is_setting\n",
        wrong: "        if !state.is_setting\n",
    },
];
