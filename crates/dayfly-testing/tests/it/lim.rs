#[test]
fn lim() {
    let t = std::time::SystemTime::now();
    let r = std::panic::catch_unwind(|| {
        dayfly_testing::drop_at_every_poll(
            || (),
            |()| async {
                loop {
                    tokio::task::yield_now().await
                }
            },
            |(), _| async {},
        )
    });
    eprintln!("{:?} {:?}", r.is_err(), t.elapsed());
}
