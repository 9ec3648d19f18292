//! The names of axum-prometheus 0.10, so that dashboards and rules made for it go on working.

use super::{
    FIRST_BYTE, Label, MAX_QUERIES, N_PLUS_ONE, QUERIES, REQUEST_BYTES, RESPONSE_BYTES, Row,
    SECONDS, STAGE_SECONDS, Take, row,
};
use crate::registry::Domain;

/// What its families begin with, where no other prefix is chosen.
pub(in crate::naming) const PREFIX: &str = "axum_";

/// Its buckets.
pub(super) const BOUNDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

const METHOD_ENDPOINT: &[(&str, Label)] = &[("method", Label::Key(0)), ("endpoint", Label::Key(1))];
const METHOD_ENDPOINT_STATUS: &[(&str, Label)] = &[
    ("method", Label::Key(0)),
    ("endpoint", Label::Key(1)),
    ("status", Label::Code),
];
const METHOD_ENDPOINT_END: &[(&str, Label)] = &[
    ("method", Label::Key(0)),
    ("endpoint", Label::Key(1)),
    ("end", Label::End),
];
const METHOD_ENDPOINT_STAGE: &[(&str, Label)] = &[
    ("method", Label::Key(0)),
    ("endpoint", Label::Key(1)),
    ("stage", Label::Stage),
];

/// Its own four families, and then ours in its manner.
#[rustfmt::skip]
pub(in crate::naming) const FAMILIES: &[Row] = &[
    row("axum_http_requests_total", Domain::Http, Take::Ended, METHOD_ENDPOINT_STATUS,
        "HTTP requests that ended, by status."),
    row("axum_http_requests_duration_seconds", Domain::Http, SECONDS, METHOD_ENDPOINT_STATUS,
        "Duration of HTTP requests."),
    row("axum_http_requests_pending", Domain::Http, Take::InFlight, METHOD_ENDPOINT,
        "HTTP requests under way."),
    row("axum_http_response_body_size", Domain::Http, RESPONSE_BYTES, METHOD_ENDPOINT,
        "Bytes of HTTP response bodies, as they were sent."),
    row("axum_http_request_ends_total", Domain::Http, Take::Ended, METHOD_ENDPOINT_END,
        "HTTP requests by how they ended."),
    row("axum_http_first_byte_duration_seconds", Domain::Http, FIRST_BYTE, METHOD_ENDPOINT,
        "Time until HTTP responses began."),
    row("axum_http_request_body_size", Domain::Http, REQUEST_BYTES, METHOD_ENDPOINT,
        "Bytes of HTTP request bodies, as they were read."),
    row("axum_http_stage_duration_seconds", Domain::Http, STAGE_SECONDS, METHOD_ENDPOINT_STAGE,
        "Time that HTTP requests spent in their stages, queries and device calls, and the rest."),
    row("axum_http_stage_share", Domain::Http, Take::StageShare, METHOD_ENDPOINT_STAGE,
        "Share of the time of HTTP requests that went to a stage, queries, device calls, or the rest."),
    row("axum_http_request_queries", Domain::Http, QUERIES, METHOD_ENDPOINT,
        "Queries made by HTTP requests."),
    row("axum_http_n_plus_one_requests_total", Domain::Http, N_PLUS_ONE, METHOD_ENDPOINT,
        "HTTP requests that ran one statement as often as the limit for N+1, or more often."),
    row("axum_http_max_queries_requests_total", Domain::Http, MAX_QUERIES, METHOD_ENDPOINT,
        "HTTP requests that made as many queries as the limit, or more."),
    row("axum_http_slow_requests_total", Domain::Http, Take::Slow, METHOD_ENDPOINT,
        "HTTP requests above the slow-request threshold."),
];
