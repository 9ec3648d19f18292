"""Reads an interval log with HdrHistogram_py: start, length, tag, count, p50, p99 and maximum of each interval."""

import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 4_000_000_000_000, 3))
while (interval := reader.get_next_interval_histogram()) is not None:
    start = interval.get_start_time_stamp() - reader.get_start_time_sec() * 1000.0
    length = interval.get_end_time_stamp() - interval.get_start_time_stamp()
    figures = [
        round(start),
        round(length),
        interval.get_tag() or "-",
        interval.get_total_count(),
        interval.get_value_at_percentile(50.0),
        interval.get_value_at_percentile(99.0),
        interval.get_max_value(),
    ]
    print(*figures)
