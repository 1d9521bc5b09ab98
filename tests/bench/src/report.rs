//! The table at the end.

use comfy_table::{CellAlignment, Table, presets};

use crate::machine;

/// What was measured, in lines.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Line>);

/// One figure.
#[derive(Debug, Default)]
pub(crate) struct Line {
    what: String,
    figure: String,
    spread: Option<f64>,
    ratio: Option<f64>,
    goal: Option<Goal>,
    notes: String,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// The ratio is at least this.
    Times(f64),
    /// The ratio is at least this, said in percent.
    Share(f64),
    /// This value of the figure is below that one, in that unit.
    Below {
        /// What was measured.
        value: f64,
        /// What is too much.
        most: f64,
        /// What both are counted in.
        unit: &'static str,
    },
    /// This value of the figure is at least that one, in that unit.
    AtLeast {
        /// What was measured.
        value: f64,
        /// What is too little.
        least: f64,
        /// What both are counted in.
        unit: &'static str,
    },
    /// The value is that one, to the last digit.
    Exactly {
        /// What was counted.
        value: f64,
        /// What it should be.
        wanted: f64,
    },
}

// === impl Report ===

impl Report {
    pub(crate) fn add(&mut self, line: Line) {
        self.0.push(line);
    }

    #[expect(clippy::print_stdout, reason = "this is the result of the program")]
    pub(crate) fn print(&self) {
        println!("\n{}\n\n{}\n", machine::description(), self.table());
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["what", "median", "spread", "ratio", "goal", "met", ""]);
        for line in &self.0 {
            table.add_row(line.cells());
        }
        for column in [1, 2, 3, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

// === impl Line ===

impl Line {
    /// A figure, as people read it.
    pub(crate) fn new(what: impl Into<String>, figure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            figure: figure.into(),
            ..Self::default()
        }
    }

    /// How far the middle half of the measurements lies apart, as a share of the figure.
    pub(crate) fn spread(mut self, spread: f64) -> Self {
        self.spread = Some(spread);
        self
    }

    /// The figure against its baseline.
    pub(crate) fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// What it should be.
    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// What else is worth knowing.
    pub(crate) fn notes(mut self, notes: impl Into<String>) -> Self {
        self.notes = notes.into();
        self
    }

    fn cells(&self) -> [String; 7] {
        let ratio = self.ratio.map(|ratio| match self.goal {
            Some(Goal::Share(_)) => format!("{:.0} %", ratio * 100.0),
            Some(
                Goal::Times(_) | Goal::Below { .. } | Goal::AtLeast { .. } | Goal::Exactly { .. },
            )
            | None => format!("{ratio:.2}×"),
        });
        let met = self
            .goal
            .map(|goal| if goal.is_met(self.ratio) { "yes" } else { "NO" });
        [
            self.what.clone(),
            self.figure.clone(),
            self.spread
                .map(|spread| format!("{:.0} %", spread * 100.0))
                .unwrap_or_default(),
            ratio.unwrap_or_default(),
            self.goal.map(Goal::text).unwrap_or_default(),
            met.unwrap_or_default().to_owned(),
            self.notes.clone(),
        ]
    }
}

// === impl Goal ===

impl Goal {
    fn is_met(self, ratio: Option<f64>) -> bool {
        match self {
            Self::Times(least) | Self::Share(least) => ratio.is_some_and(|ratio| ratio >= least),
            Self::Below { value, most, .. } => value < most,
            Self::AtLeast { value, least, .. } => value >= least,
            Self::Exactly { value, wanted } => (value - wanted).abs() < 1e-9,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Times(least) => format!("≥ {least}×"),
            Self::Share(least) => format!("≥ {:.0} %", least * 100.0),
            Self::Below { most, unit, .. } => format!("< {most} {unit}"),
            Self::AtLeast { least, unit, .. } => format!("≥ {least} {unit}"),
            Self::Exactly { wanted, .. } => format!("= {wanted}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Goal, Line};

    fn line(line: &Line) -> String {
        line.cells().join(" | ")
    }

    #[test]
    fn a_missed_goal_is_said_as_plainly_as_one_that_is_met() {
        let fast = Line::new("call", "4.0 µs")
            .spread(0.03)
            .ratio(12.5)
            .goal(Goal::Times(10.0));
        assert_eq!(line(&fast), "call | 4.0 µs | 3 % | 12.50× | ≥ 10× | yes | ");
        let slow = Line::new("hello", "9 k/s")
            .ratio(0.749)
            .goal(Goal::Share(0.75));
        assert_eq!(line(&slow), "hello | 9 k/s |  | 75 % | ≥ 75 % | NO | ");
    }

    #[test]
    fn a_figure_without_a_number_meets_nothing() {
        let nothing = Goal::Below {
            value: f64::NAN,
            most: 200.0,
            unit: "MB",
        };
        assert_eq!(
            line(&Line::new("memory", "?").goal(nothing)),
            "memory | ? |  |  | < 200 MB | NO | "
        );
    }
}
