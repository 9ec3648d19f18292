//! Where panels stand.

use super::Panel;
use super::panel::PanelKind;

/// Columns of a dashboard.
pub(super) const COLUMNS: u32 = 24;

/// The place of a panel: columns from the left, steps from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) struct Place {
    pub(super) h: u32,
    pub(super) w: u32,
    pub(super) x: u32,
    pub(super) y: u32,
}

/// Fills a dashboard from the top, shelf by shelf.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    x: u32,
    y: u32,
    /// The height of the highest panel of the shelf.
    high: u32,
}

impl Shelves {
    /// A line of its own across all columns.
    pub(super) fn line(&mut self) -> Place {
        self.next_shelf();
        let place = Place {
            h: 1,
            w: COLUMNS,
            x: 0,
            y: self.y,
        };
        self.y += 1;
        place
    }

    /// The next place of this size.
    pub(super) fn place(&mut self, w: u32, h: u32) -> Place {
        if self.x + w > COLUMNS {
            self.next_shelf();
        }
        let (x, y) = (self.x, self.y);
        self.x += w;
        self.high = self.high.max(h);
        Place { h, w, x, y }
    }

    pub(super) fn next_shelf(&mut self) {
        self.y += self.high;
        (self.x, self.high) = (0, 0);
    }
}

/// The size of a panel among those of its row.
pub(super) fn size(panel: &Panel, in_row: usize) -> (u32, u32) {
    let per_shelf = match in_row {
        0..=4 => in_row.max(1) as u32,
        many if many % 3 == 0 => 3,
        _ => 4,
    };
    let high = match panel.kind {
        PanelKind::Text => 4,
        _ => 8,
    };
    (
        panel.size.0.unwrap_or(COLUMNS / per_shelf),
        panel.size.1.unwrap_or(high),
    )
}
