use std::slice;
use std::time::Duration;

use plimsoll::expr::Offset;
use plimsoll::generate::spec::{from_openslo, from_sloth, to_openslo, to_sloth};
use plimsoll::{BurnAlert, Calendar, Expr, Plimsoll, Select, Selector, Severity, Slo};
use proptest::prelude::*;

use super::declaration;

const HOUR: Duration = Duration::from_secs(3600);

/// What both sides can say.
#[derive(Debug, Clone)]
struct Said {
    kind: u8,
    name: String,
    objective: f64,
    calendar: Option<(Calendar, Offset)>,
    days: u16,
    /// `None` for the usual ones.
    alerts: Option<Vec<(Severity, u32, u32)>>,
}

impl Said {
    fn counted(&self) -> Slo {
        let name = &*self.name;
        let (bad, valid) = (
            Selector::new("refused_total"),
            Selector::new("points_total"),
        );
        match self.kind {
            0 => Slo::availability(name, Select::http()),
            1 => Slo::latency(name, Select::http(), Duration::from_millis(200)).per("route"),
            2 => Slo::bad_ratio(name, bad, valid),
            3 => Slo::time_based(name, Expr::select(Selector::new("connected"))),
            _ => Slo::good_ratio(name, bad, valid)
                .min_events(20)
                .confidence(0.95),
        }
    }

    fn slo(&self) -> Slo {
        let slo = self.counted().objective(self.objective);
        let slo = match self.calendar {
            Some((calendar, offset)) => slo.calendar(calendar, offset),
            None => slo.rolling(self.days),
        };
        match &self.alerts {
            Some(alerts) => slo.burn_alerts(alerts.iter().map(|alert| self.reachable(*alert))),
            None => slo.reachable_burn_alerts(),
        }
    }

    /// For so small a share that half of the operations are enough errors in any period.
    fn reachable(&self, (severity, share, hours): (Severity, u32, u32)) -> BurnAlert {
        let most = f64::from(hours) / (366.0 * 24.0) / (1.0 - self.objective) / 2.0;
        let share = (f64::from(share) / 10_000.0).min((most * 1e6).floor() / 1e6);
        BurnAlert::new(severity, share, hours * HOUR)
    }
}

/// Severity, share in ten-thousandths, hours.
fn alert() -> impl Strategy<Value = (Severity, u32, u32)> {
    let severity = prop_oneof![Just(Severity::Page), Just(Severity::Ticket)];
    (severity, 1_u32..=100, 1_u32..=12)
}

fn calendar() -> impl Strategy<Value = (Calendar, Offset)> {
    use Calendar::{Day, Month, Quarter, Week};
    let calendar = prop_oneof![Just(Day), Just(Week), Just(Month), Just(Quarter)];
    let minutes = prop_oneof![(-12..=14).prop_map(|hours| hours * 60), -1439..=1439];
    (calendar, minutes)
        .prop_map(|(calendar, minutes)| (calendar, Offset::minutes(minutes).unwrap()))
}

fn said() -> impl Strategy<Value = Said> {
    let objective = (9_500_u32..=9_999).prop_map(|share| f64::from(share) / 10_000.0);
    let alerts = proptest::option::of(proptest::collection::vec(alert(), 0..4));
    let calendar = proptest::option::of(calendar());
    let name = "[A-Za-z \"'_{}]{0,8}x";
    (0_u8..5, name, objective, calendar, 1_u16..=366, alerts).prop_map(
        |(kind, name, objective, calendar, days, alerts)| Said {
            kind,
            name,
            objective,
            calendar,
            days,
            alerts,
        },
    )
}

/// Each with a name of its own.
fn slos(said: impl IntoIterator<Item = Said>) -> Vec<Slo> {
    let numbered = said.into_iter().enumerate().map(|(at, mut said)| {
        said.name = format!("{}{at}", said.name);
        said.slo()
    });
    numbered.collect()
}

/// The same by what they count, otherwise with other numbers.
fn known(slos: &[Slo]) -> Vec<Slo> {
    let other = |slo: &Slo| slo.clone().objective(0.5).rolling(7).burn_alerts([]);
    slos.iter().map(other).collect()
}

fn declared(slos: &[Slo]) -> plimsoll::generate::Declaration {
    let families = ["refused_total", "points_total", "connected"].into_iter();
    let builder = Plimsoll::builder().service("shop");
    let builder = families.fold(builder, |builder, family| builder.expect_family(family));
    let builder = slos
        .iter()
        .cloned()
        .fold(builder, |builder, slo| builder.slo(slo));
    builder.declaration().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..Default::default() })]

    #[test]
    fn what_openslo_can_say_comes_back(said in proptest::collection::vec(said(), 0..5)) {
        let slos = slos(said);
        let export = to_openslo(&declared(&slos));
        let import = from_openslo(&export.text, &known(&slos));
        let import = import.unwrap_or_else(|error| panic!("{error}\n{}", export.text));
        prop_assert_eq!(&import.slos, &slos, "{}", export.text);
        prop_assert_eq!(import.services, ["shop"]);
    }

    #[test]
    fn what_sloth_can_say_comes_back(said in proptest::collection::vec(said(), 0..5), quiet: bool) {
        let tickets = [24, 72].map(|hours| (Severity::Ticket, 1_000, hours));
        let said = said.into_iter().map(|said| Said {
            calendar: None,
            days: 30,
            objective: 0.9995,
            alerts: said.alerts.map(|_| if quiet { Vec::new() } else { tickets.to_vec() }),
            ..said
        });
        let slos = slos(said);
        let export = to_sloth(&declared(&slos));
        let import = from_sloth(&export.text, &known(&slos));
        let import = import.unwrap_or_else(|error| panic!("{error}\n{}", export.text));
        prop_assert_eq!(&import.slos, &slos, "{}", export.text);
    }
}

#[test]
fn a_weighted_mean_comes_back() {
    let orders = Slo::availability("orders", Select::operation("order"));
    let orders = orders.objective(0.99).rolling(30);
    let payments = Slo::availability("payments", Select::db());
    let payments = payments.objective(0.95).rolling(30);
    let mean = |objective: f64| {
        let mean = Slo::weighted("shop", [(&orders, 3.0), (&payments, 1.0)]);
        mean.objective(objective).rolling(30)
    };
    let slos = [orders.clone(), payments.clone(), mean(0.98)];
    let known = [orders.clone(), payments.clone(), mean(0.5)];
    let declaration = declaration(slos.clone());
    let openslo = from_openslo(&to_openslo(&declaration).text, &known);
    assert_eq!(openslo.unwrap().slos, slos);
    let sloth = from_sloth(&to_sloth(&declaration).text, &known);
    assert_eq!(sloth.unwrap().slos, slos);
}

#[test]
fn waiting_for_half_of_the_short_window_comes_back() {
    let burn = BurnAlert::new(Severity::Page, 0.05, 6 * HOUR);
    let api = |objective| {
        let api = Slo::availability("api", Select::http()).objective(objective);
        api.burn_alerts([burn])
    };
    let export = to_openslo(&declaration([api(0.99).sustained_half_window()]));
    assert!(export.text.contains("alertAfter: '15m'"), "{}", export.text);
    let import = from_openslo(&export.text, &[api(0.5)]).unwrap();
    assert_eq!(import.slos, [api(0.99).sustained_half_window()]);
    // 2m30s of 5m, and 20s of 40s.
    for (long, minutes) in [(HOUR, 3), (HOUR * 2 / 15, 1)] {
        let burn = BurnAlert::new(Severity::Page, 0.02, long);
        let api = api(0.999).burn_alerts([burn]);
        let waiting = api.clone().sustained_half_window();
        let export = to_openslo(&declaration([waiting.clone()]));
        let after = format!("alertAfter: '{minutes}m'");
        assert!(export.text.contains(&after), "{}", export.text);
        let waits = format!("OpenSLO's alert waits {minutes}m");
        let mut notes = export.notes.iter();
        assert!(notes.any(|note| note.message.contains(&waits)));
        let import = from_openslo(&export.text, slice::from_ref(&api)).unwrap();
        assert_eq!(import.slos, [waiting]);
        let at_once = to_openslo(&declaration([api.clone()]));
        let import = from_openslo(&at_once.text, slice::from_ref(&api)).unwrap();
        assert_eq!(import.slos, [api]);
    }
}
