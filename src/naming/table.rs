//! The families of each profile, as data: exporting is a projection of the counted series by these rows.

pub(super) mod axum_prometheus;

use crate::registry::{Domain, Extra, Outcome, QueryFindingKind, Way};

/// One exported family as the profile names it, without prefix and renames.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) source: Domain,
    pub(crate) take: Take,
    pub(crate) labels: &'static [(&'static str, Label)],
}

/// What is taken from the series of a domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Take {
    /// A histogram of the durations, in a unit of so many nanoseconds.
    Duration { unit_ns: f64 },
    /// A histogram of something else that is measured of an operation, in a unit of so many raw steps.
    Extra { extra: Extra, scale: f64 },
    /// A histogram for each part that the time of requests goes to: how long it took, in a unit of so many nanoseconds.
    Stage { unit_ns: f64 },
    /// The same: its share of the whole request.
    StageShare,
    /// How many ended, in whichever way.
    Ended,
    /// How many ended in this way.
    EndedAs(Outcome),
    /// How many ended with this word.
    EndedBy(Way),
    /// How many ended with this value of the `operation` label.
    EndedOperation(&'static str),
    /// How many began, whether they ended or not.
    Begun,
    /// How many are under way.
    InFlight,
    /// How many took longer than the domain's threshold.
    Slow,
    /// How many requests queried too much.
    Found(QueryFindingKind),
    /// Failed ones ÷ ended ones that were not refused, since the start; 0 before the first one.
    ErrorRatio,
}

impl Take {
    /// Whether the family is a histogram, and therefore owns `_bucket`, `_sum` and `_count` as well.
    pub(crate) fn is_histogram(self) -> bool {
        matches!(self, Self::Duration { .. } | Self::Extra { .. }) || self.is_of_stages()
    }

    /// Whether it is taken of the parts that the time of requests goes to.
    pub(crate) fn is_of_stages(self) -> bool {
        matches!(self, Self::Stage { .. } | Self::StageShare)
    }
}

/// Where a label's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// The label key of the set at this index.
    Key(usize),
    /// The code of the end (the HTTP status); empty where there is none.
    Code,
    /// How it ended, as finely as the probe tells.
    End,
    /// What failed, as OpenTelemetry's `error.type` has it; empty where nothing did.
    ErrorType,
    /// The word of the outcome: `ok`, `error`, ...; of queries also `partial` and `timeout`.
    Outcome,
    /// The same with `success` for `ok`.
    Success,
    /// The part of a request's time; only of families that are taken of them.
    Stage,
    /// The name of the service.
    Service,
    /// What the user reads from responses: the label at this index.
    Response(usize),
}

impl Label {
    /// The route of a request.
    pub(crate) const ROUTE: Self = Self::Key(1);

    /// Whether the series of one operation can differ in it.
    pub(crate) fn is_per_series(self) -> bool {
        matches!(
            self,
            Self::Code
                | Self::End
                | Self::ErrorType
                | Self::Outcome
                | Self::Success
                | Self::Response(_)
        )
    }
}

const SECONDS: Take = Take::Duration { unit_ns: 1e9 };
const MILLIS: Take = Take::Duration { unit_ns: 1e6 };
const RESPONSE_BYTES: Take = Take::Extra {
    extra: Extra::ResponseBytes,
    scale: 1.0,
};
const REQUEST_BYTES: Take = Take::Extra {
    extra: Extra::RequestBytes,
    scale: 1.0,
};
const FIRST_BYTE: Take = Take::Extra {
    extra: Extra::FirstByte,
    scale: 1e9,
};
const FIRST_BYTE_MILLIS: Take = Take::Extra {
    extra: Extra::FirstByte,
    scale: 1e6,
};
const STAGE_SECONDS: Take = Take::Stage { unit_ns: 1e9 };
const STAGE_MILLIS: Take = Take::Stage { unit_ns: 1e6 };
const LATENESS: Take = Take::Extra {
    extra: Extra::Lateness,
    scale: 1e9,
};
const RESPONSE: Take = Take::Extra {
    extra: Extra::Response,
    scale: 1e9,
};
const QUERIES: Take = Take::Extra {
    extra: Extra::Queries,
    scale: 1.0,
};
const ROWS: Take = Take::Extra {
    extra: Extra::Rows,
    scale: 1.0,
};
const N_PLUS_ONE: Take = Take::Found(QueryFindingKind::NPlusOne);
const MAX_QUERIES: Take = Take::Found(QueryFindingKind::MaxQueries);
const WAITING: Take = Take::Extra {
    extra: Extra::Waiting,
    scale: 1e9,
};

const METHOD_ROUTE: &[(&str, Label)] = &[("method", Label::Key(0)), ("route", Label::Key(1))];
const METHOD_ROUTE_STATUS: &[(&str, Label)] = &[
    ("method", Label::Key(0)),
    ("route", Label::Key(1)),
    ("status", Label::Code),
];
const OTEL_METHOD_ROUTE: &[(&str, Label)] = &[
    ("http_request_method", Label::Key(0)),
    ("http_route", Label::Key(1)),
];
const OTEL_METHOD_ROUTE_STAGE: &[(&str, Label)] = &[
    ("http_request_method", Label::Key(0)),
    ("http_route", Label::Key(1)),
    ("stage", Label::Stage),
];
const METHOD_ROUTE_STAGE: &[(&str, Label)] = &[
    ("method", Label::Key(0)),
    ("route", Label::Key(1)),
    ("stage", Label::Stage),
];
const METHOD_ROUTE_END: &[(&str, Label)] = &[
    ("method", Label::Key(0)),
    ("route", Label::Key(1)),
    ("end", Label::End),
];
const METHOD_ROUTE_STATUS_CODE: &[(&str, Label)] = &[
    ("method", Label::Key(0)),
    ("route", Label::Key(1)),
    ("status_code", Label::Code),
];
const OPERATION_MODEL: &[(&str, Label)] = &[("operation", Label::Key(0)), ("model", Label::Key(1))];
const OPERATION_MODEL_CLASS: &[(&str, Label)] = &[
    ("operation", Label::Key(0)),
    ("model", Label::Key(1)),
    ("class", Label::ErrorType),
];
const QUERY: &[(&str, Label)] = &[("query", Label::Key(2))];
const OTEL_QUERY: &[(&str, Label)] = &[
    ("db_operation_name", Label::Key(0)),
    ("db_collection_name", Label::Key(1)),
    ("db_query_summary", Label::Key(2)),
];
const OPERATION: &[(&str, Label)] = &[("operation", Label::Key(0))];
const OPERATION_OUTCOME: &[(&str, Label)] =
    &[("operation", Label::Key(0)), ("outcome", Label::Outcome)];
const DEVICE_OPERATION: &[(&str, Label)] =
    &[("device", Label::Key(0)), ("operation", Label::Key(1))];
const DEVICE: &[(&str, Label)] = &[("device", Label::Key(0))];
const DEVICE_CYCLE: &[(&str, Label)] = &[("device", Label::Key(0)), ("cycle", Label::Key(1))];
const DEVICE_CHECK: &[(&str, Label)] = &[("device", Label::Key(0)), ("check", Label::Key(1))];
const DEVICE_REASON: &[(&str, Label)] = &[("device", Label::Key(0)), ("reason", Label::ErrorType)];
const PROTOCOL_DEVICE: &[(&str, Label)] = &[("protocol", Label::Key(0)), ("device", Label::Key(1))];
const POOL: &[(&str, Label)] = &[("pool", Label::Key(0))];
const POOL_END: &[(&str, Label)] = &[("pool", Label::Key(0)), ("end", Label::End)];

const fn row(
    name: &'static str,
    source: Domain,
    take: Take,
    labels: &'static [(&'static str, Label)],
    help: &'static str,
) -> Row {
    Row {
        name,
        help,
        source,
        take,
        labels,
    }
}

/// Families that are the same in every profile.
#[rustfmt::skip]
pub(super) const COMMON: &[Row] = &[
    row("service_duration_seconds", Domain::Service, SECONDS, OPERATION_OUTCOME,
        "Duration of calls of wrapped services."),
    row("service_wait_duration_seconds", Domain::Service, WAITING, OPERATION,
        "Time until wrapped services were ready for a call."),
    row("operation_duration_seconds", Domain::Operation, SECONDS, OPERATION_OUTCOME,
        "Duration of the application's own operations."),
    row("modbus_requests_total", Domain::Modbus, Take::Ended, DEVICE_OPERATION,
        "Modbus transactions that ended, in whichever way."),
    row("modbus_errors_total", Domain::Modbus, Take::EndedAs(Outcome::Error), DEVICE_OPERATION,
        "Modbus transactions that failed."),
    row("modbus_request_duration_seconds", Domain::Modbus, SECONDS, DEVICE_OPERATION,
        "Duration of Modbus transactions."),
    row("modbus_reads_total", Domain::Modbus, Take::EndedOperation("read"), DEVICE,
        "Modbus transactions that read."),
    row("modbus_writes_total", Domain::Modbus, Take::EndedOperation("write"), DEVICE,
        "Modbus transactions that wrote."),
    row("connections_attempted_total", Domain::Connect, Take::Begun, PROTOCOL_DEVICE,
        "Attempts to connect, those under way included."),
    row("connections_established_total", Domain::Connect, Take::EndedAs(Outcome::Ok), PROTOCOL_DEVICE,
        "Attempts to connect that succeeded."),
    row("connect_duration_seconds", Domain::Connect, SECONDS, PROTOCOL_DEVICE,
        "Duration of attempts to connect, failed ones included."),
    row("poll_cycle_duration_seconds", Domain::Cycle, SECONDS, DEVICE_CYCLE,
        "Duration of rounds of polling, from when they began."),
    row("poll_cycle_lateness_seconds", Domain::Cycle, LATENESS, DEVICE_CYCLE,
        "How long after their time rounds of polling began."),
    row("poll_cycle_response_seconds", Domain::Cycle, RESPONSE, DEVICE_CYCLE,
        "Time from when rounds of polling were due to when they were over, missed ones included."),
    row("poll_overruns_total", Domain::Cycle, Take::EndedAs(Outcome::Error), DEVICE_CYCLE,
        "Rounds of polling that were not over when the next one was due."),
    row("device_checks_total", Domain::Check, Take::Ended, DEVICE_CHECK,
        "Looks at a device, once a tick."),
    row("device_checks_failed_total", Domain::Check, Take::EndedAs(Outcome::Error), DEVICE_CHECK,
        "Looks at a device that was not as it should be."),
    row("data_points_checked_total", Domain::Point, Take::Ended, DEVICE,
        "Values that were checked by rules."),
    row("data_validation_failures_total", Domain::Point, Take::EndedAs(Outcome::Error), DEVICE_REASON,
        "Values that were refused, by the rule that refused them."),
    row("connection_wait_duration_seconds", Domain::Acquire, SECONDS, POOL,
        "Time spent waiting for a pooled connection."),
    row("connection_wait_ends_total", Domain::Acquire, Take::Ended, POOL_END,
        "Waits for a pooled connection by how they ended."),
    row("connection_timeouts_total", Domain::Acquire, Take::EndedBy(Way::POOL_TIMEOUT), POOL,
        "Waits for a pooled connection during which none came free in time."),
    row("connection_create_duration_seconds", Domain::Create, SECONDS, POOL,
        "Time spent opening connections for a pool, failures included."),
    row("connection_create_errors_total", Domain::Create, Take::EndedAs(Outcome::Error), POOL,
        "Connections for a pool that could not be opened."),
];

#[rustfmt::skip]
pub(super) const OTEL: &[Row] = &[
    row("http_server_request_duration_seconds", Domain::Http, SECONDS,
        &[
            ("http_request_method", Label::Key(0)),
            ("http_route", Label::Key(1)),
            ("http_response_status_code", Label::Code),
            ("error_type", Label::ErrorType),
        ],
        "Duration of HTTP server requests."),
    row("http_server_response_body_size_bytes", Domain::Http, RESPONSE_BYTES, OTEL_METHOD_ROUTE,
        "Bytes of HTTP response bodies, as they were sent."),
    row("http_server_request_body_size_bytes", Domain::Http, REQUEST_BYTES, OTEL_METHOD_ROUTE,
        "Bytes of HTTP request bodies, as they were read."),
    row("http_server_first_byte_duration_seconds", Domain::Http, FIRST_BYTE, OTEL_METHOD_ROUTE,
        "Time until HTTP responses began."),
    row("http_server_stage_duration_seconds", Domain::Http, STAGE_SECONDS, OTEL_METHOD_ROUTE_STAGE,
        "Time that HTTP requests spent in their stages, queries and device calls, and the rest."),
    row("http_server_stage_share", Domain::Http, Take::StageShare, OTEL_METHOD_ROUTE_STAGE,
        "Share of the time of HTTP requests that went to a stage, queries, device calls, or the rest."),
    row("http_server_request_queries", Domain::Http, QUERIES, OTEL_METHOD_ROUTE,
        "Queries made by HTTP requests."),
    row("http_server_n_plus_one_requests_total", Domain::Http, N_PLUS_ONE, OTEL_METHOD_ROUTE,
        "HTTP requests that ran one statement as often as the limit for N+1, or more often."),
    row("http_server_max_queries_requests_total", Domain::Http, MAX_QUERIES, OTEL_METHOD_ROUTE,
        "HTTP requests that made as many queries as the limit, or more."),
    row("http_server_slow_requests_total", Domain::Http, Take::Slow, OTEL_METHOD_ROUTE,
        "HTTP requests above the slow-request threshold."),
    row("http_server_active_requests", Domain::Http, Take::InFlight, &[("http_request_method", Label::Key(0))],
        "HTTP server requests under way."),
    row("db_client_operation_duration_seconds", Domain::Db, SECONDS,
        &[
            ("db_operation_name", Label::Key(0)),
            ("db_collection_name", Label::Key(1)),
            ("db_query_summary", Label::Key(2)),
            ("outcome", Label::Outcome),
        ],
        "Duration of database client operations."),
    row("db_client_errors_total", Domain::Db, Take::EndedAs(Outcome::Error),
        &[
            ("db_operation_name", Label::Key(0)),
            ("db_collection_name", Label::Key(1)),
            ("db_query_summary", Label::Key(2)),
            ("error_type", Label::ErrorType),
        ],
        "Database client operations that failed, by what kind of failure it was."),
    row("db_client_response_returned_rows", Domain::Db, ROWS, OTEL_QUERY,
        "Rows that database client operations returned or changed."),
    row("db_client_active_operations", Domain::Db, Take::InFlight, OTEL_QUERY,
        "Database client operations under way."),
    row("db_client_slow_operations_total", Domain::Db, Take::Slow, OTEL_QUERY,
        "Database client operations above the slow-query threshold."),
];

/// Of requests, in the profiles that call their labels `method` and `route`.
#[rustfmt::skip]
pub(super) const BY_ROUTE: &[Row] = &[
    row("n_plus_one_requests_total", Domain::Http, N_PLUS_ONE, METHOD_ROUTE,
        "HTTP requests that ran one statement as often as the limit for N+1, or more often."),
    row("max_queries_requests_total", Domain::Http, MAX_QUERIES, METHOD_ROUTE,
        "HTTP requests that made as many queries as the limit, or more."),
    row("slow_requests_total", Domain::Http, Take::Slow, METHOD_ROUTE,
        "HTTP requests above the slow-request threshold."),
];

/// Of queries, in the profiles that call their labels `operation` and `model`.
#[rustfmt::skip]
pub(super) const BY_MODEL: &[Row] = &[
    row("db_errors_total", Domain::Db, Take::EndedAs(Outcome::Error), OPERATION_MODEL_CLASS,
        "Queries that failed, by what kind of failure it was."),
    row("db_rows", Domain::Db, ROWS, OPERATION_MODEL,
        "Rows that queries returned or changed."),
    row("db_queries_in_flight", Domain::Db, Take::InFlight, OPERATION_MODEL,
        "Queries under way."),
    row("slow_queries_total", Domain::Db, Take::Slow, OPERATION_MODEL,
        "Queries above the slow-query threshold."),
];

/// The same, in seconds.
#[rustfmt::skip]
pub(super) const BY_MODEL_IN_SECONDS: &[Row] = &[
    row("db_query_duration_seconds", Domain::Db, SECONDS, OPERATION_MODEL,
        "Duration of queries."),
    row("db_statement_duration_seconds", Domain::Db, SECONDS, QUERY,
        "Duration of queries by statement."),
];

#[rustfmt::skip]
pub(super) const CLASSIC: &[Row] = &[
    row("request_duration_seconds", Domain::Http, SECONDS, METHOD_ROUTE,
        "Duration of HTTP requests."),
    row("requests_in_flight", Domain::Http, Take::InFlight, METHOD_ROUTE,
        "HTTP requests under way."),
    row("request_ends_total", Domain::Http, Take::Ended, METHOD_ROUTE_END,
        "HTTP requests by how they ended."),
    row("response_size_bytes", Domain::Http, RESPONSE_BYTES, METHOD_ROUTE,
        "Bytes of HTTP response bodies, as they were sent."),
    row("request_size_bytes", Domain::Http, REQUEST_BYTES, METHOD_ROUTE,
        "Bytes of HTTP request bodies, as they were read."),
    row("first_byte_duration_seconds", Domain::Http, FIRST_BYTE, METHOD_ROUTE,
        "Time until HTTP responses began."),
    row("stage_duration_seconds", Domain::Http, STAGE_SECONDS, METHOD_ROUTE_STAGE,
        "Time that HTTP requests spent in their stages, queries and device calls, and the rest."),
    row("stage_share", Domain::Http, Take::StageShare, METHOD_ROUTE_STAGE,
        "Share of the time of HTTP requests that went to a stage, queries, device calls, or the rest."),
    row("request_queries", Domain::Http, QUERIES, METHOD_ROUTE,
        "Queries made by HTTP requests."),
];

#[rustfmt::skip]
pub(super) const CLASSIC_BY_STATUS: &[Row] = &[
    row("requests_total", Domain::Http, Take::Ended, METHOD_ROUTE_STATUS,
        "HTTP requests that ended, by status."),
];

#[rustfmt::skip]
pub(super) const CLASSIC_ERRORS: &[Row] = &[
    row("requests_total", Domain::Http, Take::Ended, METHOD_ROUTE,
        "HTTP requests that ended, in whichever way."),
    row("errors_total", Domain::Http, Take::EndedAs(Outcome::Error), METHOD_ROUTE,
        "HTTP requests that failed."),
    row("responses_total", Domain::Http, Take::Ended, METHOD_ROUTE_STATUS,
        "HTTP requests that ended, by status."),
];

#[rustfmt::skip]
pub(super) const MILLIS_FAMILIES: &[Row] = &[
    row("http_request_duration_ms", Domain::Http, MILLIS, METHOD_ROUTE_STATUS_CODE,
        "Duration of HTTP requests in milliseconds."),
    row("http_requests_total", Domain::Http, Take::Ended, METHOD_ROUTE_STATUS_CODE,
        "HTTP requests that ended, by status."),
    row("http_request_ends_total", Domain::Http, Take::Ended, METHOD_ROUTE_END,
        "HTTP requests by how they ended."),
    row("http_response_size_bytes", Domain::Http, RESPONSE_BYTES, METHOD_ROUTE,
        "Bytes of HTTP response bodies, as they were sent."),
    row("http_request_size_bytes", Domain::Http, REQUEST_BYTES, METHOD_ROUTE,
        "Bytes of HTTP request bodies, as they were read."),
    row("http_first_byte_duration_ms", Domain::Http, FIRST_BYTE_MILLIS, METHOD_ROUTE,
        "Time until HTTP responses began, in milliseconds."),
    row("http_stage_duration_ms", Domain::Http, STAGE_MILLIS, METHOD_ROUTE_STAGE,
        "Time that HTTP requests spent in their stages, queries and device calls, and the rest."),
    row("http_stage_share", Domain::Http, Take::StageShare, METHOD_ROUTE_STAGE,
        "Share of the time of HTTP requests that went to a stage, queries, device calls, or the rest."),
    row("http_request_queries", Domain::Http, QUERIES, METHOD_ROUTE,
        "Queries made by HTTP requests."),
    row("http_error_rate", Domain::Http, Take::ErrorRatio, &[("service", Label::Service)],
        "Share of HTTP requests that failed since the start, between 0 and 1."),
    row("db_query_duration_ms", Domain::Db, MILLIS, OPERATION_MODEL,
        "Duration of queries in milliseconds."),
    row("db_statement_duration_ms", Domain::Db, MILLIS, QUERY,
        "Duration of queries by statement, in milliseconds."),
    row("db_queries_total", Domain::Db, Take::Ended,
        &[("operation", Label::Key(0)), ("model", Label::Key(1)), ("status", Label::Success)],
        "Queries that ended, by success."),
];

/// Gauges and counters that probes keep as instruments: they can be renamed too.
pub(super) const INSTRUMENTS: &[&str] = &[
    "bytes_total",
    "connections_active",
    "connection_pool_active",
    "connection_pool_max",
    "connection_pool_size",
    "connection_pool_idle",
    "connection_pool_waiting",
    "connection_pool_ghosts",
    "connections_unmeasured_total",
    "db_transactions_total",
    "device_connected",
    "device_state",
    "device_unit_connected",
    "last_success_timestamp_seconds",
    "data_points_processed_total",
    "poll_missed_total",
    "reconnects_total",
    "request_failures_total",
    "stale_bytes_total",
    "stale_replies_total",
    "suspect_replies_total",
];

/// What the process and its runtime are shown under once they are observed; without prefix.
pub(super) const PROCESS: &[&str] = &[
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "process_virtual_memory_bytes",
    "process_virtual_memory_max_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_disk_read_bytes_total",
    "process_disk_written_bytes_total",
    "process_network_receive_bytes_total",
    "process_network_transmit_bytes_total",
    "process_heap_allocated_bytes",
    "process_heap_free_bytes",
    "process_heap_mapped_bytes",
    "process_heap_resident_bytes",
    "tokio_workers",
    "tokio_alive_tasks",
    "tokio_global_queue_depth",
    "tokio_busy_ratio",
    "tokio_worker_busy_seconds_total",
];

/// Our own health, under fixed names: no prefix and no rename, so that every dashboard finds them.
pub(super) const OWN: &[&str] = &[
    "plimsoll_build_info",
    "plimsoll_clock_info",
    "plimsoll_uptime_seconds",
    "plimsoll_shard_bytes",
    "plimsoll_series_overflow_total",
    "plimsoll_label_overflow_total",
    "plimsoll_label_panics_total",
    "plimsoll_classifier_panics_total",
    "plimsoll_layers_stacked_total",
    "plimsoll_warnings_total",
    "plimsoll_values_saturated_total",
    "plimsoll_values_invalid_total",
    "plimsoll_families_dropped_total",
    "plimsoll_ticks_total",
    "plimsoll_sli_valid_total",
    "plimsoll_sli_bad_total",
    "plimsoll_sli_last_good_timestamp_seconds",
    "plimsoll_sli_excluded_total",
    "plimsoll_slo_objective",
    "plimsoll_slo_error_budget_remaining",
    "plimsoll_slo_coverage",
    "plimsoll_slo_burn_rate",
    "plimsoll_budget_state",
    "plimsoll_budget_value",
    "plimsoll_budget_limit",
    "plimsoll_budget_band",
    "plimsoll_budget_observed",
    "plimsoll_budget_band_coverage",
    "plimsoll_budget_unmatched",
    "plimsoll_operations_without_budget",
    "plimsoll_shed_total",
    "plimsoll_broken_total",
    "plimsoll_breaker_state",
    "plimsoll_events_delivered_total",
    "plimsoll_events_dropped_total",
    "plimsoll_callback_panics_total",
    "plimsoll_callbacks_stuck_total",
    "plimsoll_slow_dropped_total",
    "plimsoll_query_findings_dropped_total",
    "plimsoll_statement_overflow_total",
    "plimsoll_queries_overdue_total",
    "plimsoll_queries_unwatched_total",
];

/// OpenTelemetry's advice for `http.server.request.duration`.
const HTTP_BOUNDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// By four, from 64 bytes to 64 MiB.
pub(super) const SIZE_BOUNDS: &[f64] = &[
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// OpenTelemetry's advice for `db.client.operation.duration`.
const DB_BOUNDS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
const HTTP_MS_BOUNDS: &[f64] = &[0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
const DB_MS_BOUNDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// Fieldbus devices and pools answer in milliseconds; 2 s is the usual budget of a connect.
const DEVICE_BOUNDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0,
];

/// Cycles of a fieldbus: those of its devices, and up to a minute.
const CYCLE_BOUNDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
];

/// The bounds, in seconds, that a profile gives a domain's durations.
pub(super) fn bounds(profile: super::Profile, domain: Domain) -> &'static [f64] {
    use super::Profile::{AxumPrometheus, Millis, Otel};
    match (domain, profile) {
        (Domain::Modbus | Domain::Connect | Domain::Acquire | Domain::Create, _) => DEVICE_BOUNDS,
        (Domain::Cycle, _) => CYCLE_BOUNDS,
        (Domain::Http, AxumPrometheus) => axum_prometheus::BOUNDS,
        (Domain::Http, Millis) => HTTP_MS_BOUNDS,
        (Domain::Db, Millis) => DB_MS_BOUNDS,
        (Domain::Db, Otel) => DB_BOUNDS,
        _ => HTTP_BOUNDS,
    }
}
