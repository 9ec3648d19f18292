//! Maintenance that is told while a process runs, in the next one.

use std::time::{SystemTime, UNIX_EPOCH};

use plimsoll::{Maintenance, SloReading};

use super::*;

impl Service {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now_ms() as u64)
    }

    /// For so many seconds from now on.
    fn maintenance(&self, seconds: u32, reason: &str) -> Maintenance {
        Maintenance::new(self.now(), self.now() + seconds * SECOND, reason)
    }
}

fn listed(slo: &SloReading) -> Vec<(&str, Duration)> {
    let listed = slo.maintenance.iter();
    let length = |start, end: SystemTime| end.duration_since(start).unwrap();
    listed
        .map(|time| (&*time.reason, length(time.start, time.end)))
        .collect()
}

#[test]
fn what_was_announced_goes_on_and_is_listed_once_it_is_over() {
    let service = Service::new();
    let first = service.start(|builder| builder.slo(slo()));
    service.work(&first, 10, 0);
    let moving = service.maintenance(120, "moving");
    first.add_maintenance("work", moving).unwrap();
    service.work(&first, 20, 1);
    drop(first);
    service.clock.advance(10 * SECOND);

    let second = service.start(|builder| builder.slo(slo()));
    service.work(&second, 30, 1);
    let reading = second.slos().remove(0);
    assert_eq!((reading.valid, reading.excluded), (10.0, 50.0));
    assert_eq!(listed(&reading), [("moving", 120 * SECOND)]);
    second.end_maintenance("work", "moving").unwrap();
    service.work(&second, 5, 1);
    drop(second);

    // The file went through a process that knew nothing of it.
    drop(service.start(|builder| builder));
    let third = service.start(|builder| builder.slo(slo()));
    service.work(&third, 5, 1);
    let reading = third.slos().remove(0);
    assert_eq!((reading.valid, reading.excluded), (20.0, 50.0));
    assert_eq!(listed(&reading), [("moving", 60 * SECOND)]);
    assert_eq!(warned(&third), []);
}

#[test]
fn what_is_declared_stays_as_it_is_declared_and_ended_where_it_was_ended() {
    let service = Service::new();
    let backup = service.maintenance(600, "backup");
    let declared = || slo().maintenance(backup.clone());
    let first = service.start(|builder| builder.slo(declared()));
    service.work(&first, 20, 1);
    first.end_maintenance("work", "backup").unwrap();
    service.work(&first, 10, 1);
    drop(first);
    let second = service.start(|builder| builder.slo(declared()));
    service.work(&second, 10, 1);
    let reading = second.slos().remove(0);
    assert_eq!((reading.valid, reading.excluded), (20.0, 20.0));
    assert_eq!(listed(&reading), [("backup", 20 * SECOND)]);
    drop(second);
    let third = service.start(|builder| builder.slo(slo()));
    service.work(&third, 1, 1);
    assert_eq!(listed(&third.slos()[0]), [], "nobody declares it any more");
}
