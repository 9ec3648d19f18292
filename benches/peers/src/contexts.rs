//! Everybody who measures a context of tokio-modbus: a read of ten registers from a client that has them at once, without a
//! socket.

use std::hint::black_box;
use std::io;
use std::time::Instant;

use async_trait::async_trait;
use metrics::{Counter, Key, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio_modbus::client::{Client, Context, Reader};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request, Response, Result, Slave};

use crate::recorders::{exporter_recorder, handle};
use crate::rounds::Job;
use crate::selects::clocks;

/// Registers of each read.
pub const WORDS: u16 = 10;

/// The context alone: every figure is what is added to it.
pub const BARE: &str = "bare";
pub const BOXED: &str = "one `Box<dyn Client>` more";
pub const FLOOR: &str = "floor: the same and two readings of `Instant`";
pub const HANDLES: &str = "metrics 0.24.6 + exporter 0.18.3, kept handles";
pub const MACROS: &str = "metrics 0.24.6 + exporter 0.18.3, macros, one label value owned";

/// What the tables call plimsoll, by the name of the clock.
pub fn ours(clock: &str) -> String {
    format!("plimsoll `wrap`, {clock}")
}

/// A context and who measures it.
pub struct Contender {
    /// What the tables call it.
    pub name: String,
    context: Mutex<Context>,
    runtime: Runtime,
    /// Whose upkeep is put off.
    drain: Option<PrometheusHandle>,
}

impl Contender {
    fn new(name: &str, context: Context) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            name: name.to_owned(),
            context: Mutex::new(context),
            runtime: { runtime }.build().expect("a runtime"),
            drain: None,
        }
    }

    fn draining(self, page: &PrometheusHandle) -> Self {
        Self {
            drain: Some(page.clone()),
            ..self
        }
    }

    /// Makes so many reads.
    pub fn read(&self, reads: usize) {
        let context = &mut *self.context.lock();
        self.runtime.block_on(async {
            for _ in 0..reads {
                let words = context.read_holding_registers(black_box(0), WORDS).await;
                let words = words.expect("no socket").expect("no exception");
                assert_eq!(words.len(), usize::from(WORDS));
            }
        });
    }

    /// As a job of a comparison.
    pub fn job(&self) -> Job<'_> {
        let job = Job::new(&self.name, |_, reads| self.read(reads)).sample_ns(1e6);
        match &self.drain {
            Some(page) => job.drain(|| page.run_upkeep()),
            None => job,
        }
    }
}

/// Everybody. Installs the exporter's recorder as the process-wide one, so it can be called once.
pub fn all() -> Vec<Contender> {
    let mut all = vec![
        Contender::new(BARE, stub()),
        Contender::new(BOXED, around(Around(Box::new(Stub)))),
        Contender::new(FLOOR, around(Timed(Box::new(Stub)))),
    ];
    for (clock, plimsoll) in clocks() {
        let wrapped = plimsoll.modbus("press-3").wrap(stub());
        all.push(Contender::new(&ours(clock), wrapped.expect("a free name")));
    }
    all.extend(facade());
    all
}

fn facade() -> [Contender; 2] {
    let recorder = exporter_recorder();
    let page = recorder.handle();
    let metadata = Metadata::new(module_path!(), metrics::Level::INFO, None);
    let counter = |name| recorder.register_counter(&Key::from_name(name), &metadata);
    let kept = Kept {
        client: Box::new(Stub),
        seconds: handle(&recorder, "kept_seconds"),
        requests: counter("kept_requests_total"),
        errors: counter("kept_errors_total"),
    };
    metrics::set_global_recorder(recorder).expect("the only one");
    let named = Named {
        client: Box::new(Stub),
        device: "press-3".to_owned(),
    };
    [
        Contender::new(HANDLES, around(kept)).draining(&page),
        Contender::new(MACROS, around(named)).draining(&page),
    ]
}

fn stub() -> Context {
    around(Stub)
}

fn around(client: impl Client + 'static) -> Context {
    Context::from(Box::new(client) as Box<dyn Client>)
}

/// A client that has the registers at once.
#[derive(Debug)]
struct Stub;

#[async_trait]
impl Client for Stub {
    async fn call(&mut self, _: Request<'_>) -> Result<Response> {
        Ok(Ok(Response::ReadHoldingRegisters(vec![7; WORDS.into()])))
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SlaveContext for Stub {
    fn set_slave(&mut self, _: Slave) {}
}

/// Passes on.
struct Around(Box<dyn Client>);

/// Reads the clock before and after.
struct Timed(Box<dyn Client>);

/// Whoever measures with kept handles.
struct Kept {
    client: Box<dyn Client>,
    seconds: metrics::Histogram,
    requests: Counter,
    errors: Counter,
}

/// Whoever measures with macros, by the name of the device.
struct Named {
    client: Box<dyn Client>,
    device: String,
}

/// A client around another: what `$call` makes of a request, and all else passed on.
macro_rules! client {
    ($client:ty, $inner:tt, |$this:ident, $request:ident| $call:expr) => {
        #[async_trait]
        impl Client for $client {
            async fn call(&mut self, $request: Request<'_>) -> Result<Response> {
                let $this = self;
                $call
            }

            async fn disconnect(&mut self) -> io::Result<()> {
                self.$inner.disconnect().await
            }
        }

        impl SlaveContext for $client {
            fn set_slave(&mut self, slave: Slave) {
                self.$inner.set_slave(slave);
            }
        }
    };
}

client!(Around, 0, |this, request| this.0.call(request).await);

client!(Timed, 0, |this, request| {
    let start = Instant::now();
    let result = this.0.call(request).await;
    black_box(start.elapsed());
    result
});

client!(Kept, client, |this, request| {
    let start = Instant::now();
    let result = this.client.call(request).await;
    this.seconds.record(start.elapsed());
    this.requests.increment(1);
    if !matches!(result, Ok(Ok(_))) {
        this.errors.increment(1);
    }
    result
});

client!(Named, client, |this, request| {
    let start = Instant::now();
    let result = this.client.call(request).await;
    let device = || this.device.clone();
    metrics::histogram!("macro_seconds", "device" => device()).record(start.elapsed());
    metrics::counter!("macro_requests_total", "device" => device()).increment(1);
    if !matches!(result, Ok(Ok(_))) {
        metrics::counter!("macro_errors_total", "device" => device()).increment(1);
    }
    result
});
