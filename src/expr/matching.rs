//! Which elements of two vectors belong together.

/// How the elements of two vectors find each other, and what a comparison yields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Matching {
    /// By which labels; `None` stands for all but the family's name.
    pub on: Option<MatchOn>,
    /// The side on which several elements may belong to one of the other.
    pub group: Option<Group>,
    /// Whether a comparison yields 0 or 1 (`bool`) instead of filtering.
    pub as_bool: bool,
}

/// By which labels elements belong together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MatchOn {
    /// `on (labels)`
    On(Vec<String>),
    /// `ignoring (labels)`
    Ignoring(Vec<String>),
}

/// Many elements on one side belong to one on the other; the labels are copied from that one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// `group_left (labels)`: many on the left.
    Left(Vec<String>),
    /// `group_right (labels)`: many on the right.
    Right(Vec<String>),
}

impl Matching {
    /// By these labels alone.
    pub fn on<L: Into<String>>(labels: impl IntoIterator<Item = L>) -> Self {
        Self::by(MatchOn::On(labels.into_iter().map(Into::into).collect()))
    }

    /// By all labels but these.
    pub fn ignoring<L: Into<String>>(labels: impl IntoIterator<Item = L>) -> Self {
        Self::by(MatchOn::Ignoring(
            labels.into_iter().map(Into::into).collect(),
        ))
    }

    fn by(on: MatchOn) -> Self {
        Self {
            on: Some(on),
            ..Self::default()
        }
    }

    /// A comparison that yields 0 or 1.
    pub fn as_bool(mut self) -> Self {
        self.as_bool = true;
        self
    }

    /// Many on one side.
    pub fn group(mut self, group: Group) -> Self {
        self.group = Some(group);
        self
    }
}
