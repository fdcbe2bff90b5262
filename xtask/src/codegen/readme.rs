//! A crate's README, from the `//!` docs of its lib.rs, or of its main.rs when it has no library.

use anyhow::{Context, Result, ensure};

use crate::tree::Package;

pub(super) fn render(package: &Package) -> Result<String> {
    let find = |name: &str| package.sources.iter().find(|source| package.inside(&source.path) == name);
    let root = find("src/lib.rs").or_else(|| find("src/main.rs"));
    let root = root.with_context(|| format!("{} is missing", package.dir.join("src/lib.rs").display()))?;
    // An attribute or a comment may stand before the docs and between them.
    let docs: Vec<&str> = root.text.lines().filter_map(|line| line.strip_prefix("//!")).collect();
    ensure!(!docs.is_empty(), "{} has no `//!` docs to make a README of", root.path.display());
    let mut text = format!(
        "<!-- Generated from {} by `cargo xtask codegen`: edit it there. -->\n\n# {}\n\n",
        package.inside(&root.path).display(),
        package.name
    );
    let mut block: Option<Block<'_>> = None;
    for line in docs.into_iter().map(|line| line.strip_prefix(' ').unwrap_or(line)) {
        match &block {
            Some(open) if open.ends_with(line) => {
                text.push_str(line);
                block = None;
            }
            Some(open) if open.is_rust => match shown(line) {
                Some(line) => text.push_str(&line),
                None => continue,
            },
            Some(_) => text.push_str(line),
            None => {
                block = Block::begin(line);
                match &block {
                    // For a reader it is Rust, whatever rustdoc is told about it.
                    Some(begun) if begun.is_rust => {
                        text.push_str(&line[..begun.indent]);
                        text.push_str(begun.fence);
                        text.push_str("rust");
                    }
                    Some(_) => text.push_str(line),
                    None => {
                        let is_heading =
                            line.trim_start_matches('#').starts_with(' ') && line.starts_with('#');
                        text.push_str(if is_heading { "#" } else { "" });
                        text.push_str(&without_doc_links(line));
                    }
                }
            }
        }
        text.push('\n');
    }
    text.push_str("\n## Licence\n\nMIT or Apache-2.0, at your option.\n");
    Ok(text)
}

/// A fenced block of code, which may stand in a list and so be indented.
struct Block<'a> {
    indent: usize,
    fence: &'a str,
    is_rust: bool,
}

impl<'a> Block<'a> {
    fn begin(line: &'a str) -> Option<Self> {
        let trimmed = line.trim_start();
        let mark = trimmed.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = trimmed.trim_start_matches(mark);
        let fence = &trimmed[..trimmed.len() - info.len()];
        let is_fence = fence.len() >= 3 && !info.contains('`');
        let mut words = info.split([',', ' ']).map(str::trim);
        let is_rust = words.all(|word| {
            let told = ["", "rust", "no_run", "compile_fail", "should_panic", "ignore", "test_harness"];
            told.contains(&word) || ["edition20", "ignore-", "E0"].iter().any(|start| word.starts_with(start))
        });
        is_fence.then_some(Self { indent: line.len() - trimmed.len(), fence, is_rust })
    }

    fn ends_with(&self, line: &str) -> bool {
        let line = line.trim();
        line.starts_with(self.fence) && line.bytes().all(|byte| byte == self.fence.as_bytes()[0])
    }
}

/// A line of Rust as rustdoc shows it: `# hidden` is not shown, and `##` stands for one `#`.
fn shown(line: &str) -> Option<String> {
    let code = line.trim();
    if code.starts_with("##") {
        Some(line.replacen("##", "#", 1))
    } else if code == "#" || code.starts_with("# ") {
        None
    } else {
        Some(line.to_owned())
    }
}

/// Turns links to items, which only rustdoc can follow, into plain text: [`Foo`], [`foo`](Foo::foo), [text](Foo).
fn without_doc_links(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((shown, after)) = link.split_once(']') else { break };
        plain.push_str(before);
        let is_code = shown.len() > 2 && shown.starts_with('`') && shown.ends_with('`');
        let target = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        rest = match target {
            Some((target, left)) if is_item(target) => {
                plain.push_str(shown);
                left
            }
            None if is_code => {
                plain.push_str(shown);
                after
            }
            _ => {
                plain.push('[');
                link
            }
        };
    }
    plain.push_str(rest);
    plain
}

/// Whether a link leads to an item, `Foo::bar`, and not to a page, a file or a heading.
fn is_item(target: &str) -> bool {
    let target = target.trim_matches('`');
    let is_name =
        |part: &str| part.chars().all(|letter| letter.is_alphanumeric() || "_@!<>()".contains(letter));
    !target.is_empty()
        && target.split('#').next().unwrap_or_default().split("::").all(is_name)
        && !target.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::without_doc_links;

    #[test]
    fn links_to_items_become_text_and_others_stay() {
        for (docs, expected) in [
            ("a [`Foo`] and [`bar`](Foo::bar).", "a `Foo` and `bar`."),
            ("see [`x`](https://x.y) [z](q.md)", "see [`x`](https://x.y) [z](q.md)"),
            ("see [the sink](crate::SignalSink) and [below](#limits)", "see the sink and [below](#limits)"),
            ("see [`page`](docs/page.md)", "see [`page`](docs/page.md)"),
            ("an [open one", "an [open one"),
            ("a [list] of `[u8]` and vec[`i`", "a [list] of `[u8]` and vec[`i`"),
        ] {
            assert_eq!(without_doc_links(docs), expected);
        }
    }
}
