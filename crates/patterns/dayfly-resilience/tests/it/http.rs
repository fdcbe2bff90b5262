//! axum with our layers over real HTTP on loopback. The clock is the real one; everything waits for events.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker, Judgement};
use dayfly_limit::Limiter;
use dayfly_resilience::{
    BreakerLayer, CallError, LimitLayer, Pipeline, PipelineLayer, PipelineOptions, Timeout, TimeoutLayer,
};
use dayfly_signal::SignalSink;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

/// A hang ends a test; nothing waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the handler does, and what it has seen.
struct Bank {
    fails: AtomicBool,
    calls: AtomicU32,
    running: watch::Sender<usize>,
    peak: AtomicU32,
    /// How many may end.
    may_end: Semaphore,
}

impl Bank {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            fails: AtomicBool::new(false),
            calls: AtomicU32::new(0),
            running: watch::channel(0).0,
            peak: AtomicU32::new(0),
            may_end: Semaphore::new(0),
        })
    }

    fn begin(&self) {
        self.running.send_modify(|running| {
            *running += 1;
            self.peak.fetch_max(u32::try_from(*running).unwrap(), Ordering::Relaxed);
        });
    }
}

async fn at_once(State(bank): State<Arc<Bank>>) -> StatusCode {
    bank.calls.fetch_add(1, Ordering::Relaxed);
    if bank.fails.load(Ordering::Relaxed) { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

async fn when_told(State(bank): State<Arc<Bank>>) -> &'static str {
    bank.begin();
    let _under_way = UnderWay(bank.clone());
    bank.may_end.acquire().await.unwrap().forget();
    "done"
}

/// A response that is under way.
struct UnderWay(Arc<Bank>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

/// A head and a beginning, and then nothing more for ever.
async fn endless(State(bank): State<Arc<Bank>>) -> Body {
    bank.begin();
    let under_way = UnderWay(bank);
    let beginning = stream::iter([Ok::<_, Infallible>("beginning")]);
    Body::from_stream(beginning.chain(stream::pending()).map(move |piece| {
        let _ = &under_way;
        piece
    }))
}

async fn refusal(error: CallError<Infallible>) -> StatusCode {
    match error {
        CallError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn judge(result: &Result<Response, Infallible>) -> Judgement {
    match result {
        Ok(response) if response.status().is_server_error() => Judgement::Failure,
        _ => Judgement::Success,
    }
}

/// Ends with the set that it runs in.
async fn serve(server: &mut JoinSet<()>, router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn ask(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: bank\r\nconnection: close\r\n\r\n").await.unwrap();
    client
}

/// Reads until this has come, or until the end; what has come so far.
async fn read_until(client: &mut TcpStream, what: &str) -> String {
    let mut text = String::new();
    let mut bytes = [0; 1_024];
    while !text.contains(what) {
        let read = timeout(PATIENCE, client.read(&mut bytes)).await.unwrap().unwrap();
        if read == 0 {
            break;
        }
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    text
}

async fn status(address: SocketAddr) -> u16 {
    let mut client = ask(address).await;
    let head = read_until(&mut client, "\r\n\r\n").await;
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// So many requests of four clients at once: how often each status came.
async fn load(address: SocketAddr, each: usize) -> Vec<u16> {
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        clients.spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..each {
                seen.push(status(address).await);
            }
            seen
        });
    }
    clients.join_all().await.concat()
}

async fn opens_sheds_and_recovers(bank: Arc<Bank>, breaker: CircuitBreaker, router: Router) {
    let mut server = JoinSet::new();
    let address = serve(&mut server, router).await;
    assert_eq!(load(address, 5).await, [200; 20]);

    bank.fails.store(true, Ordering::Relaxed);
    let mut states = breaker.watch();
    let calls = bank.calls.load(Ordering::Relaxed);
    while status(address).await == 500 {}
    assert_eq!(load(address, 25).await, [503; 100]);
    assert_eq!(bank.calls.load(Ordering::Relaxed), calls + 3, "the third failure opens it, and it sheds");

    // It half-opens by its own timer, and one failure is enough to open it again.
    breaker.reconfigure(&CARE.open_for(Duration::from_millis(100))).unwrap();
    breaker.reset();
    while status(address).await == 500 {}
    timeout(PATIENCE, states.wait_for(|state| *state == BreakerState::HalfOpen)).await.unwrap().unwrap();
    let openings = breaker.stats().openings;
    assert_eq!(status(address).await, 500);
    assert_eq!(breaker.stats().openings, openings + 1);

    bank.fails.store(false, Ordering::Relaxed);
    timeout(PATIENCE, states.wait_for(|state| *state == BreakerState::HalfOpen)).await.unwrap().unwrap();
    assert_eq!(status(address).await, 200);
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(load(address, 5).await, [200; 20]);
}

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(3).open_for(Duration::from_secs(3_600));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breaker_opens_sheds_and_recovers() {
    let bank = Bank::new();
    let breaker = CircuitBreaker::new("bank", CARE, &SignalSink::default());
    let layers = (HandleErrorLayer::new(refusal), BreakerLayer::judged(breaker.clone(), judge));
    let router = Router::new().route("/", get(at_once)).with_state(bank.clone()).layer(layers);
    opens_sheds_and_recovers(bank, breaker, router).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_opens_sheds_and_recovers() {
    let bank = Bank::new();
    let pipeline =
        Pipeline::<Infallible>::new("bank", PipelineOptions::new().breaker(CARE), &SignalSink::default());
    let layer = PipelineLayer::judged(&pipeline, judge).repeat_with(|_: &Request| None);
    let layers = (HandleErrorLayer::new(refusal), layer);
    let router = Router::new().route("/", get(at_once)).with_state(bank.clone()).layer(layers);
    opens_sheds_and_recovers(bank, pipeline.breaker().clone(), router).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_and_everybody_has_a_turn() {
    let (bank, limiter) = (Bank::new(), Limiter::with_limit(3));
    let layers = (HandleErrorLayer::new(refusal), LimitLayer::new(limiter.clone()));
    let router = Router::new().route("/", get(when_told)).with_state(bank.clone()).layer(layers);
    let mut server = JoinSet::new();
    let address = serve(&mut server, router).await;
    let mut clients = JoinSet::new();
    for _ in 0..12 {
        clients.spawn(async move { status(address).await });
    }
    let mut running = bank.running.subscribe();
    timeout(PATIENCE, running.wait_for(|running| *running == 3)).await.unwrap().unwrap();
    bank.may_end.add_permits(12);
    assert_eq!(clients.join_all().await, [200; 12]);
    assert_eq!((bank.peak.load(Ordering::Relaxed), limiter.stats().in_use), (3, 0));
}

/// Clients that hang up in the middle of a response, while others wait for their place.
async fn clients_hang_up(bank: Arc<Bank>, router: Router, limit: usize, free: impl AsyncFn()) {
    let mut server = JoinSet::new();
    let address = serve(&mut server, router).await;
    for _ in 0..5 {
        let mut clients = Vec::new();
        for _ in 0..limit {
            let mut client = ask(address).await;
            assert!(read_until(&mut client, "beginning").await.contains("200 OK"));
            clients.push(client);
        }
        // All places are taken as long as the bodies last; the next has to wait for one who hangs up.
        let mut next = ask(address).await;
        clients.pop();
        assert!(read_until(&mut next, "beginning").await.contains("200 OK"));
        drop((clients, next));
    }
    timeout(PATIENCE, free()).await.unwrap();
    assert_eq!(usize::try_from(bank.peak.load(Ordering::Relaxed)).unwrap(), limit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_in_the_middle_of_a_response_loses_no_permit() {
    let (bank, limiter) = (Bank::new(), Limiter::with_limit(2));
    let layers = (HandleErrorLayer::new(refusal), LimitLayer::new(limiter.clone()).hold_until_body_ends());
    let router = Router::new().route("/", get(endless)).with_state(bank.clone()).layer(layers);
    clients_hang_up(bank, router, 2, async || drop(limiter.acquire_many(2).await.unwrap())).await;
    assert_eq!(limiter.stats().in_use, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_a_pipeline() {
    let options = PipelineOptions::new().max_concurrency(2).breaker(CARE).total_timeout(PATIENCE);
    let pipeline = Pipeline::<Infallible>::new("bank", options, &SignalSink::default());
    let layer = PipelineLayer::new(&pipeline).repeat_with(|_: &Request| None).hold_until_body_ends();
    let bank = Bank::new();
    let layers = (HandleErrorLayer::new(refusal), layer);
    let router = Router::new().route("/", get(endless)).with_state(bank.clone()).layer(layers);
    let free = async || {
        // Two calls that are under way at once: both places are there.
        let both = Arc::new(tokio::sync::Barrier::new(2));
        let call = || {
            let both = both.clone();
            pipeline.call(move |_| {
                let both = both.clone();
                async move {
                    both.wait().await;
                    Ok(())
                }
            })
        };
        assert_eq!(futures_util::join!(call(), call()), (Ok(()), Ok(())));
    };
    clients_hang_up(bank, router, 2, free).await;
    assert_eq!(pipeline.stats().limiter.in_use, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_before_there_is_a_response_loses_no_permit_and_a_late_response_is_cut_off() {
    let (bank, limiter) = (Bank::new(), Limiter::with_limit(1));
    let timeout_layer = TimeoutLayer::new(Timeout::total(Duration::from_millis(50)));
    let limits = (HandleErrorLayer::new(refusal), LimitLayer::new(limiter.clone()));
    let cuts = (HandleErrorLayer::new(refusal), timeout_layer);
    let held = Router::new().route("/", get(when_told)).with_state(bank.clone()).layer(limits);
    let timed = Router::new().route("/", get(when_told)).with_state(bank.clone()).layer(cuts);
    let mut server = JoinSet::new();
    let (held, timed) = (serve(&mut server, held).await, serve(&mut server, timed).await);
    let mut running = bank.running.subscribe();
    let client = ask(held).await;
    timeout(PATIENCE, running.wait_for(|running| *running == 1)).await.unwrap().unwrap();
    drop(client);
    drop(timeout(PATIENCE, limiter.acquire()).await.unwrap().unwrap());
    assert_eq!(status(timed).await, 504);
}
