//! The style of a page: theme and sheets as one text with its hash, and charts that carry their style with them.
//!
//! Input: templates and the name of a theme. Output: CSS, the hash for `Content-Security-Policy`, standalone SVG.

use super::env::Templates;
use super::error::RenderError;

/// Sheet of the page: theme, charts, page.
///
/// # Errors
/// When the theme does not exist.
pub(super) fn page_css(templates: &Templates, theme: &str) -> Result<String, RenderError> {
    let mut sheets = templates.theme(theme)?;
    for name in ["chart", "report", "list", "print"] {
        sheets.push_str(&templates.needed(&format!("assets/{name}.css"))?);
    }
    Ok(compact(&sheets))
}

/// Sheet of a chart that stands alone.
///
/// # Errors
/// When the theme does not exist.
pub(super) fn charts_css(templates: &Templates, theme: &str) -> Result<String, RenderError> {
    Ok(compact(&[templates.theme(theme)?, templates.needed("assets/chart.css")?].concat()))
}

/// Drops comments and the white space between rules: the sheet is readable in the repository, small in the page.
fn compact(css: &str) -> String {
    let mut bare = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(start) = rest.find("/*") {
        bare.push_str(&rest[..start]);
        rest = rest[start..].find("*/").map_or("", |end| &rest[start + end + 2..]);
    }
    bare.push_str(rest);
    // A user's own sheet cannot end the element that holds it.
    bare.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n").replace("</", "<\\/")
}

/// `sha256-…` of a style sheet, as `Content-Security-Policy` takes it.
#[must_use]
pub(super) fn csp_hash(css: &str) -> String {
    use sha2::{Digest, Sha256};
    format!("sha256-{}", base64(&Sha256::digest(css.as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().enumerate().fold(0_u32, |group, (index, byte)| group | (u32::from(*byte) << (16 - 8 * index)));
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// An inline chart as a file of its own: with the name space, the style and a background.
#[must_use]
pub(super) fn standalone(svg: &str, css: &str) -> String {
    let Some((head, body)) = svg.split_once('>') else { return svg.to_owned() };
    let head = head.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
    let css = super::env::html(css).replace("&quot;", "\"").replace("&#39;", "'");
    format!("{head}><style>{css}</style>{HATCH}<rect class=\"paper\" width=\"100%\" height=\"100%\"/>{body}\n")
}

/// The hatching of periods that are not over.
pub(super) const HATCH: &str = "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
     <rect class=\"hatch-line\" width=\"3\" height=\"6\"/></pattern></defs>";

/// Markdown without the blank lines that template tags leave.
#[must_use]
pub(super) fn tidy_markdown(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let (mut blank, mut is_code) = (true, false);
    for line in text.lines() {
        let line = line.trim_end();
        is_code ^= line.starts_with("```");
        let is_blank = line.is_empty();
        if !(is_blank && blank && !is_code) {
            tidy.push_str(line);
            tidy.push('\n');
        }
        blank = is_blank;
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::{base64, compact, csp_hash};

    #[test]
    fn hashes_are_those_of_browsers() {
        assert_eq!(csp_hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!([base64(b"a"), base64(b"ab"), base64(b"abc")], ["YQ==", "YWI=", "YWJj"]);
    }

    #[test]
    fn sheets_are_compact_and_closed() {
        assert_eq!(compact("a { /* why */\n  b: c;\n}\n</style>"), "a {\nb: c;\n}\n<\\/style>");
    }
}
