//! Signal queries exist per coordinator as they do per sink.

use dayfly::{Coordinator, CoordinatorOptions, Operation, Query, SignalSink};

#[tokio::test(start_paused = true)]
async fn a_query_sees_the_signals_of_this_coordinators_operations_only() {
    let signals = SignalSink::default();
    let body = |number: u32, op: Operation| async move {
        op.raise("order.paid");
        if number == 2 {
            op.raise("order.shipped");
        }
    };
    let orders = Coordinator::spawn(CoordinatorOptions::new(), &signals, body);
    let others = Coordinator::spawn(CoordinatorOptions::new(), &signals, body);
    signals.raise("order.paid");
    for number in 0..3 {
        orders.enqueue(number).await.unwrap();
    }
    let other = others.enqueue(2).await.unwrap();
    let (_, _) = (orders.drain().await, others.drain().await);

    assert_eq!(signals.count("order.paid", std::time::Duration::from_secs(60)), 5);
    assert_eq!((orders.count("order.paid"), others.count("order.*")), (3, 2));
    assert!(orders.has("order.shipped") && !orders.has("order.lost"));
    assert_eq!(orders.count(Query::new().operation(other)), 0);
    let first = orders.history("order.*")[0].clone();
    assert_eq!(orders.count(Query::new().after(first.id())), 3);
    assert_eq!(orders.count(Query::new().since(first.at())), 4);
}

#[tokio::test(start_paused = true)]
async fn a_query_from_within_a_body_sees_what_it_has_just_raised() {
    let signals = SignalSink::default();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let work = std::sync::Arc::new(std::sync::OnceLock::<dayfly::WeakHandle<Coordinator<()>>>::new());
    let own = work.clone();
    let coordinator = Coordinator::spawn(CoordinatorOptions::new(), &signals, move |(), op: Operation| {
        op.raise("begun");
        let own = own.get().unwrap().upgrade().unwrap();
        let seen = (own.count("begun"), own.get(op.id()).unwrap().signals.len(), own.stats().running);
        sender.lock().unwrap().take().unwrap().send(seen).unwrap();
        async {}
    });
    drop(work.set(coordinator.downgrade()));
    coordinator.enqueue(()).await.unwrap();
    assert_eq!(receiver.await, Ok((1, 1, 1)));
}
