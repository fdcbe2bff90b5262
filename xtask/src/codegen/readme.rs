//! A crate's README, from the `//!` docs of its lib.rs.

use anyhow::{Context, Result};

use crate::tree::Package;

pub(super) fn render(package: &Package) -> Result<String> {
    let path = package.dir.join("src/lib.rs");
    let lib = package.sources.iter().find(|source| source.path == path);
    let lib = lib.with_context(|| format!("{} is missing", path.display()))?;
    let docs = lib.text.lines().map_while(|line| line.strip_prefix("//!"));
    let docs: Vec<&str> = docs.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let mut text = format!(
        "<!-- Generated from src/lib.rs by `cargo xtask codegen`: edit it there. -->\n\n# {}\n\n",
        package.name
    );
    let mut in_code = false;
    for line in docs {
        if let Some(info) = line.strip_prefix("```") {
            // Whatever rustdoc is told about a block, for a reader it is Rust, unless it names another language.
            let is_rust = info.split(',').all(|word| {
                matches!(word, "" | "rust" | "no_run" | "compile_fail" | "should_panic" | "ignore")
            });
            text.push_str(if in_code || !is_rust { line } else { "```rust" });
            in_code = !in_code;
        } else if in_code {
            if line == "#" || line.starts_with("# ") {
                continue;
            }
            text.push_str(line);
        } else {
            let deeper = if line.starts_with('#') { "#" } else { "" };
            text.push_str(deeper);
            text.push_str(&without_doc_links(line));
        }
        text.push('\n');
    }
    text.push_str("\n## Licence\n\nMIT or Apache-2.0, at your option.\n");
    Ok(text)
}

/// Turns links to items, which only rustdoc can follow, into plain code: [`Foo`] and [`foo`](Foo::foo).
fn without_doc_links(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((code, after)) = link.split_once("`]") else { break };
        plain.push_str(before);
        let (shown, left) = match after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            Some((target, left)) if target.starts_with("http") => (format!("[`{code}`]({target})"), left),
            Some((_, left)) => (format!("`{code}`"), left),
            None => (format!("`{code}`"), after),
        };
        plain.push_str(&shown);
        rest = left;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::without_doc_links;

    #[test]
    fn links_to_items_become_code_and_others_stay() {
        assert_eq!(without_doc_links("a [`Foo`] and [`bar`](Foo::bar)."), "a `Foo` and `bar`.");
        assert_eq!(without_doc_links("see [`x`](https://x.y) [z](q)"), "see [`x`](https://x.y) [z](q)");
        assert_eq!(without_doc_links("an [open one"), "an [open one");
    }
}
