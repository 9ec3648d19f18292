use super::*;

#[test]
fn native_buckets_hold_what_their_bounds_say() {
    let indices: Vec<i32> = (-2_000..3_000).collect();
    for (layout, bounds) in [
        // Two bounds in the zero bucket, two in one bucket of the schema.
        (
            Layout::durations(),
            &[0.000_000_3, 0.000_000_5, 0.1, 0.100_01][..],
        ),
        (Layout::counts(), &[0.0, 1.0, 2.0, 10.0, 1000.0][..]),
        (Layout::bytes(), &[1024.0, 1_048_576.0][..]),
        (Layout::ratios(), &[0.5, 0.999, 1.0][..]),
    ] {
        let histogram = Histogram::new(Buckets::new(layout, bounds).expect("bounds"));
        let scale = layout.unit().scale();
        let bound = |index: i32| 2_f64.powf(f64::from(index) / 64.0) * scale;
        let threshold = histogram
            .snapshot()
            .native(NativeSchema::default())
            .zero_threshold
            * scale;
        let (mut zero, mut expected) = (0, std::collections::BTreeMap::new());
        for value in probes(histogram.buckets()) {
            histogram.record(value);
            if value as f64 <= threshold {
                zero += 1;
            } else {
                let at = indices.partition_point(|&index| bound(index) < value as f64);
                *expected.entry(indices[at]).or_insert(0) += 1;
            }
        }
        let native = histogram.snapshot().native(NativeSchema::default());
        assert_eq!(
            native.buckets,
            expected.into_iter().collect::<Vec<_>>(),
            "{layout:?}"
        );
        assert_eq!(native.zero_count, zero, "{layout:?}");
    }
}

#[test]
fn a_lower_schema_is_the_sum_of_its_parts() {
    let histogram = durations(&[0.1, 0.2]);
    probes(histogram.buckets())
        .into_iter()
        .for_each(|value| histogram.record(value));
    let snapshot = histogram.snapshot();
    for schema in -4..6 {
        let (coarse, fine) = [schema, schema + 1]
            .map(|schema| snapshot.native(NativeSchema::nearest(schema)))
            .into();
        assert!(coarse.buckets.len() < fine.buckets.len());
        for (index, count) in coarse.buckets {
            let parts = fine.buckets.iter();
            let parts = parts.filter(|(part, _)| [2 * index - 1, 2 * index].contains(part));
            assert_eq!(
                count,
                parts.map(|(_, count)| count).sum::<u64>(),
                "{schema}: {index}"
            );
        }
        assert_eq!(coarse.zero_count, fine.zero_count);
    }
    assert_eq!(NativeSchema::nearest(9), NativeSchema::default());
    assert_eq!(NativeSchema::nearest(-9).number(), -4);
}
