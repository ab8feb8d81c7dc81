//! A canvas that writes SVG: shapes with classes, never colours, so that one drawing serves light, dark and print.
//!
//! Input: shapes in user units (1 unit = 1 CSS pixel at full width). Output: an `<svg>` element.

use std::fmt::Write as _;

use super::super::env::html;
use super::super::format::{clean, short};

/// Characters of a text or tooltip: a name of 100 kB is drawn as its beginning.
const MOST_CHARS: usize = 160;

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// At its start.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// A drawing in the making.
#[derive(Debug)]
pub struct Canvas {
    body: String,
    /// Width in user units.
    pub width: f64,
    /// A drawing for small screens: fewer labels, no tooltips of its own.
    pub is_narrow: bool,
}

/// A coordinate with one decimal at most.
pub fn c(number: f64) -> String {
    let rounded = (number * 10.0).round() / 10.0;
    let rounded = if rounded == 0.0 { 0.0 } else { rounded };
    format!("{rounded}")
}

impl Canvas {
    /// An empty canvas.
    pub fn new(width: f64, is_narrow: bool) -> Self {
        Self { body: String::new(), width, is_narrow }
    }

    /// A text on one line.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(
            self.body,
            "<text x=\"{}\" y=\"{}\"{anchor}{class}>{}</text>",
            c(x),
            c(y),
            html(&short(&clean(text), MOST_CHARS))
        );
    }

    /// A rectangle with a tooltip; nothing where it has no size.
    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str, tooltip: &str) {
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        let _ = write!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{class}\"",
            c(x),
            c(y),
            c(width),
            c(height)
        );
        self.close("rect", tooltip);
    }

    /// A straight line.
    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        let _ = write!(
            self.body,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{class}\"/>",
            c(x1),
            c(y1),
            c(x2),
            c(y2)
        );
    }

    /// A dot with a tooltip.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, class: &str, tooltip: &str) {
        let _ = write!(self.body, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" class=\"{class}\"", c(x), c(y), c(radius));
        self.close("circle", tooltip);
    }

    /// A line through points; gaps where a point is missing.
    pub fn polyline(&mut self, points: &[Option<(f64, f64)>], class: &str) {
        let mut path = String::new();
        let mut is_open = false;
        for point in points {
            match point {
                Some((x, y)) => {
                    let _ = write!(path, "{}{} {}", if is_open { 'L' } else { 'M' }, c(*x), c(*y));
                    is_open = true;
                }
                None => is_open = false,
            }
        }
        if !path.is_empty() {
            let _ = write!(self.body, "<path d=\"{path}\" class=\"{class}\"/>");
        }
    }

    fn close(&mut self, element: &str, tooltip: &str) {
        if tooltip.is_empty() || self.is_narrow {
            self.body.push_str("/>");
        } else {
            let _ = write!(self.body, "><title>{}</title></{element}>", html(&short(&clean(tooltip), MOST_CHARS)));
        }
    }

    /// The element as decoration: the same is said in words beside it.
    pub fn finish_hidden(self, height: f64, class: &str) -> String {
        let (width, height) = (c(self.width), c(height));
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" aria-hidden=\"true\">{}</svg>",
            self.body
        )
    }

    /// The element, named for screen readers.
    pub fn finish(self, height: f64, id: &str, class: &str, title: &str, desc: &str) -> String {
        let (width, height) = (c(self.width), c(height));
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{}</svg>",
            html(&short(&clean(title), 3 * MOST_CHARS)),
            html(&short(&clean(desc), 3 * MOST_CHARS)),
            self.body
        )
    }
}
