//! What is done with values.

/// How two values are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `>`: the left side where it is greater.
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `and`: the left side where the right one has an element.
    And,
    /// `or`: both sides; where both have an element the left one.
    Or,
    /// `unless`: the left side where the right one has no element.
    Unless,
}

impl Op {
    /// Every one.
    pub const ALL: [Self; 15] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Mod,
        Self::Pow,
        Self::Greater,
        Self::GreaterEqual,
        Self::Less,
        Self::LessEqual,
        Self::Equal,
        Self::NotEqual,
        Self::And,
        Self::Or,
        Self::Unless,
    ];

    /// As PromQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }

    /// Whether it filters instead of calculating.
    pub fn is_comparison(self) -> bool {
        self.compare(0.0, 0.0).is_some()
    }

    /// Whether it is about which elements there are.
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    /// Whether a comparison holds; `None` for what is none.
    pub(crate) fn compare(self, left: f64, right: f64) -> Option<bool> {
        Some(match self {
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            _ => return None,
        })
    }

    /// What arithmetic yields; `None` for what is none.
    pub(crate) fn calculate(self, left: f64, right: f64) -> Option<f64> {
        Some(match self {
            Self::Add => left + right,
            Self::Sub => left - right,
            Self::Mul => left * right,
            Self::Div => left / right,
            Self::Mod => left % right,
            Self::Pow => super::eval::pow(left, right),
            _ => return None,
        })
    }
}

/// What is made of the samples of a range, series by series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Over {
    /// `rate`: growth per second of a counter.
    Rate,
    /// `increase`: growth of a counter.
    Increase,
    /// `avg_over_time`
    Avg,
    /// `min_over_time`
    Min,
    /// `max_over_time`
    Max,
    /// `sum_over_time`
    Sum,
    /// `count_over_time`
    Count,
    /// `last_over_time`
    Last,
}

impl Over {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Rate,
        Self::Increase,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::Sum,
        Self::Count,
        Self::Last,
    ];

    /// As PromQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Increase => "increase",
            Self::Avg => "avg_over_time",
            Self::Min => "min_over_time",
            Self::Max => "max_over_time",
            Self::Sum => "sum_over_time",
            Self::Count => "count_over_time",
            Self::Last => "last_over_time",
        }
    }
}

/// What is made of the elements of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Aggregation {
    /// `sum`
    Sum,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `avg`
    Avg,
    /// `count`
    Count,
}

impl Aggregation {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Sum, Self::Min, Self::Max, Self::Avg, Self::Count];

    /// As PromQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Count => "count",
        }
    }
}

/// Which elements belong together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grouping {
    /// Those with equal values of these labels; all of them for none.
    By(Vec<String>),
    /// Those whose labels are equal but for these.
    Without(Vec<String>),
}

impl Grouping {
    /// Those with equal values of these labels.
    pub fn by<L: Into<String>>(labels: impl IntoIterator<Item = L>) -> Self {
        Self::By(labels.into_iter().map(Into::into).collect())
    }

    /// Those whose labels are equal but for these.
    pub fn without<L: Into<String>>(labels: impl IntoIterator<Item = L>) -> Self {
        Self::Without(labels.into_iter().map(Into::into).collect())
    }
}

impl Default for Grouping {
    fn default() -> Self {
        Self::By(Vec::new())
    }
}

/// A function of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Function {
    /// `absent`: 1 if there is no element; it has the labels that the selector asks for by `=`.
    Absent,
    /// `abs`
    Abs,
    /// `ceil`
    Ceil,
    /// `floor`
    Floor,
    /// `sqrt`
    Sqrt,
    /// `scalar`: the value of the only element, NaN if there is another number of them.
    Scalar,
    /// `vector`: a scalar as the only element of a vector, without labels.
    Vector,
    /// `hour`: 0 to 23, of seconds since 1970, UTC.
    Hour,
    /// `minute`: 0 to 59.
    Minute,
    /// `day_of_week`: 0 (Sunday) to 6.
    DayOfWeek,
    /// `day_of_month`: 1 to 31.
    DayOfMonth,
    /// `month`: 1 to 12.
    Month,
    /// `histogram_count`: the number of values of a native histogram.
    HistogramCount,
    /// `histogram_sum`: the sum of the values of a native histogram.
    HistogramSum,
}

impl Function {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Absent,
        Self::Abs,
        Self::Ceil,
        Self::Floor,
        Self::Sqrt,
        Self::Scalar,
        Self::Vector,
        Self::Hour,
        Self::Minute,
        Self::DayOfWeek,
        Self::DayOfMonth,
        Self::Month,
        Self::HistogramCount,
        Self::HistogramSum,
    ];

    /// As PromQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Abs => "abs",
            Self::Ceil => "ceil",
            Self::Floor => "floor",
            Self::Sqrt => "sqrt",
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::DayOfWeek => "day_of_week",
            Self::DayOfMonth => "day_of_month",
            Self::Month => "month",
            Self::HistogramCount => "histogram_count",
            Self::HistogramSum => "histogram_sum",
        }
    }
}
