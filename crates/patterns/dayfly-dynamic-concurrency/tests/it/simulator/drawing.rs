//! A small writer of SVG: panels of lines over one axis of time.

use std::fmt::Write;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 64.0;
const PANEL: f64 = 170.0;
const GAP: f64 = 40.0;

/// More points than this are not seen.
const MOST_POINTS: usize = 420;

pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    /// What was simulated, with units.
    pub(crate) parameters: &'a str,
    pub(crate) seconds: f64,
    pub(crate) panels: Vec<Panel>,
}

pub(crate) struct Panel {
    /// What is shown, with its unit.
    pub(crate) label: &'static str,
    /// What is above this is drawn at the edge.
    pub(crate) top: f64,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) color: &'static str,
    pub(crate) is_dashed: bool,
    /// Seconds, and what was seen then.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Plot<'_> {
    pub(crate) fn draw(&self) -> String {
        let mut svg = String::new();
        self.write(&mut svg).expect("a text takes whatever is written to it");
        svg
    }

    fn write(&self, svg: &mut String) -> std::fmt::Result {
        let panels = self.panels.len() as f64;
        let height = TOP + panels * (PANEL + GAP);
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">"#
        )?;
        writeln!(svg, r##"<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>"##)?;
        writeln!(svg, r#"<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{}</text>"#, self.title)?;
        writeln!(svg, r##"<text x="{LEFT}" y="42" fill="#555555">{}</text>"##, self.parameters)?;
        for (number, panel) in self.panels.iter().enumerate() {
            let top = TOP + number as f64 * (PANEL + GAP);
            self.write_panel(svg, panel, top)?;
        }
        writeln!(svg, "</svg>")
    }

    fn write_panel(&self, svg: &mut String, panel: &Panel, top: f64) -> std::fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, top + PANEL);
        let x = |second: f64| LEFT + (right - LEFT) * second / self.seconds;
        let y = |value: f64| bottom - PANEL * value.min(panel.top) / panel.top;
        writeln!(svg, r#"<g stroke="none" fill="none">"#)?;
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let (value, second) = (panel.top * share, self.seconds * share);
            let (height, at) = (y(value), x(second));
            writeln!(
                svg,
                r##"<path d="M{LEFT} {height:.1}H{right}" stroke="#dddddd"/><text x="{:.1}" y="{:.1}" text-anchor="end" fill="#555555">{value:.0}</text>"##,
                LEFT - 6.0,
                height + 4.0
            )?;
            writeln!(
                svg,
                r##"<text x="{at:.1}" y="{:.1}" text-anchor="middle" fill="#555555">{second:.0} s</text>"##,
                bottom + 16.0
            )?;
        }
        writeln!(svg, r##"<text x="{LEFT}" y="{:.1}" fill="#000000">{}</text>"##, top - 6.0, panel.label)?;
        let mut at = right - 170.0 * panel.lines.len() as f64;
        for line in &panel.lines {
            let dashes = if line.is_dashed { r#" stroke-dasharray="5 4""# } else { "" };
            let color = line.color;
            writeln!(
                svg,
                r##"<path d="M{at:.1} {:.1}h22" stroke="{color}" stroke-width="2"{dashes}/><text x="{:.1}" y="{:.1}" fill="#000000">{}</text>"##,
                top - 10.0,
                at + 27.0,
                top - 6.0,
                line.name
            )?;
            at += 170.0;
            write!(svg, r#"<polyline stroke="{color}" stroke-width="1.6"{dashes} points=""#)?;
            let step = line.points.len().div_ceil(MOST_POINTS).max(1);
            for (second, value) in line.points.iter().step_by(step) {
                write!(svg, "{:.1},{:.1} ", x(*second), y(*value))?;
            }
            writeln!(svg, r#""/>"#)?;
        }
        writeln!(svg, "</g>")
    }
}
