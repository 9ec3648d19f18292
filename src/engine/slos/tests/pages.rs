//! Pages and tickets: when they fire, and who is told.

use super::*;

#[test]
fn a_complete_outage_pages_within_52_seconds() {
    let bench = Bench::new(|builder| builder.slo(api()));
    bench.run(7200, SECOND, 1, 0);
    assert_eq!(bench.reading().state, SloState::Ok);
    let mut seconds = 0;
    let breach = loop {
        bench.run(1, SECOND, 0, 1);
        seconds += 1;
        // Those over longer windows come earlier: of a day, or of six hours, two hours are known.
        let mut events = std::iter::from_fn(|| bench.events.try_recv());
        let page = events.find(|event| event.labels[1].1 == "1h");
        if let Some(page) = page {
            break page;
        }
    };
    // 1 h · 14.4 · 0.001 = 51.84 s of errors only.
    assert_eq!(seconds, 52);
    assert_eq!(
        (breach.kind, &*breach.budget, breach.level),
        (EventKind::Breach, "api", Level::Critical)
    );
    let labels: Vec<_> = breach
        .labels
        .iter()
        .map(|label| (label.0, &*label.1))
        .collect();
    assert_eq!(
        labels,
        [("severity", "page"), ("long", "1h"), ("short", "5m")]
    );
    assert_eq!(breach.limit, 14.4);
    let reading = bench.reading();
    assert_eq!(
        (reading.state, counts(&reading)),
        (SloState::Breached, (7252.0, 52.0, 0.0))
    );
    let page = &reading.alerts[0];
    assert_eq!(
        (page.severity, page.state),
        (Severity::Page, AlertState::Firing)
    );
    assert!(
        bench
            .plimsoll
            .budget_state("api")
            .expect("it is there")
            .is_breached()
    );
    // Ten minutes later the short window says that it is over.
    bench.run(600, SECOND, 1, 0);
    assert_eq!(bench.reading().alerts[0].state, AlertState::Inactive);
    // Half an hour later that of six hours does so too.
    bench.run(1800, SECOND, 1, 0);
    assert!(
        !bench
            .plimsoll
            .budget_state("api")
            .expect("it is there")
            .is_breached()
    );
}

#[test]
fn nobody_is_told_of_a_ticket_while_a_page_fires() {
    let page = BurnAlert::new(Severity::Page, 0.02, HOUR);
    let ticket = BurnAlert::new(Severity::Ticket, 0.1, HOUR);
    let bench = Bench::new(|builder| builder.slo(api().burn_alerts([page, ticket])));
    bench.run(3600, SECOND, 1, 0);
    bench.run(400, SECOND, 0, 1);
    let alerts = bench.reading().alerts;
    assert!(alerts.iter().all(|alert| alert.state == AlertState::Firing));
    let events = std::iter::from_fn(|| bench.events.try_recv());
    let told: Vec<_> = events.map(|event| (event.kind, event.level)).collect();
    assert_eq!(told, [(EventKind::Breach, Level::Critical)]);
}

#[test]
fn a_pending_page_is_no_warning() {
    let page = BurnAlert::new(Severity::Page, 0.001, HOUR);
    let slow = Slo::availability("slow", work()).objective(0.9).rolling(1);
    let slow = slow.burn_alerts([page]).sustained_half_window();
    let bench = Bench::new(|builder| builder.slo(slow));
    bench.run(60, MINUTE, 100, 0);
    // 20 of 6,000 are more than the limit of 0.24 %, and little of the error budget.
    bench.run(1, MINUTE, 80, 20);
    let pending = bench.reading();
    assert_eq!(pending.alerts[0].state, AlertState::Pending);
    let ok = (SloState::Ok, UNIX_EPOCH + MINUTE);
    assert_eq!((pending.state, pending.since), ok);
}

#[test]
fn low_traffic_pages_nobody_if_that_is_asked_for() {
    let named = |name: &str| Slo::availability(name, work()).objective(0.999);
    let bench = Bench::new(|builder| {
        builder
            .slo(named("plain"))
            .slo(named("guarded").min_events(100))
            .slo(named("certain").confidence(0.95))
    });
    bench.run(67, MINUTE, 1, 0);
    bench.run(1, MINUTE, 0, 1);
    bench.run(1, MINUTE, 1, 0);
    let fires = |slo: &str| bench.named(slo).alerts[0].state == AlertState::Firing;
    assert!(
        fires("plain"),
        "one error in some 60 requests is more than 1.34 %"
    );
    assert!(!fires("guarded") && !fires("certain"));
    bench.run(5, MINUTE, 0, 1);
    assert!(
        fires("certain") && !fires("guarded"),
        "six of sixty are certain, and still few"
    );
}

#[test]
fn silence_is_a_ticket() {
    let bench = Bench::new(|builder| builder.slo(api().burn_alerts([]).absent_after(10 * MINUTE)));
    bench.run(600, SECOND, 1, 0);
    let state = || bench.reading().alerts[0].state;
    assert_eq!(state(), AlertState::Inactive);
    bench.run(598, SECOND, 0, 0);
    assert_ne!(state(), AlertState::Firing);
    bench.run(2, SECOND, 0, 0);
    assert_eq!(state(), AlertState::Firing);
    bench.run(2, SECOND, 1, 0);
    assert_eq!(state(), AlertState::Inactive);
}
